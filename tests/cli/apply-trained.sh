# A graph that holds a trained model is applied with the weights the training gave.
cat >t.cg <<'END'
graph line(x: f32[B]) -> f32[B] { param w: f32[] = fill(0.5)  return w * x }
graph fit(ids: i32[B, T], line: graph) -> f32[] { return mean(squared_error(line(mean(cast(ids, f32), axis = 1)), 3 * mean(cast(ids, f32), axis = 1))) }
text = synthetic("grammar", size = 30000, seed = 3)
model = train fit(line = line()) as m {
    data = windows(text.train, bytes(), length = 16)
    loss = m(batch.tokens)
    optimizer = sgd(rate = 0.0001)
    clip = none
    steps = 20
}
graph wrap(x: f32[B], inner: graph) -> f32[B] { return 2 * inner(x) }
wrapped = wrap(inner = model.line)
END
cg apply t.cg wrapped --in 'x=[1, 10]' --threads 1 2>said; echo "exit $?"; grep -c "train model: [0-9]" said
cg apply t.cg wrapped --in 'x=[1, 10]' --threads 1 2>said; echo "exit $?"; grep -c "train model: [0-9]" said
