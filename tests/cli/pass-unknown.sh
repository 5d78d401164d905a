cg opt --pass=foldd x.ir
