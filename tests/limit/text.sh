# Text that is no text: bytes that are not UTF-8, zeros, lone surrogates. Models see the bytes; what is written for people is sound.
cat >a.cg <<'CG'
import graphs.transformer
option path: str = "bytes.txt"
option field: str = ""
option pieces: bool = false
source = if field == "" then corpus(path) else corpus(path, field)
tok = if pieces then bpe(source, size = 300) else bytes()
lm = train transformer(vocab = 300, dim = 4, layers = 1, heads = 1, hidden = 5) as lm {
    data = windows(source.train, tok, length = 8)
    loss = cross_entropy(lm(batch.tokens), batch.next)
    optimizer = adamw(rate = 1e-2)
    batch = 2
    steps = 1
}
read = evaluate lm on windows(source.train, tok, length = 8, count = 2) as m {
    text = decode(batch.tokens)
}
save read as "read.jsonl"
save read as "read.csv"
CG
printf '\303\050\377\376\360\050\214\274%d' 101 112 123 134 145 156 167 178 189 192 203 214 225 236 247 258 269 271 282 293 >bytes.txt
printf 'nothing\000but\000words\000%.0s' 1 2 3 4 5 6 7 8 9 10 >zeros.txt
head -c 300 /dev/zero >only.txt
cat >good.jsonl <<'JSON'
{"text": "a zero \u0000 in the middle, and then text that goes on for all the splits"}
{"text": "\ud83d\ude00 is a pair of surrogates, and this goes on as well, so there is enough"}
JSON
printf '{"text": "\377\376"}\n' >bytes.jsonl
printf '{"text": "\\ud800"}\n' >lone.jsonl
printf '{"te\\u0000xt": "a key"}\n' >key.jsonl
while read -r args; do
    echo "\$ $args"
    rm -f read.jsonl read.csv
    # shellcheck disable=SC2086
    cg run a.cg --quiet --threads 2 $args 2>&1
    echo "exit $?"
    [ ! -f read.jsonl ] || { cat read.jsonl; od -An -c read.csv; }
done <<'CASES'

--set pieces=true
--set path=zeros.txt
--set path=only.txt
--set path=good.jsonl --set field=text
--set path=bytes.jsonl --set field=text
--set path=lone.jsonl --set field=text
--set path=key.jsonl --set field=text
CASES
printf 'show "\\u{0}"\n' >b.cg; cg run b.cg 2>&1
printf 'show "a\000b"\n' >b.cg; cg run b.cg 2>&1
printf 'show "\\u{d800}", "\\u{110000}"\n' >b.cg; cg run b.cg 2>&1
for bytes in '\355\240\200' '\340\200\200' '\300\200' '\364\220\200\200' '\303('; do
    printf "show \"$bytes\"\n" >b.cg; cg run b.cg 2>&1 | head -1
done
