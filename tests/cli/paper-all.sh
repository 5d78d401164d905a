# Every experiment of the paper runs end to end at the scale that only shows that it does, and all tables stand on one page; a
# second run computes nothing. No script is over 80 lines. Two relatives of one family are read from folders.
paper="$srcdir/examples/paper"
for script in "$paper"/*.cg; do
    lines=$(wc -l <"$script")
    [ "$lines" -le 80 ] || echo "$script has $lines lines"
done
run() { cg run "$paper/report.cg" --set setup.scale=check --set setup.seeds=2 >"$1" 2>&1 || tail -5 "$1"; }
run said
grep -c '^claim cannot tell' said
grep -o '<h[23]>[^<]*' report.html | sed 's/<h.>//'
[ "$(grep -o '[-0-9.e]* ± [-0-9.e]*' report.html | wc -l)" -gt 1000 ] && echo "intervals in all tables"
grep -o 'nan ± ' report.html | wc -l
run again
grep -c 'steps of' again
cg test "$paper/facts.cg" | tail -1

cg run "$paper/pilot.cg"
awk 'BEGIN { srand(3); for (d = 0; d < 900; d++) { for (i = 0; i < 300; i++) printf "%c", 65 + int(rand() * 26); print "\n" } }' >text.txt
cg run "$paper/pilot.cg" --quiet --set base=conformance/hf/qwen2 --set relative=conformance/hf/llama --set text=text.txt \
    --set context=16 --set slots=4 --set steps=3 --set held=4 | grep -c '^ .*%.*%.*%'
