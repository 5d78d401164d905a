# A script with mistakes is left as it is.
printf 'x = = 3\ny=4\n' >a.cg
cg fmt a.cg 2>&1; echo "exit $?"
cat a.cg
cg fmt missing.cg 2>&1; echo "exit $?"
