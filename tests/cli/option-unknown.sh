cg opt --pas=fold x.ir
