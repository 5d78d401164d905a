# Test blocks: what holds, what does not with both values, parts and parameters, the model of a training, several scripts.
cat >a.cg <<'CG'
import std.nn
limit = 3
test "sums" {
    x = fill(1.0, [3, 5])
    expect sum(x @ transpose(x)) == 45
    y = tensor([1, 2.5, -3])
    expect close(grad(sum(y ^ 3), wrt = y), 3 * y ^ 2)
}
test "values" {
    layer = dense(out = 3, init = ones())
    x = tensor([[1, 2.5], [3, 4]])
    expect layer(x) == [[3.5, 3.5, 3.5], [7, 7, 7]]
    expect sum(x) == 10
    expect x > 1
    expect x == [1, 2.5]
    expect close(exp(x), 20, tolerance = 0.5)
    expect iota(97) == iota(97) + cast(iota(97) == 60, i32)
}
test "static values" {
    expect limit + 1 == 4 and "a" != "b"
    expect [n*n for n in 0..4] == [0, 1, 4, 9]
    expect { a: "x" }.a == "y"
    for i in 0..3 { expect i < 2 }
    expect limit > 7
}
CG
cat >b.cg <<'CG'
import std.nn
graph guess(ids: i32[B, T], vocab: int) -> f32[B, T, vocab] {
    param bias: f32[vocab] = zeros()
    return fill(0, [B, T, vocab]) + bias
}
text = synthetic("grammar", size = 20000, seed = 1)
lm = train guess(vocab = 259) as m {
    data = windows(text.train, bytes(), length = 7)
    loss = cross_entropy(m(batch.tokens), batch.next)
    optimizer = sgd(rate = 5.0)
    batch = 5
    steps = 9
}
test "a trained model" {
    logits = lm(tensor([[4, 8, 15]], i32))
    expect max(logits) > 0.5
    expect slice(logits, axis = 1, from = 0, to = 1) == slice(logits, axis = 1, from = 2, to = 3)
}
CG
echo "a = " >c.cg; echo "a = 1" >d.cg
for args in "a.cg" "b.cg" "a.cg b.cg --only model" "a.cg --only sums" "c.cg b.cg" "d.cg" ""; do
    echo "\$ cg test $args"; cg test $args 2>&1; echo "exit $?"
done
