libcgcore_la_SOURCES += \
	src/report/bench.c src/report/bench.h \
	src/report/dot.c src/report/dot.h \
	src/report/figure.c src/report/figure.h \
	src/report/gnuplot.c \
	src/report/json.c src/report/json.h \
	src/report/picture.c src/report/picture.h src/report/picture_fold.c src/report/picture_inside.h \
	src/report/profile.c src/report/profile.h \
	src/report/trace.c src/report/trace.h
