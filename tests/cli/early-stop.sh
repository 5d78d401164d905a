# Early stopping keeps the best weights, not the last: those of a training that ends where validation was best,
# patience * every steps before the stop.
# The numbers of a model's file, without its header, which says what data reached them.
weights() { tail -c +$((9 + $(od -An -tu8 -N8 "$1"))) "$1"; }
set="--set patience=3 --set every=5 --set rate=0.1"
cg run cli/runtime/lm.cg --set steps=200 $set >shown 2>said || { cat said; exit 1; }
grep -o 'stopped early' said
weights lm.safetensors >kept
last=$(sed -n 's|^train lm  \([0-9]*\)/200 .*stopped early.*|\1|p' said)
grep -v 'early_stop = ' cli/runtime/lm.cg >plain.cg
for steps in $((last - 15)) $last; do
    which=best
    [ $steps = $last ] && which=last
    cg run plain.cg --set steps=$steps --set rate=0.1 >shown 2>said || { cat said; exit 1; }
    weights lm.safetensors | cmp -s kept - && echo "those of the $which step" || echo "not those of the $which step"
done
