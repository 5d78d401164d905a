# Numbers on a picture: of a product of f32[7, 3] and f32[3, 5], 210 flops forward; 15 weights frozen below 10 that are
# trained; the gradient of the mean of (x @ w) by w where x is all ones: 3 * 5 equal elements of 1/5, its norm sqrt(15)/5.
{ echo a,b,c; for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do echo 1,1,1; done; } > ones.csv
cat > net.cg <<'EOF2'
cg 2
import std.nn
option precision: str = "f32"
rows = examples("ones.csv", { x: ["a", "b", "c"] }).all
graph below(x: f32[B, 3]) -> f32[B, 5] {
    param w: f32[3, 5] = normal()
    return x @ w
}
graph net(x: f32[B, 3]) -> f32[B, 2] {
    first = below()
    param v: f32[5, 2] = normal()
    return first(x) @ v
}
graph wide(x: f32[B, 40]) -> f32[B, 50] {
    param w: f32[40, 50] = normal()
    return x @ w
}
def learn(net) = train net as m {
    data = rows
    loss = m(batch.x)
    optimizer = sgd(rate = 0.1)
    batch = 3
    steps = 2
}
base = learn(below())
later = learn(freeze(net(), "first.*"))
further = learn(load(below(), base))
EOF2
said() { sed 's/<[^>]*>/ /g; s/&#160;/ /g; s/  */ /g' | grep -oE 'label= .* [0-9.]+ [a-zA-Z0-9 ]*(· [0-9.]+%)? >' | sed 's/label= //; s/ >$//'; }
cg dot net.cg net --dim B=7 --overlay=flops | said
echo
for what in parameters frozen trained; do echo "$what:"; cg dot net.cg later --overlay=$what --depth=0 | said; done
echo
cg dot net.cg base --overlay=gradient | said
cg dot net.cg base --overlay=memory | said | sed 's/[0-9.]* [kM]*B/BYTES/; s/[0-9.]*%/PERCENT/'
cg dot net.cg base --overlay=time | said | sed 's/[0-9.]* [mun]*s/SECONDS/; s/[0-9.]*%/PERCENT/' | head -1
cg dot net.cg 'wide()' --dim B=64 --set precision=bf16 --overlay=precision | said
cg dot net.cg net --overlay=gradient; echo "exit $?"
cg dot net.cg net --overlay=speed; echo "exit $?"
# and a training that begins with another one's weights can be timed
cg bench net.cg further --steps=1 | grep -c loss
# Where nothing of it is there, the title says so; a number is said once.
cg dot net.cg 'net()' --dim B=7 --overlay=precision | grep -oE '[^>]*: precision[^<]*'
cg dot net.cg 'net()' --overlay=parameters --depth=1 | grep -oE '[0-9]+ parameters[^<]*'
# A frame has what its boxes have together, and nothing of the optimiser, whose graph has scopes of its own.
cat >> net.cg <<'EOF2'
graph layers(x: f32[B, 3]) -> f32[B, 5] {
    param u: f32[3, 90] = normal()
    param v: f32[90, 5] = normal()
    h = tanh(x @ u)
    return h @ v
}
third = learn(layers())
EOF2
cg dot net.cg third --overlay=time 2>/dev/null | said | awk '
    { match($0, /[0-9.]+ [mun]?s/); n = substr($0, RSTART) + 0; unit = substr($0, RSTART, RLENGTH); sub(/[0-9.]* /, "", unit)
      n *= unit == "ms" ? 1000 : unit == "ns" ? 0.001 : unit == "us" ? 1 : 1e6 }
    /layers/ { frame = n } /tanh|matmul/ { boxes += n }
    END { print (boxes && frame > 0.98 * boxes && frame < 1.02 * boxes ? "as much" : frame " of " boxes) }'
