# How many seeds and windows a claim takes, by what the results that are there vary: from cluster to cluster (0.2) and by
# the rows in them (1 / sqrt(50)), and how long that is.
awk 'function u() { state = state * 16807 % 2147483647; return state / 2147483647 } # Park and Miller 1988
function normal(  i, s) { for (i = 0; i < 12; i++) s += u(); return s - 6 }
BEGIN { state = 2385; print "seed,f1" >"a.csv"; print "seed,f1" >"b.csv"
    for (s = 0; s < 40; s++) { by = 0.2 * normal()
        for (r = 0; r < 50; r++) { e = 2 * normal(); printf "%d,%.6f\n", s, 5 + e + 0.15 + by + 0.7071 * normal() >"a.csv"
            printf "%d,%.6f\n", s, 5 + e + 0.7071 * normal() >"b.csv" } } }'
cat >c.cg <<'X'
cg 2
option seeds: int = 40
a = filter(read("a.csv"), seed < seeds)
b = filter(read("b.csv"), seed < seeds)
claim "a beats b" {
    expect mean(a.f1) > mean(b.f1) over seed
    expect mean(a.f1) > mean(b.f1) + 4 over seed
}
claim "row by row" { expect mean(a.f1) > mean(b.f1) }
X
cg plan c.cg --claims
cg plan c.cg --claims --effect=0.05 --set seeds=5
cg plan c.cg --claims --effect=-1; echo "exit $?"
cg plan c.cg --claims mean; echo "exit $?"

echo "== with trainings"
cat >t.cg <<'X'
cg 2
graph net(ids: i32[B, T]) -> f32[B, T, 256] {
    param w: f32[256, 256] = normal(std = 0.02)
    return take(w, ids)
}
text = synthetic("grammar", size = 20000, seed = 1)
def score(rate, seed) = evaluate train net() as m {
    data      = windows(text.train, bytes(), length = 16)
    loss      = cross_entropy(m(batch.tokens), batch.next)
    optimizer = adamw(rate)
    batch     = 4
    steps     = 3
    seed      = seed
} on windows(text.test, bytes(), length = 16, count = 6) as m { nll = entropy(m, batch.tokens, batch.next) }
fast = rows([score(1e-2, s) for s in 0..3], names = ["seed"])
slow = rows([score(1e-3, s) for s in 0..3], names = ["seed"])
claim "a larger step is better" { expect mean(fast.nll) < mean(slow.nll) over seed }
X
cg plan t.cg --claims 2>&1; echo "exit $?"
cg run --quiet t.cg >/dev/null 2>&1
cg plan t.cg --claims 2>&1 | sed 's/about .*/about [..]/; s/[0-9.e-]* because/[..] because/; s/difference [0-9.]*; it deviates by [0-9.e-]*/difference [..]; it deviates by [..]/; s/to show [0-9.]*/to show [..]/'
