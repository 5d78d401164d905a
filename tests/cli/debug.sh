# What the bodies of graphs look at is shown with --debug, each with its line, part and step, and changes nothing: the
# same results, weights and keys as without --debug, and as without these statements.
cp cli/runtime/debug.cg net.cg
sed -n '/^ *\(show [^mns].*\|show min.*\|expect.*\)$/!p' net.cg | sed '/^test/,$d' >plain.cg
grep -c 'show\|expect' plain.cg
cg run --quiet --store=plain plain.cg >plain.out && cp m.safetensors plain.safetensors
cg run --quiet --store=looked --debug net.cg >net.out 2>net.err
cat net.err
cmp plain.out net.out && cmp plain.safetensors m.safetensors && echo "the same results"
cg run --quiet --store=plain --debug --dry-run net.cg | grep -c kept
cg run --quiet --store=looked net.cg 2>&1 >again.out | wc -l
cmp net.out again.out && echo "and again"

echo "-- what is kept is not looked at"
cg run --quiet --store=looked --debug net.cg 2>&1 >/dev/null | cut -c1-60

echo "-- a test, and a graph on given numbers"
cg test --debug net.cg 2>&1
cg apply --debug net.cg 'block(hidden = 2)' --in 'x=[[1, 2], [3, 5]]' 2>&1 >/dev/null | grep -v slope

echo "-- what does not hold ends a training at its step"
cg run --quiet --store=third --debug --set most=8 net.cg 2>&1 >/dev/null |
    grep -A3 'error'  | sed 's/\[\[[0-9].*/[..]/'
cg run --jobs=2 --debug net.cg 2>&1 | head -1
