#!/bin/sh
# op_lint.sh - every claim that every op makes of itself.
# Takes builddir from the environment; gives the TAP of the program tests/op_lint, which make check builds.
exec "$builddir/tests/op_lint"
