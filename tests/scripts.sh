#!/bin/sh
# scripts.sh - every script that comes with cg is in canonical form, without mistakes and without warnings.
# Takes srcdir and CG; gives TAP. A failure accuses the script, or what changed under it.
set -u
cd "${srcdir:-.}" || exit 1
. "${srcdir:-.}/tests/tap.sh"
for script in $(find stdlib graphs examples bench plugins -name '*.cg' | sort); do
    case $script in
    plugins/*)  found=$("$CG" fmt --check "$script" 2>&1) ;;       # checking needs the plugin built: plugin.sh
    *)          found=$("$CG" fmt --check "$script" 2>&1 && "$CG" check "$script" 2>&1) ;;
    esac
    status=$?
    case $found in *'warning['*) status=1 ;; esac
    report $status "$script" "$found"
done
finish
