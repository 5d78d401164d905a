# Wrong calls of cg test.
. cli/runtime/refused.sh
refused test <<'CASES'

a.cg --nope
a.cg --set width=3 --set more
a.cg --set widht=3
a.cg --threads=all --set width=3
a.cg --only
a.cg --only nothing
none.cg
folder
mistake.cg
bytes.cg
CASES
