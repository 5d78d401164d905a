# What of doc/ is built or shipped is listed here: EXTRA_DIST += doc/x
