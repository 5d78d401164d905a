# `weight` makes the loss the weighted mean over the whole batch, in shares too, and so is the validation's; where nothing
# counts nothing is learned.
numbers()   # file: its f32, one a line
{
    head=$(od -An -t u8 -N8 $1)
    od -An -v -t f4 -w4 -j $((8 + head)) $1
}
same()      # kind accumulate, against the file `whole`
{
    rm -f lm.safetensors
    cg run cli/runtime/weight.cg --set by=$1 --set accumulate=$2 >shown 2>said || cat said
    numbers lm.safetensors | paste whole - |
        awk -v k="$1 in $2" '{ d = $1 - $2; if (d < 0) d = -d; if (d > w) w = d }
            END { print k ":", NR, "numbers,", w < 1e-6 ? "the same" : "apart by " w }'
    sed -n 's/^train.* \(valid [0-9.]*\).*/\1/p' said
}
for kinds in "sums field" "row_sums rows"; do
    cg run cli/runtime/weight.cg --set by=${kinds% *} >shown 2>said || cat said
    sed -n 's/^train.* \(valid [0-9.]*\).*/\1/p' said
    numbers lm.safetensors >whole
    for shares in 1 3 12; do
        same ${kinds#* } $shares
    done
done
cg run cli/runtime/weight.cg --set by=nothing 2>&1 | grep -o 'loss 0  grad 0'
