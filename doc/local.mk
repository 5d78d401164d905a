# The pages are read where they are.
EXTRA_DIST += doc/findings.md doc/internals.md doc/language.md doc/ops.md doc/performance.md
dist_man_MANS = doc/cg.1
