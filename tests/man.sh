#!/bin/sh
# man.sh - the manual page names every command and every option there is, and none that is not.
# Takes CG and srcdir from the environment; prints TAP. Accuses doc/cg.1 and what commands say of themselves.
set -u
page=$srcdir/doc/cg.1
. "${srcdir:-.}/tests/tap.sh"
commands=$("$CG" help | sed -n 's/^  \([a-z-]*\)  *.*/\1/p')
section() { awk -v c="$1" '/^\.S[SH] /{gsub(/\\-/, "-"); on = ($1 == ".SS" && $2 == "cg" && $3 == c)} on' "$page" | sed 's/\\-/-/g'; }
options() { "$CG" help "$1" | grep -o '^  \(-., \)\{0,1\}--[a-z-]*' | grep -o -e '--[a-z-]*'; }

none "every command has a section" "$(for c in $commands; do sed 's/\\-/-/g' "$page" | grep -q "^\.SS cg $c\( \|$\)" || echo "$c"; done)"
none "every section is a command" "$(sed 's/\\-/-/g; ' "$page" | sed -n 's/^\.SS cg \([a-z-]*\).*/\1/p' | while read -r c; do
    echo "$commands" | grep -qx "$c" || echo "$c"; done)"
none "every option is in its command's section" "$(for c in $commands; do
    [ "$c" = help ] || for o in $(options "$c"); do
        [ "$o" = --set ] || [ "$o" = --dump ] || section "$c" | grep -q -e "$o\b" || echo "$c $o"
    done; done)"
none "every option of a section is there" "$(for c in $commands; do
    section "$c" | grep '^\.B' | grep -o -e '--[a-z-]*' | while read -r o; do
        options "$c" | grep -qx -e "$o" || echo "$c $o"
    done; done)"
if command -v man >/dev/null; then
    none "it is set without complaint" "$(man --warnings -l "$page" 2>&1 >/dev/null)"
fi
finish
