# The picture of an experiment: data, stages of one list as one box, what is shown and saved; what is kept and what is to be
# built; no arrow where a longer way says the same.
cat > runs.cg <<'EOF'
cg 2
import std.nn
text = synthetic("arithmetic", size = 4000)
tok = bytes()
graph table(ids: i32[B, T]) -> f32[B, T, 256] { embed = embedding(256, 256)
    return embed(ids) }
def learn(seed) = train table() as m {
    data = windows(text.train, tok, length = 7)
    loss = cross_entropy(m(batch.tokens), batch.next)
    optimizer = sgd(rate = 0.5)
    batch = 3
    steps = 2
    seed = seed
}
models = [learn(s) for s in 0..3]
scores = evaluate models[1] on windows(text.test, tok, length = 7) as m { e = entropy(m, batch.tokens) }
show "what is left", scores
save models[2] as "last.safetensors"
EOF
said() { sed 's/<[^>]*>/ /g; s/&#160;/ /g; s/about [0-9.]* *[a-z]*/about TIME/' | grep -oE '"[^"]*" -> "[^"]*"|label=.*,$|style=".*dashed"' | grep -v 'runs.cg  >,\|N",'; }
cg dot runs.cg --stage=experiment | said
echo
cg run runs.cg --quiet --only=scores > run.txt; echo "exit $?"
cg dot runs.cg --stage=experiment | said | grep kept
cg dot runs.cg scores --stage=experiment | said | grep -c -- '->'
# It is called as its script is, wherever that lies.
mkdir -p folder && cp runs.cg folder && cg dot folder/runs.cg --stage=experiment | grep -oE '<B>[^<]*runs.cg<'
