# Tensors as heat maps: a cell for each number, the darker the greater; a matrix for each place of the axes before the
# last two, on one scale; what is too much for a picture is refused with what to write.
command -v gnuplot >/dev/null || { cat "$srcdir/tests/cli/heat.out"; exit 0; }
cat > heat.cg <<'EOF'
cg 2
save tensor([[0.0, 2.5, 5.0], [7.5, 10.0, 1.0]]) as "m.svg"
save tensor([[[0.0, 1.0], [2.0, 3.0]], [[4.0, 5.0], [6.0, 7.0]], [[8.0, 9.0], [10.0, 11.0]]]) as "heads.svg"
save tensor([1.0, 4.0, 2.0]) as "row.png"
EOF
cg run heat.cg --quiet; echo "exit $?"
grep -oE "rgb\([ 0-9,]*\)" m.svg | tr -d ' ' | sort | uniq -c | sort -rn | grep -c '243,247,251\|8,48,107'
grep -o '>\[[0-9]\]<' heads.svg | tr '\n' ' '; echo
# The numbers of the scale, 0 to 11, and rows and columns, which have whole numbers, stand in the picture.
awk '/width="[0-9]+"/ && !wide { match($0, /width="[0-9]+"/); wide = substr($0, RSTART + 7, RLENGTH - 8) }
    /translate\(/ { match($0, /translate\([0-9.]+/); x = substr($0, RSTART + 10, RLENGTH - 10) }
    /<text/ { if (x + 20 > wide) print "cut at", x, "of", wide; n++ } END { print (n > 20) " texts" }' heads.svg
grep -oE '> *-?[0-9.]+<' m.svg | tr -d '<> ' | sort -n | uniq | tr '\n' ' '; echo
head -c 4 row.png | tail -c 3; echo
cat > much.cg <<'EOF'
cg 2
save fill(1, [5, 40, 2, 3]) as "much.png"
EOF
cg run much.cg --quiet 2>&1; echo "exit $?"
cat > wrong.cg <<'EOF'
cg 2
save tensor([1.0]) as "x.gif"
EOF
cg check wrong.cg 2>&1; echo "exit $?"
# One row, one column and one number are drawn, too, a number alone in the middle of its scale; what is no number is
# hatched, and counted. (Of each colour one stands in the scale; a cell of one row or column is two halves.)
cat > few.cg <<'EOF'
cg 2
save tensor([1.0, 4.0, 2.0]) as "vector.svg"
save tensor([[1.0], [4.0], [2.0]]) as "column.svg"
save tensor(2.385) as "one.svg"
save tensor([[7, 7], [7, 7]], i32) as "same.svg"
save log(tensor([[-1.0, 0.0, 2.385], [1.0, -2.0, 3.0]])) as "log.svg"
save 1 / tensor([[[0.0]], [[2.0]]]) as "two.svg"
save reshape(cast(iota(300), f32), [1, 300]) as "long.svg"
EOF
cg run few.cg --quiet; echo "exit $?"
for file in vector column one same log two; do
    echo "$file: $(grep -oE "rgb\([ 0-9,]*\)" $file.svg | tr -d ' ' | grep -E '^rgb\((243,247,251|127,176,216|127,175,215|8,48,107)\)$' |
        sort | uniq -c | sed 's/^ *//' | tr '\n' ' ')$(grep -c 'fill *= *.url(#gpPat' $file.svg) $(grep -o 'hatched[^<]*' $file.svg)"
done
grep -oE '> *-?[0-9.]+<' long.svg | tr -d '<> ' | sort -n | uniq | tr '\n' ' '; echo
