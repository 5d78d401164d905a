#!/bin/sh
# run.sh - the one runner of the tests.
# Takes [--update] [--jobs N] [WORD ...]: cases whose name contains one of the words, or all. Gives TAP, one process and
# one scratch folder a case, and at the end the line `N passed, N failed`. What a folder proves: tests/README.md.
# From the environment: srcdir, builddir, CG (the program), TIMEOUT (seconds a case), EMULATOR (what runs unit programs that
# are for another machine).
set -u
LC_ALL=C
export LC_ALL

here=$(cd "$(dirname "$0")" && pwd)
srcdir=$(cd "${srcdir:-$here/..}" && pwd)
for guess in "${builddir:-}" "$srcdir/build" "$srcdir" .; do
    [ -n "$guess" ] && [ -x "$guess/cg" ] && break
done
builddir=$(cd "$guess" && pwd)
CG=${CG:-$builddir/cg}
top_builddir=$builddir
TIMEOUT=${TIMEOUT:-120}
CG_PATH=$srcdir/tests/modules${CG_PATH:+:$CG_PATH}
export srcdir builddir top_builddir CG TIMEOUT CG_PATH
PATH=$(dirname "$CG"):$builddir:$PATH
NO_COLOR=1
# Asking for more memory than there is must fail, not end the program, also under the sanitizers.
ASAN_OPTIONS=allocator_may_return_null=1:${ASAN_OPTIONS:-}
LSAN_OPTIONS=suppressions=$srcdir/tests/lsan.supp:print_suppressions=0:${LSAN_OPTIONS:-}
export PATH NO_COLOR ASAN_OPTIONS LSAN_OPTIONS

# ---- one case -----------------------------------------------------------------------------------------------------

# Compares what was found with a golden; a line `...` of the golden stands for any lines, `[..]` for any text in a line.
same()      # golden found
{
    if [ -f "$1" ]; then
        cmp -s "$1" "$2" && return 0
        if grep -q -e '^\.\.\.$' -e '\[\.\.\]' "$1" && awk -f "$srcdir/tests/glob.awk" "$1" "$2"; then
            return 0
        fi
    fi
    [ "$update" = no ] || { cp "$2" "$1"; return 0; }
    [ -f "$1" ] || { echo "there is no golden ${1#"$srcdir"/}; --update writes it"; return 1; }
    diff -u "$1" "$2" | sed -e "1s|.*|--- ${1#"$srcdir"/}|" -e '2s|.*|+++ found|'
    return 1
}

# A command's exit code must be the one given; otherwise says so and shows what it wrote.
expect_code()   # wanted got
{
    [ "$1" = "$2" ] && return 0
    echo "exit code $2, expected $1"
    [ "$2" = 124 ] && echo "(stopped after $TIMEOUT seconds)"
    sed 's/^/stderr: /' ../err 2>/dev/null | head -40
    return 1
}

# The arguments a script asks for: `# args: --set steps=3` among its first lines.
args_of()   { sed -n '1,5s/^# args: //p' "$1" | head -1; }

case_errors()   # x.cg: stderr and exit code of `cg check`, of `cg run` when the first line says `# run`
{
    verb=check
    case $(head -1 "$1") in '# run'*) verb=run ;; '# test'*) verb=test ;; esac
    # shellcheck disable=SC2046
    timeout "$TIMEOUT" "$CG" $verb $(args_of "$1") "$1" >../out 2>../err; code=$?
    [ "$code" -lt 124 ] || { expect_code 1 "$code"; return; }       # a crash, or no end: never what is wanted
    { cat ../err; echo "exit $code"; } >../found
    same "$srcdir/tests/${1%.cg}.err" ../found
}

case_stdout()   # x.cg with x.out: stdout of `cg run`
{
    # shellcheck disable=SC2046
    timeout "$TIMEOUT" "$CG" run "$1" $(args_of "$1") >../out 2>../err; code=$?
    expect_code 0 $code && same "$srcdir/tests/${1%.cg}.out" ../out
}

