#!/bin/sh
# onnx.sh - the node cases of the ONNX package as graphs: those that do not pass are the ones listed with their reasons.
# Takes CG and srcdir from the environment, CG_ONNX=yes to run at all (minutes; `make check-all`), PYTHON with the
# package onnx. Gives TAP.
skip() { echo "ok 1 - node cases of ONNX # SKIP $1"; echo 1..1; exit 0; }
[ "${CG_ONNX:-}" = yes ] || skip "make check-all runs it"
"${PYTHON:=python3}" -c 'import onnx' 2>/dev/null || skip "the Python package onnx is not installed"
. "$srcdir/tests/tap.sh"

"$PYTHON" "$srcdir/tests/conformance/onnx/reader.py" --compare "$srcdir/tests/conformance/onnx/not-passed.txt" >found 2>&1
code=$?
report $code "node cases of ONNX: $(grep 'cases pass$' found)" "$(cat found)"
finish
