#!/bin/sh
# linear.sh - compiling takes time in proportion to the model and to the text: eight times the layers, about eight times the
# time, 100,000 lines of any one construct within 3 s, a model with its training within 30 ms and a thousand lines within
# 50: that with CG_TEST_ALL; without it a fifth of the lines, and twice the time for each.
# Takes CG and srcdir; gives TAP. Processor time by stage, from CG_DEBUG=time: neighbours do not count. The bound of layers is
# three times what is expected and a third of what a quadratic stage would take. A failure accuses the stage it names.
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

# So is the memory of a step: each further layer takes what the first ones took, to 2%.
cat >layers.cg <<'CG'
import graphs.transformer
option layers: int = 8
lm = train transformer(vocab = 256, dim = 128, layers, heads = 4, hidden = 256) as m {
    data = windows(synthetic("markov", size = 100000).train, bytes(), length = 256)
    loss = cross_entropy(m(batch.tokens), batch.next)
    optimizer = adamw(rate = 1e-3)
    batch = 3
    steps = 1
}
CG
for layers in 8 16 32 48 64 96 128; do
    "$CG" plan layers.cg --set layers=$layers --dump=mem 2>&1 |
        sed -n "1s/.*slab \([0-9.]*\) MiB.*/$layers \1/p"
done >memory
none "the memory of 8 to 128 layers is linear" "$(awk '
    { at[NR] = $1; mib[NR] = $2 }
    END { if (NR != 7) print "there are " NR " plans"
        each = (mib[2] - mib[1]) / (at[2] - at[1])
        for (i = 2; i <= NR; i++) {
            here = (mib[i] - mib[i - 1]) / (at[i] - at[i - 1])
            if (here > 1.02 * each || here < 0.98 * each) printf "%g MiB a layer up to %d layers, %g up to %d\n", each, at[2], here, at[i] } }' memory)"

# ---- constructs ---------------------------------------------------------------------------------------------------

# Seconds of a program that a sanitizer slows down say nothing.
if grep -q __asan_init "$CG"; then finish; exit; fi

# What is checked while someone types: a model with its training, and a script of a thousand lines. The least of five runs;
# twice the time without CG_TEST_ALL: a machine may be slower, and busy.
checked()   # what, most milliseconds, script
{
    most=$2
    [ -n "${CG_TEST_ALL:-}" ] || most=$(($2 * 2))
    for run in 1 2 3 4 5; do
        CG_DEBUG=time "$CG" check "$3" 2>&1 >/dev/null | awk '/^time: / { ms += $3 } END { print ms }'
    done >times
    none "$1 takes at most $most ms" "$(sort -n times | awk -v most="$most" '{ if (NR == 1 && (!$1 || $1 > most)) print "at best " $1 " ms" }')"
}
sed -e 's/layers: int = 8/layers: int = 12/' -e 's/dim = 128/dim = 768/' -e 's/hidden = 256/hidden = 3072/' layers.cg >twelve.cg
checked "a transformer of 12 layers and its training" 30 twelve.cg
{
    printf 'cg 2\nimport std.nn\n'
    seq 333 | awk '{ printf "graph g%d(x: f32[B, D], width: int) -> f32[B, D] {\n    up, down = dense(out = width), dense(out = D)\n    return x + down(gelu(up(x)))\n}\n", $1 }' | head -996
    printf 'show g7(fill(0.5, [2, 3]), width = 9)\n'
} >thousand.cg
checked "a script of a thousand lines" 50 thousand.cg

body='graph g(x: f32[B, 8]) -> f32[B, 8] {'
construct()     # name, lines, before, line with & for its number, after; without CG_TEST_ALL a fifth of the lines in two fifths
{
    lines=$2 most=3000
    [ -n "${CG_TEST_ALL:-}" ] || lines=$((lines / 5)) most=1200
    { printf '%s\n' "$3"; seq "$lines" | sed "s/.*/$4/"; printf '%s\n' "$5"; } >text.cg
    CG_DEBUG=time "$CG" check text.cg >/dev/null 2>err
    found=$(awk -v most=$most '/^time: / { ms += $3 }
        END { if (!ms) print "not timed"; else if (ms > most) printf "%.0f ms\n", ms }' err)
    found="$found$(head -1 err | grep -e E0109 -e 'fault')"
    none "$lines lines: $1" "$found"
}
construct "names in one body" 100000 "$body" '    y& = x' '    return x }'
construct "operators in one body" 100000 "$body" '    x = x + &.5' '    return x }'
construct "instances" 100000 "import std.nn $body" '    l& = dense(out = 8)' '    return l1(x) }'
construct "instances that are applied" 50000 "import std.nn $body" '    l& = dense(out = 8) x = l&(x)' '    return x }'
construct "params" 100000 "$body" '    param w&: f32[8] = zeros()' '    return x }'
construct "ifs" 100000 "graph g(x: f32[N], n: int) -> f32[N] {" '    if n > & { x = x + 1 }' '    return x }'
construct "fors" 100000 "$body" '    for i in 0..1 { x = x + 1 }' '    return x }'
construct "contracts" 100000 'graph g(x: f32[N], n: int) -> f32[N] where n > 0' ', n > -&' '{ return x }'
construct "tests" 90000 'x = 1' 'test "&" { expect x == 1 }' ''
construct "expectations" 100000 'test "t" {' '    expect & >= 0' '}'
construct "defs" 100000 'x = 1' 'def f&(a, b = 2) = a + b' ''
construct "calls" 100000 'def f(a, b = 2) = a + b' 'x& = f(&)' ''
construct "graphs" 70000 'x = 1' 'graph g&(x: f32[N]) -> f32[N] { return x }' ''
construct "options" 100000 'x = 1' 'option o&: int = &' ''
construct "list items" 100000 'x = [' '    &,' ']'
construct "list items that are calls" 100000 'def f(a) = a x = [' '    f(&),' ']'
construct "record fields" 100000 'x = {' '    k&: &,' '}'
construct "fields that are read" 100000 'x = { a: 1 }' 'y& = x.a' ''
construct "operators in one line" 9000 'x = 1' "x& = 1$(printf ' + 1%.0s' $(seq 100))" ''
construct "nested calls" 4000 'x = 1' "x& = $(printf 'abs(%.0s' $(seq 150))1$(printf ')%.0s' $(seq 150))" ''
construct "comments" 100000 'x = 1' '# remark &' ''
construct "strings with values" 100000 'cg 2' 'x& = "a {&}"' ''
construct "things shown" 100000 'x = 1' 'show x' ''
construct "things saved" 100000 'x = "a"' 'save x as "f&.txt"' ''
construct "imports" 100000 '' 'import std.nn' 'x = 1'
construct "wrong names" 100000 'x = 1' 'x& = qz&' ''
construct "wrong operands" 100000 'x = 1' 'x& = "a" * 2.5' ''
construct "wrong fields" 100000 'x = { a: 1 }' 'y& = x.b&' ''
construct "names bound twice" 100000 'x = 1' 'x = &' ''
shown=$(grep -c '^text.cg:' err) more=$(sed -n 's/^and \([0-9]*\) more errors$/\1/p' err)
none "twenty mistakes are shown and the rest is counted" "$([ "$shown $more" = "20 $((lines - 20))" ] || echo "$shown shown, $more more")"
finish
