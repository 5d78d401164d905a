#!/bin/sh
# doc.sh - every block of cg in the documentation is a script without mistakes.
# Takes srcdir and CG; gives TAP. Lines before a block add what it needs: `<!-- with: TEXT -->` a line of script,
# `<!-- graph: EXPR -->` a graph of it that is built as well, with D = 12. Test blocks are run.
set -u
cd "${srcdir:-.}" || exit 1
. "${srcdir:-.}/tests/tap.sh"
folder=$(mktemp -d "${TMPDIR:-/tmp}/cg-doc.XXXXXX") || exit 1
trap 'rm -rf "$folder"' EXIT

# FOLDER/NAME.LINE.cg for each block of a document, with NAME.LINE.graphs beside.
blocks()    # document name
{
    awk -v to="$folder/$2." '
        /^<!-- with: .* -->$/  { sub(/^<!-- with: /, ""); sub(/ -->$/, ""); with = with $0 "\n"; next }
        /^<!-- graph: .* -->$/ { sub(/^<!-- graph: /, ""); sub(/ -->$/, ""); graphs = graphs $0 "\n"; next }
        /^```cg$/ { out = to NR ".cg"; printf "%s", with > out; printf "%s", graphs > (to NR ".graphs"); inside = 1; next }
        /^```/    { if (inside) close(out); inside = 0; with = graphs = ""; next }
        inside    { print > out }
        !inside && NF { with = graphs = "" }' "$1"
}

try()       # script
{
    "$CG" check "$1" || return 1
    if grep -q '^test ' "$1"; then "$CG" test "$1" || return 1; fi
    while read -r graph; do
        "$CG" dot "$1" "$graph" -T dot >/dev/null 2>&1 || "$CG" dot "$1" "$graph" --dim D=12 -T dot >/dev/null || return 1
    done <"${1%.cg}.graphs"
}

for document in README.md doc/*.md; do
    name=$(echo "$document" | tr / -)
    blocks "$document" "$name"
    for script in "$folder/$name".*.cg; do
        [ -f "$script" ] || continue
        line=${script%.cg}
        try "$script" >"$folder/log" 2>&1
        report $? "$document:${line##*.}" "$(cat "$folder/log")"
    done
done
[ "$(grep -h -c '^```cg$' README.md doc/*.md | awk '{s += $1} END {print s}')" = $n ] && [ $n -gt 9 ]
report $? "no block is left out" "$n blocks were taken from the documents"
# A block with a mistake is one: this cannot pass unseen.
printf 'a line\n\n```cg\nx = 1 +\n```\n\n<!-- graph: g(n = "a") -->\n```cg\ngraph g(x: f32[B], n: int) -> f32[B] { return x }\n```\n' >"$folder/bad.md"
blocks "$folder/bad.md" bad
for script in "$folder"/bad.*.cg; do
    ! try "$script" >"$folder/log" 2>&1
    report $? "a block with a mistake is refused" "$(cat "$folder/log")"
done
none "doc/ops.md is what cg ops --markdown says" "$("$CG" ops --markdown | diff - doc/ops.md | head -20)"
finish
