#!/bin/sh
# plugin.sh - takes a built tree (top_builddir, make); installs it below a scratch prefix, builds the plugins out of tree
# against what was installed, and runs scripts that use them. Writes nothing outside its scratch folder.
#
# A failure here accuses plugins/, src/graph/registry.c, include/cg/ or the list of installed headers in Makefile.am.
set -eu

srcdir=$(cd "${srcdir:-.}" && pwd)
builddir=$(cd "${top_builddir:-.}" && pwd)
scratch=$(mktemp -d "${TMPDIR:-/tmp}/cg-plugin.XXXXXX")
trap 'rm -rf "$scratch"' EXIT
trap 'exit 130' INT TERM

. "$srcdir/tests/tap.sh"
check()     # name, command ...
{
    name=$1; shift
    status=0; "$@" >"$scratch/log" 2>&1 || status=$?
    report $status "$name" "$(cat "$scratch/log")"
}
same()      # name, expected, found
{
    status=0; [ "$2" = "$3" ] || status=1
    report $status "$1" "expected: $2
found:    $3"
}

# Installed headers name no file of the source tree, so a build that needs one fails here.
check "install below a scratch prefix" ${MAKE:-make} -C "$builddir" install prefix="$scratch/prefix" exec_prefix="$scratch/prefix"
PKG_CONFIG_PATH=$scratch/prefix/lib/pkgconfig
PATH=$scratch/prefix/bin:$PATH
export PKG_CONFIG_PATH PATH
unset MAKEFLAGS MFLAGS MAKELEVEL || :
pkg=pkg-config      # cg.pc names the folders of the installation, whatever those of configure are
same "cg.pc names the folder it is installed in" "$scratch/prefix" "$(pkg-config --variable=prefix cg)"
check "what one begins with is installed" test -f "$scratch/prefix/share/cg/plugins/template/op.c" -a \
    -f "$scratch/prefix/share/cg/examples/quickstart.cg" -a -f "$scratch/prefix/share/doc/cg/language.md"
check "an example of the installation is without mistakes" cg check "$scratch/prefix/share/cg/examples/quickstart.cg"

