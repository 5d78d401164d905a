# Many of what is usually few: nothing is left out in silence. What has a limit says so.
list()      # from to format: that many, with commas
{
    awk -v from="$1" -v to="$2" -v format="$3" 'BEGIN { for (i = from; i < to; i++) printf "%s" format, (i > from ? ", " : ""), i }'
}
try()       # name script: what its tests say, or what it shows
{
    printf '%s\n' "$2" >script.cg
    echo "$1: $(case $2 in *'test "'*) cg test script.cg ;; *) cg run script.cg ;; esac 2>&1 | head -1 | sed 's/.*error/error/')"
}
try "70 names of one list" "graph g(x: f32[N]) -> f32[N] { $(list 0 70 a%d) = [$(list 0 70 %d)] return a69 * x }
test \"70 names\" { expect g(tensor([1, 2.5])) == [69, 172.5] }"
try "70 names of 70 values" "graph g(x: f32[N]) -> f32[N] { $(list 0 70 a%d) = $(list 0 70 %d) return a69 * x }
test \"70 values\" { expect g(tensor([1, 2.5])) == [69, 172.5] }"
try "70 parameters of a function" "def f($(list 0 70 'p%d = 1')) = p3
show f(1)"
try "70 parameters of a graph" "graph g(x: f32[N], $(list 0 70 'p%d: int = 1')) -> f32[N] { return x }
show g(p3 = 2)"
try "300 tensors joined" "graph g(x: f32[N]) -> f32[M] { return concat([i * x for i in 0..300], axis = 0) }
test \"300 tensors\" {
    x = tensor([2.5, -3])
    y = g(x)
    expect size(y, axis = 0) == 600
    expect slice(y, axis = 0, from = 30, to = 34) == [37.5, -45, 40, -48]
    expect slice(y, axis = 0, from = 598, to = 600) == [747.5, -897]
    expect grad(sum(y), wrt = x) == 44850
}"
long=$(awk 'BEGIN { for (i = 0; i < 1500; i++) printf "n" }')
try "names of 1500 letters" "import std.nn
graph two(x: f32[N, D]) -> f32[N, D] { ${long}a, ${long}b = dense(out = D), dense(out = D) return ${long}b(${long}a(x)) }
test \"long names\" {
    x = tensor([[1, 2.5]])
    m = two()
    y = m(x)
    expect m.${long}a.w != m.${long}b.w
    expect y != 0
}"
try "400 values before a part" "import std.nn
graph g(x: f32[N, D]) -> f32[N, 3] { y0 = x $(awk 'BEGIN { for (i = 1; i < 400; i++) printf "y%d = y%d + x ", i, i - 1 }') last = dense(out = 3) return last(y399) }
m = g()
test \"400 values\" { y = m(tensor([[1, 2.5]])) expect m.last.b == 0 }"
for i in $(seq 300); do echo "line $i" >t$i.txt; done
cat >script.cg <<CG
graph sums(ids: i32[B, T]) -> f32[B] { return sum(cast(ids, f32), axis = T) }
text = corpus([$(list 1 301 '"t%d.txt"')])
scores = evaluate sums() on windows(text.all, bytes(), length = 8) as m { all = m(batch.tokens) }
show scores
CG
echo "300 files: $(cg run --quiet script.cg 2>&1 | tail -1)"
