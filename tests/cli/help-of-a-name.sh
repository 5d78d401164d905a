# A code, a graph of the library, a function, an op, a keyword, a field of train, a type, a family, a name of a script; what nothing is called like.
for name in E0402 rmsnorm freeze matmul op.conv vjp early_stop tokenizer plot; do
    echo "--- $name"
    cg help $name || exit 1
done
echo "--- scale"
cat >own.cg <<'S'
option widths: int[] = [8, 16] ## Sizes that are tried.

## Twice as much of it.
graph scale(x: f32[N], by: float = 2.0) -> f32[N] { return by * x }
S
cg help scale own.cg && cg help widths own.cg || exit 1
cg help scale 2>/dev/null && exit 1
cg help scale none.cg 2>&1 && exit 1
cg help softmaxx 2>&1
