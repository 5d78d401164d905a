# What matrices are kept in while text is written: nearly the same numbers, the same bits at any number of threads, in
# the form with caches and by the whole graph, for one row and for several.
cat >a.cg <<'CG'
import graphs.transformer
tok = bytes()
text = synthetic("grammar", size = 60000)
lm = train transformer(vocab = tok.size, dim = 64, layers = 2, heads = 2, hidden = 128) as lm {
    data = windows(text.train, tok, length = 32)
    loss = cross_entropy(lm(batch.tokens), batch.next)
    optimizer = adamw(rate = 5e-3)
    batch = 8
    steps = 120
}
plain = generate(lm, "The ", tok, new = 40)
half = generate(lm, "The ", tok, new = 40, kept = "bf16")
quarter = generate(lm, "The ", tok, new = 40, kept = "int8")
save half as "half.txt"
save quarter as "quarter.txt"
show log_likelihood(half) == log_likelihood(plain)
show abs(log_likelihood(half) - log_likelihood(plain)) < 0.1
show log_likelihood(quarter) == log_likelihood(plain)
show abs(log_likelihood(quarter) - log_likelihood(plain)) < 0.5
scores = evaluate lm on windows(text.valid, tok, length = 20) as m {
    said = generate(m, batch.tokens, new = 10)
    few = generate(m, batch.tokens, new = 10, kept = "int8")
    wide = generate(m, batch.tokens, new = 10, kept = "bf16")
    same = exact(few, said)
    off = abs(log_likelihood(few) - log_likelihood(said))
    same_wide = exact(wide, said)
    off_wide = abs(log_likelihood(wide) - log_likelihood(said))
}
show mean(scores.same) > 0.8 and mean(scores.off) < 0.5
show mean(scores.same_wide) > 0.9 and mean(scores.off_wide) < 0.1
show mean(scores.off) == 0 or mean(scores.off_wide) == 0
save scores as "scores.csv"
CG
cg run a.cg --quiet 2>said || { cat said; exit 1; }
for how in "--threads 1" "--threads 3"; do
    mkdir "again$how"; cp a.cg "again$how"
    (cd "again$how" && cg run a.cg --quiet $how >out 2>said) || { cat "again$how/said"; exit 1; }
    for f in half.txt quarter.txt scores.csv; do cmp $f "again$how/$f" && echo "$how $f: the same"; done
done
mkdir whole; cp a.cg whole
(cd whole && CG_DEBUG=whole cg run a.cg --quiet >out 2>said) || { cat whole/said; exit 1; }
for f in half quarter; do cmp $f.txt whole/$f.txt && echo "$f: as by the whole graph"; done
cg generate a.cg lm -p "The " --new 40 --kept int8 --quiet >by-command 2>said || cat said
[ "$(cat by-command)" = "$(cat quarter.txt)" ] && echo "by the command: the same"
cg generate a.cg lm -p "The " --kept int4 --quiet
echo "int4: exit $?"
