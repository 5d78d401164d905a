# The sources of this layer are listed here by: libcgcore_la_SOURCES += src/elab/x.c
libcgcore_la_SOURCES += \
	src/elab/body.c src/elab/call.c src/elab/custom.c src/elab/einstein.c src/elab/elab.h src/elab/env.c src/elab/eval.c src/elab/mark.c src/elab/model.c \
	src/elab/names.c src/elab/opcall.c src/elab/typing.c src/elab/value.c src/elab/value.h
