libcgcore_la_SOURCES += src/report/picture.h src/report/picture.c src/report/dot.h src/report/dot.c
