#!/bin/sh
# scripts.sh - every script that comes with cg is in canonical form and without mistakes.
# Takes srcdir and CG; gives TAP. A failure accuses the script, or what changed under it.
set -u
cd "${srcdir:-.}" || exit 1
n=0 failed=0
for script in $(find stdlib graphs examples bench plugins -name '*.cg' | sort); do
    n=$((n + 1))
    case $script in
    plugins/*)  found=$("$CG" fmt --check "$script" 2>&1) ;;       # checking needs the plugin built: plugin.sh
    *)          found=$("$CG" fmt --check "$script" 2>&1 && "$CG" check "$script" 2>&1) ;;
    esac && echo "ok $n - $script" && continue
    echo "not ok $n - $script"
    echo "$found" | sed 's/^/# /'
    failed=1
done
echo "1..$n"
exit $failed
