cg help opt