case_lang()     # x.cg: stdout of `cg run` is the texts after `# expect: `, in order; its test blocks hold
{
    sed -n 's/^.*# expect: \{0,1\}//p' "$1" >../want
    if grep -q '^test "' "$1"; then
        # shellcheck disable=SC2046
        timeout "$TIMEOUT" "$CG" test "$1" $(args_of "$1") >../out 2>&1; code=$?
        grep -q '^[1-9][0-9]* passed, 0 failed$' ../out || { cat ../out; echo "exit code $code"; return 1; }
        [ -s ../want ] || return 0
    fi
    # shellcheck disable=SC2046
    timeout "$TIMEOUT" "$CG" run "$1" $(args_of "$1") >../out 2>../err; code=$?
    expect_code 0 $code || return 1
    [ -s ../want ] || { echo "the script expects nothing"; return 1; }
    cmp -s ../want ../out && return 0
    grep -q '\[\.\.\]' ../want && awk -f "$srcdir/tests/glob.awk" ../want ../out && return 0
    diff -u ../want ../out | sed -e '1s/.*/--- expected/' -e '2s/.*/+++ found/'
    return 1
}

case_ir()       # x.ir with x.PASS.ir: the text after one pass
{
    status=1
    for golden in "$srcdir/tests/${1%.ir}".*.ir; do
        [ -f "$golden" ] || { echo "there is no golden ${1%.ir}.PASS.ir"; return 1; }
        pass=${golden#"$srcdir/tests/${1%.ir}".}
        timeout "$TIMEOUT" "$CG" opt "$1" --pass="${pass%.ir}" >../out 2>../err
        expect_code 0 $? && same "$golden" ../out || return 1
        status=0
    done
    return $status
}

case_print()    # x.cg with x.SUFFIX: stdout of `cg COMMAND x.cg`
{
    # shellcheck disable=SC2046
    timeout "$TIMEOUT" "$CG" "$2" "$1" $(args_of "$1") >../out 2>../err
    expect_code 0 $? && same "$srcdir/tests/${1%.cg}.$3" ../out
}

case_fmt()      # x.cg with x.out: the canonical text, which is its own canonical text
{
    timeout "$TIMEOUT" "$CG" fmt - <"$1" >../out 2>../err
    expect_code 0 $? || return 1
    timeout "$TIMEOUT" "$CG" fmt - <../out >../again 2>../err
    expect_code 0 $? || return 1
    cmp -s ../out ../again || { echo "formatting twice differs from once:"; diff -u ../out ../again; return 1; }
    same "$srcdir/tests/${1%.cg}.out" ../out
}

case_cli()      # x.sh: stdout = x.out, stderr = x.err if there is one, exit code = x.code or 0
{
    base=$srcdir/tests/${1%.sh}
    timeout "$TIMEOUT" sh "$1" >../out 2>../err; code=$?
    wanted=0
    [ -f "$base.code" ] && wanted=$(cat "$base.code")
    [ "$update" = no ] || { [ $code = 0 ] && rm -f "$base.code" || echo $code >"$base.code"; wanted=$code; }
    expect_code "$wanted" $code || return 1
    same "$base.out" ../out || { sed 's/^/stderr: /' ../err; return 1; }
    [ ! -f "$base.err" ] || same "$base.err" ../err
}

case_tap()      # path name [sh]: a program or script that prints TAP itself
{
    timeout $((TIMEOUT * 5)) ${3:-} "$1" >../out 2>../err; code=$?
    grep -aE '^(not )?ok ' ../out | sed -e 's/^\(not ok\|ok\) *[0-9]* *-* */\1 - /' -e "s|^\(not ok\|ok\) - |\1 - $2: |"
    if [ $code -ne 0 ] || ! grep -aq '^ok ' ../out; then
        grep -aq '^not ok ' ../out || echo "not ok - $2: exit code $code"
        grep -av '^ok ' ../out | tail -40 | sed 's/^/# /'
        tail -40 ../err | sed 's/^/# /'
    fi
}

# Prints the result lines of the case; runs in a scratch folder that has every folder of tests/ under its own name.
one()       # name
{
    scratch=$(mktemp -d "${TMPDIR:-/tmp}/cg-test.XXXXXX") || exit 1
    trap 'rm -rf "$scratch"' EXIT
    mkdir "$scratch/work" && cd "$scratch/work" || exit 1      # what the runner notes stays outside
    ln -s "$srcdir"/tests/*/ .
    case $1 in
    unit/*)     case_tap "$builddir/tests/$1" "$1" "${EMULATOR:-}"; return ;;
    */*)        ;;
    *.sh)       case_tap "$srcdir/tests/$1" "$1" sh; return ;;
    esac
    # A case that is not where its suffix says what it is: its golden does.
    {
        case $1 in
        ir/*)       case_ir "$1" ;;
        plan/*)     case_print "$1" plan out ;;
        dot/*)      case_print "$1" dot dot ;;
        fmt/*)      case_fmt "$1" ;;
        *.sh)       case_cli "$1" ;;
        errors/*)   case_errors "$1" ;;
        *)          if [ -f "$srcdir/tests/${1%.cg}.err" ]; then case_errors "$1"
                    elif [ -f "$srcdir/tests/${1%.cg}.out" ]; then case_stdout "$1"
                    else case_lang "$1"
                    fi ;;
        esac
    } >../report 2>&1
    status=$?
    if [ $status -eq 0 ]; then echo "ok - $1"; else echo "not ok - $1"; fi
    [ $status -eq 0 ] || sed 's/^/# /' ../report
}

# ---- all cases ----------------------------------------------------------------------------------------------------

cases()
{
    cd "$srcdir/tests" || exit 1
    for f in *.sh; do
        case $f in run.sh | tap.sh) ;; *) echo "$f" ;; esac
    done
    for f in unit/*.c; do
        [ -x "$builddir/tests/${f%.c}" ] && echo "${f%.c}"
    done
    for f in lang/*.cg errors/*.cg limit/*.cg plan/*.cg dot/*.cg fmt/*.cg cli/*.sh limit/*.sh; do
        [ -f "$f" ] && echo "$f"
    done
    for f in ir/*.ir; do
        case ${f#ir/} in *.*.ir | '*.ir') ;; *) echo "$f" ;; esac
    done
}

update=no jobs=$(nproc 2>/dev/null || echo 2) one='' words=''
while [ $# -gt 0 ]; do
    case $1 in
    --update)   update=yes ;;
    --jobs)     jobs=$2; shift ;;
    --one)      one=$2; shift ;;
    --into)     into=$2; shift ;;
    -*)         echo "usage: tests/run.sh [--update] [--jobs N] [WORD ...]" >&2; exit 2 ;;
    *)          words="$words $1" ;;
    esac
    shift
done

if [ -n "$one" ]; then
    [ -z "${UPDATE:-}" ] || update=yes
    report=$into/$(echo "$one" | tr / ,)
    (one "$one") >"$report" 2>&1
    times >"$report.times"
    exit 0
fi
[ -x "$CG" ] || { echo "run.sh: there is no program '$CG'; run make first" >&2; exit 2; }

results=$(mktemp -d "${TMPDIR:-/tmp}/cg-results.XXXXXX") || exit 1
trap 'rm -rf "$results"' EXIT
trap 'exit 130' INT TERM
cases | while read -r name; do
    [ -z "$words" ] && echo "$name"
    for word in $words; do
        case $name in *"$word"*) echo "$name"; break ;; esac
    done
done >"$results/list"
[ $update = no ] || { UPDATE=yes; export UPDATE; }
xargs -P "$jobs" -I '{}' sh "$here/run.sh" --into "$results" --one '{}' <"$results/list"

# Processor time, children and all, in whole seconds: of all cases, and of the ten that took most.
longest()
{
    find "$results" -name '*.times' -exec awk '
        FNR == 2 {
            gsub(/s/, ""); split($1, user, "m"); split($2, system_, "m"); sub(/.*\//, "", FILENAME)
            printf "%.2f %s\n", 60 * (user[1] + system_[1]) + user[2] + system_[2], substr(FILENAME, 1, length(FILENAME) - 6)
        }' {} + | tr , / | sort -rn |
        awk '{ all += $1 } NR <= 10 { most = most sprintf(" %.0f %s", $1, $2) } END { printf "%.0f in all;%s", all, most }'
}

while read -r name; do
    cat "$results/$(echo "$name" | tr / ,)" 2>/dev/null || echo "not ok - $name: no result"
done <"$results/list" | awk -v longest="$(longest)" '
    /^ok /     { passed += !/# *[Ss][Kk][Ii][Pp]/; skipped += /# *[Ss][Kk][Ii][Pp]/; sub(/^ok/, "ok " ++n) }
    /^not ok / { failed++; sub(/^not ok/, "not ok " ++n); bad = bad "\n#   " $0 }
    { print }
    END {
        print "1.." n
        if (skipped) print "# " skipped " skipped"
        if (n > 1000) print "# seconds of processor time: " longest
        if (failed) print "# failed:" bad
        print passed + 0 " passed, " failed + 0 " failed"
        exit failed || !n
    }'
