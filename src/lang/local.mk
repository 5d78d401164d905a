libcgcore_la_SOURCES += \
	src/lang/ast.h src/lang/fmt.h src/lang/module.h src/lang/parse.h src/lang/parsing.h \
	src/lang/attach.c \
	src/lang/build.c \
	src/lang/fmt.c \
	src/lang/fmt_expr.c \
	src/lang/module.c \
	src/lang/parse.c \
	src/lang/print.c \
	src/lang/syntax.c \
	src/lang/tokens.c
