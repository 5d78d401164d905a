#!/bin/sh
# pictures.sh - pictures of every example, looked at by picture.awk: no arrow crosses the frame of an instance or a box
# that it has nothing to do with, none leaves the frame that both its ends are in, no label overlaps a box.
# Takes srcdir and CG; gives TAP. A failure accuses src/report/layout.c or dot_level.c. Other programs that read DOT
# (gvpr, pydot) are asked where they are.
set -u
cd "${srcdir:-.}" || exit 1
srcdir=$(pwd)
. "$srcdir/tests/tap.sh"
"$CG" dot "$srcdir/tests/dot/block.cg" -T svg >/dev/null 2>&1 || { echo "ok 1 - without GraphViz there is nothing to look at"; echo 1..1; exit 0; }
folder=$(mktemp -d "${TMPDIR:-/tmp}/cg-pictures.XXXXXX") || exit 1
trap 'rm -rf "$folder"' EXIT
CG_STORE=$folder/store
export CG_STORE

wrong()     # svg: what is wrong with it, or that it is no picture
{
    grep -q '</svg>' "$1" || { echo "no picture"; return; }
    awk -f "$srcdir/tests/picture.awk" "$1"
}

# A picture as GraphViz alone lays it out: the test would be none if it found nothing there.
found=$(wrong "$srcdir/tests/pictures/before.svg"; wrong "$srcdir/tests/pictures/planted.svg")
for kind in 'leaves frame' 'crosses frame' 'crosses box' 'overlaps box'; do
    echo "$found" | grep -q "$kind"
    report $? "an arrow or label that $kind is found"
done

for script in examples/*.cg examples/paper/table3.cg tests/dot/*.cg; do
    for how in --depth=1 --depth=0 '--depth=0 --landscape' '--depth=0 --stage=graph' '--depth=1 --stage=grad'; do
        # shellcheck disable=SC2086
        (cd "$(dirname "$script")" && "$CG" dot "$(basename "$script")" $how -T svg) >"$folder/x.svg" 2>"$folder/err"
        found=$(wrong "$folder/x.svg")
        [ -z "$found" ]; report $? "$script $how" "$found$(cat "$folder/err")"
    done
done
# What other programs that read DOT say of the text, where they are.
python=$(for p in python3 /usr/bin/python3 "${PYTHON:-python3}"; do "$p" -c 'import pydot' 2>/dev/null && echo "$p" && break; done)
for stage in experiment model graph grad opt tape; do
    (cd examples && "$CG" dot regression.cg --stage=$stage --store="$folder/store" -o "$folder/x.dot") 2>"$folder/err"
    for reader in 'dot -Kosage -Tcanon' 'gvpr -c N{label=name}' 'nop -p' gc acyclic 'unflatten -l 3' 'ccomps -s'; do
        command -v "${reader%% *}" >/dev/null || continue
        # shellcheck disable=SC2086
        timeout 60 $reader "$folder/x.dot" >"$folder/out" 2>>"$folder/err"
        case $? in 0 | 1) ;; *) echo "${reader%% *} ended with $?" >>"$folder/err" ;; esac  # acyclic, ccomps: 1 is an answer
    done
    [ -z "$python" ] || "$python" -c 'import sys, pydot; assert pydot.graph_from_dot_file(sys.argv[1])[0].get_name()' \
        "$folder/x.dot" >>"$folder/err" 2>&1
    none "stage $stage is read by other programs without a word" "$(cat "$folder/err")"
done

# The page of HTML asks for nothing, and what it does is done in a browser where there is one.
"$CG" dot examples/quickstart.cg -T html >"$folder/page.html" 2>"$folder/err"
none "a page of HTML names nothing outside of it" \
    "$(cat "$folder/err"; grep -noE '(src|href)=|url\(|import |fetch\(|https?://[^"]*' "$folder/page.html" | grep -v 'http://www.w3.org/2000/svg$')"
browser=$(command -v chromium || command -v chromium-browser || command -v google-chrome)
after()     # javascript: the page after it, as text
{
    sed "s#</body>#<script>$1</script></body>#" "$folder/page.html" >"$folder/after.html"
    HOME=$folder timeout 60 "$browser" --headless --no-sandbox --disable-gpu --user-data-dir="$folder/browser" \
        --dump-dom "file://$folder/after.html" 2>/dev/null
}
shows()     # name text: the page has, below its picture, what is written so; or, behind !, has not
{
    case $2 in
    !*) ! sed -n '/<main/,/<\/main>/p' "$folder/shown" | grep -q "${2#!}" ;;
    *)  sed -n '/<main/,/<\/main>/p' "$folder/shown" | grep -q "$2" ;;
    esac
    report $? "in a browser: $1"
}
if [ -n "$browser" ] && after '' >"$folder/shown" && grep -q '<svg' "$folder/shown"; then
    shows "closed as it opens" '!blocks.0.attn/softmax'
    after 'all(true)' >"$folder/shown"; shows "all unfolded" 'blocks.0.attn/softmax'
    after 'all(true);all(false)' >"$folder/shown"; shows "all folded" '!compressor.memory'
    after 'all(false);toggle(0)' >"$folder/shown"; shows "one unfolded" 'compressor.memory'
    after 'document.getElementById("find").value="softmax";find()' >"$folder/shown"
    shows "search opens what hides what it finds" 'class="box op hit"'
    grep -q '1 of [1-9]' "$folder/shown"; report $? "in a browser: search counts"
    after 'document.dispatchEvent(new KeyboardEvent("keydown",{key:"+"}))' >"$folder/shown"; shows "keys" 'blocks.0.attn/softmax'
    after 'document.getElementById("theme").click()' >"$folder/shown"
    grep -q '<html lang="en" class="\(dark\|light\)"' "$folder/shown"; report $? "in a browser: light and dark"
    after 'document.title=performance.getEntriesByType("resource").length+" requests"' >"$folder/shown"
    grep -q '<title>0 requests' "$folder/shown"; report $? "in a browser: no request"
fi
finish
