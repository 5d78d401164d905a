# Sizes whose products leave 64 bits, or all memory there is: refused with the tensor and its place, before anything is taken.
cat >a.cg <<'CG'
graph plane(x: f32[A, B]) -> f32[A, B] { return x + 1 }
graph outer(x: f32[N], y: f32[M]) -> f32[N, M] { return reshape(x, [N, 1]) * reshape(y, [1, M]) }
graph square(n: int) -> f32 {
    param w: f32[n, n] = zeros()
    return sum(w)
}
graph filled(n: int) -> f32[n] { return fill(2.385, [n]) }
graph cubed(x: f32[N]) -> f32[N*N*N] { return reshape(x, [N*N*N]) }
graph repeated(x: f32[N]) -> f32 {
    thousand = concat([x for i in 0..1000], axis = 0)
    return sum(concat([thousand for i in 0..1000], axis = 0))
}
CG
while read -r args; do
    echo "\$ cg $args"
    eval "cg $args" 2>&1 | sed -e 's/, [0-9.]* [A-Z]*i*B are free//' -e '/WARNING: AddressSanitizer failed to allocate/d' |
        cut -c1-160
done <<'CASES'
plan a.cg plane --dim A=3037000500 --dim B=3037000500
plan a.cg plane --dim A=4294967296 --dim B=4294967296
plan a.cg plane --dim A=281474976710657 --dim B=2
plan a.cg plane --dim A=16777216 --dim B=16777215
plan a.cg plane --dim A=281474976710656 --dim B=1
plan a.cg outer --dim N=100000000000 --dim M=100000000000
plan a.cg 'square(n = 4294967296)'
plan a.cg 'square(n = 9223372036854775807)'
plan a.cg 'cubed' --dim N=3000000
plan a.cg repeated --dim N=100000000
plan a.cg repeated --dim N=1000000000000
bench a.cg plane --dim A=16777216 --dim B=16777215
apply a.cg 'square(n = 3000017)'
apply a.cg 'filled(n = 281474976710656)'
apply a.cg 'filled(n = 281474976710656)' --out made
CASES

# Files that claim more than they hold.
header()    # text: a safetensors file of this header alone
{
    printf "\\$(printf %03o ${#1})\\0\\0\\0\\0\\0\\0\\0%s" "$1" >x.safetensors
    cg apply a.cg plane --in x=x.safetensors 2>&1 | head -1
}
header '{"x":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,0]}}'
header '{"x":{"dtype":"F32","shape":[9223372036854775807,2],"data_offsets":[0,8]}}'
header '{"x":{"dtype":"F32","shape":[0,9223372036854775807],"data_offsets":[0,0]}}'
header '{"x":{"dtype":"F32","shape":[-1,2],"data_offsets":[0,8]}}'
header '{"x":{"dtype":"F32","shape":[1,2],"data_offsets":[0,18446744073709551615]}}'
header '{"x":{"dtype":"F32","shape":[1,2],"data_offsets":[8,0]}}'
npy()       # shape
{
    text="{'descr': '<f4', 'fortran_order': False, 'shape': ($1), }"
    printf '\223NUMPY\1\0v\0%-117s\n' "$text" >x.npy
    cg apply a.cg plane --in x=x.npy 2>&1 | head -1
}
npy '4294967296, 4294967296'
npy '9223372036854775807, 2'
npy '0, 9223372036854775807'
npy '99999999999999999999, 2'
npy '-1, 2'
npy '3, 0'
