#!/bin/sh
# opinfo.sh - values and derivatives that PyTorch found for samples of its functions, met within 1e-7 in f64.
# Takes CG and srcdir from the environment: the sample in conformance/opinfo/sample.cg, a megabyte, needs nothing else. With
# CG_OPINFO=yes (minutes; `make check-all`) and PYTHON with PyTorch and its test samples all are made anew, and no function passes
# fewer than conformance/opinfo/passed.txt says. Gives TAP.
. "$srcdir/tests/tap.sh"
here="$srcdir/tests/conformance/opinfo"

sh "$here/library64.sh" "$srcdir/stdlib" >nn64.cg && cp "$here/sample.cg" sample.cg
"$CG" test sample.cg >found 2>said
report $? "samples of PyTorch's functions: $(tail -1 found)" "$(grep '^not ok' found; head -20 said)"
# a number that is not PyTorch's is seen
awk '/^test / && n++ == 100 { exit } { print }' sample.cg |
    awk '/ = tensor\(/ && !/bool/ { last = NR } { line[NR] = $0 } END { for (i = 1; i <= NR; i++) { if (i == last) sub(/[0-9]\.[0-9]/, "77.5", line[i]); print line[i] } }' >wrong.cg
"$CG" test wrong.cg >found 2>&1
[ $? -eq 1 ] && grep -q '^99 passed, 1 failed$' found
report $? "a number that differs is found" "$(tail -3 found)"
if [ "${CG_OPINFO:-}" = yes ] && "${PYTHON:=python3}" -c 'import torch.testing._internal.common_methods_invocations' 2>/dev/null; then
    "$PYTHON" "$here/reader.py" --compare "$here/passed.txt" >found 2>said
    report $? "all samples: $(grep 'samples of' found)" "$(grep 'the list says' found; tail -3 said)"
fi
finish
