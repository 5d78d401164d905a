# One training of a sweep that fails does not keep the others from being built; its row says so, and the exit code.
cg run cli/runtime/sweep.cg 2>said; echo "exit $?"
grep -c "^train models.*: [0-9]" said; grep error said | sed 's/first op.*/first op/'; grep saved said
echo "again:"
cg run cli/runtime/sweep.cg 2>said >shown; echo "exit $?"
grep "^train models.*: [0-9]\|^evaluate" said | cut -c1-40
