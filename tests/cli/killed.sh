# A training that is killed goes on at its last checkpoint and ends with the bits of one that was not.
set="--set steps=150"
mkdir whole
(cd whole && cg run ../cli/runtime/lm.cg $set >shown 2>said) || { cat whole/said; exit 1; }

# On a busy machine the training may be over before it is killed: then once more.
for again in 1 2 3 4 5; do
    rm -rf .cg *.safetensors
    CG_DEBUG=checkpoint-every=3 cg run cli/runtime/lm.cg $set >shown 2>said &
    tries=0
    until ls .cg/progress/*.sum >ls 2>&1 || [ $tries = 400 ]; do sleep 0.02; tries=$((tries + 1)); done
    kill -9 $! 2>kill
    wait $! 2>wait
    code=$?
    [ $code = 0 ] || break
done
echo "killed: exit $code"
[ ! -f lm.safetensors ] && echo "nothing was saved"

cg run cli/runtime/lm.cg $set >shown 2>said
echo "again: exit $?"
grep -o 'goes on where it stopped' said
cmp whole/lm.safetensors lm.safetensors && echo "the same weights"
cmp whole/scores.csv scores.csv && echo "the same scores"
ls .cg/progress | wc -l
