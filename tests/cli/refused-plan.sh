# Wrong calls of cg plan.
. cli/runtime/refused.sh
refused plan <<'CASES'

a.cg g more
a.cg g --dim B=2 --nope
a.cg g --dim B=2 --dump nope
a.cg g --dim B=2 --grad=x
a.cg g --dim B=2 --dim D=three
a.cg g --set width=3 --set more
a.cg g
a.cg nothing
a.cg g --dim B=3 --dim C=7
none.cg
folder
mistake.cg
bytes.cg
CASES
