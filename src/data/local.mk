# The sources of this layer are listed here
libcgcore_la_SOURCES += \
	src/data/bpe.c src/data/bpe.h \
	src/data/bpe_inside.h \
	src/data/bpe_json.c \
	src/data/bpe_train.c \
	src/data/corpus.c src/data/corpus.h \
	src/data/draw.c src/data/draw.h \
	src/data/npy.c \
	src/data/pretoken.c src/data/pretoken.h \
	src/data/safetensors.c \
	src/data/synth.c src/data/synth.h \
	src/data/synth_arithmetic.c \
	src/data/synth_code.c \
	src/data/synth_grammar.c \
	src/data/synth_json.c \
	src/data/synth_kinds.h \
	src/data/tensorfile.c src/data/tensorfile.h \
	src/data/tensorfile_inside.h \
	src/data/tokenizer.c src/data/tokenizer.h \
	src/data/window.c src/data/window.h
