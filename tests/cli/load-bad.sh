# Weights that are cut short, not there, or of another model; and those that fit give the same scores.
cg run cli/runtime/lm.cg --set steps=12 >shown 2>said || { cat said; exit 1; }
cat >a.cg <<'CG'
import graphs.transformer
option file: str = "lm.safetensors"
option dim: int = 16
option layers: int = 1
text = synthetic("grammar", size = 60000)
tok = bytes()
lm = load(transformer(vocab = tok.size, dim = dim, layers = layers, heads = 2, hidden = 32), file)
scores = evaluate lm on windows(text.test, tok, length = 16, count = 64) as m {
    nll = entropy(m, batch.tokens, batch.next)
}
save scores as "loaded.csv"
CG
for n in 20000 100 5; do
    head -c $n lm.safetensors >cut$n.safetensors
    cg run a.cg --set file=cut$n.safetensors 2>&1 | head -1
done
cg run a.cg --set file=lm.safetensor 2>&1
echo "exit $?"
cg run a.cg --set layers=2 2>&1
echo "exit $?"
cg run a.cg --set dim=24 2>&1
echo "exit $?"
sed 's/"norm.gain"/"norm.GAIN"/' lm.safetensors >renamed.safetensors
cg run a.cg --set file=renamed.safetensors 2>&1 | grep -v '|'
[ -f loaded.csv ] || echo "nothing is saved"
cg run a.cg 2>/dev/null
echo "exit $?"
cmp scores.csv loaded.csv && echo "the same scores"
