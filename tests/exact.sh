#!/bin/sh
# exact.sh - with --exact the bits of results are those of any machine and any number of threads, and can be published.
# Takes srcdir, CG; with EMULATED=yes also qemu-x86_64 and, in ARM, the program of an aarch64 build and how it is run.
# Prints TAP. A failure accuses src/ops, src/run/gemm/vector.c, src/experiment/published.c or the flags of Makefile.am.
set -eu
srcdir=$(cd "${srcdir:-.}" && pwd)
scratch=$(mktemp -d "${TMPDIR:-/tmp}/cg-exact.XXXXXX")
trap 'rm -rf "$scratch"' EXIT
trap 'exit 130' INT TERM
. "$srcdir/tests/tap.sh"
cp "$srcdir/examples/quickstart.cg" "$scratch/q.cg"
cd "$scratch"
options="--quiet --exact --set pretraining=2 --set tuning=5"
# What is published by a run of a kind.
published()     # name, command ...
{
    name=$1; shift
    CG_STORE=$scratch/store.$name "$@" run q.cg $options --publish=$name.json >shown.$name 2>said.$name || cat said.$name
    [ "$name" = one ] || cmp one.json $name.json 2>&1 || :
    [ "$name" = one ] || cmp shown.one shown.$name 2>&1 || :
}
none "one thread" "$(published one "$CG" | cat; [ "$(grep -c '"digest"' one.json)" -gt 5 ] || echo few; )"
threads() { shift; "$CG" run --threads=3 "$@"; }
none "three threads" "$(published three threads)"
# What the C library and the matrix library do for older processors.
older() { GLIBC_TUNABLES=glibc.cpu.hwcaps=-AVX512F,-AVX2,-FMA,-AVX2_Usable,-FMA_Usable OPENBLAS_CORETYPE=Prescott CG_ISA=base "$CG" "$@"; }
none "libraries for a processor without AVX" "$(published older older)"
if [ "${EMULATED:-no}" = yes ]; then
    nehalem() { qemu-x86_64 -cpu Nehalem "$CG" "$@"; }
    haswell() { qemu-x86_64 -cpu Haswell "$CG" "$@"; }
    none "an emulated processor with SSE4.2 alone" "$(published nehalem nehalem)"
    none "one with AVX2" "$(published haswell haswell)"
    [ -z "${ARM:-}" ] || none "an emulated aarch64" "$(published arm $ARM)"
fi

replay() { code=0; "$CG" replay "$@" --quiet >log 2>&1 || code=$?; echo "$code $(tail -1 log)"; }
none "a replay agrees" "$(replay one.json | grep -v '^0 it agrees$'; grep -v -e 'agrees, [0-9a-f]\{32\} (rebuilt)$' -e '^it agrees$' log)"
none "and is kept beside the file" "$(replay one.json | grep -v '^0 it agrees$'; grep -q 'built by an earlier replay' log || cat log)"
sed '0,/"digest": "[0-9a-f]/s/"digest": "./"digest": "x/; s/"x/"0/' one.json | sed '0,/"digest": "0\(...\)/s//"digest": "0fff/' >other.json
none "another digest does not" "$(cmp -s one.json other.json && echo same; replay other.json --store=one.json.replay | grep -v '^1 it does NOT agree$'; [ "$(grep -c DIFFERS log)" = 1 ] || cat log)"
sed -i 's/optimizer = adamw(rate = cosine(peak = 4e-3/optimizer = adamw(rate = cosine(peak = 5e-3/' q.cg
none "another script is named, and does not" "$(replay one.json --store=changed | grep -v '^1 it does NOT agree$'; grep -q '^the text of q.cg is not the one' log || cat log)"
for bad in '' '{' '[]' '{"script": 1}' '{"script": "q.cg", "text": "zz", "seed": 0, "set": {}, "values": []}' \
    '{"script": "q.cg", "text": "00000000000000000000000000000000", "seed": 0, "set": {"a": 1}, "values": []}' \
    '{"script": "q.cg", "text": "00000000000000000000000000000000", "seed": 0, "set": {}, "values": [3]}'; do
    echo "$bad" >bad.json
    replay bad.json | grep -q '^1 ' && grep -q "^cg replay: .*bad.json" log || { echo "$bad"; cat log; }
done >wrong
none "what is no such file is said" "$(cat wrong)"
none "and what is not there" "$(replay gone.json | grep -v "^3 ")"
"$CG" run q.cg --publish=x.json >log 2>&1 || code=$?
none "publishing goes with --exact" "$([ "$code" = 2 ] || cat log)"
finish
