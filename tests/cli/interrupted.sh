# Ctrl-C in the second of three trainings: exit 130, a message with its place, and the next run goes on from there.
set="--set steps=10 --set tuning=6"
mkdir whole
(cd whole && cg run ../cli/runtime/compress.cg $set >shown 2>said) || { cat whole/said; exit 1; }

CG_DEBUG=interrupt-at=13 cg run cli/runtime/compress.cg $set >shown 2>said
echo "interrupted: exit $?"
grep 'error' said
[ ! -f pair.safetensors ] && echo "the model that was not finished is not saved"

cg run cli/runtime/compress.cg $set >shown 2>said
echo "again: exit $?"
grep -c '^train lm: ' said
grep -o '^train [a-z]*: .*goes on where it stopped' said | sed 's/:.*;/:/'
for f in lm.safetensors pair.safetensors scores.csv shown; do cmp whole/$f $f && echo "$f: the same"; done
