# Rows out of records, lines and tables: trained on, evaluated, taken apart; what does not fit is named with file and row.
awk 'BEGIN {
    print "area,rooms,town,price" >"houses.csv"
    for (i = 0; i < 400; i++) {
        area = (i * 37 % 101) / 50; rooms = i * 13 % 7
        printf "%g,%d,%s,%g\n", area, rooms, i % 2 ? "Bonn" : "Ulm", 2 * area - 0.5 * rooms + (i % 2 ? 1 : 0) + 0.25 >"houses.csv"
        printf "{\"facts\": \"%c=%d\", \"ask\": \"%c\", \"answer\": \"%d!\"}\n", 97 + i % 5, i * 7 % 10, 97 + i % 5, i * 7 % 10 >"qa.jsonl"
        print "der Satz " i >"a.de"; print "the sentence " i >"a.en"
        print i % 11 "," i * i % 13 >"x.csv"; print (i % 11) * 2 - (i * i % 13) >"y.csv"
    }
}'
cat >a.cg <<'CG'
import std.nn
houses = examples("houses.csv", {
    x: ["area", "rooms"],
    town: field("town", classes = ["Ulm", "Bonn"]),
    price: "price",
})
graph line(x: f32[B, D], town: i32[B]) -> f32[B] {
    out = dense(out = 1)
    return reshape(out(concat([x, reshape(cast(town, f32), [B, 1])], axis = 1)), [B])
}
fit = train line() as m {
    data = houses.train
    loss = squared_error(m(batch.x, batch.town), batch.price)
    optimizer = adamw(rate = 0.05, decay = 0)
    batch = 32
    steps = 400
    validate = houses.valid
}
scores = evaluate fit on houses.test as m {
    off = abs(m(batch.x, batch.town) - batch.price)
    bonn = cast(batch.town, f32)
}
save scores as "scores.csv"
CG
cg run a.cg --quiet 2>&1
awk -F, 'NR > 1 { n++; bonn += $2; most = $1 > most ? $1 : most } END { print n, bonn, most < 0.05 ? "found" : most }' scores.csv
echo "== two tokenizers; a text, its answer, and the places that count"
cat >b.cg <<'CG'
import std.nn
words = bpe([corpus("a.en")], size = 270)
pairs = examples({ de: "a.de", en: "a.en" }, {
    x: field("de", bytes(), length = 14),
    y: field("$en.", words, length = 20, too_long = "cut"),
})
qa = examples("qa.jsonl", { text: field("$facts $ask:", bytes(), length = 10, answer = "$answer") })
nothing = dense(out = 1)
show evaluate nothing on first(pairs, 2) as m {
    x = decode(batch.x)
    y = decode(batch.y)
    tokens = sum(batch.x_mask, axis = 1)
}
show evaluate nothing on skip(first(qa, 3), 1) as m {
    text = decode(batch.text)
    next = decode(batch.text_next)
    counts = sum(batch.text_mask, axis = 1)
}
CG
cg run b.cg --quiet 2>&1
echo "== arrays; chains, mixtures, splits"
cat >c.cg <<'CG'
import std.nn
data = arrays({ x: "x.csv", y: "y.csv" }, shares = [0.5, 0.25, 0.25])
graph sums(x: f32[B, D], y: f32[B]) -> f32[B] { return sum(x, axis = 1) + y }
def rows(of) = evaluate dense(out = 1) on of as m { off = batch.y - sums(batch.x, y = -batch.y) }
both = chain([data.train, data.valid, data.test])
show mean(rows(both).off), mean(rows(data).off), mean(rows(unique(data)).off)
show evaluate dense(out = 1) on first(mix([data.train, data.test], [3, 1]), 4) as m { y = batch.y }
CG
cg run c.cg --quiet 2>&1
echo "== rows that stand there before, to the letter or nearly"
awk 'BEGIN {
    for (i = 0; i < 40; i++) {
        text = ""
        for (k = 0; k < 60; k++) text = text " " (i * 7919 + k * k * 31) % 9973
        for (c = 0; c < (i < 5 ? 2 : 1); c++) printf "{\"t\": \"%s\"}\n", text
        if (i >= 35) printf "{\"t\": \"And once more:%s\"}\n", text
    }
}' >copies.jsonl
cat >f.cg <<'CG'
cg 2
import std.nn
rows = examples("copies.jsonl", { t: field("t", bytes(), length = 4, too_long = "cut") })
def n(data) = count((evaluate dense(out = 1) on data as m { id = batch.id }).id)
show n(rows), n(unique(rows)), n(unique(rows, how = "near"))
CG
cg run f.cg 2>&1 | grep -v evaluate
echo "== rows that are chosen, have more fields, and say where they were read"
cat >d.cg <<'CG'
cg 2
import std.nn
import graphs.transformer
qa = examples("qa.jsonl", { text: field("$facts $ask:", bytes(), length = 10, answer = "$answer"), n: field("answer", bytes(), length = 1, too_long = "cut", end = false) })
graph digits(n: i32[B, T]) -> i32[B] { return sum(n, axis = 1) - 48 }
big = filter(qa, digits(n) > 7 and sum(text_mask, axis = 1) > 2)
more = compute(big, { digit: digits(n), half: cast(text, f32) / 2 })
show evaluate dense(out = 1) on first(more, 4) as m {
    id     = batch.id
    source = batch.source
    digit  = batch.digit
    half   = max(batch.half, axis = 1)
}
lm = train transformer(vocab = 256, dim = 8, layers = 1, heads = 1, hidden = 8) as m {
    data      = more
    loss      = cross_entropy(m(batch.text), batch.text_next)
    optimizer = adamw(rate = 1e-2)
    steps     = 3
}
held = evaluate lm on more as m { at = entropy(m, batch.text, batch.text_next, batch.text_mask) allow_leak = "to compare" }
hard = filter(more, entropy(lm, text, text_next, text_mask) >= 5.22)
kept = evaluate lm on hard as m { at = entropy(m, batch.text, batch.text_next, batch.text_mask) allow_leak = "to compare" }
show count(filter(held, at >= 5.22).at) == count(kept.at), min(kept.at) >= 5.22, count(kept.at) > 0, count(kept.at) < count(held.at)
show evaluate dense(out = 1) on shuffle(windows(synthetic("noise", size = 40000).test, bytes(), length = 100, stride = 400)) as m { id = batch.id source = batch.source }
CG
cg run d.cg --quiet 2>&1
cp qa.jsonl moved.jsonl
sed 's/qa.jsonl/moved.jsonl/' d.cg >moved.cg
cg run moved.cg --quiet 2>&1 | sed -n 2p
echo "== what does not fit"
try() { printf '%s\n' "import std.nn" "show evaluate dense(out = 1) on $1 as m { n = sum(batch.x_mask, axis = 1) }" >e.cg; cg run e.cg --quiet 2>&1; echo "exit $?"; }
try 'examples("qa.jsonl", { x: field("facts", bytes(), length = 3) })'
try 'examples("qa.jsonl", { x: field("fact", bytes(), length = 8) })'
try 'examples("qa.jsonl", { x: field("cost: $", bytes(), length = 8) })'
try 'examples("houses.csv", { x: field("area") })'
try 'examples("houses.csv", { x: field("town", dtype = i32), x_mask: ["area", "area"] })'
try 'arrays({ x_mask: "x.csv", y: "qa.jsonl" })'
try 'filter(examples("houses.csv", { x: "area" }), x > mean(x))'
try 'filter(examples("houses.csv", { x: "area" }), x)'
try 'compute(examples("houses.csv", { x: "area" }), { x: 2 * x })'
try 'compute(examples("houses.csv", { x: "area" }), { y: 2 })'
try 'filter(examples("houses.csv", { x: "area" }), z > 1)'
try 'skip(examples("qa.jsonl", { x: field("facts", bytes(), length = 4) }), 400)'
