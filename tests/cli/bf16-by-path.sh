# Products in bf16 by path: another computation than either whole, the same loss within 1 %; what is in f32 in a script in
# bf16 has the bits of f32, and so have its derivatives.
cat >a.cg <<'CG'
import graphs.transformer
option precision: str = "f32"
option rounded: str = ""
option whole: str = ""
text = synthetic("grammar", size = 60000)
tok = bytes()
start = transformer(vocab = tok.size, dim = 16, layers = 2, heads = 2, hidden = 32)
model = if rounded != "" then in_bf16(start, rounded) else if whole != "" then in_f32(start, whole) else start
lm = train model as lm {
    data = windows(text.train, tok, length = 16)
    loss = cross_entropy(lm(batch.tokens), batch.next)
    optimizer = adamw(rate = 3e-3)
    batch = 8
    steps = 100
}
scores = evaluate lm on windows(text.test, tok, length = 16, count = 64) as m {
    nll = entropy(m, batch.tokens, batch.next)
}
save lm as "lm.safetensors"
save scores as "scores.csv"
CG
run() { mkdir $1; (cd $1 && shift && cg run ../a.cg "$@" >shown 2>said) || { cat $1/said; exit 1; }; }
run f32
run bf16 --set precision=bf16
run blocks --set 'rounded=blocks.*.ffn'
run table --set precision=bf16 --set whole=embed
run none --set precision=bf16 --set 'whole=*'
for one in f32 bf16 blocks table none; do for other in f32 bf16 blocks table none; do
    [ $one \< $other ] && cmp -s $one/scores.csv $other/scores.csv && echo "$one as $other"
done; done
for d in bf16 blocks table; do
    cat f32/scores.csv $d/scores.csv |
        awk -v d=$d '/nll/ { k++; next } { sum[k] += $1 } END { r = sum[2] / sum[1]; print d ": " (r > 0.99 && r < 1.01 ? "within 1 %" : "ratio " r) }'
done

# What is planned, timed and counted says so.
cg plan a.cg --set precision=bf16 --set whole=embed >planned
sed -n 's/.*moved, //p' planned; grep matmul planned | grep -v bf16 | sed 's/ <-.*//' | awk '{ print $2 }'
cg plan a.cg --set rounded=blocks.1 --dump=opt | grep -o 'matmul.*in bf16 for' | sort | uniq -c | awk '{ n += $1 } END { print n " products of derivatives" }'
cg bench a.cg --set 'rounded=blocks.*.ffn' --steps 2 | sed -n '1s/.*\(bf16 in [^,]*\),.*/\1/p; 3s/.*peak of //p'
cg bench a.cg --set 'rounded=blocks.*.ffn' --steps 2 --json | tr , '\n' | grep 'precision\|products'

# One graph and its derivatives: a part in f32 has the bits it has where all is in f32.
cat >b.cg <<'CG'
option precision: str = "f32"
graph linear(x: f32[N, D], width: int) -> f32[N, width] {
    param w: f32[D, width] = normal(std = 0.71)
    return x @ w
}
graph both(x: f32[N, D]) -> f32[N, D], f32[N, D] {
    left, right = linear(width = D), linear(width = D)
    return left(x), right(x)
}
part = in_f32(both(), "left")
CG
awk 'BEGIN { srand(2385); printf "["; for (i = 0; i < 37; i++) { printf "%s[", i ? ", " : ""; for (k = 0; k < 48; k++) printf "%s%.5f", k ? ", " : "", rand() - 0.5; printf "]" } printf "]" }' >in
for p in f32 bf16; do for g in 0 1; do
    cg apply b.cg part --set precision=$p --in x="$(cat in)" -o $p.$g --grad $g 2>>said || cat said
done; done
for g in 0 1; do for f in both.0 both.1 grad.left.w grad.x; do
    cmp -s f32.$g/$f.npy bf16.$g/$f.npy && echo "derivative of both.$g: $f has the same bits"
done; done

# Where no instruction multiplies bf16 that is said, once; the numbers are those of rounding. A line that needs none says nothing.
for isa in base avx2; do
    mkdir $isa
    (cd $isa && CG_ISA=$isa cg run ../a.cg --set precision=bf16 --set 'whole=blocks.*.ffn' >shown 2>said) || { cat $isa/said; exit 1; }
    grep 'AVX512-BF16' $isa/said | sed 's/(.*)/(...)/'
    cat f32/scores.csv $isa/scores.csv |
        awk '/nll/ { k++; next } { sum[k] += $1 } END { r = sum[2] / sum[1]; print (r > 0.99 && r < 1.01 ? "within 1 %" : "ratio " r) }'
done
grep -h 'AVX512-BF16' f32/said none/said
CG_ISA=base cg apply b.cg part --set precision=bf16 --in x="$(cat in)" -o out 2>&1 | grep -c AVX512-BF16
