# Ctrl-C in the second of three trainings: exit 130, a message with its place, and the next run goes on from there.
set="--set steps=10 --set tuning=60"
mkdir whole
(cd whole && cg run ../cli/runtime/compress.cg $set >shown 2>said) || { cat whole/said; exit 1; }

# On a busy machine the training may be over before it is stopped: then once more.
for again in 1 2 3 4 5; do
    rm -rf .cg *.safetensors
    cg run cli/runtime/compress.cg $set >shown 2>said &
    tries=0
    until grep -q '^train alignment' said || [ $tries = 400 ]; do sleep 0.02; tries=$((tries + 1)); done
    kill -INT $! 2>kill
    wait $!
    code=$?
    grep -q "in training 'alignment'" said && break
done
echo "interrupted: exit $code"
grep 'error' said
[ ! -f pair.safetensors ] && echo "the model that was not finished is not saved"

cg run cli/runtime/compress.cg $set >shown 2>said
echo "again: exit $?"
grep -c '^train lm: ' said
grep -o '^train [a-z]*: .*goes on where it stopped' said | sed 's/:.*;/:/'
for f in lm.safetensors pair.safetensors scores.csv shown; do cmp whole/$f $f && echo "$f: the same"; done
