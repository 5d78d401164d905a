#!/bin/sh
# layers.sh - the order of the layers, and the few doors to the outside, as tests.
# Takes srcdir and, after make, builddir; gives TAP. A failure accuses the file and line, or the objects, that it prints.
set -u
builddir=$(cd "${builddir:-.}" && pwd)
cd "${srcdir:-.}" || exit 1

. "${srcdir:-.}/tests/tap.sh"

# FILE:LINE:TEXT of all C files of src/ but the build's own program, with comments and strings blanked out.
code()
{
    find src -name '*.c' -o -name '*.h' -o -name '*.def' | sort | grep -v -e '^src/lang/\(embed\|embedded\|cg_parse\|cg_scan\)\.[ch]$' -e '^src/entries/' |
    xargs awk '
        FNR == 1 { inside = 0 }
        {
            s = $0; out = ""
            while (s != "") {
                if (inside) {
                    at = index(s, "*/")
                    if (!at) break
                    s = substr(s, at + 2); inside = 0
                } else if (match(s, /\/\*|"([^"\\]|\\.)*"/)) {
                    out = out substr(s, 1, RSTART - 1)
                    if (substr(s, RSTART, 2) == "/*") { inside = 1; s = substr(s, RSTART + 2) }
                    else { out = out "\"\""; s = substr(s, RSTART + RLENGTH) }
                } else { out = out s; break }
            }
            print FILENAME ":" FNR ":" out
        }'
}

includes=$(grep -rn '^ *# *include' src --include='*.[chl]' --include='*.def' | grep -v '^src/lang/embed')

none "a layer includes only itself and lower ones" "$(echo "$includes" | awk -F'[/:"]' '
    BEGIN { split("base lang graph ops run data table store elab stage report library experiment tool", l, " "); for (i in l) rank[l[i]] = i + 0 }
    /"entries\/[a-z_]*\.def"/ { next }     # lists written by sources.sh are data, not a layer
    match($0, /"[a-z]+\//) {
        to = substr($0, RSTART + 1, RLENGTH - 2)
        if (!(to in rank) || rank[to] > rank[$2]) print
    }')"
none "src/ops includes only <cg/...>, the C library and itself" \
    "$(echo "$includes" | grep '^src/ops/' | grep '"' | grep -v '"ops/')"
none "installed headers include only <cg/...> and the C library" "$(grep -n '# *include *"' include/cg/*.h)"
none "only run/gemm/blas.c knows the matrix library" "$(echo "$includes" | grep 'cblas\.h\|openblas' | grep -v '^src/run/gemm/blas\.c:')"
none "threads are in run/pool.c and run/ahead.c, locks where tables are shared" "$(echo "$includes" | grep '<pthread\.h>\|<threads\.h>' |
    grep -v '^src/\(run/pool\|run/ahead\|run/gemm/blas\|run/gemm/gemm\|base/intern\|data/pretoken\|graph/dim\|graph/attr\|graph/registry\|graph/subgraph\|elab/function\)\.c:')"
none "only report/dot*.c draw with GraphViz" "$(echo "$includes" | grep 'cgraph\.h\|gvc\.h\|dot_inside\.h' | grep -v '^src/report/dot[a-z_]*\.[ch]:')"
none "only base/io.c opens, reads, writes and names files" "$(code | grep -v '^src/base/\(io\|child\|fault\|stop\)\.c:' | grep -E \
    '(^|[^A-Za-z0-9_.>])(open|openat|creat|fopen|fdopen|freopen|read|pread|write|pwrite|rename|mmap|munmap|mkdir|mkdtemp|mkstemp|opendir|readdir|unlink|rmdir|remove|truncate|ftruncate|fsync|stat|lstat|fstat|access|glob)[ ]*\(')"
none "only base/child.c starts programs" "$(code | grep -v '^src/base/child\.c:' | grep -E \
    '(^|[^A-Za-z0-9_.>])(system|popen|fork|vfork|exec[lv]p?e?|posix_spawnp?)[ ]*\(')"
none "nothing below tool/ ends the program, but base/base.c, a signal base/stop.c, and copies of it base/child.c" "$(code | grep -v '^src/\(tool\|base/base\|base/child\|base/stop\)[/.]' |
    grep -E '(^|[^A-Za-z0-9_.>])(exit|_exit|_Exit|abort|quick_exit|longjmp|setjmp|assert)[ ]*\(')"
# Names of ops, classes and kinds of values, as their entries say them.
named=$({ grep -rhoE '\.name = "[a-z_.0-9]+"' src/ops | sed 's/.*"\(.*\)"/\1/'
    grep -rhoE '^[A-Z_]*OP\(([a-z_0-9]+)' src/ops | sed 's/.*(//'
    sed 's/X(\(.*\))/\1/' src/entries/class.def
    sed -n 's/.*\[CG_KIND_[A-Z]*\] = { "\([a-z]*\)".*/\1/p' src/elab/kinds.c; } | sort -u | tr '\n' ' ')
