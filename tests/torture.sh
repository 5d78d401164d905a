#!/bin/sh
# torture.sh - the n-th allocation, the n-th call to the system fails, once or from there on, for n = 1 ..: every command
# says so and ends in an orderly way, with results that are the old ones or the new ones, and what is made afterwards is
# what would have been made. Takes CG, TORTURE=all for every n instead of some, and TORTURED, a word that the names of
# commands are to have; gives TAP. A failure accuses whoever ignored a result. What the switches are: src/base/fault.h.
set -u
. "${srcdir:-.}/tests/tap.sh"

# How far from one n to the next: TORTURE=all each, TORTURE=23 each call and every 23rd allocation. Without, a sample: code
# paths repeat, and of commands and failures it is every third pair.
case ${TORTURE:-} in
all)    enough=40; next() { echo $(($1 + 1)); } ;;
[1-9]*) enough=40; next() { case $kind in memory) echo $(($1 + TORTURE)) ;; *) echo $(($1 + 1)) ;; esac; } ;;
*)      enough=2; next()  { echo $(($1 * 4 + 1)); } ;;
esac

cat >script.cg <<'CG'
graph f(x: f32[B, 13], w: f32[13, 7]) -> f32[B, 7] {
    return tanh(x @ w)
}

graph weights() -> f32[13, 7] { return fill(0.0385, [13, 7]) }

sweep = { n: n * n for n in [2, 3, 5, 7] }
show sweep
test "squares" {
    expect sweep[3] == 9
}
CG
cat >train.cg <<'CG'
graph next(ids: i32[B, T], vocab: int) -> f32[B, T, vocab] {
    param table: f32[vocab, 19] = normal(std = 0.3)
    param out: f32[19, vocab] = normal(std = 0.3)
    return take(table, ids) @ out
}

tok = bytes()
text = synthetic("markov", size = 9001, seed = 3)
records = corpus("lines.jsonl.gz", field = "t")
lm = train next(vocab = tok.size) as m {
    data = windows(text.train, tok, length = 23)
    loss = cross_entropy(m(batch.tokens), batch.next)
    optimizer = adamw(rate = 1e-2)
    batch = 3
    steps = 5
}
scores = evaluate lm on windows(records.all, tok, length = 11, count = 5) as m {
    nll = mean(cross_entropy(m(batch.tokens), batch.next), axis = 1)
}
show table(scores, columns = [mean(nll)])
save scores as "scores.csv"
save lm as "lm.safetensors"
CG
for i in 1 2 3 4 5 6 7 8 9; do printf '{"t": "line %d of a text that is longer than what is taken room for at first, \\u00e9"}\n' $i; done | gzip -n >lines.jsonl.gz
printf 'y    = 2.385\n' >ugly.cg
cp ugly.cg kept.cg
"$CG" fmt - <ugly.cg >pretty.cg
"$CG" plan script.cg f --dump=graph >graph.ir
"$CG" apply script.cg weights --out given >/dev/null
printf '[[1.5, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13]]' >x.txt
for seed in 1 0; do "$CG" run --quiet --seed $seed --store=full train.cg >/dev/null 2>&1; done
mv lm.safetensors lm.whole; mv scores.csv scores.whole
cat >exact.cg <<'CG'
graph double(x: f32[B, 3]) -> f32[B] { return sum(x, axis = 1) * 2 }
doubled = evaluate double() on arrays({ x: [[1.5, 2, 3], [5, 7, 11.25]] }) as m {
    y = m(batch.x)
}
show mean(doubled.y)
CG
"$CG" run --quiet --exact --store=exact --publish=published.json exact.cg >/dev/null 2>&1
# Templates of plugins are beside a program that is installed.
mkdir -p at/bin at/share/cg
cp "$CG" at/bin/cg
ln -s "${srcdir:-.}/plugins" at/share/cg/plugins
installed=$PWD/at/bin/cg
"$installed" plugin new myop >/dev/null
mv myop whole.myop
${CC:-cc} -std=gnu11 -O1 -w -DCG_PLUGIN -I"${srcdir:-.}/include" -shared -fPIC whole.myop/myop.c -o myop.so -lm

