# An instruction set that there is none of is refused, not passed over.
CG_ISA=bas cg check a.cg 2>&1
echo "exit $?"
CG_ISA=base cg --version | grep kernels
