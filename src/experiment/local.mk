# The sources of this layer are listed here
libcgcore_la_SOURCES += \
	src/experiment/bench.c src/experiment/bench.h \
	src/experiment/builtins_data.c src/experiment/builtins_graph.c src/experiment/builtins_table.c \
	src/experiment/builtins_plot.c src/experiment/builtins_tokenizer.c src/experiment/figure.h \
	src/experiment/evaluate.c src/experiment/experiment.c src/experiment/experiment.h \
	src/experiment/memory.c src/experiment/stage.h src/experiment/stage_build.c src/experiment/train.c \
	src/experiment/training.c src/experiment/training.h src/experiment/write.c \
	src/experiment/metric.c src/experiment/metric.h \
	src/experiment/progress.c src/experiment/progress.h \
	src/experiment/testing.c src/experiment/testing.h \
	src/experiment/stats.c src/experiment/stats.h \
	src/experiment/store.c src/experiment/store.h \
	src/experiment/store_index.c src/experiment/store_index.h \
	src/experiment/table.c src/experiment/table.h src/experiment/table_text.c \
	src/experiment/target.c src/experiment/target.h
