# Integers given as text arrive exactly, and are shown exactly; what is no element of the tensor is refused.
cat >i.cg <<'CG'
graph i64s(x: i64[N]) -> i64[N] { return x + 1 }
graph i32s(x: i32[N]) -> i32[N] { return x }
graph bools(x: bool[N]) -> bool[N] { return not x }
graph f32s(x: f32[N]) -> f32[N] { return x / 2 }
graph f64s(x: f64[N]) -> f64[N] { return x / 2 }
graph f16s(x: f16[N]) -> f32[N] { return cast(x, f32) }
CG
while read -r graph x; do
    echo "\$ $graph $x"
    cg apply i.cg $graph --in "x=$x" >shown 2>said; code=$?
    cat shown; grep -o 'E[0-9]*\].*' said; echo "exit $code"
done <<'CASES'
i64s [9007199254740993,-9007199254740995,9223372036854775806]
i64s [3e3,4.0]
i64s [9007199254740993.0]
i64s [2.5]
i32s [2147483647,-2147483648]
i32s [3000000000]
i32s [-2147483649]
bools [true,false,1,0]
bools [5]
f32s [1e300]
f32s [16777217]
f32s [16777217.0,16777216]
f64s [1e300]
f64s [9007199254740993]
f16s [65504,2.385]
f16s [2049]
f16s [70000.5]
CASES
