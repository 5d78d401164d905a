# Wrong calls of cg and of cg help.
. cli/runtime/refused.sh
refused help <<'CASES'
nothing
E9999
aply
CASES
refused '' <<'CASES'
--nope
nothing
-x
CASES
