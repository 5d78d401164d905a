# Low-rank additions to frozen matrices by their paths: only these are trained, what was frozen keeps its bits, a model
# begins as it was, is saved with them and loaded again, and the other products are as before.
cat >lora.cg <<'CG'
cg 2
import graphs.transformer: transformer
import graphs.lora: lora
text, other = synthetic("grammar", size = 60000), synthetic("code", size = 60000)
tok = bytes()
def fit(model, of, steps) = train model as m {
    data = windows(of.train, tok, length = 16)
    loss = cross_entropy(m(batch.tokens), batch.next)
    optimizer = adamw(rate = 3e-3)
    batch = 8
    steps = steps
}
def score(model) = evaluate model on windows(other.test, tok, length = 16, count = 32) as m { nll = mean(cross_entropy(m(batch.tokens), batch.next), axis = 1) }
base = fit(transformer(vocab = 256, dim = 24, layers = 2, heads = 3, hidden = 36), text, 60)
adapted = reparametrized(freeze(base), lora(rank = 2), "blocks.*.attn.w*")
tuned = fit(adapted, other, 60)
CG
cat >one.cg <<'CG'
cg 2
import lora as l
show l.tuned
save l.tuned as "tuned.safetensors"
save l.score(l.base) as "base.csv"
save l.score(l.adapted) as "adapted.csv"
save l.score(l.tuned) as "tuned.csv"
graph same(x: f32[..s], y: f32[..s]) -> f32[] { return cast(max(abs(x - y)) == 0, f32) }
save l.base as "base.safetensors"
CG
cg run one.cg 2>said | grep -E 'attn' | sed 's/  */ /g'
sed -n 's/^.*: \([0-9]* parameters trained, [0-9]* frozen\);.*/\1/p' said
cmp base.csv adapted.csv && echo "it begins as it was"
for w in blocks.0.attn.wq blocks.1.attn.wo embed.table; do
    cg apply one.cg same --in x=base.safetensors:$w --in y=tuned.safetensors:$w 2>/dev/null | tail -1
done
cat >two.cg <<'CG'
cg 2
import lora as l
import graphs.transformer: transformer
import graphs.lora: lora
fresh = transformer(vocab = 256, dim = 24, layers = 2, heads = 3, hidden = 36)
again = load(reparametrized(fresh, lora(rank = 2), "blocks.*.attn.w*"), "tuned.safetensors")
save l.score(again) as "again.csv"
more = l.fit(again, l.other, 2)
show more
CG
cg run two.cg 2>&1 >/dev/null | sed -n 's/^.*: \([0-9]* parameters trained, [0-9]* frozen\);.*/\1/p; /error/,$p'
cmp tuned.csv again.csv && echo "it is loaded as it was saved"
for by in 'narrow(), "w"' 'lora(rank = 2), "v"' 'two(), "w"'; do
    cat >wrong.cg <<CG
cg 2
import graphs.lora: lora
import std.nn
graph narrow(w: f32[I, O]) -> f32[I] { return w[.., 0] }
graph two(w: f32[I, O], v: f32[I, O]) -> f32[I, O] { return w + v }
m = reparametrized(dense(out = 3), $by)
graph use(x: f32[2, 5]) -> f32[2, 3] { return m(x) }
CG
    cg apply wrong.cg use --in 'x=[[1, 2, 3, 4, 5], [1, 2, 3, 4, 5]]' 2>&1 | grep -E 'error|help'
done
# A model without them that is loaded from one with them has the sums: the same scores, a file of plain matrices.
cat >merge.cg <<'CG'
cg 2
import lora as l
import graphs.transformer: transformer
import graphs.lora: lora
fresh = transformer(vocab = 256, dim = 24, layers = 2, heads = 3, hidden = 36)
merged = load(l.base, l.tuned)
save merged as "merged.safetensors"
save l.score(merged) as "merged.csv"
save load(fresh, load(reparametrized(fresh, lora(rank = 2), "blocks.*.attn.w*"), "tuned.safetensors")) as "from-file.safetensors"
round = l.fit(unfreeze(reparametrized(merged, lora(rank = 2), "embed.table"), "norm.gain"), l.other, 2)
save load(fresh, round) as "second.safetensors"
graph outer(ids: index(256)[B, T], lm: graph) -> f32[B, T, 256] { return lm(ids) }
nested = l.fit(outer(lm = l.adapted), l.other, 2)
save load(outer(lm = fresh), nested) as "nested.safetensors"
kept = load(outer(lm = reparametrized(fresh, lora(rank = 2), "blocks.*.attn.w*")), nested)
graph gap(ids: index(256)[B, T], a: graph, b: graph) -> f32[] { return max(abs(a(ids) - b(ids))) / max(abs(b(ids))) }
CG
cg run merge.cg >/dev/null 2>said || cat said
sed -n 's/^.*: \([0-9]* parameters trained, [0-9]* frozen\);.*/\1/p' said
for pair in 'a = merged, b = l.tuned' 'a = load(fresh, "merged.safetensors"), b = l.tuned' 'a = load(fresh, "from-file.safetensors"), b = l.tuned' \
    'a = load(fresh, "second.safetensors"), b = round' \
    'a = load(outer(lm = fresh), "nested.safetensors"), b = nested' 'a = load(fresh, nested.lm), b = nested' 'a = kept, b = nested'; do
    gap=$(cg apply merge.cg "gap($pair)" --in 'ids=[[7, 200, 31, 99, 4, 250, 18]]' 2>said | tail -1)
    awk -v gap="$gap" -v pair="$pair" 'BEGIN { print pair ": " (gap != "" && gap < 1e-6 ? "the same" : "differ by " gap) }'
    grep error said
done
cat >early.cg <<'CG'
cg 2
import lora as l
m = load(l.base, l.adapted)
CG
cg check early.cg 2>&1 | grep -v '|'
for f in merged from-file nested; do
    grep -q lora $f.safetensors || echo "$f: no addition is left"
done
