# What of plugins/ is built or shipped is listed here: EXTRA_DIST += plugins/x
