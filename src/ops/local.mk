# Compiled once for each instruction set; a new file also gets its row in sets.def.
CG_OPS_SOURCES += \
	src/ops/activation.c src/ops/adam.c src/ops/attention.c src/ops/attention_at.c src/ops/axis.c src/ops/binary.c src/ops/compare.c src/ops/custom.c src/ops/fused.c \
	src/ops/generate.c src/ops/index.c src/ops/leaf.c \
	src/ops/linear_loss.c src/ops/loss.c src/ops/matmul.c src/ops/norm.c src/ops/place.c src/ops/reduce.c src/ops/rope.c src/ops/shape.c \
	src/ops/softmax.c src/ops/unary.c
libcgcore_la_SOURCES += src/ops/attention_blocks.h src/ops/attention_heads.h src/ops/attention_small.h src/ops/corner.h src/ops/few.h src/ops/few_columns.h src/ops/few_turned.h src/ops/lanes.h src/ops/made.h src/ops/program.h src/ops/sets.def
