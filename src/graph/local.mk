libcgcore_la_SOURCES += src/graph/attr.c src/graph/build.c src/graph/dim.c src/graph/graph.c src/graph/infer.c \
    src/graph/registry.c src/graph/text.c src/graph/type.c
