# A derivative is the same text whichever compiler built cg: how nodes are numbered is not left to the order in which C evaluates
# arguments. The golden is compared in builds by gcc and by clang.
cat >a.cg <<'CG'
graph many_rules(x: f64[B, D], y: f64[B, D], w: f64[D, D], gain: f64[D], ids: i32[B]) -> f64 {
    a = softmax(x) / (y * y + 1) + gelu(x) * sin(y) - silu(y) ^ 2
    b = rmsnorm(a @ w, gain) + tanh(x) * erf(y) / sqrt(exp(x))
    c = minimum(x, y) ^ 1.5 + where(x > y, sigmoid(x), x * cos(y)) + rsqrt(1 + x * x)
    return sum(maximum(a, b)) + sum(logsumexp(b)) + sum(cross_entropy(b, ids)) + max(c)
}
CG
cg check a.cg --dump=grad | sed 's/ *#.*//'
