# cg generate: text on stdout while it is written, as whole characters; with the weights of a file; what is refused; an
# interrupt ends the text where it stands.
awk 'BEGIN {
    for (x = 7; i++ < 3000; x = x * 16807 % 2147483647) {
        d = x % 10
        printf "{\"id\": %d, \"text\": \"q%d%s=%d\303\237.\"}\n", i, d, substr("abc", int(x / 10) % 3 + 1, 1), d
    }
}' >d.jsonl
cat >a.cg <<'CG2'
import graphs.transformer
tok = bytes()
shape = transformer(vocab = tok.size, dim = 32, layers = 2, heads = 2, hidden = 48)
lm = train shape as m {
    data = windows(corpus("d.jsonl").train, tok, length = 24)
    loss = cross_entropy(m(batch.tokens), batch.next)
    optimizer = adamw(rate = cosine(peak = 5e-3, warmup = 20))
    batch = 16
    steps = 500
}
save lm as "lm.safetensors"
CG2
cg run a.cg 2>err || { cat err; exit 1; }
cg generate a.cg --prompt q7a= 2>/dev/null
cg generate a.cg lm -p q7a= --only-new --stop . 2>/dev/null
cg generate a.cg shape --weights lm.safetensors -p q2b= -n 100 2>/dev/null
cg generate a.cg -p q7a= -n 2 2>/dev/null | od -An -tx1 | tr -d ' '   # the second token is half a character
cg generate a.cg shape -p q 2>&1 | grep -v '|'
cg generate a.cg -p q --top-p 2 -t 1 2>&1 | grep top_p
cg generate a.cg 3 -p q 2>&1 | head -1
cg generate a.cg -t hot 2>&1 | head -1
cg generate a.cg -p q -n 60000 --past-end 2>err >long &
n=0
until [ -s long ] || [ $((n += 1)) -gt 500 ]; do sleep 0.02; done
kill -INT $!
wait $!
echo "exit $?"
[ "$(tail -c 1 long | od -An -tx1 | tr -d ' ')" = 0a ] && echo "a last line"
