# A second run does nothing and shows the same; a changed option makes again only what depends on it.
cg run cli/runtime/compress.cg >shown1 2>said1 || { cat said1; exit 1; }
grep -c '^train [a-z]*: .* steps of' said1
mv scores.csv scores1.csv
echo "second run:"
cg run cli/runtime/compress.cg >shown2 2>said2 || { cat said2; exit 1; }
cat said2
cmp shown1 shown2 && cmp scores1.csv scores.csv && echo "the same"
echo "wide=48:"
cg run cli/runtime/compress.cg --set wide=48 >shown3 2>said3 || { cat said3; exit 1; }
grep -o '^train [a-z]*: .* steps of\|^evaluate' said3
cmp -s scores1.csv scores.csv || echo "other scores"
echo "tuning=7:"
cg run cli/runtime/compress.cg --set tuning=7 >shown4 2>said4 || { cat said4; exit 1; }
grep -o '^train [a-z]*: .* steps of\|^evaluate' said4
echo "as at first:"
cg run cli/runtime/compress.cg >shown5 2>said5 || { cat said5; exit 1; }
cat said5
cmp shown1 shown5 && cmp scores1.csv scores.csv && echo "the same"
echo "another seed:"
cg run cli/runtime/compress.cg --seed 5 >shown6 2>said6 || { cat said6; exit 1; }
grep -c '^train [a-z]*: .* steps of\|^evaluate' said6
