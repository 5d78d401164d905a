# A saved model names the tokenizer of its training, by digest: loaded, it takes tokens of that and of no other.
cat >base.cg <<'CG'
cg 2
import std.nn
text = synthetic("grammar", size = 60000)
own = bpe(text, size = 260)
graph words(ids: i32[B, T], vocab: int) -> f32[B, T, vocab] {
    embed = embedding(vocab, dim = 24)
    out = dense(out = vocab)
    return out(embed(ids))
}
def go(model, tok, steps = 2) = train model as m {
    data = windows(text.train, tok, length = 16)
    loss = cross_entropy(m(batch.tokens), batch.next)
    optimizer = adamw()
    steps = steps
}
CG
cat >make.cg <<'CG'
cg 2
import base
save go(words(vocab = 260), own) as "own.safetensors"
save go(words(vocab = 260), bytes()) as "bytes.safetensors"
CG
cg run make.cg 2>said || { cat said; exit 1; }
grep -ao '"tokenizer.0":"[a-z]* [0-9]*' own.safetensors bytes.safetensors
use() { # tokens of $2 for the model in $1
    printf 'cg 2\nimport base\nlm = load(words(vocab = 260), "%s.safetensors")\n' "$1" >use.cg
    printf 'e = evaluate lm on windows(text.test, %s, length = 16) as m {\n    n = mean(m(batch.tokens), axis = [1, 2])\n}\nshow mean(e.n) < 9\n' "$2" >>use.cg
    cg run use.cg 2>&1 | sed -n "/^true/p; /error/,\$p"
}
use own own
use bytes 'bytes()'
use bytes own
use own 'bytes()'
use own 'bpe(synthetic("code", size = 60000), size = 260)'
