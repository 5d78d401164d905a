# Rows that reached a model, however they came, are said of its evaluation; what is apart is not.
awk 'BEGIN {
    split("the a of river house green seven walks under stone light never opens quickly paper north silver between", word, " ")
    seed = 7
    for (i = 0; i < 900; i++) {
        line = ""
        for (k = 0; k < 14; k++) { seed = (seed * 69069 + 1) % 4294967296; line = line word[1 + int(seed / 65536) % 18] " " }
        print line (seed % 1000) >(i < 500 ? "one.txt" : "two.txt")
        if (i >= 600) {
            printf "{\"q\": \"%s\", \"a\": \"%d\"}\n", line, i >"qa.jsonl"
            printf "{\"q\": \"Well then: %s\", \"a\": \"%d\"}\n", line line, i >"long.jsonl"
            printf "{\"q\": \"%s\", \"a\": \"%d\"}\n", line line, i >"double.jsonl"
        }
        long = ""
        for (k = 0; k < 30; k++) { other = (other * 69069 + 1) % 4294967296; long = long word[1 + int(other / 65536) % 18] " " }
        printf "{\"q\": \"%sHow many of them are left for the others in the end?\"}\n", long >"alike.jsonl"
        if (i < 200) { print i % 97 "," i * i % 89 >"x.csv"; print i % 7 >"y.csv" }
    }
}'
cp one.txt copy.txt
{ echo "A line before all."; cat one.txt; } >shifted.txt
{ head -200 two.txt; cat one.txt; tail -200 two.txt; } >inside.txt
head -120 one.txt >beginning.txt
sed 's/^{"q": \(.*\), "a": \(.*\)}/\1,\2/; 1i q,a' qa.jsonl >qa.csv
cat >base.cg <<'CG'
import graphs.transformer
import std.nn
tok = bytes()
one = corpus("one.txt")
two = corpus("two.txt")
start = transformer(vocab = 280, dim = 6, layers = 1, heads = 1, hidden = 8)
def fit(data, model = start) = train model as lm {
    data = data
    loss = cross_entropy(lm(batch.tokens), batch.next)
    optimizer = sgd(rate = 0.1)
    batch = 2
    steps = 1
}
def stopped(data, valid) = train start as lm {
    data = data
    loss = cross_entropy(lm(batch.tokens), batch.next)
    optimizer = sgd(rate = 0.1)
    batch = 2
    steps = 1
    validate = valid
    early_stop = 1
}
def taught(data, teacher) = train start as student {
    data = data
    loss = mean((student(batch.tokens) - stop_gradient(freeze(teacher)(batch.tokens))) ^ 2, axis = [1, 2])
    optimizer = sgd(rate = 0.1)
    batch = 2
    steps = 1
}
def w(of, tokenizer = tok) = windows(of, tokenizer, length = 24)
def score(model, data) = evaluate model on data as m { l = mean(cross_entropy(m(batch.tokens), batch.next), axis = 1) }
def qa(path, tokenizer = tok) = examples(path, { tokens: field("q", tokenizer, length = 24, too_long = "cut"), next: field("q", tokenizer, length = 24, too_long = "cut") })
graph line(x: f32[B, D]) -> f32[B] { return sum(x * dense(x, out = 2), axis = 1) }
def sums(data) = train line() as m {
    data = data
    loss = (m(batch.x) - batch.y) ^ 2
    optimizer = sgd(rate = 1e-6)
    steps = 1
}
def off(model, data) = evaluate model on data as m { off = m(batch.x) - batch.y }
CG
n=0
try()
{
    n=$((n + 1))
    printf '%s\n' 'import base' "show $1" >case.cg
    echo "$n: $1"
    cg run case.cg --quiet 2>&1 >/dev/null | sed -n '/^case.cg.*error/p;/^  [0-9a]/s/, such as.*documents*:*//;/^  [0-9a]/p;/none was found/p'
}
echo "== straight"
try 'score(fit(w(one.train)), w(one.train))'
try 'score(fit(w(one.test)), w(one.all))'
try 'score(fit(w(one.all)), first(w(one.test), 2))'
try 'score(fit(w(mix([one, two], [1, 3]).train)), w(one.train))'
try 'score(fit(chain([w(one.train), w(two.test)])), w(two.test))'
try 'score(fit(skip(w(one.all), 40)), first(shuffle(w(one.all)), 400))'
try 'score(fit(qa("qa.jsonl").train), qa("qa.jsonl"))'
try 'score(fit(qa("qa.jsonl").all), unique(qa("qa.jsonl")).valid)'
try 'off(sums(arrays({ x: "x.csv", y: "y.csv" }).train), arrays({ x: "x.csv", y: "y.csv" }))'
try 'off(sums(repeat(arrays({ x: "x.csv", y: "y.csv" }).test, 2)), arrays({ x: "x.csv", y: "y.csv" }).test)'
try 'score(fit(w(random_tokens(200).all)), w(random_tokens(200).test))'
try 'score(fit(w(random_tokens(200).train)), first(w(random_tokens(200).train), 3))'
try 'score(fit(windows(one.train, tok, length = 64, stride = 5)), windows(one.all, tok, length = 24, align = true))'
echo "== through a tokenizer"
try 'score(fit(w(one.train, bpe(two, size = 280))), w(two.train, bpe(two, size = 280)))'
try 'score(fit(w(one.train, bpe([one, two], size = 280))), w(two.all, bpe([one, two], size = 280)))'
try 'score(fit(w(one.train, bpe(mix([one, two], [1, 1]), size = 280))), w(two.all, bpe(mix([one, two], [1, 1]), size = 280)))'
try 'score(fit(qa("qa.jsonl", bpe(two, size = 280)).train), w(two.train, bpe(two, size = 280)))'
try 'score(fit(w(one.test, bpe(two, size = 270))), w(two.train, bpe(two, size = 270)))'
try 'score(fit(w(one.train, bpe([one.train, two], size = 270))), w(two.train, bpe([one.train, two.train], size = 270)))'
printf '%s\n' 'import base' 'save bpe(two, size = 270) as "bpe.json"' 'save chars([two, one]) as "chars.json"' >save.cg
cg run save.cg --quiet 2>/dev/null
try 'score(fit(w(one.train, tokenizer("bpe.json"))), w(two.train, tokenizer("bpe.json")))'
try 'score(fit(w(one.test, tokenizer("chars.json"))), w(two.train, tokenizer("chars.json")))'
echo "== by early stopping"
try 'score(stopped(w(one.train), w(one.valid)), w(one.valid))'
try 'score(stopped(w(one.train), w(two.all)), w(two.test))'
try 'score(fit(w(one.train), stopped(w(one.train), w(two.test))), w(two.test))'
try 'score(stopped(qa("qa.jsonl").train, qa("qa.jsonl").test), qa("qa.jsonl").test)'
echo "== from a teacher, or what it began with"
try 'score(taught(w(two.train), fit(w(one.test))), w(one.test))'
try 'score(taught(w(two.train), taught(w(two.test), fit(w(one.test)))), w(one.test))'
try 'score(fit(w(two.train), fit(w(one.test))), w(one.test))'
try 'score(fit(w(two.train), load(start, fit(w(one.test)))), w(one.test))'
try 'score(taught(w(two.train), stopped(w(two.train), w(one.test))), w(one.test))'
try 'evaluate start on w(one.test) as m { other = entropy(fit(w(one.test)), batch.tokens, batch.next) }'
cat >save.cg <<'CG'
import base
save fit(w(two.train), fit(w(one.test))) as "lm.safetensors"
CG
cg run save.cg --quiet 2>/dev/null
try 'score(load(start, "lm.safetensors"), w(one.test))'
try 'score(fit(w(two.train), load(start, "lm.safetensors")), w(one.test))'
echo "== another file"
try 'score(fit(w(corpus("copy.txt").train)), w(one.train))'
try 'score(fit(w(corpus("beginning.txt").all)), w(one.all))'
try 'score(fit(qa("qa.csv").train), qa("qa.jsonl"))'
try 'score(fit(w(corpus("qa.jsonl", field = "q").test)), qa("qa.jsonl").test)'
echo "== a copy that begins elsewhere"
try 'score(fit(w(corpus("shifted.txt").train)), w(one.all))'
try 'score(fit(w(corpus("inside.txt", block = 700).all)), w(one.test))'
try 'score(fit(qa("long.jsonl").all), qa("double.jsonl").test)'
try 'score(fit(w(corpus("shifted.txt", limit = 9000).all, bpe(corpus("copy.txt"), size = 270))), w(one.all, bpe(corpus("copy.txt"), size = 270)))'
echo "== apart"
try 'score(fit(w(one.train)), w(one.test))'
try 'score(stopped(w(one.train), w(one.valid)), w(one.test))'
try 'score(fit(w(corpus("shifted.txt").train)), w(one.test))'
try 'score(fit(w(one.train, bpe([one, two], size = 280))), w(two.test, bpe([one, two], size = 280)))'
try 'score(taught(w(two.train), fit(w(one.train))), w(one.test))'
try 'score(fit(qa("qa.jsonl").train), qa("qa.jsonl").test)'
try 'score(fit(qa("alike.jsonl").train), qa("alike.jsonl").test)'
try 'score(fit(first(qa("qa.jsonl"), 100)), skip(qa("qa.jsonl"), 100))'
try 'off(sums(arrays({ x: "x.csv", y: "y.csv" }).train), arrays({ x: "x.csv", y: "y.csv" }).test)'
try 'score(fit(w(synthetic("arithmetic", size = 50000).train)), w(synthetic("arithmetic", size = 50000).test))'
try 'score(fit(w(synthetic("grammar", size = 50000, seed = 1).all)), w(synthetic("grammar", size = 50000, seed = 2).all))'
try 'score(fit(w(random_tokens(256).train)), w(random_tokens(256).test))'
try 'score(load(start, "lm.safetensors"), w(one.valid))'
try 'score(fit(w(random_tokens(200, seed = 1).all)), w(random_tokens(200, seed = 2).test))'
try 'score(fit(w(one.train, bpe(one.train, size = 270))), w(one.test, bpe([one.train], size = 270)))'
try 'score(fit(w(one.train, tokenizer("bpe.json"))), w(two.test, tokenizer("bpe.json")))'
echo "== on purpose"
cat >case.cg <<'CG'
import base
show evaluate fit(w(one.train)) on first(w(one.train), 1) as m { n = 0 * entropy(m, batch.tokens, batch.next) allow_leak = "how well it fits" }
show evaluate fit(w(one.train)) on first(w(one.test), 1) as m { n = 0 * entropy(m, batch.tokens, batch.next) allow_leak = "in vain" }
show evaluate fit(w(one.train)) on first(w(one.train), 1) as m { n = 0 * entropy(m, batch.tokens, batch.next) }
CG
cg run case.cg --quiet 2>&1
