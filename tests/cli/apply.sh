# Sizes follow from the data; derivatives are there when asked for; what does not fit is said.
cat >a.cg <<'CG'
graph twice(x: f32[B, D]) -> f32[B, D] { return x + x }
graph slope(x: f32[B, D], out: int = 2) -> f32[B, out] {
    param w: f32[D, out] = 0.5
    return x @ w
}
CG
cg apply a.cg twice --in x='[[1, 2.385, 3], [0.5, -0.25, -1]]'
cg apply a.cg slope --in x='[[1, 2, 3], [0.5, 0, -1]]' --grad
cg apply a.cg 'slope(out = 1)' --in x='[[1, 2, 3]]' -o y.safetensors && cg apply a.cg twice --in x=y.safetensors:slope
for args in "slope" "slope --in y=[1]" "slope --in x=[[1,2],[3]]" "slope --in x=[1,2]" "twice --in x=no.npy" "twice --in x=y.safetensors"; do
    cg apply a.cg $args 2>&1; echo "exit $?"
done
