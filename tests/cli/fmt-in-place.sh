# A script is rewritten, a second time nothing changes, and --check names what is not canonical.
printf 'x=3\ny = [1,2]   # two\n' >a.cg
printf 'z = 2.385\n' >b.cg
cg fmt --check a.cg b.cg; echo "exit $?"
cg fmt a.cg b.cg; echo "exit $?"
cat a.cg b.cg
cg fmt --check a.cg b.cg; echo "exit $?"
