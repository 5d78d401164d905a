#!/bin/sh
# quickstart.sh - from a fresh clone to a figure, on a bare Debian or Ubuntu.
# Takes nothing, or the word `check`. Installs what is missing, builds in build/, then runs the first example, or all
# tests. Must not touch anything outside build/ but packages it names first.
set -u
cd "$(dirname "$0")" || exit 1
unset CDPATH

task=${1:-run}
case $task in
run | check) ;;
*)  echo "usage: sh quickstart.sh [check]" >&2; exit 2 ;;
esac

say()   { printf '%s\n' "$*"; }
stop()  { printf 'quickstart: %s\n' "$*" >&2; exit 1; }

# ---- packages -----------------------------------------------------------------------------------------------------

missing=''
command_from()  { command -v "$1" >/dev/null 2>&1 || missing="$missing $2"; }          # command package
package()       { dpkg-query -W -f '${Status}' "$1" 2>/dev/null | grep -q ' installed' || missing="$missing $1"; }

find_missing()
{
    missing=''
    command_from "${CC:-cc}" gcc
    command_from make make
    command_from autoreconf autoconf
    command_from automake automake
    command_from libtoolize libtool
    command_from pkg-config pkg-config
    command_from bison bison
    command_from flex flex
    command_from gnuplot gnuplot-nox
    command -v dpkg-query >/dev/null 2>&1 || return 0       # not Debian: configure says what else is missing
    for p in libc6-dev libopenblas-serial-dev libjansson-dev zlib1g-dev libxxhash-dev libsqlite3-dev libutf8proc-dev \
             libpcre2-dev libgraphviz-dev; do
        package $p
    done
}

install_missing()
{
    say "quickstart: these packages are missing:$missing"
    command -v apt-get >/dev/null 2>&1 || stop "there is no apt-get here; please install them by hand"
    root=''
    if [ "$(id -u)" -ne 0 ]; then
        command -v sudo >/dev/null 2>&1 || stop "please run as root: apt-get update && apt-get install -y$missing"
        root=sudo
        [ -t 0 ] || root='sudo -n'
    fi
    log=$(mktemp) || exit 1
    say "quickstart: installing them: $root apt-get install -y$missing"
    # shellcheck disable=SC2086
    { $root apt-get update && $root env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends $missing; } \
        >"$log" 2>&1 || {
        tail -15 "$log" >&2
        rm -f "$log"
        find_missing
        [ "$missing" != " gnuplot-nox" ] || return 0
        stop "that did not work. Please run as root: apt-get update && apt-get install -y$missing"
    }
    rm -f "$log"
}

find_missing
[ -z "$missing" ] || install_missing
find_missing
case $missing in
'')             ;;
' gnuplot-nox') say "quickstart: going on without gnuplot: figures will be CSV only" ;;
*)              stop "still missing:$missing" ;;
esac

# ---- build --------------------------------------------------------------------------------------------------------

mkdir -p build || exit 1
step()      # words, command ...: quiet unless it fails
{
    say "quickstart: $1"
    log=build/quickstart.log
    shift
    "$@" >>"$log" 2>&1 || { tail -40 "$log" >&2; stop "that failed; the whole output is in $log"; }
}
in_build()  { (cd build && "$@"); }

: >build/quickstart.log
[ -x configure ] && [ configure -nt configure.ac ] && [ Makefile.in -nt Makefile.am ] || step "making configure" ./autogen.sh
[ -f build/config.status ] && [ build/config.status -nt configure ] || step "configuring build/" in_build ../configure
step "compiling (a minute or two)" in_build make -j"$(nproc 2>/dev/null || echo 2)"

# ---- run ----------------------------------------------------------------------------------------------------------

if [ "$task" = check ]; then
    { in_build make check; echo $? >build/check.status; } 2>&1 | tee build/check.log
    summary=$(grep -E '^[0-9]+ passed, [0-9]+ failed$' build/check.log | tail -1)
    status=$(cat build/check.status)
    [ -n "$summary" ] || { summary='0 passed, 1 failed'; status=1; }
    say "$summary"
    exit "$status"
fi

say "quickstart: build/cg run examples/quickstart.cg"
build/cg run examples/quickstart.cg --store build/store || stop "the example failed"
build/cg dot examples/quickstart.cg -o build/quickstart.svg || stop "drawing the model failed"
say "quickstart: the model of the last training is drawn in $(pwd)/build/quickstart.svg"
