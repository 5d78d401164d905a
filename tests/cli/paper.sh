# The experiments of the paper at the scale that only shows that all of it runs: every table has its rows, decoders stay as
# they are, and a second run makes nothing again.
paper="$srcdir/examples/paper"
settings="--set setup.scale=check --set setup.seeds=2"
cg run "$paper/table3.cg" $settings >shown 2>said || { tail -5 said; exit 1; }
shape() { sed -e 's/ *[-0-9.e]* ± .*//' -e 's/  */ /g' -e 's/ spearman .*//' shown | cut -c1-60; }
shape | sed '/^Raised on noise/,$d'
grep -A6 "^Raised on" shown | cut -c1-16
grep -c '^train [^:]*: .* steps of' said
sed -n 's/.*frozen tensors, digest \([0-9a-f]*\) before and \([0-9a-f]*\) after/\1 \2/p' said | awk '$1 != $2' | wc -l
echo "again:"
cg run "$paper/table3.cg" $settings >again 2>said || { tail -5 said; exit 1; }
cmp shown again && cat said
cg run "$paper/figure3.cg" $settings >shown 2>said || { tail -5 said; exit 1; }
shape
grep -c '^train [^:]*: .* steps of' said
wc -l <fig3a.csv
# One page of both: small, asks for nothing, all scores inside; where there is a browser, every figure is seen in light and dark.
cat >page.cg <<'PAGE'
cg 2
import figure3: by_kind, correlations, fig3a, fig3b
import setup
import table3: against_fitting, means, results, roles, samples, scores
def of(d) = filter(means, varied == "decoder" and to == d)
claim "a decoder raised on the text's own kind writes it better than the farthest" {
    expect mean(of("D1").f) > mean(of("D6").f) over seed
}
save report("Table 3", [
    claims(),
    { "Tables 3 and 5": [results, against_fitting, roles, samples], "Figure 3": [fig3a, fig3b, correlations, by_kind] },
    { Scores: scores },
]) as "page.html"
save scores as "scores.csv"
PAGE
CG_PATH=$paper cg run page.cg $settings >shown 2>said || { tail -5 said; exit 1; }
grep -c '^train [^:]*: .* steps of' said
[ "$(wc -c <page.html)" -lt 2000000 ] && echo small
grep -c 'src=\|href="[^#]\|@import\|url(\|left out' page.html
grep -c '<summary>where this comes from' page.html
grep -aoE '(,[0-9.e-]+){4}.?$' scores.csv | tr -d '\r' >inside  # texts have control characters, which a page spells
sed 's/\\x0d$//' page.html | grep -oE '(,[0-9.e-]+){4}$' >found
wc -l <inside; sort -u inside | while read -r row; do grep -qxF -e "$row" found || echo "missing: $row"; done
cat >look.js <<'LOOK'
function light(c){var v=c.match(/[\d.]+/g).map(Number);return v[3]===0?null:(v[0]+v[1]+v[2])/765}
function of(e,p){return light(getComputedStyle(e)[p])}
var page=of(document.body,"backgroundColor"),seen=[...document.querySelectorAll("figure svg")].filter(function(s){
var r=s.getBoundingClientRect(),behind=of(s,"backgroundColor"),t=s.querySelector("text");
return r.width>300&&r.height>200&&s.querySelector("circle,rect,path")&&
Math.abs(of(t,"fill")-(behind===null?page:behind))>0.5});
document.title=performance.getEntriesByType("resource").length+" requests, "+seen.length+" figures, "+(page>0.5?"light":"dark")
LOOK
{ grep -v '^</body>' page.html | sed 's#</body>.*##'; echo "<script>"; cat look.js; echo "</script></body></html>"; } >look.html
browser=$(command -v chromium || command -v chromium-browser || command -v google-chrome)
for scheme in 1 0; do
    [ $scheme = 1 ] && want="0 requests, 2 figures, light" || want="0 requests, 2 figures, dark"
    found=$([ -z "$browser" ] || HOME=$PWD timeout 60 "$browser" --headless --no-sandbox --disable-gpu --user-data-dir="$PWD/browser" \
        --blink-settings=preferredColorScheme=$scheme --dump-dom "file://$PWD/look.html" 2>/dev/null | grep -o '<title>[0-9][^<]*')
    [ -z "$found" ] || [ "$found" = "<title>$want" ] || echo "in a browser: $found"
done
