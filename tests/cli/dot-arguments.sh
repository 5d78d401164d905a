# Arrows come into an instance that is one box in the order of its parameters, however they are given.
cat >a.cg <<'CG'
import std.nn
graph cross(x: f32[B, T, D], memory: f32[B, S, D]) -> f32[B, T, D] {
    q, k = dense(out = 8), dense(out = 8)
    w = softmax(k(memory) @ transpose(q(x)), axis = 1)
    return x + transpose(w) @ memory
}
graph crossed(memory: f32[B, S, D], x: f32[B, T, D]) -> f32[B, T, D] {
    inner = cross()
    return inner(x, memory)
}
graph straight(a: f32[B, 4, 8], b: f32[B, 6, 8]) -> f32[B, 4, 8] {
    first = cross()
    return first(tanh(a), sigmoid(b))
}
graph by_name(a: f32[B, 4, 8], b: f32[B, 6, 8]) -> f32[B, 4, 8] {
    first = crossed()
    return first(x = tanh(a), memory = sigmoid(b))
}
graph same(a: f32[B, 4, 8]) -> f32[B, 4, 8] {
    first = cross()
    return first(a, a)
}
CG
for graph in straight by_name same; do
    echo "$graph, from left to right:"
    cg dot a.cg "$graph" --depth=1 -T svg | sed 's/&#45;&gt;/->/' |
        awk -F'"' '/<title>.*->[a-z_]*[.]first</ { sub(/<title>/, ""); sub(/->.*/, ""); from = $0 }
            /<polygon/ && from { split($6, at, /[ ,]/); print at[3], from; from = "" }' | sort -n | sed 's/^[^ ]* /    /'
done
