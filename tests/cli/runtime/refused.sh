# refused.sh - what the cases refused-*.sh share: files to be wrong about, and a call for each line of stdin.
# Takes `refused COMMAND` with arguments by line; gives each line, what the program wrote, its exit code.
cat >a.cg <<'CG'
option width: int = 3
graph g(x: f32[B, 2], out: int = 2) -> f32[B, out] {
    param w: f32[2, out] = 0.5
    return x @ w
}
show width
CG
printf 'x = 1 +\n' >mistake.cg
printf '\377\000\376\n' >bytes.cg
mkdir folder

refused()   # command
{
    while read -r args; do
        echo "\$ cg $1 $args"
        eval "cg $1 $args" 2>&1 </dev/null
        echo "exit $?"
    done
}
