# The unit programs: each is tests/unit/NAME.c (src/sources.sh lists them), prints TAP, and is run by tests/run.sh like every
# other case.
LDADD = libcgcore.la $(CG_LIBS)
# `cg plugin check` runs it, so it is installed.
pkglibexec_PROGRAMS = tests/op_lint
# Holds every object, as the program does: it loads plugins, too.
tests_op_lint_SOURCES = tests/lint/op_lint.c tests/lint/harness.c tests/lint/value.c tests/lint/graph.c tests/lint/slices.c \
	tests/lint/derivative.c tests/lint/rounded.c tests/lint/function.c tests/lint/reader.c tests/lint/lint.h
tests_op_lint_LDADD = $(cg_core_objects) $(CG_LIBS)
tests_op_lint_LDFLAGS = $(AM_LDFLAGS) -export-dynamic

# The functions that ops use within, compiled once for each processor, as the ops are.
check_LTLIBRARIES = libcginner_base.la
tests_unit_vmath_LDADD = libcginner_base.la
libcginner_base_la_SOURCES = tests/unit/vmath_inner.c
libcginner_base_la_CPPFLAGS = $(libcgops_base_la_CPPFLAGS)
libcginner_base_la_CFLAGS = $(libcgops_base_la_CFLAGS)
if ISA_AVX2
check_LTLIBRARIES += libcginner_avx2.la
tests_unit_vmath_LDADD += libcginner_avx2.la
libcginner_avx2_la_SOURCES = tests/unit/vmath_inner.c
libcginner_avx2_la_CPPFLAGS = $(libcgops_avx2_la_CPPFLAGS)
libcginner_avx2_la_CFLAGS = $(libcgops_avx2_la_CFLAGS)
endif
if ISA_AVX512
check_LTLIBRARIES += libcginner_avx512.la
tests_unit_vmath_LDADD += libcginner_avx512.la
libcginner_avx512_la_SOURCES = tests/unit/vmath_inner.c
libcginner_avx512_la_CPPFLAGS = $(libcgops_avx512_la_CPPFLAGS)
libcginner_avx512_la_CFLAGS = $(libcgops_avx512_la_CFLAGS)
endif
tests_unit_vmath_LDADD += $(LDADD)

# Fuzz targets with a plain driver: tests/fuzz.sh replays their corpus.
check_PROGRAMS += tests/fuzz/parse tests/fuzz/safetensors
tests_fuzz_parse_SOURCES = tests/fuzz/parse.c tests/fuzz/replay.c
check_PROGRAMS += tests/fuzz/plan
tests_fuzz_plan_SOURCES = tests/fuzz/plan.c tests/fuzz/replay.c
tests_fuzz_safetensors_SOURCES = tests/fuzz/safetensors.c tests/fuzz/replay.c
check_PROGRAMS += tests/fuzz/texts tests/fuzz/tokenizer
tests_fuzz_texts_SOURCES = tests/fuzz/texts.c tests/fuzz/replay.c
tests_fuzz_tokenizer_SOURCES = tests/fuzz/tokenizer.c tests/fuzz/replay.c
check_PROGRAMS += tests/fuzz/tensors tests/fuzz/tables tests/fuzz/store
tests_fuzz_tensors_SOURCES = tests/fuzz/tensors.c tests/fuzz/replay.c
tests_fuzz_tables_SOURCES = tests/fuzz/tables.c tests/fuzz/replay.c
tests_fuzz_store_SOURCES = tests/fuzz/store.c tests/fuzz/replay.c
check_PROGRAMS += tests/fuzz/script
tests_fuzz_script_SOURCES = tests/fuzz/script.c tests/fuzz/replay.c

# Words in ONLY choose cases: make check ONLY="errors/ unit/"
check-local:
	srcdir='$(srcdir)' builddir='$(builddir)' CC='$(CC)' MAKE='$(MAKE)' $(srcdir)/tests/run.sh $(ONLY)

