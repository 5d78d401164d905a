# `make bench`: cg and PyTorch in turns (PYTHON names a python with torch); see bench/README.md.
# built by `make check`, too, so that they stay programs
check_PROGRAMS += bench/decode bench/encode bench/gemm bench/products
bench_decode_LDADD = libcgcore.la $(CG_LIBS)
bench_encode_LDADD = libcgcore.la $(CG_LIBS)
bench_gemm_LDADD = libcgcore.la $(CG_LIBS)
bench_products_LDADD = libcgcore.la $(CG_LIBS)
EXTRA_DIST += bench/README.md bench/run.sh bench/decode.sh bench/table.awk bench/pytorch/bench.py bench/pytorch/decode.py \
	bench/base.cg bench/compress.cg bench/micro.cg bench/nodes.cg bench/ops.cg bench/pytorch/ops.py \
	bench/small.cg bench/tiny.cg bench/toy.cg

.PHONY: bench
bench: cg$(EXEEXT) bench/decode$(EXEEXT)
	CG=./cg$(EXEEXT) $(SHELL) $(srcdir)/bench/run.sh
