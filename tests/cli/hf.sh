# Folders that transformers wrote, in one line: logits and gradients of five families (six folders: sharded, bf16, f16,
# with tensors nobody reads) are PyTorch's to 1e-5, greedy writing to a thousand tokens; what is not understood is said.
cat >hf.cg <<'CG'
cg 2
import graphs.hf: hf
option folder: str = "conformance/hf/gpt2"
m = hf(folder)
lm, tok = m.model, m.tok
graph logits(ids: index(67)[B, T], want: f32[B, T, V]) -> f32[] {
    return cast(max(abs(lm(ids) - want)) < 1e-5 * max(abs(want)), f32)
}
graph loss(ids: index(67)[B, T], lm: graph) -> f32[] {
    return mean(cross_entropy(lm(ids)[0.., ..-1, ..], ids[0.., 1..]))
}
CG
for name in gpt2 llama llama31 qwen2 qwen3 neox; do
    set="--set folder=conformance/hf/$name" reference=conformance/hf/$name.safetensors
    echo "$name: logits $(cg apply hf.cg logits $set --in ids=$reference:ids --in want=$reference:logits 2>&1 | tail -1)"
    cg apply hf.cg 'loss(lm = lm)' $set --in ids=$reference:ids --grad loss --wrt lm -o g.safetensors 2>&1
    # all gradients at once: the number of those that are near enough
    n=0 inputs= data= sum=0
    for path in $(head -c 9000 $reference | tr ',{' '\n\n' | sed -n 's/^"grad\.\([^"]*\)":.*/\1/p'); do
        inputs="$inputs a$n: f32[..s$n], b$n: f32[..s$n],"
        data="$data --in a$n=g.safetensors:grad.lm.$path --in b$n=$reference:grad.$path"
        sum="$sum + near(a$n, b$n)"
        n=$((n + 1))
    done
    cat >near.cg <<CG
graph near(a: f32[..s], b: f32[..s]) -> f32[] { return cast(max(abs(a - b)) < 1e-5 * (0.1 + max(abs(b))), f32) }
graph all($inputs) -> f32[] { return $sum }
CG
    echo "$name: of $n gradients $(cg apply near.cg all $data 2>&1 | tail -1) agree"
    cg generate hf.cg lm $set --quiet --past-end --only-new --new 1000 --tokenizer tok --prompt "$(head -1 conformance/hf/$name.txt)" >written 2>said || cat said
    tail -1 conformance/hf/$name.txt | cmp - written && echo "$name: the same text"
done
mkdir bad
cp conformance/hf/gpt2/* bad
try() { # what is replaced in config.json by what
    sed "s/$1/$2/" conformance/hf/gpt2/config.json >bad/config.json
    cg check hf.cg --set folder=bad 2>&1 | sed '/^ /d; /^note/d; s/^\(graphs.hf.cg\):[0-9]*:[0-9]*/\1/'
}
try '"gpt2"' '"mamba"'
try '"n_head": 4' '"n_head": 5'
try '"n_head"' '"heads"'
try '"gelu_new"' '"gelu_fast"'
try '"n_embd": 24' '"n_embd": "24"'
try '1e-05' '"small"'
try '{' '[{'
try '"eos_token_id": 1' '"eos_token_id": 5000'
rm bad/tokenizer.json
try x x
rm bad/config.json
cg check hf.cg --set folder=bad 2>&1 | sed -n '1s/:[0-9]*:[0-9]*//p'
