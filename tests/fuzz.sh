#!/bin/sh
# fuzz.sh - every fuzz target on its corpus, the parser on every script of the tree, and elaboration on those of the tests.
# Takes srcdir and builddir; gives TAP. A failure accuses what the target's first comment names.
set -u
srcdir=${srcdir:-.} builddir=${builddir:-.}
. "${srcdir:-.}/tests/tap.sh"
for source in "$srcdir"/tests/fuzz/*.c; do
    target=$(basename "$source" .c)
    [ "$target" = replay ] && continue
    set -- "$srcdir/tests/fuzz/corpus/$target"/*
    [ -f "$1" ] || shift
    [ "$target" = parse ] && set -- "$@" $(find "$srcdir" -type f -name '*.cg' -not -path '*/.git/*' -not -path '*/build*/*')
    [ "$target" = script ] && set -- "$@" "$srcdir"/tests/lang/*.cg "$srcdir"/tests/errors/*.cg "$srcdir"/examples/*.cg
    found=$("$builddir/tests/fuzz/$target" "$@" 2>&1)
    report $? "$target: $# files" "$(echo "$found" | tail -20)"
done
finish
