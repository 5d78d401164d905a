cg_SOURCES += \
	src/tool/cmd_apply.c \
	src/tool/cmd_bench.c \
	src/tool/cmd_check.c \
	src/tool/cmd_dot.c \
	src/tool/cmd_fmt.c \
	src/tool/cmd_help.c \
	src/tool/cmd_opt.c \
	src/tool/cmd_plan.c \
	src/tool/dump.c src/tool/dump.h \
	src/tool/given.c src/tool/given.h \
	src/tool/script.c src/tool/script.h \
	src/tool/cmd_run.c \
	src/tool/cmd_test.c \
	src/tool/commands.def \
	src/tool/main.c src/tool/tool.h \
	src/tool/options.c
