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
check "what one begins with is installed" test -f "$scratch/prefix/share/cg/plugins/template/myop.c" -a \
    -f "$scratch/prefix/share/cg/examples/quickstart.cg" -a -f "$scratch/prefix/share/doc/cg/language.md"
check "an example of the installation is without mistakes" cg check "$scratch/prefix/share/cg/examples/quickstart.cg"

for header in "$srcdir"/include/cg/*.h; do
    header=$(basename "$header" .h)
    check "cg/$header.h stands alone as C11" sh -c "echo '#include <cg/$header.h>' | ${CC:-cc} -std=c11 -Wall -Wextra -Werror \$($pkg --cflags cg) -fsyntax-only -xc -"
done

# A program with cg in it, from an empty folder, by the command that its first lines say.
cp -r "$scratch/prefix/share/cg/examples" "$scratch/embed"
cd "$scratch/embed"
check "build embed.c" sh -c "${CC:-cc} -Wall -Wextra -Wshadow -Wconversion -Werror embed.c \$($pkg --cflags --libs cg) -o embed"
./embed >found 2>errors || echo "exit $?" >>found
same "it does what it says" "$(cat "$srcdir/tests/embed.out")" "$(cat found)"
same "and the library prints nothing" "" "$(cat errors)"
if command -v c++ >/dev/null; then
    check "cg.h is C++, too" sh -c "echo '#include <cg/cg.h>' | c++ -Wall -Werror \$($pkg --cflags cg) -fsyntax-only -xc++ -"
fi
cd "$srcdir"

for p in softcap template; do
    cp -r "$srcdir/plugins/$p" "$scratch/$p"
    check "build $p" ${MAKE:-make} -C "$scratch/$p" CC="${CC:-cc}" CFLAGS="-O3 -march=native -Wall -Wextra -Wshadow -Wconversion -Wno-pass-failed -Werror" PKG_CONFIG="$pkg"
done
# The ops of a plugin are held to their claims like any other.
check "every claim of softcap" ${MAKE:-make} -C "$scratch/softcap" check CFLAGS=-O2 PKG_CONFIG="$pkg"
check "every claim of myop" ${MAKE:-make} -C "$scratch/template" check CFLAGS=-O2 PKG_CONFIG="$pkg"

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

# Plugins that are broken are tried in a copy of the process, which they end, and named.
cat >bad.c <<'C'
#define CG_PLUGIN
#include <cg/kernel.h>
#ifdef CRASH
static bool shape(CgInfer *inf) { *(int *volatile *)&inf = 0; inf->nin = 1; return true; }
static void compute(const CgCall *call, CgShard shard) { (void)call; (void)shard; }
static const CgSample samples[] = { { .in = "F[3]", .low = 0, .high = 1 }, { .in = 0 } };
static const CgOp op = { CG_OP_HERE, .name = "crash", .sig = "(x: F[N]) -> F[N]", .doc = "Nothing.", .shape = shape,
    .nout = 1, .traits = CG_NODIFF, .kernel = { compute }, .samples = samples };
CG_OPS(bad, &op)
#else
CG_API extern const CgOpSet cg_plugin;
const CgOpSet cg_plugin = { CG_ABI, sizeof(CgOp), "none", 0 };
#endif
C
check "broken plugins build" sh -c "${CC:-cc} \$($pkg --cflags cg) -shared -fPIC -o none.so bad.c && ${CC:-cc} -DCRASH \$($pkg --cflags cg) -shared -fPIC -o crash.so bad.c"
head -c 9000 crash.so >cut.so
for p in none crash cut; do
    printf 'plugin "%s.so"\nshow 1\n' $p >$p.cg
    status=0; cg run $p.cg >"$scratch/log" 2>&1 || status=$?
    same "a broken plugin is named: $p" "1 $p.cg:1:8: error[E0901]: plugin '$p.so'" \
        "$status $(grep -o "^.*plugin '$p.so'" "$scratch/log" | head -1)"
done
cd "$srcdir"

finish
