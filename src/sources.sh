#!/bin/sh
# sources.sh - the lists that nobody keeps by hand.
# Takes the folders of src/ and tests/unit/ as they are; gives src/sources.mk, which file is compiled into what, and one
# src/entries/KIND.def a kind of thing, a row X(name) for each source that ends in its entry: CG_OPS(name, ..),
# CG_PASS(name, ..), ..., and names.def, the names of each kind as signatures list them. Files that would not change are
# left alone. Run by autogen.sh, and by make when a source is newer.
set -eu
LC_ALL=C
export LC_ALL
cd "$(dirname "$0")/.."

# Writes what it reads, unless the file holds that already.
keep()      # file
{
    cat >"$1.tmp"
    if cmp -s "$1.tmp" "$1"; then rm "$1.tmp"; else mv "$1.tmp" "$1"; fi
}

sources()   { find "$@" -name '*.[ch]' -o -name '*.def' ! -path 'src/entries/*' | sort; }
rows()      { while read -r f; do printf '%s += %s\n' "$1" "$f"; done; }

# Compiled once for each instruction set: what has ops, and what their products are made of.
kernels='^src/(ops/[a-z0-9_]*|run/gemm/vector)\.c$'
# Made by the build (grammar/local.mk, Makefile.am), or a program of its own.
others='^src/lang/(cg_parse\.[ch]|cg_scan\.c|embed\.c|embedded\.[ch])$'

mkdir -p src/entries
{
    echo '# Written by src/sources.sh.'
    all=$(sources src | grep -Ev "$others")
    echo "$all" | grep -E "$kernels" | rows CG_OPS_SOURCES
    echo "$all" | grep '^src/tool/' | rows cg_SOURCES
    echo "$all" | grep -Ev "$kernels" | grep -v '^src/tool/' | rows libcgcore_la_SOURCES
    find tests/unit -name '*.c' ! -name '*_inner.c' | sed 's/\.c$//' | sort | rows check_PROGRAMS
} | keep src/sources.mk

for kind in $(cat src/kinds); do
    macro=CG_$(echo "$kind" | tr a-z A-Z)
    find src -name '*.c' -exec sed -n -e "/^$macro(\$/N" -e "s/^$macro([[:space:]]*\\([a-z0-9_]*\\).*/X(\\1)/p" '{}' + |
        sort -u | keep "src/entries/$kind.def"
done
{
    for kind in $(cat src/kinds); do
        list=$(sed 's/X(\(.*\))/\1/' "src/entries/$kind.def" | paste -sd, | sed 's/,/, /g')
        echo "#define CG_$(echo "$kind" | tr a-z A-Z)_NAMES \"$list\""
    done
} | keep src/entries/names.def