# A session of an editor: every request once, mistakes in the document and in what is asked.
uri=file://$PWD/edited.cg
document="\"textDocument\":{\"uri\":\"$uri\"}"
message()   { printf 'Content-Length: %d\r\n\r\n%s' ${#1} "$1"; }
asked=0
ask()       # method [parameters after the document]
{
    asked=$((asked + 1))
    message "{\"id\":$asked,\"method\":\"textDocument/$1\",\"params\":{$document${2:-}}}"
}
spot=',"position":{"line":1,"character":10}'
{
    message '{"id":0,"method":"initialize","params":{}}'
    message "{\"method\":\"textDocument/didOpen\",\"params\":{\"textDocument\":{\"uri\":\"$uri\",\"text\":\"width = 7\\ny = 2  * width\\nz = plot.lnie(y)\\n\"}}}"
    ask hover "$spot"; ask definition "$spot"; ask references "$spot"; ask completion "$spot"; ask formatting
    ask rename "$spot,\"newName\":\"wide\""
    ask codeAction ',"range":{"start":{"line":2,"character":0},"end":{"line":2,"character":9}}'
    message 'no json'
    message "{\"method\":\"textDocument/didClose\",\"params\":{$document}}"
    message '{"id":99,"method":"shutdown"}'
    message '{"method":"exit"}'
} >session

# Runs with the n-th failure until a run is not hurt. `before` restores what the command may change, `after` says what is
# wrong then.
until_whole()   # name switches before after command ...
{
    name=$1 switches=$2 before=$3 after=$4
    shift 4
    case $name in *"${TORTURED:-}"*) ;; *) return ;; esac
    $before; "$@" >whole 2>whole.err </dev/null; usual=$?
    for switch in $switches; do
        pair=$((pair + 1))
        [ -n "${TORTURE:-}" ] || [ $((pair % 3)) = 1 ] || continue
        kind=${switch%+} stay=${switch#"$kind"}
        at=1 bad='' well=0
        [ "$kind" = memory ] && [ -n "${TORTURE:-}" ] && at=$from
        while [ "$at" -lt 100000 ] && [ ${#bad} -lt 80 ]; do
            $before
            CG_DEBUG=fault=$kind:$at$stay timeout 60 "$@" >out 2>err </dev/null; code=$?
            case $code in
            "$usual")   cmp -s out whole || [ -s err ] || bad="$bad $at:differs" ;;
            1 | 3)      [ -s err ] || [ -s out ] || bad="$bad $at:silent"
                        case $kind in eintr | short) bad="$bad $at:$code" ;; esac ;;
            *)          bad="$bad $at:$code" ;;
            esac
            found=$($after) && [ -z "$found" ] || bad="$bad $at:$found"
            # the first calls only ask what the system grants, and what is cached asks for little
            if [ "$code" = "$usual" ] && cmp -s out whole && cmp -s err whole.err; then well=$((well + 1)); else well=0; fi
            # .. and SQLite goes on without a hundred in a row
            [ "$well" -ge $([ $kind = memory ] && echo $((enough * 5)) || echo $enough) ] && [ "$at" -gt 24 ] && break
            at=$(next "$at")
        done
        [ -z "$bad" ] || echo "# failure number:what$bad"
        [ -z "$bad" ]
        report $? "$name, $switch: $at"
    done
}

nothing()   { :; }
fresh()     { rm -rf store lm.safetensors scores.csv; echo old >scores.csv; }
filled()    { rm -rf store lm.safetensors scores.csv; cp -r full store; echo old >scores.csv; }
fmt_old()   { cp kept.cg ugly.cg; }
afresh()    { rm -rf myop published.json.replay; }
# A plugin is begun or it is not; where it is not, a second try begins it.
begun()
{
    [ -d myop ] || "$installed" plugin new myop >/dev/null || echo "then $?"
    diff -r myop whole.myop
    [ ! -e .myop.unfinished ] || echo litter
}
replayed()  { [ "$("$CG" replay published.json --quiet | tail -1)" = "it agrees" ] || echo "then another"; }
fmt_whole() { cmp -s ugly.cg kept.cg || cmp -s ugly.cg pretty.cg || echo torn; }
old_or()    # file whole: is the old one, or the whole one
{
    [ ! -f "$1" ] || cmp -s "$1" "$2" || [ "$(cat "$1")" = old ] || echo "torn $1"
}
# Results are whole, and made afterwards they are what they would have been. What is left of one failure is often what is
# left of another, file by file: then it is not tried again.
run_whole()
{
    old_or lm.safetensors lm.whole; old_or scores.csv scores.whole
    [ -z "$(find . -name '.*.tmp' -not -path './store/*')" ] || echo litter
    left=$(find store lm.safetensors scores.csv -type f -not -name 'index.db*' -printf '%p %s\n' 2>/dev/null | sort | cksum)
    grep -qxF "$left" tried 2>/dev/null && return
    echo "$left" >>tried
    "$CG" run --quiet --store=store train.cg >then 2>then.err || echo "then $?"
    cmp -s lm.safetensors lm.whole || echo "another model"
    cmp -s scores.csv scores.whole || echo "another table"
}

