#!/bin/sh
# planted.sh - 27 numbers that are none, planted one by one in graphs, derivatives, optimisers, data, validations, by
# overflow of f32 and bf16: each is named at the line where it was planted, and no file ever holds one. What plants them
# are edits of text; it shares nothing with what finds them. Takes CG; gives TAP. Accuses src/stage/training_fault.c.
set -u
. "${srcdir:-.}/tests/tap.sh"

cat >base.cg <<'CG'
import lib as lib
import std.nn: rmsnorm
option accumulate: int = 1
option precision: str = "f32"
option batch: int = 4

graph net(x: f32[B, 5]) -> f32[B] {
    param w: f32[5, 6] = normal(std = 0.4)
    param v: f32[6, 1] = normal(std = 0.4)
    a = spoil(x) @ w
    b = tanh(a)
    c = lib.scaled(b)
    d = c @ v
    return sum(d, axis = 1)
}
graph spoil(x: f32[B, 5]) -> f32[B, 5] {
    return x
}
graph error(a: f32[B], b: f32[B]) -> f32[B] {
    return (a - b) * (a - b)
}
graph update(p: f32[..s], g: f32[..s], step: f32) -> f32[..s] {
    rate = 0.01
    return p - rate * g
}

rows = arrays({ x: "x.csv", y: "y.csv" }, shares = [0.7, 0.2, 0.1])
lm = train net() as m {
    data = rows.train
    validate = rows.valid
    validate_every = 2
    loss = error(m(batch.x), batch.y)
    optimizer = update()
    batch = batch
    accumulate = accumulate
    steps = 6
}
save lm as "lm.safetensors"
CG
cat >lib.cg <<'CG'
graph scaled(x: f32[B, D]) -> f32[B, D] {
    y = 0.5 * x
    return y + x
}
CG
awk 'BEGIN { for (i = 0; i < 60; i++) { s = ""
    for (k = 0; k < 5; k++) s = s (k ? "," : "") sprintf("%.3f", (i * 37 + k * 61) % 200 / 100 - 1)
    print s >"x.csv"; print sprintf("%.3f", (i * 53) % 97 / 100) >"y.csv" } }'

plants=0 where=here op=
# In `file` the line that matches `pattern` becomes `line`; then the message must begin with that file and line, or, with
# where=note, name them in a note. op: what it must say gave the number.
plant()     # name file pattern line [arguments of run]
{
    name=$1 file=$2 pattern=$3 line=$4
    shift 4
    plants=$((plants + 1))
    mkdir p && cp base.cg lib.cg ./*.csv p && cd p || exit 1
    at=$(grep -n "$pattern" $file | head -1 | cut -d: -f1)
    awk -v at="$at" -v line="$line" 'NR == at { print line; next } { print }' ../$file >$file
    CG_DEBUG=checkpoint-every=1 "$CG" run base.cg "$@" >shown 2>said; code=$?
    wrong=''
    [ $code = 1 ] || wrong="exit code $code"
    # in what the library does with it, at the note
    grep -q "^$file:$at:[0-9]*: error\[E060[23]\]" said || { [ "$where" = note ] && grep -q "^ *base.cg:$at:[0-9]* | \|^ *$at | " said; } || wrong="$wrong; not named at $file:$at"
    grep -q "$op" said || wrong="$wrong; not of $op"
    [ ! -e lm.safetensors ] || wrong="$wrong; saved"
    # of a safetensors file, the tensors of f32: a history has no number where nothing was measured
    find .cg -name '*.ckpt' -o -path '*objects*' -type f ! -name '*.sum' 2>/dev/null | while read -r f; do
        head=$(od -An -t u8 -N8 "$f" | tr -d ' ')
        head -c $((8 + head)) "$f" | tail -c "$head" | grep -ao '"dtype":"F32"[^}]*' |
            sed 's/.*"data_offsets":\[\([0-9]*\),\([0-9]*\)\].*/\1 \2/' | while read -r from to; do
                od -An -v -t f4 -w4 -j $((8 + head + from)) -N $((to - from)) "$f" | grep -i 'nan\|inf' | head -1
            done | sed "s|^|$f:|"
    done >odd
    [ ! -s odd ] || wrong="$wrong; $(cat odd) holds one"
    [ -z "$wrong" ]
    report $? "$name" "$wrong
$(cat said)"
    cd .. && rm -rf p
}

