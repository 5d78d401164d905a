# The sources of this layer are listed here
libcgcore_la_SOURCES += \
	src/experiment/metric.c src/experiment/metric.h
