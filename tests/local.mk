# The unit programs: each is tests/unit/NAME.c, prints TAP, and is run by tests/run.sh like every other case.
LDADD = libcgcore.la $(CG_LIBS)
