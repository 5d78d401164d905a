# Wrong calls of cg check.
. cli/runtime/refused.sh
refused check <<'CASES'

--nope a.cg
a.cg --set width=3 --sett width=4
a.cg --set width
a.cg --set width=3 --set width=four
a.cg --dim B
a.cg --dump nope
a.cg --dump=graph --dim B=2 --dim D
none.cg a.cg
folder
a.cg mistake.cg
bytes.cg
CASES
