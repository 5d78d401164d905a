cg help >/dev/full