# All that the tests run, without running it.
check-build: all
	$(MAKE) $(AM_MAKEFLAGS) $(check_PROGRAMS) $(check_LTLIBRARIES)
.PHONY: check-build

# The stated error of each vector function, over all floats. Minutes.
exhaustive: tests/unit/vmath
	tests/unit/vmath --exhaustive

# Random programs against themselves in other ways; `make check` runs the first 200. Minutes.
programs: tests/unit/programs
	tests/unit/programs 20000

# How often 10,000 intervals hold the truth.
coverage: tests/unit/stats tests/unit/claim
	tests/unit/stats --coverage 10000
	tests/unit/claim --looks

# A thousand random prompts, whose texts are those of the whole graph; `make check` tries 64.
prompts:
	CG_PROMPTS=1000 TIMEOUT=600 srcdir='$(srcdir)' builddir='$(builddir)' $(srcdir)/tests/run.sh cached.sh

# Scripts with a slip in them: 5,000 that are checked to an end whatever it is, 500 whose mistake is shown where it
# stands. In a build with --enable-sanitize what that finds counts, too. Minutes.
mutants: tests/unit/changed tests/unit/mutants
	CG_TEST_ALL=5000 srcdir='$(srcdir)' tests/unit/changed
	CG_TEST_ALL=500 srcdir='$(srcdir)' tests/unit/mutants

# Also what takes minutes.
check-all: check exhaustive programs coverage prompts mutants
	TORTURE=all KILLS=all TIMEOUT=3600 srcdir='$(srcdir)' builddir='$(builddir)' $(srcdir)/tests/run.sh torture.sh kills.sh
	PICTURES=all TIMEOUT=3600 srcdir='$(srcdir)' builddir='$(builddir)' $(srcdir)/tests/run.sh pictures.sh
	LARGE=all TIMEOUT=3600 srcdir='$(srcdir)' builddir='$(builddir)' $(srcdir)/tests/run.sh large.sh
	CG_TEST_ALL=yes TIMEOUT=600 srcdir='$(srcdir)' builddir='$(builddir)' $(srcdir)/tests/run.sh linear.sh
	CG_VALGRIND=yes TIMEOUT=600 srcdir='$(srcdir)' builddir='$(builddir)' $(srcdir)/tests/run.sh valgrind.sh
	CG_ONNX=yes TIMEOUT=1200 srcdir='$(srcdir)' builddir='$(builddir)' $(srcdir)/tests/run.sh onnx.sh
	CG_OPINFO=yes TIMEOUT=3600 srcdir='$(srcdir)' builddir='$(builddir)' $(srcdir)/tests/run.sh opinfo.sh
	CG_ISA=exact TIMEOUT=600 srcdir='$(srcdir)' builddir='$(builddir)' $(srcdir)/tests/run.sh op_lint.sh
	EMULATED=yes TIMEOUT=600 srcdir='$(srcdir)' builddir='$(builddir)' $(srcdir)/tests/run.sh exact.sh

# For aarch64, by a cross compiler and an emulator: language, unit and conformance tests, and one training whose bits are
# those of three kinds of x86.
check-arm:
	srcdir='$(srcdir)' MAKE='$(MAKE)' sh $(srcdir)/tests/arm/check.sh $(ONLY)
	EMULATED=yes ARM="$$(cd $(srcdir) && pwd)/build-arm/emulated/cg" TIMEOUT=600 srcdir='$(srcdir)' builddir='$(builddir)' \
		$(srcdir)/tests/run.sh exact.sh
.PHONY: check-arm
.PHONY: check-all exhaustive programs coverage prompts mutants

# Named one by one: a folder would bring the objects and programs of a build along.
EXTRA_DIST += $(shell cd '$(srcdir)' && find tests -type f ! -name '*.o' ! -name op_lint ! -path 'tests/unit/*' \
	! -path 'tests/fuzz/[a-z]*' && find tests/unit tests/fuzz -name '*.[ch]' && find tests/fuzz/corpus -type f)
