#!/bin/sh
# fuzz.sh - every fuzz target on its corpus, and the parser on every script of the tree.
# Takes srcdir and builddir; gives TAP. A failure accuses what the target's first comment names.
set -u
srcdir=${srcdir:-.} builddir=${builddir:-.}
n=0 failed=0
for source in "$srcdir"/tests/fuzz/*.c; do
    target=$(basename "$source" .c)
    [ "$target" = replay ] && continue
    n=$((n + 1))
    set -- "$srcdir/tests/fuzz/corpus/$target"/*
    [ -f "$1" ] || shift
    [ "$target" = parse ] && set -- "$@" $(find "$srcdir" -name '*.cg' -not -path '*/.git/*' -not -path '*/build*/*')
    if found=$("$builddir/tests/fuzz/$target" "$@" 2>&1); then echo "ok $n - $target: $# files"; continue; fi
    echo "not ok $n - $target"
    echo "$found" | tail -20 | sed 's/^/# /'
    failed=1
done
echo "1..$n"
exit $failed
