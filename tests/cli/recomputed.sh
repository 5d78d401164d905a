# Layers that are computed again take less memory and give the same bits.
cat >lm.cg <<'END'
import graphs.transformer
option spare: bool = false
lm = transformer(vocab = 259, dim = 24, layers = 5, heads = 3, hidden = 36)
model = if spare then recomputed(lm, "blocks.*") else lm
trained = train model as small {
    data = windows(synthetic("json", size = 4000).all, bytes(), length = 64)
    loss = cross_entropy(small(batch.tokens), batch.next)
    optimizer = adamw()
    batch = 4
    steps = 3
}
save trained as "lm.safetensors"
END
for spare in false true; do
    cg plan lm.cg --set spare=$spare --dump=mem | awk 'NR == 1 { for (i = 1; i < NF; i++) if ($i == "slab") print $(i + 1), $(i + 2) }' >$spare.memory
    cg run lm.cg --set spare=$spare >shown 2>said || cat said
    mv lm.safetensors $spare.safetensors
done
cat false.memory true.memory | awk '{ mib[NR] = $2 ~ /KiB/ ? $1 / 1024 : $1 } END { print (mib[2] < 0.6 * mib[1] ? "less than 0.6 of the memory" : mib[2] / mib[1]) }'
cmp false.safetensors true.safetensors && echo "the same bits"
