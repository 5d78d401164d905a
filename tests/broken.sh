#!/bin/sh
# broken.sh - plugins that are wrong are named, with what is wrong, and hurt nothing else.
# Takes srcdir, CC and CG; builds tests/broken/broken.c once for each mistake, loads and checks it. Prints TAP. A failure
# accuses src/library/plugin.c, src/graph/registry.c, src/elab/function.c, src/data/reader.c, src/tool/cmd_plugin.c or
# tests/lint.
set -eu
srcdir=$(cd "${srcdir:-.}" && pwd)
scratch=$(mktemp -d "${TMPDIR:-/tmp}/cg-broken.XXXXXX")
trap 'rm -rf "$scratch"' EXIT
trap 'exit 130' INT TERM
. "$srcdir/tests/tap.sh"
cd "$scratch"
# A sanitizer leaves these signals to what is tested, and looks for no leaks where a plugin ends the process.
ASAN_OPTIONS=handle_segv=0:handle_sigbus=0:handle_abort=0:detect_leaks=0:${ASAN_OPTIONS:-}
UBSAN_OPTIONS=handle_segv=0:handle_sigbus=0:handle_abort=0:${UBSAN_OPTIONS:-}
export ASAN_OPTIONS UBSAN_OPTIONS
build() { ${CC:-cc} -std=gnu11 -O1 -g0 -w -ffp-contract=off -I"$srcdir/include" -shared -fPIC -DCASE="$1" "$srcdir/tests/broken/broken.c" -o "$2"; }

# The case, whether a script that names it is refused already (load) or the checker finds it (check), what is said.
cases="
1 load op set built for ABI
2 load with ops of 8 bytes
3 load op set without a list of ops
4 load op set without a name
5 load whose name '' is not snake_case
6 load whose name 'Bad Name' is not snake_case
7 load lacks one of sig, doc, shape, samples
8 load the signature of op 'broken' does not parse
9 load lacks one of sig, doc, shape, samples
10 load lacks one of sig, doc, shape, samples
11 load lacks one of sig, doc, shape, samples
12 load says no way to differentiate
13 load has both a vjp and CG_NODIFF
14 load several ways to compute f32
15 load says no way to compute
16 load release without prepare
17 load op 'add' of set 'broken' is already there
18 load has 999 results
19 load the default of 'k' in the signature of op 'broken' is not a literal
20 load Segmentation fault
21 load it ends the program while it is loaded
22 check Segmentation fault, while this was tried: broken:
23 check claims do not hold
24 check claims do not hold
25 check claims do not hold
26 check claims do not hold
27 load Segmentation fault
30 load function 'broken' lacks one of sig, doc, run
31 load has what a function of a plugin has not
32 load the signature of function 'broken' does not parse
33 load is of no kind that there is
34 load is of a kind that plugins cannot read
35 load there is a function 'mean' already
36 check Segmentation fault, while this was tried: broken:
37 check claims do not hold
38 check claims do not hold
39 load has no version
40 check with code 0, while this was tried: broken:
41 check claims do not hold
42 check claims do not hold
43 load 'sum' already
44 load which is not snake_case
45 load gives an int, a float or a str
46 load lacks one of sig, doc, run
47 load has what a function of a plugin has not
48 load functions built for ABI
49 load set of functions without a list
50 check Segmentation fault, while this was tried: broken:
51 check Segmentation fault, while this was tried: broken: any text
53 check claims do not hold
54 check Segmentation fault, while this was tried: broken: any text
55 check claims do not hold
56 check claims do not hold
57 check claims do not hold
58 load reader 'csv' is already there
59 load lacks one of name and doc
60 load says no ending of files
61 load is no point with a word
62 load is that of 'csv'
63 load has \`records\`, and neither
64 load readers built for ABI
65 load set of readers without a list
70 load it has none of the symbols
71 load Aborted
72 load it ends the program while it is loaded
73 load undefined symbol"
build 0 good.so
printf 'plugin "good.so"\ngraph g(x: f32[N]) -> f32[N] { return broken(x) }\nshow g(tensor([1.0, 2.0], f32))\n' >good.cg
before=$("$CG" run good.cg 2>&1)
echo "$cases" | while read -r case when said; do
    [ -n "$case" ] || continue
    build "$case" "b$case.so"
    printf 'plugin "b%s.so"\nshow 1\n' "$case" >"b$case.cg"
    code=0; "$CG" plugin check "b$case.so" >check 2>&1 || code=$?
    [ "$code" = 1 ] || [ "$code" = 3 ] || echo "b$case.so: the checker ends with $code"
    grep -qF -e "$said" check && grep -q "b$case.so" check || { echo "b$case.so: '$said' is not said:"; cat check; }
    [ "$when" = load ] || continue
    code=0; "$CG" run "b$case.cg" >run 2>&1 || code=$?
    [ "$code" = 1 ] || [ "$code" = 3 ] || echo "b$case.cg: cg run ends with $code"
    grep -qF -e "$said" run && grep -q "^b$case.cg:1:8: error" run || { echo "b$case.cg: '$said' is not said:"; cat run; }
done >wrong
none "each of $(echo "$cases" | grep -c .) plugins is named, with what is wrong" "$(cat wrong)"

# Files that are none, or not all there.
{
    for bytes in 0 64 1000 4096 8192 12000; do
        head -c $bytes good.so >"cut$bytes.so"
        printf 'plugin "cut%s.so"\nshow 1\n' $bytes >cut.cg
        code=0; "$CG" run cut.cg >run 2>&1 || code=$?
        [ "$code" = 1 ] || [ "$code" = 3 ] || echo "cut at $bytes: cg run ends with $code"
        grep -q "plugin 'cut$bytes.so'" run || { echo "cut at $bytes is not named:"; cat run; }
    done
    echo "no plugin" >text.so
    "$CG" plugin check text.so >check 2>&1 && echo "a text is taken for a plugin"
    grep -q "text.so" check || cat check
    "$CG" plugin check gone.so >check 2>&1 && echo "what is not there is a plugin"
    grep -q "gone.so" check || cat check
} >wrong
none "files that are cut, none, or not there are named" "$(cat wrong)"
none "nothing else is hurt: a good plugin gives what it gave" "$([ "$("$CG" run good.cg 2>&1)" = "$before" ] && echo "$before" | grep -q '3, 5' || echo "$before")"
none "and all its claims hold" "$("$CG" plugin check good.so 2>&1 | grep -v '^good.so: [1-9][0-9]* claims hold$')"
finish