for header in "$srcdir"/include/cg/*.h; do
    header=$(basename "$header" .h)
    check "cg/$header.h stands alone as C11" sh -c "echo '#include <cg/$header.h>' | ${CC:-cc} -std=c11 -Wall -Wextra -Werror \$($pkg --cflags cg) -fsyntax-only -xc -"
done

strict="-O3 -march=native -Wall -Wextra -Wshadow -Wconversion -Wno-pass-failed -Werror"
# A program with cg in it, from an empty folder, by the command that its first lines say.
cp -r "$scratch/prefix/share/cg/examples" "$scratch/embed"
sanitizer=      # a library with a sanitizer in it has that of the program
if nm -D --undefined-only "$scratch/prefix/lib/libcg.so" 2>/dev/null | grep -q __asan_; then
    sanitizer=-fsanitize=address,undefined
fi
cd "$scratch/embed"
check "build embed.c" sh -c "${CC:-cc} $sanitizer -Wall -Wextra -Wshadow -Wconversion -Werror embed.c \$($pkg --cflags --libs cg) -o embed"
./embed >found 2>errors || echo "exit $?" >>found
same "it does what it says" "$(cat "$srcdir/tests/embed.out")" "$(cat found)"
same "and the library prints nothing" "" "$(cat errors)"
if command -v c++ >/dev/null; then
    check "cg.h is C++, too" sh -c "echo '#include <cg/cg.h>' | c++ -Wall -Werror \$($pkg --cflags cg) -fsyntax-only -xc++ -"
fi
cd "$srcdir"

# One of each kind, by what plugins/README.md says.
cd "$scratch"
for kind in op function reader; do
    check "cg plugin new my$kind" cg plugin new my$kind --kind=$kind
    cd "my$kind"
    check "build my$kind" ${MAKE:-make} CC="${CC:-cc}" CFLAGS="$strict" PKG_CONFIG="$pkg"
    check "every claim of my$kind" ${MAKE:-make} check
    case $kind in
    op) tried="f32[2] [1, 0.366025]" ;;
    function) tried="0.75 1" ;;
    reader) tried="text the first text the second text" ;;
    esac
    same "its script" "$tried" "$(cg run try.cg --quiet 2>&1 | sed 's/ *$//' | paste -sd' ')"
    [ $kind = reader ] || check "cg help knows it by the script" sh -c "cg help my$kind try.cg | grep -q '^my$kind(x\|^my$kind(candidate'"
    cd ..
done
check "cg help knows a reader by the script" sh -c "cd myreader && cg help myreader try.cg | grep -q 'a line is'"
same "a second one of the name is refused" "3 cg plugin: 'myop' is there already" \
    "$(code=0; cg plugin new myop 2>log || code=$?; echo "$code $(cat log)")"

# The real ones.
for p in softcap wer srt; do
    cp -r "$scratch/prefix/share/cg/plugins/$p" "$scratch/$p"
    check "build $p" ${MAKE:-make} -C "$scratch/$p" CC="${CC:-cc}" CFLAGS="$strict" PKG_CONFIG="$pkg"
    check "every claim of $p" cg plugin check "$scratch/$p/$p.so"
done
cd "$scratch/wer"
cat >films.cg <<'CG'
cg 2
plugin "wer.so"
plugin "../srt/srt.so"

lines = examples("films.srt", { text: field("text", tokenizer = bytes(), length = 40) })
graph nothing(x: i32[B, T]) -> f32[B] { return sum(cast(x, f32), axis = 1) * 0 }
scores = evaluate nothing() on lines as m {
    none = m(batch.text)
    wrong = wer(batch.text, "the first line")
}
show wer("a b c", "a x c d"), wer("", ""), wer("a", ""), max(scores.wrong), min(scores.wrong)
CG
printf '1\r\n00:00:01,500 --> 00:00:02,000\r\nthe first line\r\n\r\n2\n01:00:00,000 --> 01:00:01,000\nthe line\n' >films.srt
same "a metric and a reader in a script" "0.5 0 inf 0.3333333333333333 0" "$(cg run films.cg --quiet 2>&1 | paste -sd' ')"
key() { cg run films.cg --dry-run | grep -o '[0-9a-f]\{32\}'; }
before=$(key)
same "it is kept" "$before" "$(key)"
sed -i 's/? (double)row\[b->n\]/? 2 * (double)row[b->n]/' wer.c
check "build it with another factor" ${MAKE:-make} CC="${CC:-cc}" CFLAGS="-O2" PKG_CONFIG="$pkg"
status=0; [ "$(key)" != "$before" ] || status=1
report $status "what has the metric is made again" "$before"
same "and has the new values" "1 0 inf 0.6666666666666666 0" "$(cg run films.cg --quiet 2>&1 | paste -sd' ')"
printf '1\n00:00:01,500 -> 00:00:02,000\nx\n' >films.srt
same "a mistake that a reader finds has its line" "films.srt:2" "$(cg run films.cg --quiet 2>&1 | grep -o 'films.srt:[0-9]*' | head -1)"

cat >"$scratch/softcap/cap.cg" <<'CG'
plugin "softcap.so"

graph cap(x: f32[N]) -> f32[N] {
    return softcap(x, cap = 2.5)
}

## How much the cap lets through: 1 - (y / cap)^2.
graph slope(x: f32[N]) -> f32[N] {
    return grad(sum(softcap(x, cap = 2.5)), wrt = x)
}
CG
cd "$scratch/softcap"
check "a script that names the plugin is accepted" cg check cap.cg
same "its values" "cap: f32[2]
0 1.90399" "$(cg apply cap.cg cap --in x='[0, 2.5]' 2>&1)"
same "its derivative" "slope: f32[2]
1 0.419974" "$(cg apply cap.cg slope --in x='[0, 2.5]' 2>&1)"
sed 's/cap = 2.5/cap = -1.0/' cap.cg >bad.cg
same "what the plugin says of its op" "softcap(x: F[..s], cap: float) -> F[..s]   (op)" "$(cg help softcap cap.cg | grep '(op)')"
status=0; cg apply bad.cg cap --in x='[0, 2.5]' >"$scratch/log" 2>&1 || status=$?
same "a refusal of the plugin's shape rule is shown at the call" "1 bad.cg:4:" \
    "$status $(grep -o '^bad.cg:[0-9]*:' "$scratch/log" | head -1)"

# What was computed with the op that a plugin had before is made again, and nothing else.
cat >keys.cg <<'CG'
plugin "softcap.so"

graph cap(x: f32[N]) -> f32[N] {
    return softcap(x, cap = 2.5)
}

graph half(x: f32[N]) -> f32[N] {
    return x / 2
}

rows = arrays({ x: "x.csv" })
capped = evaluate cap() on rows as has {
    y = has(batch.x)
}
halved = evaluate half() on rows as lacks {
    y = lacks(batch.x)
}
show mean(capped.y), mean(halved.y)
CG
printf '0\n2.5\n' >x.csv
keys() { cg run keys.cg --dry-run | sed -n 's/.* \([0-9a-f]\{32\}\) evaluate \([a-z]*\).*/\2 \1/p'; }
keys >before
same "its values in an evaluation" "0.951992 0.625" "$(cg run keys.cg --quiet | cut -c1-8 | paste -sd' ')"
sed -i 's/return cap \* cg_tanh/return 2 * cap * cg_tanh/; s/y\[i\] = cap \*/y[i] = 2 * cap */' softcap.c
check "build it with another factor" ${MAKE:-make} CC="${CC:-cc}" CFLAGS="-O2 -march=native" PKG_CONFIG="$pkg"
keys >after
same "only what has the op is made again" capped "$(diff before after | sed -n 's/^> \([a-z]*\) .*/\1/p')"
same "and has the new values" "1.903985 0.625" "$(cg run keys.cg --quiet | cut -c1-8 | paste -sd' ')"

cd "$srcdir"

finish
