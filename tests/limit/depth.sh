# The deepest there may be is fine, one more is a message: terms, brackets, blocks, calls.
many()      # count text
{
    awk -v n="$1" -v text="$2" 'BEGIN { for (i = 0; i < n; i++) printf "%s", text }'
}
try()       # name script: what it shows, or the first line of the message without its place
{
    printf '%s\n' "$2" >script.cg
    echo "$1: $(cg run script.cg 2>&1 | head -1 | sed 's/.*error/error/')"
}
try "500 levels of terms" "show 1$(many 499 ' + 1')"
try "501 levels of terms" "show 1$(many 500 ' + 1')"
try "20000 terms" "show 1$(many 20000 ' + 1')"
try "500 signs" "show $(many 499 -)1"
try "100000 signs" "show $(many 100000 -)1"
try "10000 powers" "show 1$(many 10000 ^1)"
try "400 choices" "show $(many 400 'if true then ')7$(many 400 ' else 0')"
try "10000 choices" "show $(many 10000 'if true then ')7$(many 10000 ' else 0')"
try "199 brackets" "show $(many 199 '(')5$(many 199 ')')"
try "100000 brackets" "show $(many 100000 '(')"
try "150 blocks" "graph g(x: f32[B]) -> f32[B] { $(many 150 'if true { ') x = 2 * x $(many 150 '} ') return x } show 3"
try "100000 blocks" "graph g(x: f32[B]) -> f32[B] { $(many 100000 'if true { ')"
calls()     # count: each function calls the one before
{
    awk -v n="$1" 'BEGIN { print "def f0(x) = x"; for (i = 1; i < n; i++) printf "def f%d(x) = f%d(x) + 1\n", i, i - 1; printf "show f%d(0)\n", n - 1 }'
}
try "190 calls" "$(calls 190)"
try "5000 calls" "$(calls 5000)"
try "a function of itself" "def f(n) = if n == 0 then 0 else f(n - 1) show f(100000)"
try "names in terms of names" "$(awk 'BEGIN { print "a0 = 1"; for (i = 1; i < 5000; i++) printf "a%d = a%d + 1\n", i, i - 1; print "show a4999" }')"
try "a range too long" "show [i for i in 0..3000000000]"
head -c 4194305 /dev/zero | tr '\0' ' ' >script.cg
cg check script.cg 2>&1 | head -1
