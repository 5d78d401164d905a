#!/bin/sh
# torture.sh - the n-th allocation, the n-th call to the system fails, for n = 1 ..: the program says so and ends in an
# orderly way, and no file is left half written. Takes CG; gives TAP. A failure accuses whoever ignored a result.
set -u
. "${srcdir:-.}/tests/tap.sh"

cat >script.cg <<'CG'
graph f(x: f32[B, 13], w: f32[13, 7]) -> f32[B, 7] {
    return tanh(x @ w)
}

sweep = { n: n * n for n in [2, 3, 5, 7] }
show sweep
CG
printf 'y    = 2.385\n' >ugly.cg
cp ugly.cg kept.cg
"$CG" fmt - <ugly.cg >pretty.cg

# Every number at first, then steps of a sixth: code paths repeat.
next()      { echo $(($1 + 1 + $1 / 6)); }

# Runs with the n-th failure until a run is not hurt; every run before must end with one of the codes given.
until_whole()   # name switch codes command ...
{
    name=$1 switch=$2 codes=$3
    shift 3
    at=1 bad=''
    while [ "$at" -lt 1000000 ]; do
        CG_DEBUG=$switch=$at "$@" >out 2>err
        code=$?
        case " $codes " in *" $code "*) ;; *) bad="$bad $at:$code"; [ ${#bad} -gt 60 ] && break ;; esac
        [ "$code" = 0 ] || [ -s err ] || bad="$bad $at:silent"
        cmp -s ugly.cg kept.cg || cmp -s ugly.cg pretty.cg || bad="$bad $at:torn"
        cp kept.cg ugly.cg
        [ "$code" = 0 ] && [ "$at" -gt 5 ] && [ ! -s err ] && cmp -s out whole && break
        at=$(next "$at")
    done
    [ -z "$bad" ] || echo "# failure number:exit code$bad"
    [ -z "$bad" ]
    report $? "$name: $at"
}

"$CG" check script.cg >whole 2>&1
until_whole "check, memory" alloc-fail "0 3" "$CG" check script.cg
until_whole "check, files" io-fail "0 3" "$CG" check script.cg
"$CG" run --store=store script.cg >whole 2>/dev/null
rm -rf store
until_whole "run, files" io-fail "0 3" "$CG" run --quiet --store=store script.cg
: >whole
until_whole "fmt, files" io-fail "0 3" "$CG" fmt ugly.cg

# A training that is hurt anywhere ends with a message, and the next run makes the same model out of what was kept.
cat >train.cg <<'CG'
graph next(ids: i32[B, T], vocab: int) -> f32[B, T, vocab] {
    param table: f32[vocab, 19] = normal(std = 0.3)
    param out: f32[19, vocab] = normal(std = 0.3)
    return take(table, ids) @ out
}

tok = bytes()
text = synthetic("markov", size = 9001, seed = 3)
lm = train next(vocab = tok.size) as m {
    data = windows(text.train, tok, length = 23)
    loss = cross_entropy(m(batch.tokens), batch.next)
    optimizer = adamw(rate = 1e-2)
    batch = 3
    steps = 5
}
save lm as "lm.safetensors"
CG
"$CG" run --quiet --store=whole-store train.cg >out 2>err && mv lm.safetensors whole
at=1 bad='' hurt=0 well=0
while [ "$well" -lt 8 ] && [ "$at" -lt 1000 ]; do
    rm -rf store lm.safetensors
    CG_DEBUG=io-fail=$at "$CG" run --quiet --store=store train.cg >out 2>err
    code=$?
    case $code in
    0)  well=$((well + 1)); [ "$at" -gt 100 ] || well=0 ;;         # the first calls only ask what the system grants
    3)  well=0 hurt=$((hurt + 1)); grep -q 'error\[E0902\]' err || bad="$bad $at:silent" ;;
    *)  bad="$bad $at:$code" ;;
    esac
    [ -z "$(find . -name '*.tmp' -not -path './store/*')" ] || bad="$bad $at:litter"
    "$CG" run --quiet --store=store train.cg >out 2>err || bad="$bad $at:then $?"
    cmp -s lm.safetensors whole || bad="$bad $at:other"
    at=$(next "$at")
done
[ -z "$bad" ] || echo "# failure number:what$bad"
[ -z "$bad" ]
report $? "training, files: $at"
[ "$hurt" -gt 3 ]
report $? "$hurt of them were hurt"
finish
