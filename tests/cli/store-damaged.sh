# Stored values and checkpoints that were cut short are told once, not used, and made again with the same bits.
set="--set steps=12"
cg run cli/runtime/lm.cg $set >shown 2>said || { cat said; exit 1; }
mv lm.safetensors first.safetensors; mv scores.csv first.csv
for how in "truncate -s 500" "rm"; do
    echo "$how:"
    case $how in
    rm) find .cg/objects -name '*.sum' | xargs rm ;;
    *)  find .cg/objects -type f ! -name '*.sum' | xargs $how ;;
    esac
    cg run cli/runtime/lm.cg $set 2>said; echo "exit $?"
    grep '^cg: ' said | sed "s|objects/[^']*|objects/..|"
    grep -c '^train lm: [0-9]\|^evaluate' said
    cmp first.safetensors lm.safetensors && cmp first.csv scores.csv && echo "the same"
done

checkpoints()   # what was said of them
{
    sed -n "s/^cg: checkpoint '[^']*'/cg: checkpoint/p; s/.*goes on/goes on/p" said
}

echo "a checkpoint of another machine:"
rm -rf .cg
(CG_DEBUG=checkpoint-every=2,kill-at=7 cg run cli/runtime/lm.cg $set >shown 2>said) 2>killed
newest=$(ls .cg/progress/*.ckpt | tail -1) step=$(basename $newest .ckpt | cut -c34- | sed 's/^0*//')
LC_ALL=C sed -i 's/kernels [a-z]/kernels Z/' $newest
"$top_builddir/tests/unit/store" --seal .cg $(basename $newest | cut -c1-32) $step
cg run cli/runtime/lm.cg $set >shown 2>said; echo "exit $?"
sed -n "/^cg: warning/{s/at step.*//;p;}; s/^\(  there: kernels .\).*/\1../p; s/^\(  here:  kernels \).*/\1../p" said

echo "checkpoints:"
rm -rf .cg
(CG_DEBUG=checkpoint-every=2,kill-at=7 cg run cli/runtime/lm.cg $set >shown 2>said) 2>killed
newest=$(ls .cg/progress/*.sum | tail -1)
truncate -s 1000 ${newest%.sum}
rm lm.safetensors
cp -r .cg both
cg run cli/runtime/lm.cg $set >shown 2>said; echo "exit $?"
checkpoints
mv lm.safetensors older.safetensors
rm -rf .cg
mv both .cg
for c in .cg/progress/*.ckpt; do truncate -s 1000 $c; done
cg run cli/runtime/lm.cg $set >shown 2>said; echo "exit $?"
checkpoints | uniq
cmp first.safetensors older.safetensors && cmp first.safetensors lm.safetensors && echo "the same from the older one and from the start"

echo "pipes in the place of files:"
for f in $(find .cg/objects -type f ! -name '*.sum' | sort | head -1) .cg/index.db; do
    for pipe in $f $f.sum; do
        rm -f $pipe lm.safetensors scores.csv; mkfifo $pipe
        cg run cli/runtime/lm.cg $set >shown 2>said; echo "exit $?"
        grep '^cg: .*is not\|^cg: .*cannot' said | sed "s|objects/[^']*|objects/..|g"
        cmp first.safetensors lm.safetensors && cmp first.csv scores.csv && echo "the same"
        [ -p $pipe ] || echo "replaced by a file"
    done
done
