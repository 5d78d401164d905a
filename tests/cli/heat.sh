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
