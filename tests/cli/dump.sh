# Every stage has one name on every command that gets that far; of trainings, of the last graph, of a graph with data.
cat >a.cg <<'CG'
graph dense(x: f32[B, D], out: int = 3) -> f32[B, out] {
    param w: f32[D, out] = normal(std = 0.5)
    return 2.385 * (x @ w)
}
graph softened(x: f32[B, D], by: float = 0.25) -> f32[B, D] { return by * tanh(x) }
CG
cat >b.cg <<'CG'
graph unigram(ids: i32[B, T], vocab: int) -> f32[B, T, vocab] {
    param bias: f32[vocab] = zeros()
    return fill(0, [B, T, vocab]) + bias
}
text = corpus("missing.txt")
lm = train unigram(vocab = 259) as m {
    data = windows(text.train, bytes(), length = 17)
    loss = cross_entropy(m(batch.tokens), batch.next)
    optimizer = sgd(rate = 0.5)
    batch = 5
    steps = 3
}
CG
for stage in tokens ast modules graph grad opt plan mem; do
    echo "== $stage"
    cg check b.cg --dump=$stage | sed -n '1,2p;$p' | cut -c 1-110
done
echo "== the last graph; a named one; one with data"
cg check a.cg --dump=graph
cg plan a.cg 'dense(out = 2)' --dim D=3 --dump graph
cg dot a.cg softened --dump=grad
cg apply a.cg dense --in x='[[1, 2]]' --grad 0 --wrt x --dump=opt 2>&1
cg plan a.cg softened --dim B=3 --dim D=7 --dump=mem | cut -c 1-60
cg run b.cg --dump=modules
echo "a = 1" >c.cg && cg fmt c.cg --dump=ast
echo "== mistakes"
for args in "check a.cg --dump=grap" "fmt a.cg --dump=graph" "check a.cg --dump=plan" "check c.cg --dump=graph"; do
    cg $args 2>&1; echo "exit $?"
done
