# A language model that knows the token it is asked for is found by trying it out, whatever it is written with; those that do
# not, and a text that is written again from what was made of it, are silent.
cat >lm.cg <<'CG'
cg 2
import std.nn
option kind: int = 0

def seen(kind, t, s) = [t >= s, t <= s, t >= s, abs(t - s) < 3 and t >= s, t // 4 == s // 4, t > s or t == s][kind]
graph lm(ids: i32[B, T], vocab: int, dim: int, kind: int) -> f32[B, T, vocab] {
    embed, head = embedding(vocab, dim), dense(out = vocab)
    wq, wk, wv = dense(out = dim), dense(out = dim), dense(out = dim)
    x = embed(ids)
    t, s = reshape(iota(T), [T, 1]), reshape(iota(T), [1, T])
    scores = wq(x) @ transpose(wk(x)) / sqrt(1.0 * dim) - 0.1 * cast(abs(t - s), f32)
    p = softmax(where(seen(kind, t, s), scores, -1e9), axis = if kind == 2 then 1 else 2)
    return head(x + p @ wv(x))
}
graph again(ids: i32[B, T], vocab: int, dim: int) -> f32[B, T, vocab] {
    embed, other, head = embedding(vocab, dim), embedding(vocab, dim), dense(out = vocab)
    slot = mean(embed(ids), axis = 1)
    return head(other(ids) + reshape(slot, [B, 1, dim]))
}
text, tok = synthetic("grammar", size = 20000), bytes()
def fit(model) = train model as m {
    data = windows(text.train, tok, length = 16)
    loss = cross_entropy(m(batch.tokens), batch.next)
    optimizer = adamw(rate = 1e-2)
    batch = 4
    steps = 2
}
model = if kind < 6 then fit(lm(vocab = 256, dim = 16, kind)) else fit(again(vocab = 256, dim = 16))
save model as "m.safetensors"
CG
for kind in 0 1 2 3 4 5 6; do
    cg run lm.cg --quiet --set kind=$kind >/dev/null 2>said && echo "kind $kind: $(grep -c 'E0702.*changes with the tokens behind it' said) of $(wc -l <said)"
done
cat said
