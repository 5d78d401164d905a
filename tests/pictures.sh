#!/bin/sh
# pictures.sh - pictures of every example, looked at by picture.awk: no arrow crosses the frame of an instance or a box
# that it has nothing to do with, none leaves the frame that both its ends are in, no label overlaps a box.
# Takes srcdir and CG; gives TAP. A failure accuses src/report/layout.c, dot_level.c or
# level_columns.c. Other programs that read DOT (gvpr, pydot) are asked where they are.
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
for kind in 'leaves frame' 'crosses frame' 'crosses box' 'overlaps box' 'in pieces'; do
    echo "$found" | grep -q "$kind"
    report $? "an arrow or label that $kind is found"
done

draw()      # script words..: folder/x.svg, what was said in folder/err
{
    picture=$1; shift
    (cd "$(dirname "$picture")" && "$CG" dot "$(basename "$picture")" "$@" -T svg) >"$folder/x.svg" 2>"$folder/err"
}
look()      # script words..
{
    draw "$@"
    found=$(wrong "$folder/x.svg")
    [ -z "$found" ]; report $? "$*" "$found$(cat "$folder/err")"
}
# On paper: A4 with margins of 10 mm, its smallest face, of 8 points, not below 6; depth 1 within 900 x 900 pixels.
fits()      # name wide high least: points, and how small it may be made
{
    size=$(sed -n 's/.*<svg width="\([0-9]*\)pt" height="\([0-9]*\)pt".*/\1 \2/p' "$folder/x.svg")
    echo "$size" | awk -v w="$2" -v h="$3" -v least="$4" '{ exit !(NF == 2 && w / $1 >= least && h / $2 >= least) }'
    report $? "$1" "$size"
}
# A few of each here, PICTURES=all has all: every example at every level, standing and lying.
for script in examples/*.cg tests/dot/*.cg; do
    look "$script" --depth=0
    look "$script" --depth=0 --landscape
    look "$script" --depth=0 --stage=graph
done
for script in examples/images.cg examples/paper/channel.cg; do
    look "$script" --landscape
done
for stage in grad opt tape; do
    look examples/regression.cg --depth=0 --stage=$stage
done
look examples/answers.cg --depth=0 --stage=opt
for script in examples/quickstart.cg examples/answers.cg examples/images.cg; do
    for stage in grad opt tape; do
        look "$script" --stage=$stage
        fits "$script at stage $stage on a page" 539 786 0.75
    done
done
no_graph()  # script: it has no graph of known sizes
{
    case $1 in */altered.cg | */facts.cg | */measures.cg | */pilot.cg | */setup.cg) ;; *) return 1 ;; esac
}
if [ "${PICTURES:-}" = all ]; then
    for script in examples/*.cg examples/paper/*.cg; do
        no_graph "$script" && continue
        for how in '' --landscape --depth=1 --depth=2 --depth=3 '--depth=0 --landscape' --depth=0 --stage=graph \
            --stage=grad --stage=opt --stage=tape '--depth=2 --stage=grad' '--depth=2 --stage=opt' '--depth=2 --stage=tape' \
            '--depth=0 --stage=graph' '--depth=0 --stage=grad' '--depth=0 --stage=opt' '--depth=0 --stage=tape'; do
            # shellcheck disable=SC2086
            look "$script" $how
            case $how in
            '' | --stage=*) fits "$script $how on a page" 539 786 0.75 ;;
            --landscape) fits "$script on a page that lies" 786 539 0.75 ;;
            esac
        done
    done
fi

for script in quickstart compress; do
    draw examples/$script.cg --depth=1; fits "$script at depth 1" 675 675 1
    draw examples/$script.cg --depth=2; fits "$script at depth 2 on a page" 539 786 0.75
    draw examples/$script.cg --depth=2 --landscape; fits "$script at depth 2 on a page that lies" 786 539 0.75
done
draw examples/answers.cg; fits "a picture of no given depth" 539 786 0.75

# What other programs that read DOT say of the text, where they are.
python=$(for p in python3 /usr/bin/python3 "${PYTHON:-python3}"; do "$p" -c 'import pydot' 2>/dev/null && echo "$p" && break; done)
read_by_others()    # script stage; where texts are asked for that are not here, any will do
{
    given='' any=$srcdir/doc/language.md
    case $1:$2 in */compress.cg:experiment) given="--set=web=$any --set=math=$any --set=code=$any" ;; esac
    # shellcheck disable=SC2086
    (cd "$(dirname "$1")" && "$CG" dot "$(basename "$1")" --stage="$2" --store="$folder/store" $given -o "$folder/x.dot") 2>"$folder/err"
    for reader in 'dot -Tsvg' 'gvpr -c N{label=name}' 'nop -p' gc acyclic 'unflatten -l 3' 'ccomps -s'; do
        command -v "${reader%% *}" >/dev/null || continue
        [ "$(wc -c <"$folder/x.dot")" -lt 100000 ] || [ "$reader" != 'dot -Tsvg' ] || reader='dot -Kosage -Tsvg'
        # shellcheck disable=SC2086
        timeout 60 $reader "$folder/x.dot" >"$folder/out" 2>>"$folder/err"
        case $? in 0 | 1) ;; *) echo "${reader%% *} ended with $?" >>"$folder/err" ;; esac  # acyclic, ccomps: 1 is an answer
    done
    [ -z "$python" ] || "$python" -c 'import sys, pydot; assert pydot.graph_from_dot_file(sys.argv[1])[0].get_name()' \
        "$folder/x.dot" >>"$folder/err" 2>&1
    none "$1 at stage $2 is read by other programs without a word" "$(cat "$folder/err")"
}
for stage in experiment model graph grad opt tape; do
    read_by_others examples/regression.cg $stage
    [ "${PICTURES:-}" = all ] || continue
    for script in examples/*.cg examples/paper/*.cg; do
        no_graph "$script" && continue
        read_by_others "$script" $stage
    done
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
hits()      # what is searched for: how many the page says there are, and their names in order
{
    after "document.getElementById(\"find\").value=\"$1\";find();document.title=document.getElementById(\"said\").textContent+\": \"+items().filter(e=>e.classList.contains(\"hit\")).map(e=>e.dataset.id).sort().join(\" \")" |
        sed -n 's/.*<title>\(.*\)<\/title>.*/\1/p' | head -1
}
tells()     # id: what the page says when the mouse is over it
{
    after "all(true);const e=items().find(e=>e.dataset.id===\"$1\");e.dispatchEvent(new MouseEvent(\"mousemove\",{bubbles:true}));const t=document.getElementById(\"tip\");document.title=t.style.display+\": \"+t.textContent.split(String.fromCharCode(10)).join(\" | \")" |
        sed -n 's/.*<title>\(.*\)<\/title>.*/\1/p' | head -1 | sed 's/&gt;/>/g'
}
through()   # how many arrows of the page lead through a title or a label when all is unfolded, and whether there are any
{
    after 'all(true);const m=document.getElementById("main"),B=[...m.querySelectorAll(".name text,.dim")].map(t=>t.getBBox()),inside=q=>B.some(b=>Math.abs(q.x-b.x-b.width/2)<b.width/2-1?Math.abs(q.y-b.y-b.height/2)<b.height/2-2:false);let n=0;for(const p of m.querySelectorAll("path:not(.tip)"))for(let s=0;s<p.getTotalLength();s+=2)if(inside(p.getPointAtLength(s))){n++;break}document.title=n+" through "+(B.length>20?"many":"few")' |
        sed -n 's/.*<title>\(.*\)<\/title>.*/\1/p' | head -1
}
is()        # name found wanted
{
    [ "$2" = "$3" ]; report $? "in a browser: $1" "$2"
}
if [ -n "$browser" ] && after '' >"$folder/shown" && grep -q '<svg' "$folder/shown"; then
    b=compressor.behind m=compressor.memory
    shows "closed as it opens" '!blocks.0.attn/matmul'
    after 'all(true)' >"$folder/shown"; shows "all unfolded" 'blocks.0.attn/matmul'
    after 'all(true);all(false)' >"$folder/shown"; shows "all folded" '!compressor.memory'
    after 'all(false);toggle(0)' >"$folder/shown"; shows "one unfolded" 'compressor.memory'
    is "search finds what is inside of a box" "$(hits 'take, mul')" "1 of 2: $b.embed/mul.0 $m.encoder.embed/mul.0"
    is "search counts, and says which" "$(hits swiglu)" "1 of 2: $b.blocks.0.ffn $m.encoder.blocks.0.ffn"
    is "search that finds nothing" "$(hits nowhere)" "0 found: "
    is "shape, ops and line of what the mouse is over" "$(tells $b.embed/mul.0 | sed 's/nn.cg:[0-9]*/nn.cg:LINE/')" \
        "block: $b.embed/mul.0 | embed: gain * take(table, ids) | table  shared  f32[256, 64] | gives f32[batch, 16, dim] | ops: take, mul | nn.cg:LINE: gain * take(table, ids)"
    is "and of a frame" "$(tells $b.blocks.0.ffn | sed 's/cg:[0-9]*/cg:LINE/')" \
        "block: $b.blocks.0.ffn | ffn: swiglu | transformer.cg:LINE: ffn(norm2(x))"
    is "no arrow leads through a title or a label" "$(through)" "0 through many"
    after 'document.dispatchEvent(new KeyboardEvent("keydown",{key:"+"}))' >"$folder/shown"; shows "keys" 'blocks.0.attn/matmul'
    after 'all(false);items()[0].focus();for(let i=0;i<9&&document.activeElement.dataset.frame===undefined;i++)document.dispatchEvent(new KeyboardEvent("keydown",{key:"ArrowDown"}));document.dispatchEvent(new KeyboardEvent("keydown",{key:"Enter"}))' >"$folder/shown"
    shows "arrows walk and Enter unfolds" 'compressor.memory'
    after 'document.getElementById("theme").click()' >"$folder/shown"
    grep -q '<html lang="en" class="\(dark\|light\)"' "$folder/shown"; report $? "in a browser: light and dark"
    after 'document.title=performance.getEntriesByType("resource").length+" requests"' >"$folder/shown"
    grep -q '<title>0 requests' "$folder/shown"; report $? "in a browser: no request"
    "$CG" dot examples/quickstart.cg --stage=grad -T html >"$folder/page.html" 2>"$folder/err"
    after 'document.title=D.levels[0].n.length+" boxes, "+new Set(D.levels[0].e.map(e=>e[5].join())).size+" ways"' >"$folder/shown"
    is "of a gradient, arrows between two frames are one, and gradients lie where they come from" \
        "$(sed -n 's/.*<title>\(.*\)<\/title>.*/\1/p' "$folder/shown" | head -1)" "7 boxes, 8 ways"
    cat >"$folder/narrow.cg" <<'EOF'
import std.nn
graph normed(x: f32[B, 8, 5, 7]) -> f32[B, 8, 5, 7] {
    name = group_norm(groups = 4)
    a_norm_of_a_long_name = group_norm(groups = 2)
    return relu(a_norm_of_a_long_name(name(x)))
}
EOF
    "$CG" dot "$folder/narrow.cg" -T html >"$folder/page.html" 2>"$folder/err"
    is "nor through the title of a frame that is as narrow as what is in it" "$(through)" "0 through few"
    "$CG" dot tests/dot/written.cg --overlay=parameters -T html >"$folder/page.html" 2>"$folder/err"
    is "numbers of what the mouse is over" "$(tells net/add.0 | sed 's/ | gives.*//')" \
        "block: net/add.0 | x @ wide + offset | wide  f32[8, 8] | offset  f32[8] | 72 parameters · 90.0%"
fi
finish
