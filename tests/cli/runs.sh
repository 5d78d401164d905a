# Runs are listed, shown, compared and exported; the store is read only.
cat >r.cg <<'END'
option rate: float = 1e-3
graph net(ids: i32[B, T]) -> f32[B, T, 256] {
    param w: f32[256, 256] = normal(std = 0.02)
    return take(w, ids)
}
text = synthetic("grammar", size = 20000, seed = 1)
lm = train net() as m {
    data = windows(text.train, bytes(), length = 16)
    loss = mean(cross_entropy(m(batch.tokens), batch.next))
    optimizer = adamw(rate = rate)
    batch = 4
    steps = 3
}
save lm as "lm.safetensors"
END
$CG run --quiet r.cg 2>/dev/null && $CG run --quiet --seed=7 --set rate=0.1 r.cg 2>/dev/null
$CG runs | awk '{ print NF, $1, $2, $NF }'
$CG runs 1 | grep -v -e started -e seconds
$CG runs 1 2
$CG runs 1 2 --save runs.jsonl && grep -c '"name": "loss"' runs.jsonl
# what is written in the script differs too: settings of trainings and evaluations, by name
cat >s.cg <<'END'
import std.nn
graph net(ids: i32[B, T], dim: int) -> f32[B, T, 256] {
    table, head = embedding(256, dim), dense(out = 256)
    return head(table(ids))
}
text = synthetic("grammar", size = 20000, seed = 1)
lm = train net(dim = 4) as m {
    data = windows(text.train, bytes(), length = 16)
    loss = mean(cross_entropy(m(batch.tokens), batch.next))
    optimizer = adamw(rate = cosine(peak = 0.1, warmup = 2))
    batch = 4
    steps = 3
}
scores = evaluate lm on windows(text.test, bytes(), length = 16, count = 5) as m {
    nll = entropy(m, batch.tokens, batch.next)
}
show mean(scores.nll) > 0
END
$CG run --quiet s.cg
sed -e 's/peak = 0.1/peak = 0.2/' -e 's/dim = 4/dim = 6/' -e 's/count = 5/count = 7/' -e 's/steps = 3/steps = 4/' \
    -e 's/loss = mean/loss = 0.5 * mean/' s.cg >t.cg
$CG run --quiet t.cg
$CG runs 3 4
# the second run of a script finds everything in the store and has the same settings
$CG run --quiet s.cg && $CG runs 3 5
$CG runs 3 4 --save curves.svg && grep -c 'run [34] lm' curves.svg && head -2 curves.csv | tr -d '\r'
$CG runs 7; echo "exit $?"
# Curves are of a training, not of the run: of three each has all of its steps.
sed '/^lm = /,$d' r.cg >three.cg
cat >>three.cg <<'END'
models = { n: train net() as m {
    data = windows(text.train, bytes(), length = 16)
    loss = mean(cross_entropy(m(batch.tokens), batch.next))
    optimizer = adamw(rate = r)
    batch = 4
    steps = 5
} for n, r in { slow: 1e-4, quick: 1e-2, wild: 1e-1 } }
show mean(models.slow.history.loss) > mean(models.wild.history.loss)
show models.quick
END
CG_STORE=three; export CG_STORE
$CG run --quiet three.cg >shown 2>said || cat said
$CG runs 1 --save three.jsonl
grep '"name": "loss"' three.jsonl | grep -o '"label": "[^"]*"' | sort | uniq -c
