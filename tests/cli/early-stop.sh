# Early stopping keeps the best weights, not the last: those of a training that ends where validation was best,
# patience * every steps before the stop.
set="--set patience=3 --set every=5 --set rate=0.1"
cg run cli/runtime/lm.cg --set steps=200 $set >shown 2>said || { cat said; exit 1; }
grep -o 'stopped early' said
mv lm.safetensors kept.safetensors
last=$(sed -n 's|^train lm  \([0-9]*\)/200 .*stopped early.*|\1|p' said)
grep -v 'early_stop = ' cli/runtime/lm.cg >plain.cg
for steps in $((last - 15)) $last; do
    which=best
    [ $steps = $last ] && which=last
    cg run plain.cg --set steps=$steps --set rate=0.1 >shown 2>said || { cat said; exit 1; }
    cmp -s kept.safetensors lm.safetensors && echo "those of the $which step" || echo "not those of the $which step"
done
