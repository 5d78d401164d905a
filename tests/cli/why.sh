# Which lines make a value what it is: thirty pairs of scripts that differ in up to four places, one or two of which
# matter to `scores`, and runs that differ in options, seed, data, a module and the versions of what is built in.
awk 'BEGIN { for (i = 0; i < 9000; i++) printf "line %d says %d and %d\n", i, i * i % 97, i * 7 % 31 }' >text.txt
cp cli/runtime/why.cg a.cg
cp cli/runtime/why-layers.cg layers.cg

# What matters: the line, and how it is changed.
cat >guilty <<'X'
5 s/steps: int = 3/steps: int = 4/
6 s/scale: float = 0.5/scale: float = 0.25/
9 s/corpus("text.txt")/corpus("text.txt", shares = [0.8, 0.1, 0.1])/
11 s/near = 16/near = 15/
13 s/decay = 0.125/decay = 0.25/
14 s/length = near/length = near + 1/
15 s/loss      = cross/loss      = 2 * cross/
16 s/1e-3/2e-3/
16 s/adamw(rate = 1e-3 \* scale, decay = decay)/sgd(rate = 1e-3 * scale)/
17 s/clip      = 1/clip      = none/
18 s/batch     = 4/batch     = 8/
20 s/seed      = seed/seed      = seed + 1/
23 s/width = 6/width = 8/
23 s/seed = 1/seed = 9/
25 s/text.test/text.valid/
27 s/entropy(m, batch.tokens)/2 * entropy(m, batch.tokens)/
28 s/0, 0\]/1, 0]/
26 s/as m {/as m { one = entropy(m, batch.tokens)/
X
# What does not: comments, layout, names, another value, the same number written otherwise.
cat >innocent <<'X'
s/# Two models/# 2 models/
s/\btok\b/letters/g
s/width = 7/width = 9/
s/1e-3/0.001/
s/small  = trained(width/small = trained(\n    width/
s/\btrained\b/fitted/g
s/\bnear\b/reach/g
s/as m {/as tried {/; s/\bm, batch/tried, batch/; s/\bm(batch/tried(batch/
s/extra: int = 7/extra: int = 8/
s/^show other/show parameters(other)/
s/batch     = 4/batch = 2 * 2/
s/^tok  = bytes()/tok = bytes()\nunused = [tok, 3]/
s/\blm\b/model/g
s/^data   = /first = 4\ndata = /
s/0\.125/1 \/ 8/
X
line() { sed -n "$1p" $2; }
bad=0
for i in $(seq 1 30); do
    g=$(line $(( (i * 7) % 18 + 1 )) guilty)
    lines=${g%% *}
    line_edit=${g#* }
    cp a.cg b.cg
    { # innocent ones first: lines of the guilty ones are those of a.cg
        n=$((i % 4))
        [ $((i % 5)) = 0 ] && [ $n = 3 ] && n=2
        for k in $(seq 1 $n); do line $(( (i * 4 + k * 5) % 15 + 1 )) innocent; done
    } >edits
    sed -i "$lines$line_edit" b.cg
    if [ $((i % 5)) = 0 ]; then
        g2=$(line $(( (i * 7 + 3) % 18 + 1 )) guilty)
        [ "${g2%% *}" != "$lines" ] && { sed -i "${g2%% *}${g2#* }" b.cg; lines="$lines ${g2%% *}"; }
    fi
    sed -i -f edits b.cg
    cg check b.cg 2>said || { echo "pair $i cannot be checked: $g"; cat edits said; }
    cg why a.cg:scores b.cg:scores >why 2>&1
    found=$(sed -n 's/^  a\.cg:\([0-9]*\) .*/\1/p' why | sort -nu | tr '\n' ' ')
    wanted=$(echo $lines | tr ' ' '\n' | sort -nu | tr '\n' ' ')
    [ "$found" = "$wanted" ] || { bad=$((bad + 1)); echo "pair $i: wanted $wanted, found $found"; cat edits; diff a.cg b.cg; cat why; }
done
echo "30 pairs, $bad with other lines than those that matter"

echo "== runs"
run() { cg run --quiet --store=kept "$@" >/dev/null 2>&1 || echo "failed: $*"; }
run a.cg
sed 's/seed = 2/seed = 3/; s/# Two/# three/' a.cg >b.cg
run b.cg
run a.cg --set steps=4 --set extra=9 --seed=5
sed -i 's/line 3 /line 4 /' text.txt
run a.cg
sed -i 's/1\.5/1.25/; s/## Two/## Some/' layers.cg
run a.cg
cg why --store=kept 1 2
cg why --store=kept 1 3
cg why --store=kept 1 4 | sed 's/digest [0-9a-f]*/digest [..]/'
cg why --store=kept 4 5
cg why --store=kept 1 1
cg why --store=kept 1:small 2:other
echo "== files that are gone are not needed"
mkdir elsewhere && cd elsewhere
cg why --store=../kept 1:scores 5:scores | sed 's/digest [0-9a-f]*/digest [..]/'
cd ..
echo "== what cannot be answered"
cg why --store=kept 1 77 2>&1; echo "exit $?"
cg why --store=kept 1:small 2:smal 2>&1; echo "exit $?"
cg why --store=kept 1:small 2 2>&1; echo "exit $?"
sed -i 's/^small.*/small = traned(6)/' b.cg
cg why a.cg b.cg 2>&1; echo "exit $?"
cg why a.cg nothing.cg 2>&1; echo "exit $?"
echo "== what is shown is named on one line, however it is written"
printf 'show min([4,\n   2.385,  3]),\n   max([1, 2])\n' >a.cg
printf 'show min([4,\n\n 2.5]), max([ 1,\n2])\n' >b.cg
cg why a.cg b.cg
