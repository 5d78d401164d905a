# Parts without a name are trained, saved under the name of their graph, and are what the same graph with names is; a
# trained model gives each place parameters of its own; a part is saved as that part.
cat >a.cg <<'CG'
import std.nn
text = synthetic("grammar", size = 60000)
graph direct(ids: i32[B, T]) -> f32[B, T, V] {
    e = embedding(vocab = 256, dim = 24)
    return dense(out = 256)(e(ids))
}
graph named(ids: i32[B, T]) -> f32[B, T, V] {
    e = embedding(vocab = 256, dim = 24)
    dense = dense(out = 256)
    return dense(e(ids))
}
graph sum_of(ids: i32[B, T], x: graph, y: graph) -> f32[B, T, V] {
    z = x(ids) + y(ids)
    return z
}
def go(model) = train model as m {
    data = windows(text.train, bytes(), length = 16)
    loss = cross_entropy(m(batch.tokens), batch.next)
    optimizer = adamw()
    steps = 3
}
lm = go(direct())
both = go(sum_of(x = lm, y = freeze(lm)))
show lm, go(named())
save lm as "lm.safetensors"
save both as "both.safetensors"
save both.y as "y.safetensors"
CG
cg run a.cg >shown 2>said || { cat said; exit 1; }
sed -n 's|.*(\.\.): ||p' shown | uniq -c | awk '{ print $1, "models under one key" }'
python=$(command -v python3) || exit 1
$python - <<'PY'
import json
def read(path):
    b = open(path, "rb").read()
    n = int.from_bytes(b[:8], "little")
    h = json.loads(b[8:8 + n])
    h.pop("__metadata__", {})
    return {k: b[8 + n + v["data_offsets"][0]:8 + n + v["data_offsets"][1]] for k, v in h.items()}
lm, both, y = read("lm.safetensors"), read("both.safetensors"), read("y.safetensors")
print(sorted(lm), sorted(both), sorted(y))
print([both["x." + k] != lm[k] and both["y." + k] == lm[k] == y[k] for k in sorted(lm)])
PY
