# tap.sh - the lines of a script that prints TAP. Sourced by the scripts of this folder, and no case itself.
# Takes results; gives `ok` and `not ok` lines, numbered, and at the end their count.
n=0 failed=0
report()    # status name text: the text shows what went wrong
{
    n=$((n + 1))
    if [ "$1" = 0 ]; then echo "ok $n - $2"; return; fi
    echo "not ok $n - $2"
    [ -z "${3:-}" ] || echo "$3" | sed 's/^/# /'
    failed=1
}

# Passes when nothing was found.
none()      # name found
{
    if [ -z "$2" ]; then report 0 "$1"; else report 1 "$1" "$2"; fi
}

finish()    # the last line of a script
{
    echo "1..$n"
    exit $failed
}
