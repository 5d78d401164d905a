#!/bin/sh
# symbols.sh - the names the library shows.
# Takes srcdir and builddir after make; gives TAP. A failure accuses the declaration of the symbol it prints.
set -u
srcdir=${srcdir:-.} builddir=${builddir:-.}
LC_ALL=C
export LC_ALL

. "${srcdir:-.}/tests/tap.sh"

core=$builddir/.libs/libcgcore.a
shared=$builddir/.libs/libcg.so
[ -f "$core" ] && [ -f "$shared" ] || { echo "not ok 1 - $core and $shared are built"; exit 1; }

none "every external symbol of the library begins with cg_" \
    "$(nm -g --defined-only "$core" | awk 'NF == 3 && $3 !~ /^(cg_|_|\.)/ { print $3 }' | sort -u)"

declared=$(cat "$srcdir"/include/cg/*.h | tr '\n' ' ' | sed 's/CG_API/\n&/g' | grep '^CG_API' |
    sed -n 's/^CG_API [^(;={#]*[ *]\(cg_[a-z0-9_]*\) *[(;\[].*/\1/p' | sort -u)
exported=$(nm -D --defined-only "$shared" | awk '{ print $3 }' | grep '^[A-Za-z]' | sort -u)
none "what the installed headers declare is exported" \
    "$(for s in $declared; do echo "$exported" | grep -qx "$s" || echo "$s"; done)"
none "what is exported is declared in an installed header" \
    "$(for s in $exported; do echo "$declared" | grep -qx "$s" || echo "$s"; done)"
finish