# Each command begins with reading and checking its script, which is tried once for all: the others begin behind that.
from=1 pair=0 at=1
read_once()     # script: `from` becomes the first allocation of what comes after it
{
    until_whole "check $1" "memory memory+" nothing nothing "$CG" check "$1"
    from=$((at > 300 ? at - 300 : 1))
}

memory="memory memory+" files="eio eio+ enospc enospc+ eintr eintr+ short short+"
until_whole check "$files" nothing nothing "$CG" check script.cg
read_once script.cg
until_whole "test" "$memory $files" nothing nothing "$CG" test script.cg
until_whole plan "$memory eio+" nothing nothing "$CG" plan script.cg f --dim B=5
until_whole dot "$memory eio enospc+ short+" nothing nothing "$CG" dot script.cg f -o f.dot
until_whole apply "$memory eio enospc+ short+" nothing nothing "$CG" apply script.cg f --in "x=$(cat x.txt)" --in w=given/weights.npy --out=shown --threads 1
until_whole gc "memory eio eio+" filled run_whole "$CG" gc --store=store script.cg
until_whole bench "memory+ eio+" fresh nothing sh -c "'$CG' bench script.cg f --dim B=3 --steps 1 --warmup 0 --threads 1 --store=store >/dev/null"
from=1
until_whole fmt "$memory $files" fmt_old fmt_whole "$CG" fmt ugly.cg
until_whole opt "$memory eio+" nothing nothing "$CG" opt graph.ir
until_whole ops "memory eio+" nothing nothing "$CG" ops adam
until_whole lsp "memory eio+" nothing nothing sh -c "exec '$CG' lsp <session"
until_whole "plugin new" "memory+ $files" afresh begun "$installed" plugin new myop
until_whole "plugin check" "memory memory+ eio eio+ enospc+ eintr+ short+" nothing nothing "$CG" plugin check ./myop.so
until_whole replay "memory $files" afresh replayed "$CG" replay published.json --threads 1
until_whole help "$memory eio+" nothing nothing "$CG" help adamw
read_once train.cg
until_whole run "memory memory+ $files" fresh run_whole "$CG" run --quiet --threads 1 --store=store train.cg
until_whole "run, kept" "memory eio eio+ enospc enospc+" filled run_whole "$CG" run --quiet --threads 1 --store=store train.cg
until_whole "dry run" "memory+ eio+" filled nothing "$CG" run --dry-run --threads 1 --store=store train.cg
until_whole verify-resume "memory+ eio+ enospc+ eintr+" fresh run_whole "$CG" verify-resume train.cg --at 2 --store=store
from=1
until_whole "store verify" "memory eio+ short+" filled nothing "$CG" store verify --store=store
until_whole generate "memory memory+ $files" filled nothing "$CG" generate train.cg lm -p line -n 3 --quiet --threads 1 --store=store
until_whole runs "memory+ eio+" filled nothing "$CG" runs --store=store
until_whole why "memory+ eio+" filled nothing "$CG" why 1 2 --store=store
none "every command is tried" "$("$CG" help commands | awk '/^  [a-z]/ { print $1 }' | while read -r each; do
    grep -Eq "^(until_whole|read_once) .*(CG|installed)[\"']* $each( |\"|\$)" "$0" || echo "$each"
done)"
finish
