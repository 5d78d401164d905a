# Wrong calls of cg dot, beside those of dot-refused.sh.
. cli/runtime/refused.sh
refused dot <<'CASES'

a.cg g more
a.cg g --dim B=2 --nope
a.cg g --dim B=2 --stage nope
a.cg g --dim B=2 --dump nope
a.cg g --dim B=2 -T
a.cg g --dim B=2 -x
a.cg g --set width=3 --set more
a.cg g -o folder
a.cg g -o folder/none/a.dot
none.cg
folder
mistake.cg
bytes.cg
CASES
