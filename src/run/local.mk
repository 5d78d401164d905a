libcgcore_la_SOURCES += \
	src/run/blas.c src/run/blas.h \
	src/run/pool.c src/run/pool.h \
	src/run/random.c
