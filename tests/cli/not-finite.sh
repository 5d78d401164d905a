# An update that makes a NaN ends the training at its op and line; nothing of it is kept, what was before is. With skip it
# is taken back. A checkpoint with a NaN in it is passed over.
run="cg run cli/runtime/spoiled.cg --quiet"
CG_DEBUG=checkpoint-every=4 $run --set bad=11; echo "exit $?"
ls .cg/progress | grep -c 'ckpt$'; find .cg/objects -type f | wc -l; ls *.safetensors 2>/dev/null
echo "goes on from the last good one:"
$run --set bad=11 2>&1 | head -1
echo "skipped:"
cg run cli/runtime/spoiled.cg --set on_nan=skip 2>&1 | grep warning
$run --set on_nan=perhaps; echo "exit $?"
echo "the checkpoint holds a NaN:"
cg run cli/runtime/spoiled.cg --quiet --set bad=20 && mv lm.safetensors whole.safetensors
rm -rf .cg
(CG_DEBUG=checkpoint-every=4,kill-at=10 $run --set bad=20) >killed 2>&1
newest=$(ls .cg/progress/*8.ckpt) key=$(basename $newest | cut -c1-32)
printf '\377\377\377\377' | dd of=$newest bs=1 seek=$(($(stat -c %s $newest) - 4)) conv=notrunc 2>dd
"$top_builddir/tests/unit/store" --seal .cg $key 8 || echo "cannot seal"
cg run cli/runtime/spoiled.cg --set bad=20 2>said >shown || cat said
grep '^cg: ' said | sed "s|'[^']*'|FILE|"
cmp lm.safetensors whole.safetensors && echo "the same bits"
