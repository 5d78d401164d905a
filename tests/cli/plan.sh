# Sizes that nobody gave are asked for; with them the plan is there, with derivatives when they are wanted.
cat >a.cg <<'CG'
graph slope(x: f32[B, D], out: int = 7) -> f32[B, out] {
    param w: f32[D, out] = scaled()
    return tanh(x @ w)
}
CG
cg plan a.cg --dim D=5 2>&1; echo "exit $?"
cg plan a.cg --dim D=5 --dim B=3 | sed -n 's/ *[0-9]*  \([a-z]*\) .*/\1/p'; echo
cg plan a.cg --dim D=5 --dim B=3 --grad | grep -o 'output .*: .*f32.*' | sed 's/@[0-9]*/@/'
