# A training that is killed goes on with its history; what is looked at on the way is no part of the weights' key.
cat >h.cg <<'END'
option every: int = 2
option more: bool = false
graph net(ids: i32[B, T]) -> f32[B, T, 256] {
    param w: f32[256, 256] = normal(std = 0.02)
    return take(w, ids)
}
text = synthetic("grammar", size = 20000, seed = 1)
lm = train net() as m {
    data = windows(text.train, bytes(), length = 16)
    loss = { nats: cross_entropy(m(batch.tokens), batch.next), size: 0.01 * mean(m(batch.tokens) ^ 2) }
    optimizer = adamw(rate = 0.01)
    batch = 4
    accumulate = 2
    steps = 12
    validate = windows(text.valid, bytes(), length = 16)
    validate_every = every
    metrics = if more then { right: argmax(m(batch.tokens), axis = 2) == batch.next, two: mean(m(batch.tokens)) } else {
        right: argmax(m(batch.tokens), axis = 2) == batch.next,
    }
}
save lm as "lm.safetensors"
save select(lm.history, [step, tokens, loss, nats, size, rate, gradient_norm, valid, right]) as "history.csv"
save lm.history as "all.csv"
END
mkdir whole
(cd whole && $CG run --quiet ../h.cg) || exit 1
wc -l <whole/history.csv
(cd whole && $CG run ../h.cg) 2>&1 | grep -c "^train"
(CG_DEBUG=checkpoint-every=3,kill-at=8 $CG run --quiet h.cg 2>said) 2>killed
echo "killed: exit $?"
$CG run --quiet h.cg 2>said || cat said
cmp whole/history.csv history.csv && cmp whole/lm.safetensors lm.safetensors && echo "the same history and weights"
awk -F, 'NR > 2 && $3 + 0 < last { print "seconds go back in row " NR } { last = $3 + 0 }' all.csv

echo "== looked at otherwise: carried out again for its history, and the same weights"
for set in every=3 more=true; do
    $CG run --dry-run --set $set h.cg | awk '{ print $1, $2 == "build" ? $2 : "" }'
    $CG run --set $set h.cg 2>said >shown || cat said
    grep '^cg:' said
    cmp whole/lm.safetensors lm.safetensors && head -1 all.csv
    $CG run --dry-run --set $set h.cg | awk '{ print $1 }'
done
echo "== stopped and looked at otherwise"
rm -r .cg
(CG_DEBUG=checkpoint-every=3,kill-at=8 $CG run --quiet h.cg 2>said) 2>killed
$CG run --set more=true h.cg 2>said; grep warning said
grep -c '' all.csv
cmp whole/lm.safetensors lm.safetensors && echo "the same weights"
$CG verify-resume h.cg --at 5 2>&1 | tail -1
