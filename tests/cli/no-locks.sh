# Where files cannot be locked (some network file systems) a run says so; a second one beside it is refused, not let in.
CG_DEBUG=fault=nolock:1+; export CG_DEBUG
cg run cli/runtime/lm.cg --set steps=3 2>said >shown; echo "exit $?"; grep '^cg: ' said
ls .cg/locks
rm -r .cg
key=$(cg run cli/runtime/lm.cg --set steps=3 --dry-run | awk '/train/ { print $3 }')
: >.cg/locks/$key.lock.alone
cg run cli/runtime/lm.cg --set steps=3 2>said >shown; echo "exit $?"; grep -A9 'E09' said | grep -v '^ ' | sed 's/[0-9a-f]\{32\}/KEY/'
