# What a script claims is tested when all else is done: verdicts, effects, levels by looks; a refuted claim is no mistake.
rows() { echo seed,f1; for s in $2; do for r in 1 2 3; do echo "$s,$1$s$r"; done; done; }
rows 0.7 "0 1 2 3 4 5 6 7" >a.csv
rows 0.4 "7 6 5 4 3 2 1 0" >b.csv
cat >c.cg <<'END'
cg 2
n, over = 8, 5
a = read("a.csv")
b = read("b.csv")
claim "a beats b over {n} seeds" {
    expect mean(a.f1) > mean(b.f1) - 0.001 * mean(b.seed) over seed
    expect mean(b.f1) < 0.6 over seed
}
claim "b beats a" { expect mean(b.f1) > mean(a.f1) over seed }
claim "five seeds can show nothing" { expect mean(filter(a, seed < over).f1) > 0.1 over seed }
show select(claims(), [claim, verdict, p_holm])
save claims() as "claims.csv"
END
$CG run c.cg 2>/dev/null; echo "exit $?"
head -2 claims.csv | tr -d '\r'
$CG fmt --check c.cg && echo canonical
# clusters go in pairs
sed 's/^7/9/' b.csv >d.csv
for pair in 'mean(a.f1) > mean(d.f1) over seed' 'mean(filter(a, seed > 0).f1) > mean(b.f1)' 'std(a.f1) > 0.1'; do
    printf 'cg 2\na, b, d = read("a.csv"), read("b.csv"), read("d.csv")\nshow len([b, d])\nclaim "x" { expect %s }\n' "$pair" >e.cg
    $CG run e.cg 2>&1; echo "exit $?"
done
# every other result that claims look at on the same rows is another look; the same one again is none
cat >l.cg <<'END'
cg 2
option add: float = 0.0
option length: int = 16
graph net(ids: i32[B, T]) -> f32[B, T, 256] {
    param w: f32[256, 256] = normal(std = 0.02)
    return take(w, ids)
}
text = synthetic("grammar", size = 20000, seed = 1)
s = evaluate net() on windows(text.test, bytes(), length, count = 6) as m {
    nll = entropy(m, batch.tokens, batch.next) + add
}
v = evaluate net() on windows(text.valid, bytes(), length = 16, count = 6) as m {
    nll = entropy(m, batch.tokens, batch.next)
}
claim "more than nothing" { expect mean(s.nll) > 1 }
claim "the other split" { expect mean(v.nll) < 9 }
END
looks() { echo "$*:"; $CG run --quiet "$@" l.cg | sed -n 's/.*; look/look/p'; }
looks
looks
looks --set add=0.5
looks --set length=8
looks
sed -i 's/s.nll) > 1/s.nll) > 2/' l.cg
looks
# the same model on the same rows, so many times, is one experiment
cat >s.cg <<'END'
cg 2
graph net(ids: i32[B, T]) -> f32[B, T, 256] {
    param w: f32[256, 256] = normal(std = 0.02)
    return take(w, ids)
}
data = windows(synthetic("grammar", size = 20000).test, bytes(), length = 16, count = 6)
s = rows([evaluate net() on data as m { nll = entropy(m, batch.tokens) } for i in 0..8], names = ["seed"])
claim "small" { expect mean(s.nll) < 9 over seed }
show select(claims(), [verdict, clusters, note])
END
$CG run s.cg 2>/dev/null
