libcgcore_la_SOURCES += \
	src/base/arena.c src/base/arena.h \
	src/base/base.c src/base/base.h \
	src/base/child.c src/base/child.h \
	src/base/diag.c src/base/diag.def src/base/diag.h src/base/diag_list.h \
	src/base/diag_text.c \
	src/base/digest.c src/base/digest.h \
	src/base/err.c src/base/err.h \
	src/base/intern.c src/base/intern.h \
	src/base/io.c src/base/io.h \
	src/base/map.c src/base/map.h \
	src/base/source.c src/base/source.h \
	src/base/strbuf.c src/base/strbuf.h \
	src/base/suggest.c src/base/suggest.h \
	src/base/timing.c src/base/timing.h \
	src/base/vec.h
