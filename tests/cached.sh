#!/bin/sh
# cached.sh - texts that are written place by place, with what is kept of earlier places, are those of the whole graph.
# Takes CG from the environment, and CG_PROMPTS, how many random prompts are tried (64; check-all: 1000); prints TAP.
# Prompts have 1 to 23 tokens; texts are greedy, drawn or searched, stopped or not, one at a time or beside others, of text alone or
# after a context of tokens or of memory slots. Logits of the two ways differ by rounding, so of some 50,000 draws one falls
# between their bounds of two tokens: a row that differs passes where a temperature that is larger or smaller by 1e-5 gives
# the same other text. Accuses src/stage/generate.c, src/run/decode.c, src/graph/passes/incremental.c.
set -u
srcdir=${srcdir:-.}
. "$srcdir/tests/tap.sh"
case $CG in /*) ;; *) CG=$PWD/$CG ;; esac
prompts=${CG_PROMPTS:-64}
scratch=$(mktemp -d) || exit 1
trap 'rm -rf "$scratch"' EXIT INT TERM
cd "$scratch" || exit 1

awk -v n="$prompts" 'function draw(k) { x = x * 16807 % 2147483647; return int(x / 8191) % k }
BEGIN {
    for (x = 20241; i++ < n;) {
        text = ""
        for (k = 1 + draw(23); k-- > 0;) text = text substr("abcdefgh .,:=", 1 + draw(13), 1)
        context = ""
        for (k = draw(13); k-- > 0;) context = context substr("abcdefgh .", 1 + draw(10), 1)
        printf "{\"ask\": \"%s\", \"context\": \"%s\"}\n", text, context
    }
}' >p.jsonl
cat >a.cg <<'CG'
import graphs.transformer
import graphs.compressor
import std.nn
option warmer: float = 1.0
tok = bytes()
text = synthetic("grammar", size = 40000)
def learn(length, seed) = train transformer(vocab = tok.size, dim = 24, layers = 2, heads = 2, hidden = 32) as m {
    data = windows(text.train, tok, length)
    loss = cross_entropy(m(batch.tokens), batch.next)
    optimizer = adamw(rate = 1e-2)
    batch = 8
    steps = 40
    seed = seed
}
lm = learn(length = 24, seed = 1)
pair = compressor(memory = memory(encoder = learn(length = 12, seed = 2), slots = 3, width = 24), decoder = lm)
## The decoder of a pair, given the slots themselves.
graph after_slots(slots: f32[B, k, D], text: i32[B, T], decoder: graph) -> f32[B, T, V] {
    before = concat([fill(1, [B, 1], i32), text[.., 0..T - 1]], axis = 1)
    x = concat([slots, decoder.embed(before)], axis = 1)
    for b in decoder.blocks { x = b(x) }
    return decoder.norm(x)[0.., k.., ..] @ transpose(decoder.embed.table, [1, 0])
}
asked = examples("p.jsonl", { ask: field("ask", tok, length = 24), context: field("context", tok, length = 12, too_long = "cut") }).all
texts = evaluate lm on asked as m {
    drawn = generate(m, batch.ask, new = 12, temperature = 1 * warmer, top_p = 0.9, seed = 7)
    greedy = generate(m, batch.ask, new = 12)
    whole = generate(m, batch.ask, length = 40, past_end = true, echo = true)
    stopped = generate(m, batch.ask, new = 16, temperature = 1.5 * warmer, top_k = 20, stop = ["e", " a"], repetition = 1.2)
}
after = evaluate pair on asked as m {
    context = generate(m, batch.ask, new = 10, context = batch.context, temperature = 0.7 * warmer)
    again = reconstruct(m, batch.context)
    searched = reconstruct(m, batch.context, new = 9, beams = 4)
    stopped = reconstruct(m, batch.context, new = 20, stop = " ")
}
slots = evaluate after_slots(decoder = lm) on asked as m {
    slots = generate(m, batch.ask, new = 8, context = pair.memory(batch.context), stop = tok.mark)
}
save texts as "texts.csv"
save after as "after.csv"
save slots as "slots.csv"
## Layers that keep a state in place of the text.
graph recurrent(ids: i32[B, T], vocab: int) -> f32[B, T, vocab] {
    embed, one, two, head = embedding(vocab, dim = 16), gru(hidden = 24), lstm(hidden = 20), dense(out = vocab)
    below, _ = one(embed(ids))
    above, _, _ = two(below)
    return head(above)
}
kept = train recurrent(vocab = tok.size) as m {
    data = windows(text.train, tok, length = 24)
    loss = cross_entropy(m(batch.tokens), batch.next)
    optimizer = adamw(rate = 1e-2)
    batch = 8
    steps = 40
}
states = evaluate kept on asked as m {
    drawn = generate(m, batch.ask, new = 12, temperature = 1 * warmer, top_p = 0.9, seed = 7)
    greedy = generate(m, batch.ask, new = 12)
    searched = generate(m, batch.ask, new = 6, beams = 3)
}
save states as "states.csv"
one = evaluate lm on first(asked, 1) as m { drawn = generate(m, batch.ask, new = 12, temperature = 1, top_p = 0.9, seed = 7) }
save one as "one.csv"
CG
for how in cached whole; do
    mkdir $how
    cp a.cg p.jsonl $how
    (cd $how && CG_DEBUG=$([ $how = whole ] && echo whole) "$CG" run a.cg --quiet --threads $([ $how = whole ] && echo 1 || echo 2) 2>err) ||
        report 1 "the script runs ($how)" "$(cat $how/err)"
done
# Lines of a table that differ, and whether (1) another temperature makes them alike.
unlike()        # file
{
    awk -v whole=whole/$1.csv -v warmer=warmer/$1.csv -v cooler=cooler/$1.csv '{
        getline other <whole; getline warm <warmer; getline cool <cooler
        if ($0 != other) print (other == warm || other == cool) " line " NR ": " $0 "; whole: " other }' cached/$1.csv
}
cmp -s cached/texts.csv whole/texts.csv && cmp -s cached/after.csv whole/after.csv && cmp -s cached/states.csv whole/states.csv && same=yes || same=no
for way in warmer:1.00001 cooler:0.99999; do
    rm -rf ${way%:*} && cp -r cached ${way%:*}
    [ $same = yes ] || (cd ${way%:*} && "$CG" run a.cg --quiet --set warmer=${way#*:} 2>err) ||
        report 1 "the script runs (${way%:*})" "$(cat ${way%:*}/err)"
done
for file in texts after slots states; do
    unlike $file >unlike
    differ=$(grep '^0' unlike | head -6)
    [ -s cached/$file.csv ] && [ "$(wc -l <cached/$file.csv)" = "$(wc -l <whole/$file.csv)" ] || differ="there are no two tables alike"
    close=$(grep -c '^1' unlike)
    none "$file: $prompts of $prompts prompts go on alike, $close of them by a hair" "$differ"
done
alone=$(sed -n 2p cached/one.csv | tr -d '\r')
case $(sed -n 2p cached/texts.csv) in "$alone",*) alone= ;; esac
none "a row alone is drawn as beside others" "$alone"
finish
