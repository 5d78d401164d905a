# --memory: what is too much is made again for the derivative; no bit of a result depends on it. What cannot be had is
# refused with the smallest size that would do, which does, and one byte less does not.
cat > net.cg <<'EOT'
cg 2
import graphs.transformer

text = synthetic("grammar", size = 20000)
lm = train transformer(vocab = bytes().size, dim = 32, layers = 4, heads = 2, hidden = 96) as lm {
    data = windows(text.train, bytes(), length = 64)
    loss = cross_entropy(lm(batch.tokens), batch.next)
    optimizer = adamw(rate = 3e-3)
    batch = 4
    steps = 3
}
save lm as "lm.safetensors"
EOT
slab() { sed -n 's/^plan.* slab \([0-9.]* [KM]iB\),.*/\1/p'; }
cg plan net.cg >whole; cg plan net.cg --memory 1GiB | cmp - whole && echo "what fits is left as it is"
for size in 1300KiB 1000KiB; do
    cg plan net.cg --memory $size >fits
    slab <fits
    grep -o '^made again for the derivative: .*; ' fits
    grep -c ' again bytes=' fits
done
for size in 1GiB 1300KiB 1000KiB; do
    CG_STORE=$size cg run net.cg --quiet --memory $size 2>/dev/null && mv lm.safetensors $size.safetensors
done
cmp 1GiB.safetensors 1300KiB.safetensors && cmp 1GiB.safetensors 1000KiB.safetensors && echo "the same bits"
cg run net.cg --quiet --memory 100KiB 2>said; echo "exit $?"; cat said
least=$(sed -n 's/.*--memory=\([0-9]*\);.*/\1/p' said)
cg plan net.cg --memory $least | slab
cg plan net.cg --memory $((least - 1)) >/dev/null 2>&1; echo "exit $?"
cg run net.cg --dry-run --memory 10KiB 2>&1 | grep -o "make[s]* again\|--memory allows.*"
cg plan net.cg --memory 1.5MiB 2>&1; echo "exit $?"

# A chain of layers, each of which needs what the one before gives: every few of them something is kept.
cat > chain.cg <<'EOT'
cg 2
graph layer(x: f32[B, D]) -> f32[B, D] {
    param w: f32[D, D] = scaled()
    return tanh(x @ w)
}
graph deep(x: f32[B, 48], n: int) -> f32[B, 48] {
    layers = [layer() for i in 0..n]
    for l in layers { x = l(x) }
    return x
}
net = deep(n = 100)
EOT
cg plan chain.cg net --dim B=4096 --grad | slab
cg plan chain.cg net --dim B=4096 --grad --memory 24MiB | slab
cg plan chain.cg net --dim B=4096 --memory=0 2>&1 | head -1
