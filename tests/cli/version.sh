cg --version
