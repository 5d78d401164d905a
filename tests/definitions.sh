#!/bin/sh
# definitions.sh - what is said of a script before it runs, case by case.
# Takes srcdir and CG; gives TAP. In definitions/wrong.cg, graphs that nothing applies, and definitions/promises.cg, rows
# of what the first edition promised and did not keep, and definitions/scores.cg, scores of which cg cannot show that they
# are code lengths, a blank line ends a case and `# E0402` stands on the line where
# that error and no other is reported. Nothing is reported of definitions/right.cg. Other rows are tests of their own,
# which are looked for here. A failure accuses src/elab/define.c or the rule that reports.
set -u
cd "${srcdir:-.}" || exit 1
. "${srcdir:-.}/tests/tap.sh"
scratch=$(mktemp -d) || exit 1
trap 'rm -rf "$scratch"' EXIT
split()     # file, statement: its cases as scripts that end with the statement, named by their first line
{
    awk -v to="$scratch" -v last="${2-}" 'BEGIN { RS = "" } {
        name = $0; sub(/\n.*/, "", name); sub(/^graph |^# /, "", name); sub(/\(.*/, "", name); gsub(/[^a-zA-Z0-9_]+/, "-", name)
        file = to "/" name ".cg"; print "import std.nn\n" $0 (last ? "\n" last : "") >file; close(file) }' "$1"
}
split tests/definitions/wrong.cg
split tests/definitions/promises.cg
split tests/definitions/scores.cg \
    'show bits_per_byte(net(), windows(synthetic("grammar", size = 20000).test, bytes(), length = 16))'
for script in "$scratch"/*.cg; do
    want=$(awk 'match($0, /# E[0-9]+/) { print NR ":" substr($0, RSTART + 2, RLENGTH - 2) }' "$script")
    "$CG" check "$script" >"$scratch/found" 2>&1
    found=$(sed -n 's/^[^ ]*\.cg:\([0-9]*\):[0-9]*: error\[\(E[0-9]*\)\].*/\1:\2/p; s/^cg: .*/&/p' "$scratch/found")
    [ "$want" = "$found" ]
    report $? "$(basename "$script" .cg) is reported" "wanted $want, found $found
$(cat "$scratch/found")"
done
none "no right graph is reported" "$("$CG" check tests/definitions/right.cg 2>&1)"

# Rows that need files or more than one command: what was tried, and the test that shows the right outcome.
while IFS='|' read -r row test; do
    [ -f "tests/$test" ]
    report $? "$row" "there is no tests/$test"
done <<'ROWS'
Rule 5, frozen: load keeps the marks of a file|cli/load-frozen.sh
Rule 3, never guessed: a label of -100|errors/index-outside.cg
Rule 3, before data is read: values of an imported module|errors/name-unknown-in-library.cg
Rule 2, two imports with one name|errors/import-names.cg
Rule 2, a local std/nn.cg|cli/module-of-the-library.sh
Rule 10, cg help: names of the language, a script's own, fields of train|cli/help-of-a-name.sh
Experiments: select, group, join, pivot, bin, bootstrap|lang/tables.cg
Experiments: data other than windows of tokens|lang/rows.cg
ROWS
finish
