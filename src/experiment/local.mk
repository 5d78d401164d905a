# The sources of this layer are listed here
libcgcore_la_SOURCES += \
	src/experiment/metric.c src/experiment/metric.h \
	src/experiment/progress.c src/experiment/progress.h \
	src/experiment/stats.c src/experiment/stats.h \
	src/experiment/store.c src/experiment/store.h \
	src/experiment/store_index.c src/experiment/store_index.h \
	src/experiment/table.c src/experiment/table.h
