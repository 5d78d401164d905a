libcgcore_la_SOURCES += src/graph/attr.c src/graph/build.c src/graph/cut.c src/graph/dim.c src/graph/grad.c src/graph/graph.c src/graph/infer.c \
    src/graph/pass.c src/graph/pass_dce.c src/graph/pass_fold.c src/graph/pass_forget.c src/graph/pass_fuse.c src/graph/pass_places.c \
    src/graph/pass_recognise.c src/graph/pass_recompute.c src/graph/pass_step.c src/graph/pass_unite.c \
    src/graph/registry.c src/graph/rule.c src/graph/text.c src/graph/type.c
libcgcore_la_SOURCES += src/graph/cut.h src/graph/dim.h src/graph/grad.h src/graph/graph.h src/graph/pass.def src/graph/pass.h \
    src/graph/registry.h src/graph/step.h src/graph/text.h
