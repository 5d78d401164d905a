# Commands that look at what is kept make no folder for it: one that is named and not there is an error.
for command in 'runs' 'runs 1' 'why 1 2' 'gc' 'store verify'; do
    cg $command --store=nowhere 2>&1; echo "exit $?"
done
CG_STORE=nowhere cg runs 2>&1; echo "exit $?"
ls nowhere 2>/dev/null
cg plugin check nowhere.so 2>&1; echo "exit $?"
