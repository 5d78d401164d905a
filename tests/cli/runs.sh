# Runs are listed, shown, compared and exported; the store is read only.
cat >r.cg <<'END'
option rate: float = 1e-3
graph net(ids: i32[B, T]) -> f32[B, T, 256] {
    param w: f32[256, 256] = normal(std = 0.02)
    return take(w, ids)
}
text = synthetic("grammar", size = 20000, seed = 1)
lm = train net() as m {
    data = windows(text.train, bytes(), length = 16)
    loss = mean(cross_entropy(m(batch.tokens), batch.next))
    optimizer = adamw(rate = rate)
    batch = 4
    steps = 3
}
save lm as "lm.safetensors"
END
$CG run --quiet r.cg 2>/dev/null && $CG run --quiet --seed=7 --set rate=0.1 r.cg 2>/dev/null
$CG runs | awk '{ print NF, $1, $2, $NF }'
$CG runs 1 | grep -v -e started -e seconds
$CG runs 1 2
$CG runs 1 2 --save runs.jsonl && grep -c '"name": "loss"' runs.jsonl
$CG runs 7
