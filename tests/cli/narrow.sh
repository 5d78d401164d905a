# Parameters of f16, bf16 and i8 are saved as they are, and loaded into wider or narrower ones.
cat >a.cg <<'CG'
cg 2
graph model(x: f32[B, 2]) -> f32[B, 3] {
    param w: bf16[2, 3] = 0.3
    param h: f16[3] = 0.1
    param q: i8[3] = 7
    param b: f32[3] = zeros()
    return x @ cast(w, f32) + cast(h, f32) + cast(q, f32) + b
}
graph wide(x: f32[B, 2]) -> f32[B, 3] {
    param w: f32[2, 3] = 0
    param h: bf16[3] = 0
    param q: i64[3] = 0
    param b: f16[3] = 0
    return x @ w + cast(h, f32) + cast(q, f32) + cast(b, f32)
}
graph other(x: f32[B, 2]) -> f32[B, 3] {
    param w: f32[2, 3] = 0
    param h: f32[3] = 0
    param q: f32[3] = 0
    param b: f32[3] = 0
    return x @ w + h + q + b
}
data = gaussians(rows = 64, dim = 2, classes = 3)
m = train model() as m {
    data = data.train
    loss = cross_entropy(m(batch.x), batch.y)
    optimizer = sgd(rate = 0.1)
    steps = 3
    batch = 16
}
save m as "m.safetensors"
CG
cg run a.cg 2>&1 | sed 's/  .*//'
tail -c +9 m.safetensors | grep -ao '"[whqb]":{"dtype":"[A-Z0-9]*"'
cg apply a.cg 'load(model(), "m.safetensors")' --in x='[[1, 2]]' --in b='[0, 0, 0]'
cg apply a.cg 'load(wide(), "m.safetensors")' --in x='[[1, 2]]' --in b='[0, 0, 0]' 2>&1
cg apply a.cg 'load(other(), "m.safetensors")' --in x='[[1, 2]]' 2>&1
cg apply a.cg 'model()' --in x='[[1, 2]]' --in q='[1, -2, 300]' 2>&1
