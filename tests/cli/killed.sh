# A training that is killed goes on at its last checkpoint and ends with the bits of one that was not.
set="--set steps=12"
mkdir whole
(cd whole && cg run ../cli/runtime/lm.cg $set >shown 2>said) || { cat whole/said; exit 1; }

(CG_DEBUG=checkpoint-every=3,kill-at=8 cg run cli/runtime/lm.cg $set >shown 2>said) 2>killed
echo "killed: exit $?"
[ ! -f lm.safetensors ] && echo "nothing was saved"

cg run cli/runtime/lm.cg $set >shown 2>said
echo "again: exit $?"
grep -o 'goes on where it stopped' said
cmp whole/lm.safetensors lm.safetensors && echo "the same weights"
cmp whole/scores.csv scores.csv && echo "the same scores"
ls .cg/progress | wc -l
