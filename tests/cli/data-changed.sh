# A file of batches that is written over, or cut, while a training reads it: the training has the bits of what was there.
cat >make.cg <<'CG'
graph tokens(x: i32[S, R, L]) -> i32[S, R, L] { return x + 0 }
CG
cat >a.cg <<'CG'
graph next(ids: i32[B, T], vocab: int) -> f32[B, T, vocab] {
    param table: f32[vocab, 19] = normal(std = 0.3)
    param out: f32[19, vocab] = normal(std = 0.3)
    return take(table, ids) @ out
}
lm = train next(vocab = 256) as m {
    data = batches("b.safetensors")
    loss = cross_entropy(m(batch.tokens), batch.tokens)
    optimizer = adamw(rate = 1e-2)
    steps = 40
}
save lm as "lm.safetensors"
CG
numbers=$(awk 'BEGIN { for (i = 0; i < 40; i++) { printf i ? ",[" : "[["
    for (r = 0; r < 3; r++) { printf r ? ",[" : "["; for (k = 0; k < 11; k++) printf "%s%d", k ? "," : "", (i * 31 + r * 17 + k * 7) % 250
    printf "]" } printf "]" } printf "]" }')
cg apply make.cg tokens --in "x=$numbers" -o b.safetensors || exit 1
cp b.safetensors kept.safetensors
cg run a.cg --quiet 2>said || cat said
mv lm.safetensors whole.safetensors
for how in over cut; do
    rm -rf .cg; cp kept.safetensors b.safetensors
    CG_DEBUG=checkpoint-every=1 cg run a.cg --quiet --threads 1 >shown 2>said & child=$!
    i=0; while [ -z "$(ls .cg/progress 2>/dev/null)" ] && [ $i -lt 600 ]; do i=$((i + 1)); sleep 0.05; done
    case $how in
    over) tr '\141-\172' '\101-\132' <kept.safetensors | dd of=b.safetensors conv=notrunc 2>dd ;;
    cut)  truncate -s 300 b.safetensors ;;
    esac
    wait $child; echo "$how: exit $?"
    cmp lm.safetensors whole.safetensors && echo "the same bits"
    rm -f lm.safetensors
done
