#!/bin/sh
# one_place.sh - one of a kind is one file.
# Takes a built tree (srcdir, builddir); in a copy of both it adds the eleven files of one_place/ (an op family, a pass, a
# function, a statistic method, a metric, a command, a format of records, one of tensors, a tokenizer, a figure, a dataset),
# builds, and runs a script that uses all of them. Gives TAP. A failure accuses src/sources.sh, or the lists of the kind
# that is missing.
set -u
srcdir=$(cd "${srcdir:-.}" && pwd)
builddir=$(cd "${builddir:-.}" && pwd)
. "$srcdir/tests/tap.sh"
skip() { echo "ok 1 - one of each kind # SKIP $1"; echo 1..1; exit 0; }
git -C "$srcdir" rev-parse --git-dir >/dev/null 2>&1 || skip "the tree is not in git: nothing says what changed"
inside=${builddir#"$srcdir/"}
[ "$inside" != "$builddir" ] || skip "the build does not lie in the tree: a copy of both would build the tree itself"
grep -q '^srcdir = \.\.' "$builddir/Makefile" || skip "the build names the tree by its whole path"

scratch=$(mktemp -d "${TMPDIR:-/tmp}/cg-one-place.XXXXXX") || exit 1
trap 'rm -rf "$scratch"' EXIT
trap 'exit 130' INT TERM
unset MAKEFLAGS MFLAGS MAKELEVEL CG_STORE || :
tree=$scratch/tree
mkdir "$tree" "$scratch/run"
tar -C "$srcdir" --exclude=./.git --exclude=./autom4te.cache --exclude="./$inside/tests" --exclude="./$inside/cg-*" \
    -cf - . | tar -C "$tree" -xf -
cd "$tree" || exit 1
git init -q . && git add -A && git -c user.name=cg -c user.email=cg@localhost commit -q -m tree >/dev/null || exit 1

cp -r tests/one_place/src/. src/
build()     # name
{
    ${MAKE:-make} -s -C "$tree/$inside" cg >"$scratch/log" 2>&1
    report $? "$1" "$(tail -20 "$scratch/log")"
}
build "the tree builds with eleven more files"
found=$(git status --porcelain --untracked-files=all | sort)
expected=$(cd tests/one_place && find src -name '*.c' | sort | sed 's/^/?? /')
status=0; [ "$found" = "$expected" ] && [ "$(echo "$found" | wc -l)" = 11 ] || status=1
report $status "eleven files are new and none is changed" "$found"

CG=$tree/$inside/cg
cp tests/one_place/*.cg tests/one_place/data/* "$scratch/run"
cd "$scratch/run" || exit 1
same()      # name expected found
{
    status=0; [ "$2" = "$3" ] || status=1
    report $status "$1" "expected: $2
found:    $3"
}
"$CG" run all.cg >out 2>err
report $? "the script that uses all of them runs" "$(cat err)"
line() { sed -n "$1p" out | tr -s ' ' | sed 's/^ //'; }
same "the op and the dataset: the mean of leaky(x^2 - 3)" 8.200 "$(line 2 | cut -d' ' -f2)"
same "the statistic: 2 * 58 / (10 + 354.8 + 5 * 27.04)" 0.2320 "$(line 2 | cut -d' ' -f3)"
same "the tensors: digits 3 1 4 1 5" 0.2 "$(line 3)"
same "the function: 2 + 3 + 8 + 5" 18 "$(line 4)"
same "the metric: three words over two" 1.5 "$(line 5)"
same "the tokenizer and the records: half bytes of the first line, the end, and one more" "40 abc" "$(line 7)"
same "the size of the tokenizer" 18 "$(line 9)"
same "the figure" "with impulses" "$(grep -o 'with impulses' stem.gp)"
same "the command" "hello, world" "$("$CG" greet world)"
same "the pass leaves one of two" "floor" "$("$CG" check --dump=opt pass.cg | grep -o floor)"

# A metric that gives other scores says so by its version: what has it is made again, and nothing else.
keys() { "$CG" run keys.cg --dry-run | sed -n 's/.* \([0-9a-f]\{32\}\) evaluate \([a-z]*\).*/\2 \1/p'; }
keys >before
sed -i 's/CG_METRIC(length_ratio, .version = 1/CG_METRIC(length_ratio, .version = 2/' "$tree/src/table/metric_length_ratio.c"
build "the tree builds with another version of the metric"
keys >after
same "the metric with a new version: what has it is made again, and nothing else" with \
    "$(diff before after | sed -n 's/^> \([a-z]*\) .*/\1/p')"
finish
