# A training that stops and goes on ends in the bits of one that does not; nothing of the comparison is kept.
cg verify-resume cli/runtime/lm.cg --at 7 --set steps=20; echo "exit $?"
cg verify-resume cli/runtime/lm.cg --at 0 --set steps=4 --set patience=1 --set every=1; echo "exit $?"
cg verify-resume cli/runtime/sweep.cg --at 3 --only models.quick; echo "exit $?"
cg verify-resume cli/runtime/lm.cg; echo "exit $?"
echo 'show 1' >none.cg; cg verify-resume none.cg --at 3; echo "exit $?"
cg verify-resume cli/runtime/sweep.cg --at 3 --only models.quick --only models.slow; echo "exit $?"
find .cg/progress .cg/objects -type f | wc -l
