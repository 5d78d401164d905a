# The last row of 33 is not paired with itself where a control takes another row: what looks across rows sees them all. A
# column that is not a number in some rows is said with how many.
cat >a.cg <<'CG'
graph shifted(x: f32[B, 2]) -> f32[B, 2] { return concat([x[1 .., ..], x[.. 1, ..]], axis = 0) }
graph odd(x: f32[B, 2]) -> f32[B] { return log(sum(x, axis = 1) - 10) }
rows = arrays({ x: "x.csv" })
paired = evaluate shifted() on rows as m {
    own = sum(batch.x, axis = 1)
    others = sum(m(batch.x), axis = 1)
}
holes = evaluate odd() on rows as m {
    a = m(batch.x)
}
save paired as "paired.csv"
show mean(holes.a)
CG
awk 'BEGIN { for (i = 0; i < 33; i++) print i * 1.25 "," i * 0.5 }' >x.csv
cg run a.cg --quiet 2>&1 | grep -v saved; echo "exit $?"
awk -F, 'NR > 1 { n++; own += $1; other += $2; same += $1 == $2 } END { print n, "rows,", same, "paired with themselves,", own == other ? "each once" : "not each once" }' paired.csv
