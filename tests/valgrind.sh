#!/bin/sh
# valgrind.sh - whole runs under memcheck: no invalid access, no use of what was never set, nothing lost.
# Takes CG and srcdir from the environment, CG_VALGRIND=yes to run at all (minutes; `make check-all`). Gives TAP.
skip() { echo "ok 1 - memcheck # SKIP $1"; echo 1..1; exit 0; }
[ "${CG_VALGRIND:-}" = yes ] || skip "make check-all runs it"
command -v valgrind >/dev/null || skip "valgrind is not installed"
if grep -q __asan_init "$CG"; then skip "the program has a sanitizer of its own"; fi
scripts=$srcdir/tests/cli/runtime
. "$srcdir/tests/tap.sh"

memcheck()      # what expected-code arguments of cg...
{
    what=$1 wanted=$2; shift 2
    valgrind -q --error-exitcode=99 --leak-check=full --show-leak-kinds=definite,indirect \
        --errors-for-leak-kinds=definite,indirect "$CG" "$@" >shown 2>said
    code=$?
    if [ $code = "$wanted" ] && ! grep -q '^==[0-9]*==' said; then
        report 0 "$what"
    else
        report 1 "$what: exit code $code" "$(grep '^==\|error' said | head -60)"
    fi
}

tiny="--threads 2 --set steps=3"
# shellcheck disable=SC2086
{
memcheck "train, align, compress, evaluate" 0 run "$scripts/compress.cg" $tiny --set tuning=2
memcheck "the same from the store" 0 run "$scripts/compress.cg" $tiny --set tuning=2
memcheck "accumulate, validate, stop early" 0 run "$scripts/lm.cg" $tiny --set every=1 --set patience=1
memcheck "bf16" 0 run "$scripts/lm.cg" $tiny --set precision=bf16

(CG_DEBUG=checkpoint-every=1,kill-at=3 "$CG" run "$scripts/lm.cg" --set steps=5 >shown 2>said) 2>killed
memcheck "going on after a kill" 0 run "$scripts/lm.cg" --set steps=5
find .cg/objects -type f ! -name '*.sum' | while read -r f; do truncate -s 300 "$f"; done
memcheck "a damaged store" 0 run "$scripts/lm.cg" $tiny

cat >load.cg <<'CG'
import graphs.transformer
lm = load(transformer(vocab = 256, dim = 24, layers = 1, heads = 2, hidden = 32), "lm.safetensors")
save generate(lm, "The ", bytes(), length = 12) as "a.txt"
CG
memcheck "weights that do not fit" 1 run load.cg
sed -i 's/dim = 24/dim = 16/' load.cg
memcheck "writing text" 0 run load.cg
cat >tokens.cg <<'CG'
cg 2
tok = tokenizer("tokenizer.json", end_token = 0)
graph next(ids: index(V)[B, T], V: int) -> f32[B, T, V] {
    param w: f32[V, V] = 0.5
    return take(w, ids)
}
m = next(V = tok.size)
t = evaluate m on windows(synthetic("grammar", size = 6000).test, tok, length = 16, count = 4) as m {
    nll = mean(cross_entropy(m(batch.tokens), batch.next), axis = 1)
}
show mean(t.nll)
CG
for kind in unigram llama3; do # patterns, which are compiled elsewhere
    cp "$srcdir/tests/conformance/tokenizer/kinds/$kind.json" tokenizer.json
    memcheck "a tokenizer of kind $kind" 0 run tokens.cg
done
memcheck "an option that is unknown" 1 run "$scripts/lm.cg" --set stepz=3
memcheck "check" 0 check "$scripts/compress.cg"
memcheck "plan" 0 plan "$scripts/lm.cg"
}
finish
