#!/bin/sh
# library.sh - what the library says of itself: its test blocks hold, and every graph and function in it is in one of them.
# Takes srcdir and CG; gives TAP. A failure accuses the library, or what changed under it.
set -u
cd "${srcdir:-.}" || exit 1
. "${srcdir:-.}/tests/tap.sh"
log=$(mktemp "${TMPDIR:-/tmp}/cg-library.XXXXXX") || exit 1
trap 'rm -f "$log"' EXIT
for script in stdlib/*.cg graphs/*.cg; do
    status=0
    "$CG" test "$script" >"$log" 2>&1 || status=$?
    grep -q '^[1-9][0-9]* passed, 0 failed$' "$log" || status=1
    report $status "$script: $(grep -c '^ok ' "$log") tests" "$(cat "$log")"
done
tests=$(awk '/^test /{on = 1} on' stdlib/*.cg graphs/*.cg)
missing=
for name in $(sed -n 's/^\(graph\|def\) \([a-z_0-9]*\).*/\2/p' stdlib/*.cg graphs/*.cg); do
    echo "$tests" | grep -q "\b$name\b" || missing="$missing $name"
done
none "every graph and function of the library is tested" "${missing:+no test names$missing}"
finish
