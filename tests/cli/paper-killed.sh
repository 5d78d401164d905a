# Killed again and again, then finished by two processes side by side: every weight and table of the paper's experiment, and
# what is shown, has the bits of a run that nobody disturbed.
paper="$srcdir/examples/paper"
run() { cg run "$paper/table3.cg" --quiet --set setup.scale=check --set setup.seeds=1 --store "$1"; }
run whole >whole.txt 2>/dev/null || exit 1
for n in 15 31 58; do
    (CG_DEBUG=kill-at=$n; export CG_DEBUG; run killed >/dev/null 2>&1)
    echo "killed in step $n: $?"
done
run killed >one.txt 2>/dev/null &
run killed >two.txt 2>/dev/null
echo "finished: $?"
wait
cmp whole.txt one.txt && cmp whole.txt two.txt
# but for histories, which hold seconds
digests() { (cd "$1/objects" && find . -type f ! -name '*.sum' | sort | xargs grep -La gradient_norm | xargs cksum); }
digests whole >a; digests killed >b
cmp a b && echo "values: $(wc -l <a)"
