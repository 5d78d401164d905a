# Mistakes as data: a line of JSON each, with places, notes, help, and fixes where one word is meant; exit code as without it.
cat >a.cg <<'S'
width = 3
x = widht
y = plot.scater(3)
graph net(x: f32[B, 4], act: { relu, silu } = "relu") -> f32[B, 4] { return if act == "rellu" then x else 2 * x }
test "a" { expect net(tensor([[1.0, 2.0]])) == "\u{e9}" }
S
cg check --json a.cg || echo "exit $?"
printf 'option rate: flaot = 1\n' >c.cg
cg check --json c.cg || echo "exit $?"
echo 'x = 3' >b.cg
cg check --json b.cg
