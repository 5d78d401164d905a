# The sources of the ops are listed here by: CG_OPS_SOURCES += src/ops/x.c (compiled once for each instruction set)
