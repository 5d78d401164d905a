# Sizes follow from the data; results and derivatives are printed, or written to files that can be given again.
cat >a.cg <<'CG'
graph twice(x: f32[B, D]) -> f32[B, D] { return x + x }
graph slope(x: f32[B, D], out: int = 2) -> f32[B, out] {
    param w: f32[D, out] = 0.5
    return x @ w
}
graph both(x: f32[B, D], ids: i32[B]) -> f32[B, 3], f32 {
    inner = slope(out = 3)
    y = inner(x)
    return y * y, sum(exp(0.25 * y)) + sum(cast(ids, f32))
}
graph row(x: f32[..s, D], bias: f32[..s] = 0) -> f32[..s] { return sum(x, axis = D) + bias }
CG
cg apply a.cg twice --in x='[[1, 2.385, 3], [0.5, -0.25, -1]]' --out t && ls t
cg apply a.cg slope --in x=t/twice.npy --in w='[[1, 2], [3, 4], [5, 6]]' --grad slope 2>&1
cg apply a.cg both --in x=t/twice.npy --in ids='[3, 5]' --grad 1 --wrt 'x,inner.*' -o g && ls g
cg apply a.cg row --in x=g/grad.x.npy --in bias='[0.125, 7]'
cg apply a.cg row --in x='[[[1, 2]], [[3, 4]]]' --in bias='[[1], [2]]'
cg apply a.cg both --in x=t/twice.npy --in ids='[3, 5]' --in inner.w=g/grad.inner.w.npy --grad both.0 --wrt x -o g.safetensors
cg apply a.cg row --in x=g.safetensors:grad.x --in bias='[0, 0]'
cg apply a.cg 'load(slope(out = 3), "w.safetensors")' --in x=t/twice.npy 2>&1
cg apply a.cg 'slope(out = 1)' --in x='[[1, 2, 3]]' -o y.safetensors && cg apply a.cg twice --in x=y.safetensors:slope
# one tensor in a file of any format: the result of one graph, the weights of another
cg apply a.cg twice --in x='[[1, 2], [3, 4], [5, 6]]' -o w.npy && cg apply a.cg 'load(slope(), "w.npy")' --in x='[[1, 0, 0], [0, 0, 0.5]]'
cg apply a.cg both --in x=t/twice.npy --in ids='[3, 5]' -o one.npy 2>&1; cg apply a.cg twice --in x='[[1]]' -o one.idx 2>&1; echo "exit $?"
