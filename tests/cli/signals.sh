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
sed 's/count = count/count = 0, stride = 1/; s/size = 60000/size = 2000000/' cli/runtime/lm.cg >wide.cg
cg run wide.cg --set steps=2 >shown 2>said & child=$!
until_there grep '^evaluate' said
kill -TERM $child; wait $child; echo "exit $?"; grep -o 'E0904.*' said; find .cg/objects -type f ! -name '*.sum' | wc -l
echo "== a file that may not grow"
rm -rf .cg
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
