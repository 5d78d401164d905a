# A pipe or a device in place of a file is refused: it would be waited for, or read, for ever. Written to, a pipe that
# somebody reads and our own output are what they are; one that nobody reads is refused.
mkfifo pipe.cg pipe.txt pipe.so
exec 2>&1
cg check pipe.cg; echo "exit $?"
cg check /dev/zero; echo "exit $?"
printf 'import pipe\n' >imports.cg; cg check imports.cg; echo "exit $?"
printf 'plugin "pipe.so"\n' >plugin.cg; cg check plugin.cg; echo "exit $?"
for path in pipe.txt /dev/zero; do
    printf 's = evaluate g() on windows(corpus("%s").all, bytes(), length = 8) as m { n = mean(cast(batch.tokens, f32), axis = 1) }\nshow s\ngraph g(x: f32[B]) -> f32[B] { return x }\n' $path >text.cg
    cg run text.cg; echo "exit $?"
done
printf 'x = 1\n' | cg fmt - ; echo "exit $?"
echo "== written"
mkfifo p.csv p.svg p.html p.json p.trace p.dot
mkdir out; mkfifo out/g.npy
cat >graph.cg <<'CG'
graph g(x: f32[B, 3]) -> f32[B] { return sum(x, axis = 1) * 2 }
t = evaluate g() on arrays({ x: [[1.5, 2, 3], [5, 7, 11.25]] }) as m { y = m(batch.x) }
CG
save() { { cat graph.cg; echo "save $1 as \"$2\""; } >save.cg; cg run --quiet save.cg; echo "exit $?"; }
save t p.csv
save 'plot.scatter(t, x = y, y = y)' p.svg
save 'report("r", [t])' p.html
{ cat graph.cg; echo 'show t'; } >show.cg
cg run --quiet --exact --publish=p.json show.cg; echo "exit $?"
cg run --quiet --trace=p.trace show.cg; echo "exit $?"
cg dot show.cg g -T dot -o p.dot; echo "exit $?"
cg apply show.cg g --in 'x=[[1,2,3]]' --out out; echo "exit $?"; ls out
cat p.csv >read & save t p.csv; wait; cat read; echo
{ echo before; cg dot show.cg g -T dot -o /dev/stdout; echo after; } >all; sed -n '1p;2p;$p' all
echo "== in the store"
for file in index.db index.db-journal index.db-wal; do
    cg run --quiet --store=s show.cg >shown; rm -f s/$file; mkfifo s/$file
    cg run --quiet --store=s show.cg | cmp - shown; cg runs --store=s; echo "exit $?"; rm -rf s
done
