# Figures: their data, the scripts that draw them, the picture; without gnuplot the data alone; nothing in a title is a command.
awk 'BEGIN { for (i = 1; i < 137; i++) printf "%c%c%c%c", 65 + i * i % 23, 97 + i % 7, 48 + i % 5, 10 }' >text.txt
cg run cli/runtime/figures.cg --quiet 2>&1
for f in scatter line bar bars hist table; do echo "== $f.csv"; tr -d '\r' <$f.csv; done
for f in scatter line bar bars hist; do echo "== $f.gp"; sed -n '/^set terminal/!p' $f.gp; done
echo "== the picture"
if command -v gnuplot >/dev/null; then
    grep -c "xlink:href='#gpPt6'" points.svg; grep -c '</svg>' points.svg; head -c 4 hist.png | tail -c 3; echo
    cp points.svg before.svg; cg run cli/runtime/figures.cg --quiet >/dev/null 2>&1; cmp before.svg points.svg && echo "the same bytes"
    gnuplot -d scatter.gp >drawn.svg && grep -c "it's \"one\" .touch hurt. .(touch hurt) @a _b_" drawn.svg
else
    printf '9\n1\nPNG\nthe same bytes\n1\n'
fi
ls hurt 2>&1
echo "== without gnuplot"
rm *.svg *.png
cg=$(command -v cg); PATH=/nowhere "$cg" run cli/runtime/figures.cg --quiet 2>&1 >/dev/null; echo "exit $?"
ls *.svg 2>&1; ls scatter.csv
