# Compiled once for each instruction set, like the ops.
CG_OPS_SOURCES += src/run/gemm_vector.c
libcgcore_la_SOURCES += \
	src/run/blas.c src/run/blas.h \
	src/run/decode.c src/run/decode.h \
	src/run/elementwise.c \
	src/run/exec.c src/run/exec.h \
	src/run/gemm.c src/run/gemm.h src/run/gemm_bf16.c src/run/gemm_vector.h src/run/gemm_soft.c src/run/gemm_soft.h \
	src/run/grant.c src/run/grant.h \
	src/run/peak.c src/run/peak.h \
	src/run/plan.c src/run/plan.h src/run/plan_inside.h \
	src/run/plan_bind.c src/run/plan_copy.c src/run/plan_expand.c src/run/plan_layout.c src/run/plan_memory.c \
	src/run/plan_order.c src/run/plan_over.c src/run/plan_print.c src/run/plan_rounded.c src/run/plan_verify.c src/run/plan_waves.c \
	src/run/pool.c src/run/pool.h \
	src/run/profile.c src/run/profile.h \
	src/run/random.c \
	src/run/tensor.c src/run/tensor.h \
	src/run/trace.c src/run/trace.h
