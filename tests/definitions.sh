#!/bin/sh
# definitions.sh - graphs that nothing applies: each wrong one is reported once, at its line, no right one is.
# Takes srcdir and CG; gives TAP. In definitions/wrong.cg a blank line ends a case and `# E0402` stands on the line where
# that error and no other is reported. A failure accuses src/elab/define.c or the rule that reports.
set -u
cd "${srcdir:-.}" || exit 1
. "${srcdir:-.}/tests/tap.sh"
scratch=$(mktemp -d) || exit 1
trap 'rm -rf "$scratch"' EXIT
awk -v to="$scratch" 'BEGIN { RS = "" } { match($0, /graph [a-z_]+/); file = to "/" substr($0, RSTART + 6, RLENGTH - 6) ".cg"
    print "import std.nn\n" $0 >file; close(file) }' tests/definitions/wrong.cg
for script in "$scratch"/*.cg; do
    want=$(awk 'match($0, /# E[0-9]+/) { print NR ":" substr($0, RSTART + 2, RLENGTH - 2) }' "$script")
    "$CG" check "$script" >"$scratch/found" 2>&1
    found=$(sed -n 's/^[^ ]*\.cg:\([0-9]*\):[0-9]*: error\[\(E[0-9]*\)\].*/\1:\2/p; s/^cg: .*/&/p' "$scratch/found")
    [ "$want" = "$found" ]
    report $? "$(basename "$script" .cg) is reported" "wanted $want, found $found
$(cat "$scratch/found")"
done
none "no right graph is reported" "$("$CG" check tests/definitions/right.cg 2>&1)"
finish