x='^    return x$' step='^    rate = 0.01'
plant "logarithm of what is negative" base.cg "$x" '    return log(x - 1000)'
plant "root of what is negative" base.cg "$x" '    return sqrt(x - 1000)'
plant "nothing by nothing" base.cg "$x" '    return (x - x) / (x * 0)'
plant "infinity less infinity" base.cg "$x" '    return exp(x + 1000) - exp(x + 1001)'
plant "overflow of f32" base.cg "$x" '    return (x + 2) * 2e38 * 3'
plant "a power" base.cg "$x" '    return (x - 1000) ^ 0.5'
plant "a softmax of infinities" base.cg "$x" '    return softmax(x / 0, axis = 1)'
plant "a sum that overflows" base.cg "$x" '    return x * sum(exp(x + 88))'
plant "in a choice that is taken" base.cg "$x" '    return where(x > 0.9, log(x - 1), x)'
plant "within a fused chain" base.cg '^    b = tanh' '    b = tanh(sqrt(a - 1000) * 0.5 + 1)'
plant "in an instance of a module" lib.cg '^    y = 0.5' '    y = 0.5 * log(x - 1000)'
plant "in the product of a module" lib.cg '^    return y' '    return (y * 1e30) * (x * 1e30)'
plant "in the loss" base.cg '^    return (a - b)' '    return log((a - b) * (a - b) - 1000)'
op='the derivative of sqrt$'
plant "in a derivative alone: a root at 0" base.cg '^    b = tanh' '    b = sqrt((a - a) * 2)'
plant "in a derivative alone: a norm at 0" base.cg '^    return sum(d' '    return sum(d, axis = 1) + sqrt(sum((c - c) * c, axis = 1))'
op='the derivative of rmsnorm$' where=note
plant "in a derivative alone: of a layer of the library" base.cg '^    d = c' '    d = rmsnorm(c * 1e-18, eps = 0.0) @ v * 1e15'
op='rmsnorm$'
plant "in a layer of the library" base.cg '^    d = c' '    d = rmsnorm(c * 0, eps = 0.0) @ v'
op='' where=here
plant "in one share of a batch" base.cg "$x" '    return log(x + 0.96)' --set accumulate=4
plant "in an optimiser, at once" base.cg "$step" '    rate = log(step - 1)'
plant "in an optimiser, later" base.cg "$step" '    rate = 0.01 / (step - 3)'
plant "in an optimiser, a state" base.cg "$step" '    rate = 0.01 * sqrt(g - abs(g) - 1)'
op='log$'
plant "in what a step keeps running" base.cg '^    param v' '    param v: f32[6, 1] = normal(std = 0.4) param seen: f32 = zeros() s = running(seen, log(mean(x) - 1000))'
op='' where=note
plant "in a rate" base.cg '^    optimizer' '    optimizer = sgd(rate = 1e39)'
where=here
sed '30,40s/,[^,]*$/,nan/' x.csv >wild.csv
plant "in the rows of a validation" base.cg '^    validate = ' '    validate = arrays({ x: "wild.csv", y: "y.csv" }).train'
plant "in a loss, late" base.cg '^    loss = ' '    loss = error(m(batch.x), batch.y) / 0'
plant "overflow of bf16" base.cg '^    a = ' '    a = (spoil(x) / abs(spoil(x)) * 3.4e38) @ (1e-3 * w) * 1e-35' --set precision=bf16 --set batch=36
sed '5~5s/^[^,]*/nan/' x.csv >holes.csv
plant "in the data" base.cg '^    data = ' '    data = arrays({ x: "holes.csv", y: "y.csv" }).train'
report $((plants != 27)) "$plants were planted"
finish
