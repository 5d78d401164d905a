# What a key holds: 60 edits of a script and what each of them rebuilds. T: training, E: evaluation, 1 and 2: of which model.
mkdir data
awk 'BEGIN { for (i = 0; i < 900; i++) printf "line %d says %d and %d\n", i, i * i % 97, i * 7 % 31 }' >data/text.txt
cp cli/runtime/identity.cg base.cg

cg run base.cg --quiet >shown 2>said || cat said     # what is kept costs no estimate

keys() { cg run $1 --dry-run $2 | awk '{ for (i = 1; i <= NF; i++) if (length($i) == 32 && $i ~ /^[0-9a-f]+$/) print $i }'; }
keys base.cg >base.keys
[ $(sort -u base.keys | wc -l) = 4 ] || { echo "the script has not four stages"; cg run base.cg --dry-run; }

n=0
compare()   # what the edit was, its script, options
{
    n=$((n + 1))
    keys $2 "$3" >now.keys
    [ -s now.keys ] || { echo "$1: does not run"; cg check $2; return; }
    gone=
    i=0
    for name in T1 E1 T2 E2; do
        i=$((i + 1))
        grep -qx "$(sed -n ${i}p base.keys)" now.keys || gone="$gone $name"
    done
    echo "$1:${gone:- nothing}"
}
edit()      # what it is, sed expressions
{
    what=$1; shift
    sed "$@" base.cg >edited.cg
    cmp -s base.cg edited.cg && echo "$what: the edit changed no byte"
    compare "$what" edited.cg
}

echo "== nothing is built again"
edit "a comment" '1s/.*/# something else/'
edit "a comment at the end of a line" 's/show scores/show scores  # all of them/'
edit "a doc comment" 's/How text is written/What text is written in/'
edit "blank lines" 's/^$/\n\n/'
edit "another layout" 's/graph likely(x: f32\[B, T, V\]) -> i32\[B, T\] { /graph likely(x: f32[B, T, V]) -> i32[B, T] {\n    /'
edit "a top-level name: tokenizer" 's/\btok\b/letters/g'
edit "a top-level name: corpus" 's/\bprose\b/made/g'
edit "a top-level name: model" 's/\bsmall\b/tiny/g'
edit "a top-level name: training" 's/\bone\b/first/g; s/first: evaluate/one: evaluate/'
edit "a key of a record of evaluations" 's/    one: evaluate/    first: evaluate/'
edit "a top-level name: record" 's/scores/results/g'
edit "a def" 's/\bhalf\b/halved/g'
edit "an argument of a def" 's/half(x) = x \/ 2/half(value) = value \/ 2/'
edit "another def" 's/\btrained\b/fitted/g'
edit "the name of a model in its block" 's/\blm\b/net/g'
edit "the name of a model in an evaluation" 's/ as m {/ as tried {/; s/\bm(batch/tried(batch/g'
edit "a name within a graph" 's/\bbase = inner/result = inner/; s/gain \* base/gain * result/'
edit "the name of a graph's tensor" 's/scaled(ids:/scaled(text:/; s/inner(ids)/inner(text)/'
edit "the name of a graph" 's/\bscaled\b/multiplied/g'
edit "a graph that gives whole numbers" 's/\blikely\b/best/g'
edit "names of sizes" 's/likely(x: f32\[B, T, V\]) -> i32\[B, T\]/likely(x: f32[N, L, W]) -> i32[N, L]/'
edit "an option's name" 's/option count/option turns/; s/prose, count)/prose, turns)/'
edit "an option's doc" 's/## of steps/## steps/'
edit "a number written otherwise" 's/0\.98/0.980/; s/30000/30_000/;s/30_000/30000/'
edit "an expression of the same value" 's/half(0.02)/0.01/'
edit "show and expect in a graph" 's/^\( *\)base = inner.*/&\n\1show base, grad(sum(base), wrt = base)\n\1expect base == base/'
edit "a number as an expression" 's/dim = 16,/dim = 8 * 2,/'
edit "arguments in another order" 's/rate = half(0.02), beta2 = 0.98/beta2 = 0.98, rate = half(0.02)/'
edit "fields in another order" 's/^    seed = 5$//; s/^    batch = 8$/    seed = 5\n    batch = 8/'
edit "a field with its default" 's/^    seed = 5$/    seed = 5\n    accumulate = 1/'
edit "an argument with its default" 's/beta2 = 0.98/beta2 = 0.98, beta1 = 0.9/'
edit "a statement more" 's/^show scores/x = 3\nshow scores/'
edit "an option that nothing uses" 's/^option length/option unused: int = 3\noption length/'
edit "an import more" 's/^import std.nn/import std.nn\nimport graphs.compressor/'
edit "what is shown" 's/^show scores/show scores.one\nshow scores.two/'
awk '/^## How/ { held = 1 } held && /^$/ { held = 0 } { if (held) kept = kept $0 "\n"; else print } END { printf "%s", kept }' base.cg >edited.cg
compare "statements in another order" edited.cg
mkdir elsewhere moved; cp base.cg elsewhere/renamed.cg; cp -r data elsewhere/
(cd elsewhere && keys renamed.cg) >now.keys; cmp now.keys base.keys && echo "the script under another name, in another folder: nothing"
mkdir moved/deep; mv data/text.txt moved/deep/other.txt
edit "the file of a corpus moved" 's|data/text.txt|moved/deep/other.txt|'
mv moved/deep/other.txt data/text.txt
touch data/text.txt; compare "a file touched" base.cg
compare "an option given its own value" base.cg "--set count=30"
compare "threads" base.cg "--threads 1"

echo "== what depends on it is"
edit "steps" 's/count: int = 30/count: int = 31/'
compare "steps, by an option" base.cg "--set count=31"
compare "the seed of the command" base.cg "--seed 1"
edit "a rate" 's/half(0.02)/half(0.03)/'
edit "what a def gives" 's|x / 2|x / 4|'
edit "an argument of the optimiser" 's/0\.98/0.99/'
edit "rows of a batch" 's/batch = 8/batch = 4/'
edit "a seed" 's/seed = 5/seed = 6/'
edit "the length of windows" 's/length: int = 12/length: int = 13/'
edit "the size of a model" 's/hidden = 16/hidden = 20/'
edit "a constant of a graph" 's/gain = 1.5/gain = 1.25/'
edit "the body of a graph" 's/gain \* base/gain * base + 0.5/'
edit "the path of a parameter" 's/inner: graph, gain/within: graph, gain/; s/inner(ids)/within(ids)/; s/inner = small/within = small/'
edit "the text of a corpus" 's/seed = 3/seed = 4/'
edit "a step of one training" 's/files, 7)/files, 8)/'
edit "rows of an evaluation" 's/count = 20) as m {$/count = 21) as m {/'
edit "a column" 's/axis = 1)$/axis = 1) * 2/'
edit "the name of a column" 's/same = accuracy/equal = accuracy/'
edit "a score" 's/same = accuracy/same = token_f1/'
sed 's/line 7 /line 8 /' data/text.txt >data/new && mv data/new data/text.txt
compare "a byte of data" base.cg
echo "$n edits, and one by a folder"
