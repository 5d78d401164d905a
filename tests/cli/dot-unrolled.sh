# A recurrent net of many turns is drawn, and the program ends well.
cat >net.cg <<'END'
import std.nn
graph cell(x: f32[B, D], h: f32[B, H], hidden: int) -> f32[B, hidden] {
    zx, nx = dense(out = hidden), dense(out = hidden)
    zh, nh = dense(out = hidden), dense(out = hidden)
    z = sigmoid(zx(x) + zh(h))
    return (1 - z) * tanh(nx(x) + nh(h)) + z * h
}
graph net(xs: f32[B, 14, 5]) -> f32[B, 7] {
    step = cell(hidden = 7)
    h = fill(0.0, [B, 7])
    for t in 0..14 {
        h = step(reshape(slice(xs, axis = 1, from = t, to = t + 1), [B, 5]), h)
    }
    return h
}
END
cg dot net.cg net -o net.svg; echo "exit $?"; grep -c '</svg>' net.svg
