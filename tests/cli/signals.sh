# The first signal ends waiting, evaluating and training in an orderly way, with what is finished kept; a file that may not
# grow is a write that fails. A loss that leaps is said.
until_there()   # command ..: at most half a minute
{
    i=0; while ! "$@" >/dev/null 2>&1 && [ $i -lt 600 ]; do i=$((i + 1)); sleep 0.05; done
}
echo "== waiting for another process"
CG_DEBUG=checkpoint-every=1 cg run cli/runtime/lm.cg --quiet --set steps=100000 >shown1 2>said1 & first=$!
until_there sh -c 'ls .cg/locks/*.lock'
cg run cli/runtime/lm.cg --quiet --set steps=100000 >shown2 2>said2 & second=$!
until_there grep waiting said2
kill -INT $second; wait $second; echo "exit $?"; grep -o '^cg: waiting.*\|E0904.*while' said2
kill -TERM $first; wait $first; echo "exit $?"; grep -o 'E0904.*' said1
ls .cg/progress | grep -c 'ckpt$'
echo "== evaluating"
sed "s/on \(windows(text.test.*\)count = count) as/on repeat(\1stride = 1), 200) as/; s/size = 60000/size = 2000000/" cli/runtime/lm.cg >wide.cg
cg run wide.cg --set steps=2 >shown 2>said & child=$!
until_there grep '^evaluate' said
kill -TERM $child; wait $child; echo "exit $?"; grep -o 'E0904.*' said; find .cg/objects -type f ! -name '*.sum' | wc -l
echo "== a training that another command asks for"
for command in "apply cli/runtime/lm.cg lm --in ids=[[1,2]]" "generate cli/runtime/lm.cg --new 3 --quiet" \
    "verify-resume cli/runtime/lm.cg --at 3" "bench cli/runtime/lm.cg --steps 1000000"; do
    rm -rf .cg
    case $command in
    bench*) cg $command >shown 2>said & child=$!; until_there ls .cg/objects; sleep 0.2; kill -TERM $child; wait $child ;;
    *)      CG_DEBUG=interrupt-at=3 cg $command --set steps=10 >shown 2>said ;;
    esac
    echo "${command%% *}: exit $?, $(ls .cg/progress | grep -c 'ckpt$') kept; $(grep -o 'E0904.*\|^cg: interrupted' said)"
done
echo "== where nothing is to be kept"
mkfifo pipe; exec 9<>pipe
for signal in INT TERM HUP; do
    cg fmt - <pipe >shown 2>said & child=$!
    until_there grep -q 'cg' /proc/$child/comm; sleep 0.1
    kill -$signal $child; wait $child; echo "$signal: exit $?, $(cat said)"
done
echo "== while a file is written"
echo 'graph w() -> f32[500000] { return fill(0.5, [500000]) }' >w.cg
CG_DEBUG=fault=short:1+ cg apply w.cg w --out written >shown 2>said & child=$!
until_there sh -c 'ls written/.*.tmp'
kill -INT $child; wait $child; echo "exit $?"; cat said; ls -A written; stat -c %s written/*.npy
echo "== the second signal"
rm -rf .cg
cg run wide.cg --set steps=100000 >shown 2>said & child=$!
until_there grep '^train' said
kill -STOP $child; kill -INT $child; kill -TERM $child; kill -CONT $child; wait $child; echo "exit $?"; grep '^cg: ' said
echo "== a file that may not grow"
rm -rf .cg
printf 'graph g(x: f32[900]) -> f32[900] { return x + 1 }\nshow    1\n' >g.cg
awk 'BEGIN { for (i = 0; i < 200; i++) print "a" i "   = " i }' >long.cg
x=$(awk 'BEGIN { printf "["; for (i = 0; i < 900; i++) printf "%s%d", i ? "," : "", i; print "]" }')
small() { (ulimit -f 1; cg "$@" >shown 2>said); echo "$1: exit $?, $(sed "s|'[^']*'|FILE|; s/.*E0902..//" said | head -1)"; }
small apply g.cg g --in "x=$x" --out made
small dot g.cg g -o g.dot
cp long.cg was.cg; small fmt long.cg; cmp long.cg was.cg
ls made 2>/dev/null; ls -A | grep 'tmp$\|g.dot'
(ulimit -f 4; cg run cli/runtime/lm.cg --quiet --set steps=2 >shown 2>said); echo "exit $?"; grep -o 'E0902.*' said | sed "s|'[^']*'|FILE|"
cg run cli/runtime/lm.cg --quiet --set steps=2 >shown 2>said; echo "exit $?"
echo "== a spike"
cat >spike.cg <<'CG'
import graphs.transformer
graph leap(p: f32[..s], g: f32[..s], step: f32) -> f32[..s] {
    return p - where(step == 70, 900.0, 0.1) * g
}
text = synthetic("grammar", size = 60000, seed = 3)
lm = train transformer(vocab = 256, dim = 16, layers = 1, heads = 2, hidden = 16) as m {
    data = windows(text.train, bytes(), length = 8)
    loss = cross_entropy(m(batch.tokens), batch.next)
    optimizer = leap()
    batch = 2
    steps = 80
}
CG
cg run spike.cg 2>&1 | grep -o 'warning: the loss of step [0-9]* is'
