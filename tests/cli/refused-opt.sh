# Wrong calls of cg opt.
. cli/runtime/refused.sh
printf 'graph g {\n' >broken.ir
refused opt <<'CASES'

a.ir b.ir
--pass
--pass=nope a.ir
--pass=fold,nope broken.ir
--list=all
none.ir
folder
broken.ir
bytes.cg
CASES
