# Wrong calls of cg bench.
. cli/runtime/refused.sh
refused bench <<'CASES'

a.cg g more
a.cg --peaks
a.cg g --dim B=2 --nope
a.cg g --dim B=2 --fold
a.cg g --dim B=2 --fold 101
a.cg g --dim B=2 --fold half
a.cg g --dim B=2 --steps 0
a.cg g --dim B=2 --warmup -1
a.cg g --dim B=2 --threads 257
a.cg g --dim B
a.cg g --dim B=2 --dim D=0
a.cg g --dim B=2 --set width=3 --set more
a.cg g --dim B=2 --steps 1 --trace folder/none/trace.json
a.cg nothing
a.cg g
none.cg
folder
mistake.cg
bytes.cg
CASES
