# A range that was checked on a symbol alone is checked again when its number is known: nothing outside is read.
cat >a.cg <<'CG'
graph lm(ids: i32[B, T], vocab: int, dim: int) -> f32[B, T, vocab] {
    param e: f32[vocab, dim] = normal(std = 0.5)
    param pos: f32[16, dim] = normal(std = 0.5)
    return (take(e, ids) + pos[0..T, ..]) @ transpose(e, [1, 0])
}
m = lm(vocab = 256, dim = 8)
option new: int = 8
t = generate(m, "abc", bytes(), new = new)
show log_likelihood(t) < 0
CG
cg run a.cg
cg run a.cg --set new=14 2>&1 | grep -v '|'
CG_DEBUG=whole cg run a.cg --set new=14 2>&1 | head -1
