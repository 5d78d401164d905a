# What the scripts about folders of models share: a folder is copied, changed, and what is said of it is judged.
export LC_ALL=C
cat >hf.cg <<'CG'
cg 2
import graphs.hf: hf
option folder: str = "bad"
m = hf(folder)
lm, tok = m.model, m.tok
graph use(ids: index(67)[B, T]) -> f32[] { return mean(lm(ids)) }
CG
n=0
run() { cg apply hf.cg use --set folder=bad --in 'ids=[[3, 7]]' >said 2>&1; }
copy() { # FAMILY: its folder, to be changed
    rm -rf bad
    cp -r conformance/hf/$1 bad
    family=$1
}
judge() { # FILE ENTRY: what is said of the changed folder
    n=$((n + 1))
    run
    code=$?
    line=$(grep -m 1 -E 'error|fault' said)
    case $code in 1 | 3) ;; *) echo "!! $family $1 $2: exit code $code" ;; esac
    grep -qF -- "$1" said || echo "!! $family $1 $2: the file is not named"
    grep -qF -- "$2" said || echo "!! $family $1 $2: the entry is not named"
    echo "$family $1, $2: $(printf '%s' "$line" | sed 's/^\(graphs.[a-z0-9]*.cg\):[0-9]*:[0-9]*: /\1: /' | cut -c 1-200)"
}
bad() { # FILE ENTRY EXPRESSION..: the file changed by sed
    file=$1 entry=$2
    shift 2
    copy $family
    chmod u+w bad/$file
    for change; do sed -i "$change" bad/$file; done
    ! cmp -s bad/$file conformance/hf/$family/$file || echo "!! $family $file $entry: nothing is changed"
    judge $file "$entry"
}
elsewhere() { # CHANGED FILE ENTRY EXPRESSION: what is said is of another file than the changed one
    copy $family
    chmod u+w bad/$1
    sed -i "$4" bad/$1
    judge "$2" "$3"
}
good() { # WHAT: it loads
    n=$((n + 1))
    if run; then echo "$family, $1: $(tail -1 said)"; else echo "!! $family, $1: $(grep -m 1 error said)"; fi
}
fine() { # WHAT FILE EXPRESSION..: the file changed by sed, and it loads
    what=$1 file=$2
    shift 2
    copy $family
    chmod u+w bad/$file
    for change; do sed -i "$change" bad/$file; done
    good "$what"
}
bytes() { # FILE ENTRY: what stands there is read from stdin
    copy $family
    cat >bad/$1.new
    mv -f bad/$1.new bad/$1
    judge "$1" "$2"
}
cut_at() { # FILE BYTES ENTRY: the file ends early
    copy $family
    head -c $2 conformance/hf/$family/$1 >bad/$1.new
    mv -f bad/$1.new bad/$1
    judge "$1" "$3"
}
