# What of bench/ is built or shipped is listed here: EXTRA_DIST += bench/x
