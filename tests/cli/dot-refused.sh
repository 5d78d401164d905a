# What cannot be drawn is refused with what can.
cat >a.cg <<'CG'
graph twice(x: f32[B, D]) -> f32[B, D] { return x + x }
n = 3
CG
cg dot a.cg -T sgv 2>&1; echo "exit $?"
cg dot a.cg --stage=gradd 2>&1; echo "exit $?"
cg dot a.cg n 2>&1; echo "exit $?"
cg dot a.cg 'twce' 2>&1; echo "exit $?"
cg dot a.cg --dim B 2>&1; echo "exit $?"
cg dot a.cg -o picture.svg; echo "exit $?"; head -c 5 picture.svg; echo
cg dot a.cg --dim B=5 --stage=graph --flat | grep -o 'f32\[5, D\]' | sort | uniq -c
cg dot a.cg --stage=experiment -T svg 2>&1; echo "exit $?"
cat >wide.cg <<'CG'
import std.nn
graph wide(x: f32[B, D]) -> f32[B, 3] { d = dense(out = 3)
    return d(x) }
CG
cg dot wide.cg 2>&1 | grep -v '^ '; cg dot wide.cg --dim D=5 | grep -c 'f32\[5, 3\]'
