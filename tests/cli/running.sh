# Running statistics: a training moves them, the model keeps them, and what is no training computes with them. The
# batches are the four rows each time, of means 2 and 6 and unbiased variances 2/3 and 20/3.
printf 'a,b,y\n1,5,0.5\n3,9,-1\n2,7,2\n2,3,0.25\n' >rows.csv
cat >a.cg <<'CG'
cg 2
import std.nn
option seed: int = 0
option accumulate: int = 1
graph model(x: f32[B, 2]) -> f32[B] {
    norm = batch_norm(keep = 0.5)
    out = dense(out = 1)
    return out(norm(x))[.., 0]
}
graph twice(x: f32[B, 2]) -> f32[B] {
    norm = batch_norm(keep = 0.5)
    out = dense(out = 1)
    return out(norm(x) + norm(x))[.., 0]
}
graph only_kept(x: f32[B, 2], m: graph) -> f32[B, 2] { return m.norm(x) }
data = examples("rows.csv", { x: ["a", "b"], y: "y" }, shares = [1.0, 0.0, 0.0])
def fit(m, steps) = train m as m {
    data = data.train
    loss = mean((m(batch.x) - batch.y)^2)
    optimizer = sgd(rate = 0.01)
    steps = steps
    batch = 4
    accumulate = accumulate
    average = 0.5
    seed = seed
}
once = fit(model(), 3)
more = fit(twice(), 3)
still = fit(freeze(once, "norm.running_*"), 2)
show parameter(once, "norm.running_mean"), parameter(once, "norm.running_var")
show parameter(more, "norm.running_mean"), parameter(still, "norm.running_mean")
save once as "m.safetensors"
CG
cg run a.cg 2>&1 | sed 's/  .*//; s/ in .*//'
# outside of a training with what was kept: (x - mean) / sqrt(var + 1e-5)
cat >b.cg <<'CG'
cg 2
import std.nn
m = batch_norm()
CG
cg apply b.cg m --in x='[[1.75, 5.25], [2.75, 9]]' --in running_mean='[1.75, 5.25]' --in running_var='[1, 4]'
# stopped and taken up again the bits are the same
cg verify-resume a.cg --at=2 2>&1 | sed 's/.*: //' | sort -u
cg check a.cg --set accumulate=2 2>&1
