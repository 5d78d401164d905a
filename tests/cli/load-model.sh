# Weights of another model, by the arguments that those of a file are taken by; loaded models and parts of them are
# saved, in 16 bits too; what is frozen stays so on every way. Each is shown by the right numbers.
cat >net.cg <<'CG'
cg 2
import std.nn
graph both(x: f32[B, 2], head: graph, tail: graph) -> f32[B, 3] { return head(x) + tail(x) }
graph small(x: f32[B, 2]) -> f32[B, 3] {
    fc = dense(out = 3)
    return fc(x)
}
def fit(m, steps = 3) = train m as m {
    data = gaussians(dim = 2, classes = 3, rows = 90)
    loss = cross_entropy(m(batch.x), batch.y)
    optimizer = adamw(rate = 0.1)
    batch = 8
    steps = steps
}
graph large(x: f32[B, 2]) -> f32[B, 3] {
    param w: f32[2, 3] = 70000.0
    return x @ w
}
a = fit(both(head = small(), tail = freeze(small(), "fc.b")))
graph at(x: f32[1, 2], m: graph) -> f32[1, 3] { return m(x) }
graph gap(x: f32[1, 2], m: graph, n: graph) -> f32[] { return max(abs(m(x) - n(x))) }
CG
cat >make.cg <<'CG'
cg 2
import net: a, small, both
import std.nn
save a as "a.safetensors"
save a.tail as "tail.safetensors"
again = load(both(head = small(), tail = small()), "a.safetensors")
save again as "again.safetensors"
save again.tail as "tail-again.safetensors"
save load(dense(out = 3), a.tail, prefix = "fc") as "dense.safetensors"
save load(small(), a.head, rename = { "fc": "kc" }) as "kc.safetensors"
save load(again, again, dtype = bf16) as "bf16.safetensors"
save load(a, a, dtype = f16) as "f16.safetensors"
save load(a, "f16.safetensors", dtype = f64) as "f64.safetensors"
CG
cg run make.cg --quiet 2>&1 >/dev/null # a.safetensors, as the script writes it, says more than was known before
cg run make.cg --quiet 2>&1
head -c 3000 a.safetensors | tr "{}," "\n\n\n" | grep -a format
show() { # the types and marks of a file, and its numbers as the model that is given gives them
    head -c 3000 "$1" | tr ',{' '\n\n' | sed -n 's/.*"\(frozen[^"]*\)":.*/\1/p; s/.*"dtype":"\([A-Z0-9]*\)".*/\1/p' | sort | uniq -c | sed 's/  */ /g'
}
gap() { # how far one model is from another, both expressions: as the same, as a rounding, or in figures
    { cat net.cg; echo "one = $1"; echo "two = $2"; } >use.cg
    cg apply use.cg 'gap(m = one, n = two)' --in 'x=[[1.5, -0.75]]' 2>&1 | tail -1 |
        awk '{ print($1 == "0" ? "the same" : $1 + 0 > 0 && $1 < 0.01 ? "rounded" : $0) }'
}
b='both(head = small(), tail = small())'
for f in a again bf16 f16 f64; do echo "$f: $(show $f.safetensors) $(gap a "load($b, \"$f.safetensors\")")" | tr '\n' ' '; echo; done
for f in tail tail-again; do echo "$f: $(show $f.safetensors) $(gap a.tail "load(small(), \"$f.safetensors\")")" | tr '\n' ' '; echo; done
echo "dense: $(show dense.safetensors) $(gap a.tail 'load(dense(out = 3), "dense.safetensors")')" | tr '\n' ' '; echo
echo "kc: $(gap a.head 'load(small(), "kc.safetensors", rename = { "kc": "fc" })')"
echo "swapped: $(gap a.head "load(small(), load($b, a, rename = { head: \"tail\", tail: \"head\" }).tail)")"
echo "a part that is left out: $(gap a.head 'load(small(), a, prefix = "head")')"
echo "others are left out: $(gap a.head 'load(both(head = small(), tail = a.tail), a, ignore = "tail").head')"
echo "rounded, and computed with: $(gap 'load(a, a, dtype = bf16)' "load($b, \"bf16.safetensors\")")"
frozen() { # how many parameters a training of the model has, and how many are frozen
    printf 'cg 2\nimport net\nimport std.nn\nt = fit(%s, steps = 1)\nshow t\n' "$1" >use.cg
    cg run use.cg 2>&1 >/dev/null | sed -n 's/^.*: \([0-9]* parameters trained, [0-9]* frozen\);.*/\1/p; /error/,$p'
}
frozen "load($b, a)"
frozen "load($b, load(both(head = small(), tail = small()), \"f64.safetensors\"), dtype = f16)"
frozen "load($b, a, rename = { head: \"tail\", tail: \"head\" })"
frozen 'load(small(), a.tail)'
frozen 'load(dense(out = 3), a.tail, prefix = "fc")'
frozen 'load(small(), unfreeze(a.tail))'
frozen 'load(small(), load(small(), "tail-again.safetensors"))'
for bad in 'load(small(), a)' 'load(small(), a, prefix = "hea")' 'load(small(), a.head, rename = { "fc.w": "fc.b" })' \
    'load(small(), a.head, transpose = "fc")' 'load(small(), a.head, dtype = i8)' 'load(small(), small())' \
    'load(small(), load(small(), "absent.npz"), dtype = f16)' 'load(large(), fit(large(), steps = 1), dtype = f16)'; do
    echo "-- $bad"
    { cat net.cg; echo "one = $bad"; } >use.cg
    cg apply use.cg 'at(m = one)' --in 'x=[[1, 2]]' 2>&1 | grep -v '|\|^train' | sed 's/[0-9.]* in tensor/.. in tensor/'
done