# Written operators, `and` and `or`, are no names of ops, and neither fields of a block, nor strings of a script (words, stages,
# sizes of a file) are classes. To build a node of an op by name is no comparison.
none "nothing outside of src/ops compares with the name of an op, class or kind" "$(
    grep -rnE 'strn?cmp\(|[!=]= *cg_(intern|op_get|op_find|op_named)\(|cg_ref_is\(' src include --include='*.[ch]' | grep -v '^src/ops/' |
    grep -v -e 'strcmp(\(x->\)*op, "' -e 'args\.at\[i\]\.name, "' -e 'at\[[A-Z0-9]*\]->s, "' -e '\(stage\|field\|a->name\|t->atom\), "' \
        -e '^src/lang/resolve\.c:.*(name, "\(batch\|model\)")' -e 'init->s, "none"' -e 'how->choice' | awk -v named="$named" '
        BEGIN { n = split(named, w, " "); for (i = 1; i <= n; i++) is[w[i]] = 1 }
        {
            s = $0
            while (match(s, /(strn?cmp\([^;"]*|cg_ref_is\([^;"]*|cg_[a-z_]*\()"[a-z_.0-9]+"/)) {
                word = substr(s, RSTART, RLENGTH)
                s = substr(s, RSTART + RLENGTH)
                sub(/"$/, "", word)
                sub(/.*"/, "", word)
                if (word in is) { print; break }
            }
        }')"
none "every file of C opens with a comment that says what it takes and gives" "$(find src include tests plugins -name '*.[ch]' |
    grep -v '^src/lang/\(embedded\|cg_parse\|cg_scan\)\.' | sort | while read -r f; do
    case $(head -c 3 "$f") in '/* ') ;; *) echo "$f" ;; esac; done)"

# Objects that need each other. Of the objects named on stdin: "USER NEEDED" lines, each without the folder .libs and
# the name of the library. Entries are found by lists (src/entries), so whoever looks through a list needs none of them.
entries=$(while read -r kind; do sed -n "s/^X(\(.*\))/cg_${kind}_\1 cg_${kind}_entry_\1/p" "src/entries/$kind.def"; done <src/kinds)
needs()
{
    xargs nm -A -P -g | awk -v entries="$entries" '
        BEGIN { n = split(entries, e); for (i = 1; i <= n; i++) listed[e[i]] = 1; n = 0 }
        { file = $1; sub(/:$/, "", file); sub(/.*\/src\//, "", file); sub(/\.libs\//, "", file); sub(/\[.*/, "", file)
          sub(/lib[a-z]*_la-/, "", file) }
        $3 == "U" { used[++n] = file " " $2; next }
        $3 != "w" && $3 != "v" { home[$2] = file }
        END { for (i = 1; i <= n; i++) { split(used[i], u, " ")
            if (u[2] in home && !(u[2] in listed) && home[u[2]] != u[1] && !seen[u[1], home[u[2]]]++)
                print u[1], home[u[2]] } }'
}
circles()   { tsort 2>&1 >/dev/null; } # names the members of every circle

# All that are built of sources that are there; ops need nothing of each other and are compiled once a processor.
objects()
{
    find src -name '*.c' ! -path 'src/ops/*' ! -name embed.c | sort | sed 's|\(.*\)/\(.*\)\.c$|\1 \2|' | while read -r folder name; do
        for o in "$builddir/$folder/.libs/$name.o" "$builddir/$folder"/.libs/lib*_la-"$name.o" "$builddir/$folder/$name.o"; do
            [ ! -f "$o" ] || { echo "$o"; break; }
        done
    done
}
# Lines whose two objects are both of these.
but()       { awk -v of="$*" 'BEGIN { n = split(of, o); for (i = 1; i <= n; i++) is[o[i] ".o"] = 1 } !(($1 in is) && ($2 in is))'; }

needed=$(objects | needs)
report "$([ "$(objects | wc -l)" -gt 240 ]; echo $?)" "the objects of all layers are built"
# The evaluator evaluates what it calls; the text of a graph holds the text of graphs that are its attributes.
evaluator="elab/eval elab/call elab/body elab/comprehension elab/slice elab/typing elab/contract elab/param elab/replace elab/custom
    elab/env elab/option elab/define elab/define_body"
none "no objects need each other in a circle, but the evaluator's files, and the graph's text and subgraph" \
    "$(echo "$needed" | but $evaluator | but graph/text graph/subgraph | circles)"
none "no object needs one of a higher layer" "$(echo "$needed" | awk '
    BEGIN { split("base lang graph ops run data table store elab stage report library experiment tool", l, " "); for (i in l) rank[l[i]] = i + 0 }
    { split($1, a, "/"); split($2, b, "/"); if (rank[b[1]] > rank[a[1]]) print }')"

# And a circle is found: three objects of which each needs the next.
made=$(mktemp -d)
mkdir -p "$made/src/x/.libs"
for pair in a:b b:c c:a; do
    echo "int ${pair%:*}(void); int ${pair#*:}(void); int ${pair%:*}(void) { return ${pair#*:}(); }" >"$made/${pair%:*}.c"
    ${CC:-cc} -c -o "$made/src/x/.libs/${pair%:*}.o" "$made/${pair%:*}.c"
done
found=$(ls "$made"/src/x/.libs/*.o | needs | circles | grep -c 'x/[abc]\.o')
rm -r "$made"
report "$([ "$found" = 3 ]; echo $?)" "a circle of three objects is found" "$found of 3 named"
finish
