# A diagnostic's code, a graph of the library, a function, an op; what nothing is called like.
for name in E0402 rmsnorm freeze matmul; do
    echo "--- $name"
    cg help $name || exit 1
done
cg help softmaxx 2>&1
