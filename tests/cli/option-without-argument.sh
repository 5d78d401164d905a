cg opt --pass
