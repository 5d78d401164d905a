# An option that the script does not have, and a value that is not of its type.
printf 'option steps: int = 3\nshow steps\n' > a.cg
cg run a.cg --set stepz=4
echo "exit $?"
cg run a.cg --set steps=four
echo "exit $?"
cg run a.cg --set steps=4
cg run a.cg --set steps=99999999999999999999
echo "exit $?"
printf 'import a\nshow steps\n' > b.cg
cg run b.cg --set steps=4
echo "exit $?"
cg run b.cg --set a.steps=4
printf 'option rate: float = 0.1\nshow rate\n' > c.cg
for rate in 1e999 0x10 '2.385 ' '' inf 2.385e-3; do cg run c.cg --set rate="$rate" 2>&1 | head -1; done
