# E0109: five million bytes are no script; they are refused at once.
yes 'x = 3 # more and more' | head -c 5000000 >long.cg
cg fmt long.cg 2>&1
