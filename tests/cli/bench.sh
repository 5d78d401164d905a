# Steps of a training are timed and stored nowhere; what the numbers are is the machine's affair.
numbers() { sed -E 's/[0-9]+(\.[0-9]+)?(e[-+][0-9]+)?/N/g; s/ +/ /g'; }
cat >graph.cg <<'CG'
graph slope(x: f32[B, D], out: int = 7) -> f32[B, out] {
    param w: f32[D, out] = scaled()
    return tanh(x @ w)
}
CG
cg bench cli/runtime/lm.cg --steps 3 --warmup 1 --threads 2 | sed -E 's/(avx512|avx2|base) kernels/kernels/' | numbers
cg bench cli/runtime/lm.cg --steps 3 --warmup 1 --json --prof --threads 2 >one.json; wc -l <one.json
tr , '\n' <one.json | grep -c '"op"' | sed 's/^[1-9][0-9]*$/ops/'
tr , '\n' <one.json | grep -o '"phase": .*' | sort -u
ls .cg/*/ 2>/dev/null | grep -c safetensors
cg bench graph.cg slope --dim B=3 --dim D=5 --grad --steps 2 --trace t.json | sed -n 1p | sed -E 's/(avx512|avx2|base) kernels/kernels/' | numbers
grep -c '"cat": "frame"' t.json
cg bench cli/runtime/lm.cg --steps 2 --warmup 3 --trace steps.json >/dev/null
grep -c '"name": "step"' steps.json
cg bench graph.cg slope --steps 2; echo "exit $?"
cg bench graph.cg --steps none; echo "exit $?"
cg run cli/runtime/lm.cg --set steps=4 --set patience=5 --prof --trace run.json --quiet 2>&1 >/dev/null | sed -n '1p;3p' | numbers
grep -c '"name": "step"' run.json
