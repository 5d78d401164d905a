#!/bin/sh
# kills.sh - whoever is killed anywhere, in a training, while it saves, while it writes tables, loses nothing that was
# kept: the same command goes on and ends in the same bits. Takes CG, and KILLS=all for 600 points and 100 rounds of
# several processes instead of a few; gives TAP. A failure accuses src/store, src/base/io.c or src/stage/train.c.
set -u
. "${srcdir:-.}/tests/tap.sh"
all=${KILLS:-}

cat >train.cg <<'CG'
graph next(ids: i32[B, T], vocab: int) -> f32[B, T, vocab] {
    param table: f32[vocab, 11] = normal(std = 0.3)
    param out: f32[11, vocab] = normal(std = 0.3)
    return take(table, ids) @ out
}

text = synthetic("markov", size = 20001, seed = 3)
def trained(rate) = train next(vocab = 256) as m {
    data = windows(text.train, bytes(), length = 23)
    validate = windows(text.valid, bytes(), length = 23)
    validate_every = 3
    early_stop = 3
    loss = cross_entropy(m(batch.tokens), batch.next)
    optimizer = adamw(rate = rate)
    batch = 3
    steps = 9
}
models = { k: trained(r) for k, r in { slow: 1e-3, quick: 1e-2, wild: 3e-2 } }
scores = {
    k: evaluate m on windows(text.test, bytes(), length = 11, count = 5) as m {
        nll = mean(cross_entropy(m(batch.tokens), batch.next), axis = 1)
    } for k, m in models
}
show table(scores, columns = [mean(nll)])
save scores.quick as "scores.csv"
save models.quick as "lm.safetensors"
CG

results="shown scores.csv lm.safetensors"
run()       # seed threads: in this folder
{
    "$CG" run --quiet --seed "$1" --threads "$2" ../train.cg >shown 2>said
}
for seed in 0 1 2; do
    mkdir whole$seed && (cd whole$seed && run $seed 2) || { cat whole$seed/said; exit 1; }
done
# Random numbers below $1, the same in every run of this script.
draw=12345
below()     { draw=$(((draw * 1103515245 + 12345) % 2147483648)); drawn=$((draw / 65536 % $1)); }

can_unshare=no
unshare --pid --fork true 2>/dev/null && can_unshare=yes
# As the second process of a container of its own; the first cannot kill itself.
contained()   { unshare --pid --fork sh -c '"$@"; exit $?' sh "$@"; }

# What is wrong in the folder `point` after the same command was given again.
after()     # seed threads
{
    if [ $can_unshare = yes ] && [ $((points % 3)) = 0 ]; then      # with the number that the dead one had
        contained "$CG" run --quiet --seed "$1" --threads "$2" ../train.cg >shown 2>said || echo "then $?"
    else
        run "$1" "$2" || echo "then $?"
    fi
    for f in $results; do cmp -s $f ../whole$1/$f || echo "another $f"; done
    [ -z "$(find . -name '.*.tmp')" ] || echo "litter: $(find . -name '.*.tmp')"
    [ "$1" = 0 ] || return      # what is of no more use, cg gc removes
    "$CG" gc ../train.cg >/dev/null 2>&1
    [ -z "$(find .cg/progress .cg/locks -type f)" ] || echo "left: $(find .cg/progress .cg/locks -type f)"
}

points=0 bad='' died=0
point()     # what switches command ...: dies, or ends
{
    what=$1 switches=$2; shift 2
    seed=$((points % 3)) points=$((points + 1))
    [ -d point ] || mkdir point
    cd point || exit 1
    if [ $can_unshare = yes ] && [ $((points % 3)) = 0 ]; then set -- contained "$@"; fi
    (CG_DEBUG=$switches "$@" run --quiet --seed $seed --threads $((1 + points % 2)) ../train.cg >shown 2>said) 2>/dev/null
    code=$?
    [ $code = 0 ] || died=$((died + 1))
    # now and then it dies again before it is done
    if [ $((points % 5)) = 0 ]; then
        (CG_DEBUG=checkpoint-every=2,fault=killed:$((points % 37 + 5)) run $seed 1) 2>/dev/null
    fi
    found=$(after $seed $((1 + points / 2 % 2)))
    [ -z "$found" ] || bad="$bad
$what, seed $seed: $found"
    cd ..
    rm -rf point
}

step=1
[ "$all" = all ] || step=113
for kind in kill killed lost; do
    call=$step before=$died
    while :; do
        point "$kind $call" checkpoint-every=2,fault=$kind:$call "$CG"
        [ $code = 0 ] && break
        call=$((call + step))
    done
    report $((died - before < 3)) "$kind: died at $((died - before)) points"
done
times=180
[ "$all" = all ] || times=3
while [ "$times" -gt 0 ] || { [ "$all" = all ] && [ $points -lt 620 ]; }; do
    times=$((times - 1))
    below 250
    point "after $drawn ms" checkpoint-every=1 timeout -s KILL 0.$(printf %03d $((drawn + 5))) "$CG"
done
[ -z "$bad" ]
report $? "$points points, $died deaths: the same bits" "$bad"

# Several processes on one store, each killed at some time; the last one finds what the others have kept.
rounds=2 bad=''
[ "$all" = all ] && rounds=100
round=0
while [ $round -lt $rounds ]; do
    round=$((round + 1)) of=$((round % 2 * 2 + 2))
    mkdir point && cd point || exit 1
    p=0
    while [ $p -lt $of ]; do
        p=$((p + 1))
        below 400
        (CG_DEBUG=checkpoint-every=2 timeout -s KILL 0.$(printf %03d $((drawn + 20))) \
            "$CG" run --quiet --build --threads 1 ../train.cg >/dev/null 2>said$p) 2>/dev/null &
    done
    wait
    found=$(after 0 1)
    [ -z "$found" ] || bad="$bad
round $round: $found"
    cd ..
    rm -rf point
done
[ -z "$bad" ]
report $? "$rounds rounds of two and four processes on one store" "$bad"
finish
