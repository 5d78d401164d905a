# A table of scores says what they are in Markdown and LaTeX, too; CSV and JSON Lines are read back to the same numbers.
cat >t.cg <<'CG'
cg 2
graph guess(ids: i32[B, T]) -> f32[B, T, 256] { return fill(0, [B, T, 256]) }
t = evaluate guess() on windows(synthetic("grammar", size = 20000, seed = 1).test, bytes(), length = 24, count = 3) as m {
    f1 = word_f1(batch.next, batch.tokens)
    nats = entropy(m, batch.tokens)
    text = decode(batch.tokens)
}
sums = table(t, { f: percent(mean(f1)), h: mean(nats) })
save sums as "s.md"
save sums as "s.tex"
save t as "t.csv"
save t as "t.jsonl"
CG
cat >u.cg <<'CG'
cg 2
c, j = read("t.csv"), read("t.jsonl")
show count(c.f1), max(abs(c.f1 - j.f1)), max(abs(c.nats - j.nats)), sum(c.text == j.text)
CG
$CG run --quiet t.cg 2>/dev/null && cat s.md s.tex && $CG run --quiet u.cg
cat >v.cg <<'CG'
save filter(read("far.csv"), x > 0) as "far.jsonl"
CG
printf 'x\n1\ninf\n' >far.csv
$CG run --quiet v.cg 2>&1 | head -2; [ -e far.jsonl ] || echo "no far.jsonl"
