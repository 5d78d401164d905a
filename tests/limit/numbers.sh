# The ends of 64-bit integers and of floats: a value, or a message at the operator.
while read -r expression; do
    echo "show $expression" >a.cg
    echo "$expression: $(cg run a.cg 2>&1 | head -1)"
done <<'CASES'
9223372036854775807
9223372036854775808
-9223372036854775807 - 1
9223372036854775807 + 1
-9223372036854775807 - 2
3037000500 * 3037000500
(-9223372036854775807 - 1) / -1
(-9223372036854775807 - 1) % -1
(-9223372036854775807 - 1) / 1
-(-9223372036854775807 - 1)
7 / 0
7 % 0
2 ^ 62
2 ^ 63
1e308 * 10
1e400
inf - inf
0 * inf
0 .. -1
[i for i in 9223372036854775805 .. 9223372036854775807]
CASES
