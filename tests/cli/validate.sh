# The validation loss is that of all rows asked for, whatever the batch is: more than there are, or a rest.
valid() { sed -n 's/.*valid \([0-9.naif]*\).*/\1/p' said; }
for count in 0 10; do
    for batch in "batch=4" "batch=7" "batch=33" "batch=64" "batch=6 --set accumulate=3"; do
        cg run cli/runtime/validated.cg --set count=$count --set $batch 2>said >shown || cat said
        echo "count=$count $batch: $(sed -n 's/.*validated on/validated on/p' said): $(valid)"
    done
    cg run cli/runtime/validated.cg --set count=$count --quiet 2>said | tail -2 | head -1
done
echo "of other kinds"
for kind in masked sum; do
    for batch in "batch=4" "batch=8 --set accumulate=4"; do
        cg run cli/runtime/validated.cg --set kind=$kind --set $batch 2>said >shown || cat said
        echo "$kind $batch: $(valid)"
    done
done
