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
