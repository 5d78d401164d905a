#!/bin/sh
# scripts.sh - every script that comes with cg is in canonical form, without mistakes and without warnings.
# Takes srcdir and CG; gives TAP. A failure accuses the script, or what changed under it.
set -u
cd "${srcdir:-.}" || exit 1
. "${srcdir:-.}/tests/tap.sh"
checked()   # script: experiments over seeds with two of them, which is all that differs; a module with what imports it
{
    case $(cat "$1") in
    *'import setup'*)
        [ "$1" = examples/paper/report.cg ] || ! grep -q "^import $(basename "$1" .cg)\>" examples/paper/report.cg || return 0
        "$CG" check "$1" --set setup.seeds=2 ;;
    *)  "$CG" check "$1" ;;
    esac
}
for script in $(find stdlib graphs examples bench plugins -name '*.cg' | sort); do
    case $script in
    plugins/*)  found=$("$CG" fmt --check "$script" 2>&1) ;;       # checking needs the plugin built: plugin.sh
    *)          found=$("$CG" fmt --check "$script" 2>&1 && checked "$script" 2>&1) ;;
    esac
    status=$?
    case $found in *'warning['*) status=1 ;; esac
    report $status "$script" "$found"
done
finish
