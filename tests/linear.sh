#!/bin/sh
# linear.sh - compiling takes time in proportion to the model: eight times the layers, about eight times the time.
# Takes CG and srcdir; gives TAP. Processor time by stage, from CG_DEBUG=time: neighbours do not count. The bound is three
# times what is expected and a third of what a quadratic stage would take. A failure accuses the stage it names.
set -u
. "${srcdir:-.}/tests/tap.sh"
stages()    # layers
{
    CG_DEBUG=time "$CG" plan "$srcdir/bench/toy.cg" --set layers="$1" 2>&1 >/dev/null | awk '/^time: / { print $2, $3 }'
}
stages 50 >few
stages 400 >many
for stage in elaborate differentiate optimise plan; do
    found=$(awk -v stage=$stage '
        $1 == stage && NR == FNR { few = $2 }
        $1 == stage && NR != FNR { many = $2 }
        END { if (!few || !many) print "the stage is not timed"; else if (many > 24 * few) printf "%.1f ms with 50 layers, %.1f with 400\n", few, many }' few many)
    none "$stage is linear" "$found"
done
finish
