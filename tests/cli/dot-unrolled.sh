# Equal turns of a loop are one, with their count; differing ones are not. What is too large is refused.
cat >net.cg <<'END'
import std.nn
graph cell(x: f32[B, D], h: f32[B, H], hidden: int) -> f32[B, hidden] {
    zx, nx = dense(out = hidden), dense(out = hidden)
    zh, nh = dense(out = hidden), dense(out = hidden)
    z = sigmoid(zx(x) + zh(h))
    return (1 - z) * tanh(nx(x) + nh(h)) + z * h
}
graph net(xs: f32[B, T, 5], h0: f32[B, 7], turns: list) -> f32[B, 7] {
    step = cell(hidden = 7)
    h = h0
    for t in turns { h = step(xs[.., t, 0..5], h) }
    return h
}
graph plain(xs: f32[B, 11, 5], h0: f32[B, 5], turns: list) -> f32[B, 5] {
    h = h0
    for t in turns { h = tanh(xs[.., t, 0..5] + h) }
    for t in 0..3 { h = exp(h) * (t + 2) }
    return h
}
END
cg dot net.cg 'net(turns = 0..512)' --dim T=512 -o net.svg; echo "exit $?"; grep -c '</svg>' net.svg
cg dot net.cg 'net(turns = 0..512)' --dim T=512 --depth=1 | grep -oE '^[[:space:]]*"net[^"]*"[[:space:]]*\[|turn[^<]*[(]x[0-9]*[)]|[0-9]* parameters' | tr -d '[\t'
cg dot net.cg 'net(turns = 0..512)' --dim T=512 --depth=1 --open=net --unfold -o net.svg 2>&1; echo "exit $?"
for turns in '2, 4, 6, 8' '2, 4, 6, 9' '3, 1'; do
    echo "$turns"; cg dot net.cg "plain(turns = [$turns])" --depth=0 | grep -oE '\(x[0-9]+\)|^[[:space:]]*"[a-z]*/[^"]*"[[:space:]]*\[' | tr -d '[\t' | tr '\n' ' '; echo
done
# Derivatives go with their turns: the first, which has no derivative by what it begins with, and the last, to whose
# derivatives nothing is added, differ. What a derivative recognises stands behind all that it takes from.
cat >>net.cg <<'END'
graph inside(xs: f32[B, T, 5], h0: f32[B, 7], turns: list) -> f32[] {
    param w: f32[5, 7] = normal(std = 0.1)
    param u: f32[7, 7] = normal(std = 0.1)
    h = h0
    for t in turns { h = tanh(xs[.., t, 0..5] @ w + h @ u) }
    return mean(h * h)
}
END
for stage in grad opt tape; do
    [ $stage = grad ] && turns=512 || turns=8
    echo "$stage"
    cg dot net.cg "net(turns = 0..$turns)" --dim T=512 --dim B=3 --stage=$stage --depth=1 | grep -oE 'turn[^<]*[(]x[0-9]*[)]'
    for turns in '0, 1, 2, 3, 4, 5, 6, 7' '0, 1, 2, 3, 4, 5, 7, 8'; do
        cg dot net.cg "inside(turns = [$turns])" --dim T=9 --dim B=3 --stage=$stage --depth=2 | grep -oE 'turn[^<]*[(]x[0-9]*[)]'
    done
done
# A loop in a loop: the turns of both.
cat >>net.cg <<'END'
graph twice(h0: f32[B, 7]) -> f32[] {
    param w: f32[7, 7] = normal(std = 0.1)
    h = h0
    for t in 0..5 {
        for k in 0..6 { h = tanh(h @ w) }
        h = exp(h)
    }
    return mean(h)
}
END
for stage in model grad; do
    echo "$stage"; cg dot net.cg twice --stage=$stage --depth=5 | grep -oE 'turn[.0-9]* .. turn[.0-9]*|\(x[0-9]+\)' | tr '\n' ' '; echo
done
