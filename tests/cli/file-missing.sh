cg opt missing.ir
