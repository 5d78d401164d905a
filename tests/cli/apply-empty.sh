# Tensors without elements are read, computed with and written like any other.
npy()       # name shape
{
    printf '\223NUMPY\1\0v\0%-117s\n' "{'descr': '<f4', 'fortran_order': False, 'shape': ($2), }" >$1.npy
}
npy none '0,'; npy wide '2, 0'; npy high '0, 3'
header='{"x":{"dtype":"F32","shape":[0],"data_offsets":[0,0]}}'
printf "\\$(printf %03o ${#header})\\0\\0\\0\\0\\0\\0\\0%s" "$header" >none.safetensors
cat >e.cg <<'CG'
graph twice(x: f32[N]) -> f32[N] { return x * 2 }
graph total(x: f32[N]) -> f32[] { return sum(x) }
graph gram(x: f32[N, M]) -> f32[N, N] { return x @ transpose(x) }
graph both(x: f32[N]) -> f32[2*N] { return concat([x, x], axis = 0) }
graph shares(x: f32[N, M]) -> f32[N, M] { return softmax(x, axis = 1) }
CG
while read -r graph file; do
    rm -rf made; cg apply e.cg $graph --in x=$file 2>&1 | paste -sd' '
    cg apply e.cg $graph --in x=$file --out made.safetensors && cg apply e.cg $graph --in x=$file --out made && wc -c <made/$graph.npy
done <<'CASES'
twice none.npy
twice none.safetensors
total none.npy
gram wide.npy
gram high.npy
both none.npy
shares wide.npy
shares high.npy
CASES
