# Derivatives are values: of first and second order, and of a gradient's norm. What is not one number is refused.
cat >a.cg <<'CG'
graph first(x: f32[N]) -> f32[N] { return grad(sum(x ^ 3), wrt = x) }
graph second(x: f32[N]) -> f32[N] { return grad(sum(first()(x)), wrt = x) }
graph penalty(x: f32[N]) -> f32[N] {
    g = grad(sum(x ^ 3), wrt = x)
    return grad(sum(g * g), wrt = x)
}
graph held(x: f32[N]) -> f32[N] { return grad(sum(stop_gradient(x) * x), wrt = x) }
CG
cat >b.cg <<'CG'
graph wrong(x: f32[N]) -> f32[N] { return grad(x ^ 3, wrt = x) }
CG
for g in first second penalty held; do cg apply a.cg $g --in x='[2, -0.5, 3]' 2>&1; done
cg apply b.cg wrong --in x='[2, -0.5, 3]' 2>&1
