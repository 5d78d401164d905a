# Wrong calls of cg run.
. cli/runtime/refused.sh
refused run <<'CASES'

a.cg more.cg
a.cg --nope
a.cg --set width=3 --nope
a.cg --set width=3 --set
a.cg --set width=3 --set more
a.cg --set width=3 --set widht=4
a.cg --set width=three
a.cg --dump nope --set width=3
a.cg --seed first --set width=3
a.cg --threads 0 --set width=3
a.cg --threads 1000 --set width=3
a.cg --store=
a.cg --store ""
none.cg
folder
mistake.cg
bytes.cg
CASES
