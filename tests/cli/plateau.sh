# A rate that falls when the validation loss stalls. The rows of the validation ask for the opposite of those trained on,
# so that only the first validation is better than all before it: with a patience of two there is a stall after the third
# step, the fifth and the seventh.
cat >p.cg <<'CG'
cg 2
option patience: int = 2
graph one(x: f32[B]) -> f32[B] {
    param w: f32[] = zeros()
    return w * x
}
m = train one() as m {
    data = arrays({ x: [1, 1], y: [1, 1] })
    loss = mean((m(batch.x) - batch.y)^2)
    optimizer = momentum(rate = plateau(0.1, factor = 0.5, floor = 0.2))
    steps = 8
    batch = 2
    validate = arrays({ x: [1, 1], y: [-1, -1] })
    validate_every = 1
    patience = patience
}
show select(m.history, [step, rate])
CG
cg run --quiet p.cg
cg run --quiet p.cg --set patience=3
echo "== stopped between two stalls the bits are the same"
for at in 3 4; do cg verify-resume p.cg --at=$at 2>&1 | sed 's/.*: //'; done
echo "== and the count is that of the checkpoint"
rm -rf .cg
(CG_DEBUG=checkpoint-every=2,kill-at=5 cg run --quiet p.cg) >/dev/null 2>&1
cg run --quiet p.cg
echo "== asked for in vain"
grep -v validate p.cg >none.cg
cg check none.cg 2>&1
sed 's/plateau(.*/0.1)/' p.cg >unasked.cg
cg check unasked.cg 2>&1
printf 'cg 2\ntest "outside" { expect stalls() == 0 }\n' >outside.cg
cg test outside.cg 2>&1
cg help plateau | head -3
