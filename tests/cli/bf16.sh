# Training with bf16 products: another computation, within 1 % of the loss.
for p in f32 bf16; do
    mkdir $p
    (cd $p && cg run ../cli/runtime/lm.cg --set precision=$p --set steps=100 --set accumulate=1 >shown 2>said) || { cat $p/said; exit 1; }
done
cmp -s f32/lm.safetensors bf16/lm.safetensors || echo "other weights"
cat f32/scores.csv bf16/scores.csv |
    awk '/nll/ { k++; next } { sum[k] += $1 } END { r = sum[2] / sum[1]; print (r > 0.99 && r < 1.01 ? "within 1 %" : "ratio " r) }'
