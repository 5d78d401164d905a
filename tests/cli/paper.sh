# The experiments of the paper at the scale that only shows that all of it runs: every table has its rows, decoders stay as
# they are, and a second run makes nothing again.
paper="$srcdir/examples/paper"
settings="--set setup.scale=check --set setup.seeds=2"
cg run "$paper/table3.cg" $settings >shown 2>said || { tail -5 said; exit 1; }
shape() { sed -e 's/ *[-0-9.e]* ± .*//' -e 's/  */ /g' -e 's/ spearman .*//' shown | cut -c1-60; }
shape | sed '/^Raised on noise/,$d'
grep -A6 "^Raised on" shown | cut -c1-16
grep -c '^train [^:]*: .* steps of' said
sed -n 's/.*frozen tensors, digest \([0-9a-f]*\) before and \([0-9a-f]*\) after/\1 \2/p' said | awk '$1 != $2' | wc -l
echo "again:"
cg run "$paper/table3.cg" $settings >again 2>said || { tail -5 said; exit 1; }
cmp shown again && cat said
cg run "$paper/figure3.cg" $settings >shown 2>said || { tail -5 said; exit 1; }
shape
grep -c '^train [^:]*: .* steps of' said
wc -l <fig3a.csv
