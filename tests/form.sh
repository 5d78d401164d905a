#!/bin/sh
# form.sh - the form of the C code: what .clang-format cannot say, and, where clang-format is installed, that too.
# Takes srcdir; gives TAP. A failure accuses the file and line it prints.
set -u
cd "${srcdir:-.}" || exit 1

. "${srcdir:-.}/tests/tap.sh"

files=$(find src include plugins tests bench examples -name '*.[ch]' |
    grep -v -e '^src/lang/\(embedded\|cg_parse\|cg_scan\)\.[ch]$' -e '^tests/fuzz/corpus' | sort)

# shellcheck disable=SC2086
none "no line is over 120 columns" "$(awk 'length($0) > 120 { print FILENAME ":" FNR }' $files)"
# shellcheck disable=SC2086
none "no function is over 80 lines" "$(awk '
    FNR == 1 { from = 0 }
    /^\{/ { from = FNR }
    /^\}/ { if (from && FNR - from + 1 > 80) print FILENAME ":" from ": " FNR - from + 1 " lines"; from = 0 }' $files)"
# shellcheck disable=SC2086
none "no macro is over 40 lines" "$(awk '
    FNR == 1 { from = 0 }
    !from && /^ *# *define .*\\$/ { from = FNR; next }
    from && !/\\$/ { if (FNR - from + 1 > 40) print FILENAME ":" from ": " FNR - from + 1 " lines"; from = 0 }' $files)"
if command -v clang-format >/dev/null && clang-format --version | grep -q 'version 14\.'; then
    # shellcheck disable=SC2086
    none "clang-format leaves everything as it is" "$(clang-format --dry-run $files 2>&1 | grep warning: | cut -d: -f1 | sort -u)"
else
    echo "ok 4 - clang-format leaves everything as it is # SKIP there is no clang-format 14"
fi
finish
