# Wrong calls of cg fmt.
. cli/runtime/refused.sh
refused fmt <<'CASES'

--nope a.cg
--check=yes a.cg
--dump=graph a.cg
--dump nope a.cg
none.cg
folder
a.cg mistake.cg
bytes.cg
--check none.cg mistake.cg a.cg
CASES
