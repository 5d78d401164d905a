# What does not fit is said once, at what was given, and where the script wants it otherwise.
cat >a.cg <<'CG'
graph slope(x: f32[B, D], out: int = 2) -> f32[B, out] {
    param w: f32[D, out] = 0.5
    return x @ w
}
graph picked(x: f32[B, D], ids: i32[N]) -> f32[N, D], i32[N] { return take(x, ids), ids }
graph twin(x: f32[B]) -> f32 {
    y = sum(x)
    param x: f32[2] = 1
    return y * sum(x)
}
CG
cg apply a.cg slope --in x='[[1, 2, 3]]' -o y.safetensors
while read -r args; do
    echo "\$ $args"
    eval "cg apply a.cg $args" 2>&1
    echo "exit $?"
done <<'CASES'
slope
slope --in y=[1]
slope --in x=[1,2]
slope --in x='[[1,2],[3]]'
slope --in x='[[1,2]]' --in ww='[[1,2]]'
slope --in x='[[1,2]]' --in w='[[1,2]]'
slope --in x=no.npy
slope --in x=y.safetensors
slope --in x=y.safetensors:slop
slope --in x
slope --in x='[[1,2]]' --in x='[[1,2]]'
slope --in x='[[1,2]]' --grad slop
slope --in x='[[1,2]]' --grad 1
slope --in x='[[1,2]]' --grad 0 --wrt w,xx
slope --in x='[[1,2]]' --wrt w
slope --in x='[[1,2]]' --out a.cg
'freeze(slope())' --in x='[[1,2]]' --grad 0 --wrt w
picked --in x='[[1,2]]' --in ids='[0]' --grad 0 --wrt ids
picked --in x='[[1,2]]' --in ids='[0]' --grad picked.1
picked --in x='[[1,2]]' --in ids='[0.5]'
picked --in x='[[1,2]]' --in ids=y.safetensors:slope
twin --in x='[1,2]' --grad 0
CASES
