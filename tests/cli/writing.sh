# Texts end where the model has learned that they end, at a stop, or after so many tokens; prompts are texts, tokens or
# a field, whose rows have different lengths; what a row says does not hang on the rows beside it.
awk 'BEGIN {
    for (x = 7; i++ < 3000; x = x * 16807 % 2147483647) {
        d = x % 10
        printf "{\"text\": \"q%d%s=%d.\"}\n", d, substr("abc", int(x / 10) % 3 + 1, 1), d
    }
}' >d.jsonl
printf '{"ask": "q7a=", "answer": "7."}\n{"ask": "q3", "answer": "b=3."}\n{"ask": "q", "answer": "1a=1."}\n{"ask": "q2c=", "answer": "2."}\n' >p.jsonl
cat >a.cg <<'CG2'
import graphs.transformer
tok = bytes()
lm = train transformer(vocab = tok.size, dim = 32, layers = 2, heads = 2, hidden = 48) as m {
    data = windows(corpus("d.jsonl").train, tok, length = 24)
    loss = cross_entropy(m(batch.tokens), batch.next)
    optimizer = adamw(rate = cosine(peak = 5e-3, warmup = 20))
    batch = 16
    steps = 300
}
show generate(lm, "q7a=", tok, length = 24), generate(lm, "q7a=", tok, new = 1)
show generate(lm, "q7a=", tok, new = 24, stop = "."), generate(lm, "q7a=", tok, new = 24, stop = ["zz", "7."])
show generate(lm, "q7a=", tok, new = 24, stop = 46), generate(lm, [113, 55, 97, 61], tok, new = 24)
show generate(lm, "q7a=", tok, length = 10, echo = false, past_end = true)
show exact(generate(lm, "q7a=", tok, echo = false), "7."), log_likelihood(generate(lm, "q7a=", tok)) > -2
show generate(lm, "", tok, new = 1, temperature = 1, top_k = 1)
asked = examples("p.jsonl", { ask: field("ask", tok, length = 12), answer: field("answer", tok, length = 8) }).all
said = evaluate lm on asked as m {
    said = generate(m, batch.ask, new = 8)
    whole = generate(m, batch.ask, new = 8, echo = true)
    right = exact(said, batch.answer)
    sure = log_likelihood(said)
}
save said as "said.csv"
one = evaluate lm on first(asked, 1) as m {
    said = generate(m, batch.ask, new = 8)
    drawn = generate(m, batch.ask, new = 8, temperature = 0.8, seed = 5)
}
many = evaluate lm on asked as m { drawn = generate(m, batch.ask, new = 8, temperature = 0.8, seed = 5) }
save one as "one.csv"
save many as "many.csv"
CG2
cg run a.cg 2>err || { cat err; exit 1; }
cut -d, -f1-3 said.csv
[ "$(sed -n 2p one.csv | cut -d, -f1)" = "$(sed -n 2p said.csv | cut -d, -f1)" ] && echo "alone as beside others"
[ "$(sed -n 2p one.csv | cut -d, -f2)" = "$(sed -n 2p many.csv)" ] && echo "drawn alone as beside others"
mkdir whole; cp a.cg d.jsonl p.jsonl whole
(cd whole && CG_DEBUG=whole cg run a.cg --threads 1 2>err >out) || { cat whole/err; exit 1; }
[ "$(cut -d, -f1-3 said.csv)" = "$(cut -d, -f1-3 whole/said.csv)" ] && cmp many.csv whole/many.csv && echo "as by the whole graph"
cat >b.cg <<'CG2'
import graphs.transformer
lm = transformer(vocab = 256, dim = 16, layers = 1, heads = 2, hidden = 16)
show generate(lm, "the cat sat", bytes(), length = 4)
CG2
cg run b.cg 2>&1 | grep -v '|'
