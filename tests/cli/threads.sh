# The same bits at any number of threads: two pretrainings, alignment, compression with a frozen decoder, and texts.
for t in 1 2 3; do
    mkdir t$t
    (cd t$t && cg run ../cli/runtime/compress.cg --threads $t --quiet >shown 2>said) || { cat t$t/said; exit 1; }
done
for f in lm.safetensors pair.safetensors scores.csv shown; do
    for t in 2 3; do cmp t1/$f t$t/$f && echo "$f: $t threads as 1"; done
done
