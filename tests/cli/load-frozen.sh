# Frozen marks are kept by save and load, of a whole model and of a part; unfreeze takes them back; weights and marks come
# from another model, too; a file that is written after the script was checked is noticed.
cat >base.cg <<'CG'
import std.nn
text = synthetic("grammar", size = 60000)
graph reader(ids: i32[B, T], e: graph) -> f32[B, T, V] {
    out = dense(out = 256)
    return out(e(ids))
}
def go(model, steps = 2) = train model as m {
    data = windows(text.train, bytes(), length = 16)
    loss = cross_entropy(m(batch.tokens), batch.next)
    optimizer = adamw()
    steps = steps
}
fresh = reader(e = embedding(vocab = 256, dim = 24))
CG
cat >make.cg <<'CG'
import base
lm = go(fresh)
both = go(reader(e = freeze(lm.e)))
save lm as "lm.safetensors"
save both as "both.safetensors"
save both.e as "part.safetensors"
save freeze(lm, "out") as "marked.safetensors"
save unfreeze(both) as "free.safetensors"
CG
cg run make.cg 2>said || { cat said; exit 1; }
trained() { # the line of a training: how many parameters are trained and frozen
    printf 'import base\nimport std.nn\n%s\nlm = go(m, steps = 1)\nshow lm\n' "$1" >use.cg
    cg run use.cg 2>&1 >/dev/null | sed -n 's/^.*: \([0-9]* parameters trained, [0-9]* frozen\);.*/\1/p; /error/,$p'
}
trained 'm = load(fresh, "lm.safetensors")'
trained 'm = load(fresh, "both.safetensors")'
trained 'm = reader(e = load(embedding(vocab = 256, dim = 24), "part.safetensors"))'
trained 'm = load(fresh, "marked.safetensors")'
trained 'm = load(fresh, "free.safetensors")'
trained 'm = unfreeze(load(fresh, "both.safetensors"), "e.*")'
trained 'm = load(fresh, go(freeze(fresh, "out.w")))'
trained 'm = load(fresh, load(fresh, "both.safetensors"))'
trained 'm = load(fresh, fresh)'
cat >late.cg <<'CG'
import base
import std.nn
both = go(reader(e = freeze(embedding(vocab = 256, dim = 24))))
late = go(load(fresh, "late.safetensors"), steps = 1)
save both as "late.safetensors"
show late
CG
cg run late.cg 2>&1 >/dev/null | grep -A3 error
cg run late.cg 2>&1 >/dev/null | sed -n 's/^.*: \([0-9]* parameters trained, [0-9]* frozen\);.*/\1/p'
