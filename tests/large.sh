#!/bin/sh
# large.sh - data larger than memory: the first step of a second run comes at once, little memory holds data, no step waits.
# Takes CG, and LARGE=all for 5 GB of text in place of 24 MB (make check-all); gives TAP. That bits are those of a
# small corpus is shown by cli/large.sh. A failure accuses src/data/corpus_stream.c, sequence.c, src/run/ahead.c.
. "${srcdir:-.}/tests/tap.sh"
if grep -q __asan_init "$CG"; then echo "ok 1 - data larger than memory # SKIP a sanitizer needs memory of its own"; echo 1..1; exit 0; fi
cg=$CG
copies=3 && [ "${LARGE:-}" = all ] && copies=625
export CG_DEBUG=large=1

# 8 MB of words; the copies are the same under other letters, so no text stands there twice.
awk 'BEGIN { x = 7; while (n < 8000000) { line = ""; for (k = 0; k < 12; k++) { x = (x * 16807) % 2147483647; line = line sprintf("%c%c%c%c ", \
    97 + x % 7, 97 + x % 19, 97 + x % 5, 97 + x % 23) } print line; n += length(line) + 1 } }' >words
alphabet=abcdefghijklmnopqrstuvwxyz
mkdir text
for i in $(seq $copies); do
    shuffled=$(echo $alphabet | awk -v seed="$i" '{ srand(seed); n = split($0, c, ""); for (i = n; i > 1; i--) { k = int(rand() * i) + 1; t = c[i]; c[i] = c[k]; c[k] = t }
        for (i = 1; i <= n; i++) printf "%s", c[i] }')
    tr $alphabet "$shuffled" <words >"text/$i.txt"
done

cat >large.cg <<'END'
cg 2
import graphs.transformer
option steps: int = 5
text = corpus("text")
lm = train transformer(vocab = 256, dim = 64, layers = 2, heads = 2, hidden = 128) as m {
    data = windows(text.train, bytes(), length = 256)
    loss = cross_entropy(m(batch.tokens), batch.next)
    optimizer = adamw(rate = 1e-3)
    batch = 8
    steps = steps
}
save lm as "lm.safetensors"
END
$cg run large.cg >shown 2>said
report $? "the first run makes the tokens"
# What a process may hold besides its files and its code: with 200 MB it ends, model, threads and all.
start=$(date +%s)
(ulimit -d 204800 && $cg run large.cg --set steps=6 >shown 2>said)
report $? "a run within 200 MB"
seconds=$(($(date +%s) - start))
[ $seconds -lt 30 ]
report $? "six steps of a second run within 30 s: $seconds s"
(ulimit -d 204800 && $cg run large.cg --set steps=200 --prof >shown 2>said)
grep '^batches from files' said | sed 's/^/# /'
waits=$(sed -n 's/^batches from files: 200, waited for \([0-9]*\) .*/\1/p' said)
[ "${LARGE:-}" = all ] && most=0 || most=20 # while other tests run, a thread may come late
[ "${waits:-999}" -le $most ]
report $? "200 steps, of which at most $most waited: $waits"
finish
