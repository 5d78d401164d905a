# The parser and the scanner are made here and shipped, so that a tarball needs neither bison nor flex. Their code is
# not ours, so it is compiled with fewer warnings, in a library of its own.
EXTRA_DIST += grammar/cg.y grammar/cg.l grammar/cg.ebnf grammar/foreign.def grammar/hints.def grammar/words.def
noinst_LTLIBRARIES += libcggrammar.la
libcgcore_la_LIBADD += libcggrammar.la
libcggrammar_la_SOURCES = src/lang/cg_parse.c src/lang/cg_parse.h src/lang/cg_scan.c
libcggrammar_la_CFLAGS = $(CG_C) -O2 -fvisibility=hidden $(CG_WARN) -Wno-conversion -Wno-shadow -Wno-sign-compare \
	-Wno-unused-function -Wno-unused-parameter -Wno-unused-but-set-variable
BUILT_SOURCES += src/lang/cg_parse.h
MAINTAINERCLEANFILES = src/lang/cg_parse.c src/lang/cg_parse.h src/lang/cg_scan.c

src/lang/cg_parse.c: $(srcdir)/grammar/cg.y
	$(AM_V_GEN)$(MKDIR_P) src/lang && $(BISON) -Wall -Werror --header=src/lang/cg_parse.h -o $@ $(srcdir)/grammar/cg.y
src/lang/cg_parse.h: src/lang/cg_parse.c
	@test -f $@ || { rm -f src/lang/cg_parse.c && $(MAKE) $(AM_MAKEFLAGS) src/lang/cg_parse.c; }
src/lang/cg_scan.c: $(srcdir)/grammar/cg.l $(srcdir)/grammar/words.def
	$(AM_V_GEN)$(MKDIR_P) src/lang && $(FLEX) -o $@ $(srcdir)/grammar/cg.l
