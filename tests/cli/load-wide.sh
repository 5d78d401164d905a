# Weights of f64 are rounded to those of the model, and that is said once; whole numbers are no weights.
header='{"w":{"dtype":"F64","shape":[4,3],"data_offsets":[0,96]},"b":{"dtype":"F64","shape":[3],"data_offsets":[96,120]}}'
{
    printf "\\$(printf %o ${#header})\0\0\0\0\0\0\0%s" "$header"
    for i in 1 2 3 4 5 6 7 8 9 10 11 12; do printf '\0\0\0\0\0\0\340\77'; done
    for i in 1 2 3; do printf '\0\0\0\0\0\0\324\77'; done
} >w.safetensors
sed 's/F64/I64/g' w.safetensors >i.safetensors
cat >x.cg <<'CG2'
import std.nn
option file: str = "w.safetensors"
m = load(dense(out = 3), file)
graph f(x: f32[1, 4]) -> f32[1, 3] { return m(x) }
CG2
cg apply x.cg f --in 'x=[[1, 2, 3, 4]]' 2>&1
cg apply x.cg f --in 'x=[[1, 2, 3, 4]]' --set file=i.safetensors 2>&1
echo "exit $?"
