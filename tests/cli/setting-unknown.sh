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
