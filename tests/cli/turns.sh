# Terms of a loss that take turns: a training that stops between them goes on with the same bits, plans and costs are of each turn.
cat >gan.cg <<'CG'
cg 2
import std.nn
graph net(x: f32[B, D], out: int) -> f32[B, out] {
    up, down = dense(out = 7), dense(out)
    return down(tanh(up(x)))
}
graph losses(x: f32[B, D], m: graph) -> f32[B, 1], f32[B, 1] {
    real, fake = m(x)
    return softplus(-real) + softplus(fake), softplus(-fake)
}
graph gan(x: f32[B, D]) -> f32[B, 1], f32[B, 1] {
    maker, critic = net(out = D), net(out = 1)
    return critic(x), critic(maker(random_normal(shape = [B, 3])))
}
pair = train gan() as m {
    data = gaussians(rows = 80, dim = 4)
    loss = { critic: losses(batch.x, m)[0], maker: losses(batch.x, m)[1] }
    turns = ["critic", "critic", "maker"]
    optimizer = { "critic": adamw(rate = 1e-2), "maker": adamw(rate = linear(peak = 1e-2), beta1 = 0.5) }
    average = 0.9
    batch = 8
    steps = 20
}
show pair
CG
for at in 4 5 6; do cg verify-resume gan.cg --at $at; echo "exit $?"; done
cg check gan.cg --dump=plan | grep -E '^turn'
cg run gan.cg --dry-run | sed 's/about .*/about ../'
