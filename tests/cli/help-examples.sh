# Each code that `cg help` has an example for is what that script is refused with, and nothing else; the codes without one.
codes=$(cg help codes | sed -n 's/^  \(E[0-9]*\).*/\1/p')
for code in $codes; do
    rm -rf try && mkdir try && cd try || exit 1
    cg help "$code" | sed -n '/^For example:/,$s/^    //p' >example.cg
    [ -s example.cg ] || { echo "$code has none"; cd ..; continue; }
    sed -n 's/^# in \([^:]*\):.*/\1/p' example.cg | while read -r file; do
        times=$(expr "$file" : '.*, \([0-9]*\) lines') || times=1
        to=${file%%,*}
        mkdir -p "$(dirname "$to")"
        yes "$(sed -n "s|^# in $file: *||p" example.cg | grep .)" | head -"$times" | grep . >"$to"
    done
    debug=$(sed -n 's/^# CG_DEBUG=\([^ ]*\) cg .*/\1/p' example.cg)
    command=$(sed -n 's/^# \(CG_DEBUG=[^ ]* \)\{0,1\}cg //p' example.cg)
    # shellcheck disable=SC2086
    CG_DEBUG=$debug cg ${command:-check example.cg} >out 2>err
    found=$(sed -n 's/.*[a-z]\[\(E[0-9]*\)\].*/\1/p' err | sort -u | tr '\n' ' ')
    [ "$found" = "$code " ] || { echo "$code: found $found"; cat err; }
    cd ..
done
