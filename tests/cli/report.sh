# A report is one page that asks for nothing from outside, and says of each part where it comes from.
cat >r.cg <<'END'
cg 2
option steps: int = 3
graph net(ids: i32[B, T]) -> f32[B, T, 256] {
    param w: f32[256, 256] = normal(std = 0.02)
    return take(w, ids)
}
text = synthetic("grammar", size = 20000, seed = 1)
lm = train net() as m {
    data = windows(text.train, bytes(), length = 16)
    loss = cross_entropy(m(batch.tokens), batch.next)
    optimizer = adamw(rate = 1e-2)
    batch = 4
    steps = steps
}
s = evaluate lm on windows(text.test, bytes(), length = 16, count = 70) as m {
    nll = entropy(m, batch.tokens, batch.next)
    twice = 2 * nll
}
claim "it <knows> \"something\"" { expect mean(s.nll) < 5.6 }
save report("Names & numbers", [
    "What <b> is & what is not.",
    table({ s: s }, rows = "which", columns = [mean(nll), interval(mean(twice))]),
    plot.scatter(s, x = nll, y = twice),
    { "more of it": [mean(s.nll), lm, lm.w, s] },
    claims(),
]) as "r.html"
END
$CG run --quiet --set steps=4 r.cg >/dev/null 2>&1; echo "exit $?"
grep -c 'src=\|href="[^#]\|@import\|url(' r.html
grep -c 'prefers-color-scheme:dark' r.html
grep -e '<h1>' -e '<h3>' -e '<p>What' -e '^<tr><td class=text>it' -e '^r.cg:' -e '--set' r.html | cut -c1-80
grep -o '<details id="stage-[0-9]*"><summary>[a-z]* [a-z]*' r.html
grep -o 'href="#stage-[0-9]*"' r.html | sort | uniq -c | awk '{ print $1, $2 }'
grep -e '^steps=' -e '^seed=' -e 'rate=' r.html
# all rows are in it, and the page is the same again
sed '/^claim/,$d' r.cg >n.cg; echo 'save s as "s.csv"' >>n.cg
$CG run --quiet --set steps=4 n.cg 2>/dev/null
tail -n +2 s.csv | tr -d '\r' | while read -r row; do tr -d '\r' <r.html | grep -qF "$row" || echo "missing: $row"; done
cp r.html first.html && $CG run --quiet --set steps=4 r.cg >/dev/null 2>&1 && cmp r.html first.html && echo same
[ "$(wc -c <r.html)" -lt 2000000 ] && echo small
