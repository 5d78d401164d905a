# The sources of this layer are listed here by: libcgcore_la_SOURCES += src/data/x.c
