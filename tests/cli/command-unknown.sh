cg hlep
