# A batch in shares gives the gradient of the whole batch, whatever its loss is made of by sums; anything else is refused
# when the script is checked.
numbers()   # file: its f32, one a line
{
    head=$(od -An -t u8 -N8 $1)
    od -An -v -t f4 -w4 -j $((8 + head)) $1
}
for kind in mean sum masked several rows; do
    cg run cli/runtime/shares.cg --quiet --set kind=$kind >shown 2>said || cat said
    numbers lm.safetensors >whole
    for shares in 3 12; do
        cg run cli/runtime/shares.cg --quiet --set kind=$kind --set accumulate=$shares >shown 2>said || cat said
        numbers lm.safetensors | paste whole - |
            awk -v k="$kind in $shares" '{ d = $1 - $2; if (d < 0) d = -d; if (d > w) w = d; if ($1 != $2) n++ }
                END { print k ":", NR, "numbers,", w < 1e-6 ? "the same" : "apart by " w }'
    done
done
cg check cli/runtime/shares.cg --set kind=across && echo "whole: fine"
cg check cli/runtime/shares.cg --set kind=across --set accumulate=3; echo "exit $?"
