cg
