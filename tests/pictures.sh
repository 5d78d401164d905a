#!/bin/sh
# pictures.sh - pictures of every example, looked at by picture.awk: no arrow crosses the frame of an instance or a box
# that it has nothing to do with, none leaves the frame that both its ends are in, no label overlaps a box.
# Takes srcdir and CG; gives TAP. A failure accuses src/report/layout.c or dot_level.c. Other programs that read DOT
# (gvpr, pydot) are asked where they are.
set -u
cd "${srcdir:-.}" || exit 1
srcdir=$(pwd)
. "$srcdir/tests/tap.sh"
"$CG" dot "$srcdir/tests/dot/block.cg" -T svg >/dev/null 2>&1 || { echo "ok 1 - without GraphViz there is nothing to look at"; echo 1..1; exit 0; }
folder=$(mktemp -d "${TMPDIR:-/tmp}/cg-pictures.XXXXXX") || exit 1
trap 'rm -rf "$folder"' EXIT

wrong()     # svg: what is wrong with it, or that it is no picture
{
    grep -q '</svg>' "$1" || { echo "no picture"; return; }
    awk -f "$srcdir/tests/picture.awk" "$1"
}

# A picture as GraphViz alone lays it out: the test would be none if it found nothing there.
found=$(wrong "$srcdir/tests/pictures/before.svg"; wrong "$srcdir/tests/pictures/planted.svg")
for kind in 'leaves frame' 'crosses frame' 'crosses box' 'overlaps box'; do
    echo "$found" | grep -q "$kind"
    report $? "an arrow or label that $kind is found"
done

for script in examples/*.cg examples/paper/setup.cg tests/dot/*.cg; do
    for how in --depth=1 --depth=0 '--depth=0 --landscape' '--depth=1 --stage=graph' '--depth=1 --stage=grad' \
        '--depth=0 --stage=graph'; do
        # shellcheck disable=SC2086
        (cd "$(dirname "$script")" && "$CG" dot "$(basename "$script")" $how -T svg) >"$folder/x.svg" 2>"$folder/err"
        found=$(wrong "$folder/x.svg")
        [ -z "$found" ]; report $? "$script $how" "$found$(cat "$folder/err")"
    done
done
finish
