#!/bin/sh
# run.sh - cg and PyTorch in turns, so that both meet the same neighbours; the tables of doc/performance.md on stdout.
# Takes from the environment: CG (the program), PYTHON, CONFIGS, PRECISIONS, MODES, ROUNDS, THREADS, RESULTS (JSON lines, one
# a measurement), STEPS (of each configuration, unless its own number is meant), PREFIX (a command that runs each
# measurement), PARTS (of: same work micro limit ops nodes start again memory depth decode breakdown; work is the table of steps), ISAS
# (instruction sets that steps are measured with: the two widest the machine has).
# What each part measures: README.md beside this file.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
CG=${CG:-./cg}
python=${PYTHON:-python3}
results=${RESULTS:-bench-results.jsonl}
threads=${THREADS:-$(nproc)}
configs=${CONFIGS:-toy tiny small base compress}
parts=${PARTS:-same work micro limit ops nodes start again memory depth decode breakdown}
export CG python results threads here
PREFIX=${PREFIX:-}
export PREFIX

scratch=$(mktemp -d "${TMPDIR:-/tmp}/cg-bench.XXXXXX")
trap 'rm -rf "$scratch"' EXIT
trap 'exit 130' INT TERM
CG_STORE=$scratch/store
export CG_STORE

have_torch=yes
"$python" -c 'import torch' 2>/dev/null || { have_torch=no; echo "bench: $python has no torch; cg alone" >&2; }

asked()     { case " $parts " in *" $1 "*) return 0 ;; esac; return 1; }
steps_of()  { case ${STEPS:-$1} in toy) echo 1000 ;; tiny) echo 20 ;; small) echo 5 ;; base | compress) echo 3 ;; *) echo "$STEPS" ;; esac; }
isas=${ISAS:-$(for isa in avx512 avx2 base; do if CG_ISA=$isa "$CG" --version | grep -q "^kernels *$isa\$"; then echo $isa; fi; done | head -2)}
note()      { echo "bench: $*" >&2; }

# Runs a command with both programs held to an instruction set: PyTorch by what its libraries read.
with_isa()  # isa command...
{
    isa=$1
    shift
    case $isa in
    avx2) CG_ISA=avx2 ATEN_CPU_CAPABILITY=avx2 ONEDNN_MAX_CPU_ISA=AVX2 MKL_ENABLE_INSTRUCTIONS=AVX2 "$@" ;;
    *) CG_ISA=$isa "$@" ;;
    esac
}
# Runs a measurement that prints one JSON line; adds to it what it is of.
record()    # fields command...
{
    fields=$1
    shift
    # shellcheck disable=SC2086
    $PREFIX "$@" 2>"$scratch/err" >"$scratch/line" || { cat "$scratch/err" >&2; note "failed: $*"; return 1; }
    sed "s/^{/{$fields, /" "$scratch/line" >>"$results"
}
run_cg()    # fields config precision argument...
{
    fields=$1 config=$2 precision=$3
    shift 3
    record "\"config\": \"$config\", $fields" "$CG" bench "$here/$config.cg" --set "precision=$precision" --threads "$threads" --json "$@"
}
run_torch() # fields config precision mode argument...
{
    fields=$1 config=$2 precision=$3 mode=$4
    shift 4
    # bound threads are what it is fastest with on a quiet machine; say OMP_PROC_BIND=false on a busy one
    OMP_PROC_BIND=${OMP_PROC_BIND:-true} record "$fields" "$python" "$here/pytorch/bench.py" "$config" --mode "$mode" \
        --precision "$precision" --threads "$threads" "$@"
}
table()     { awk -v part="$1" -v isa="${2:-}" -f "$here/table.awk" "$results"; }
rounds()    { i=1; while [ "$i" -le "${ROUNDS:-3}" ]; do echo $i; i=$((i + 1)); done; }

: >"$results"
# shellcheck disable=SC2086
$PREFIX "$CG" bench --peaks --threads "$threads" --json >>"$results"
echo "Processor: $(sed -n 's/^model name[^:]*: *//p' /proc/cpuinfo | head -1)."
table peaks

# ---- the same work: from the same weights, on the same batches, both must have the same losses ----

if asked same && [ "$have_torch" = yes ]; then
    for config in $configs; do
        note "$config: the same losses?"
        "$python" "$here/pytorch/bench.py" "$config" --make "$scratch" 2>/dev/null
        at=$scratch/$config
        for precision in ${PRECISIONS:-f32 bf16}; do
            run_cg '"same": true' "$config" "$precision" --set "weights=$at.weights.safetensors" --set "tokens=$at.tokens.safetensors" \
                --warmup 0 --steps 4
            run_torch '"same": true' "$config" "$precision" eager --weights "$at.weights.safetensors" --tokens "$at.tokens.safetensors" \
                --warmup 0 --steps 4
        done
        rm -f "$at".*
    done
    table same
fi

# ---- steps, in turns ----

if asked work; then
    for round in $(rounds); do
        for config in $configs; do
            for precision in ${PRECISIONS:-f32 bf16}; do
                for isa in $isas; do
                    note "round $round, $config $precision $isa"
                    of="\"round\": $round, \"isa\": \"$isa\""
                    with_isa "$isa" run_cg "$of" "$config" "$precision" --steps "$(steps_of "$config")"
                    with_isa "$isa" run_cg "$of, \"spare\": true" "$config" "$precision" --set spare=true --steps "$(steps_of "$config")"
                    for mode in ${MODES:-eager compiled}; do
                        [ "$have_torch" = yes ] || continue
                        with_isa "$isa" run_torch "$of" "$config" "$precision" "$mode" --steps "$(steps_of "$config")" || :
                    done
                done
            done
        done
    done
    for isa in $isas; do table work "$isa"; done
fi

# ---- a model as small as those written by hand ----

if asked micro; then
    for round in $(rounds); do
        for isa in $isas; do
            for batch in 8 16; do
                for n in 1 2; do
                    with_isa "$isa" record "\"micro\": $batch, \"isa\": \"$isa\"" "$CG" bench "$here/micro.cg" --set "batch=$batch" --threads $n \
                        --steps 2000 --warmup 200 --json
                done
            done
        done
    done
    table micro
fi

# ---- what a limit of memory costs ----

if asked limit; then
    for round in $(rounds); do
        for size in none 600MiB; do
            note "compress, memory $size, round $round"
            [ $size = none ] && set -- || set -- --memory $size
            record "\"limit\": \"$size\"" "$CG" bench "$here/compress.cg" --threads "$threads" --steps 3 --warmup 1 --json "$@"
        done
    done
    table limit
fi

# ---- single operations with their derivatives, in turns ----

if asked ops; then
    for round in $(rounds); do
        for op in $(sed -n 's/^graph \([a-z0-9_]*\).*/\1/p' "$here/ops.cg"); do
            note "round $round, $op"
            record "\"op\": \"$op\", \"turn\": $round" "$CG" bench "$here/ops.cg" "$op" --grad --threads "$threads" --json
            for mode in ${MODES:-eager compiled}; do
                [ "$have_torch" = yes ] || continue
                OMP_PROC_BIND=${OMP_PROC_BIND:-true} record "\"op\": \"$op\", \"turn\": $round" "$python" \
                    "$here/pytorch/ops.py" "$op" --mode "$mode" --threads "$threads" || :
            done
        done
    done
    table ops
fi

# ---- what a node costs that computes nearly nothing ----

if asked nodes; then
    for n in 1 "$threads"; do
        record "\"nodes\": 1000" "$CG" bench "$here/nodes.cg" nodes --threads "$n" --steps 500 --warmup 50 --json
    done
    table nodes
fi

# ---- from the script to a plan ----

if asked start; then
    for layers in 12 125 250 500 1000; do
        # shellcheck disable=SC2086
        CG_DEBUG=time $PREFIX "$CG" plan "$here/toy.cg" --set layers=$layers 2>&1 >/dev/null | awk -v layers=$layers '
            /^time: / { gsub(/ in [0-9]*$/, ""); name = $2; ms[name] = $3; order[n++] = name; all += $3 }
            END { printf "{\"layers\": %d, \"all\": %.3f", layers, all; for (i = 0; i < n; i++) printf ", \"%s\": %.3f", order[i], ms[order[i]]; print "}" }' >>"$results"
    done
    table start
fi

# ---- a finished script again ----

if asked again; then
    cat "$here"/../doc/*.md >"$scratch/web.txt"
    cat "$here"/../stdlib/*.cg "$here"/../graphs/*.cg >"$scratch/math.txt"
    cat "$here"/../src/*/*.c >"$scratch/code.txt"
    # What a finished script takes does not depend on how long it took: a few steps of each training do.
    set -- "$here/../examples/compress.cg"
    for text in web math code; do set -- "$@" --set "$text=$scratch/$text.txt"; done
    for steps in pretraining longer aligning tuning; do set -- "$@" --set $steps=2; done
    note "compress.cg of examples/, to have it finished"
    # shellcheck disable=SC2086
    $PREFIX "$CG" run "$@" >"$scratch/out" 2>&1 || { cat "$scratch/out" >&2; note "failed: cg run $*"; }
    for round in 1 2 3 4 5 6 7 8 9; do
        for what in run check; do
            begin=$(date +%s%N)
            # shellcheck disable=SC2086
            $PREFIX "$CG" $what "$@" >"$scratch/out" 2>&1 || note "failed: cg $what $*"
            echo "{\"again\": \"$what\", \"turn\": $round, \"us\": $((($(date +%s%N) - begin) / 1000))}" >>"$results"
        done
    done
    table again
fi

# ---- memory by length ----

if asked memory; then
    for length in 1024 2048 4096 8192; do
        note "memory at $length positions"
        record "\"length\": $length" "$CG" bench "$here/small.cg" --set "length=$length" --set rows=1 --threads "$threads" --steps 1 --warmup 0 --json
    done
    table memory
fi

# ---- memory and rate by layers ----

if asked depth; then
    for layers in 8 16 32 48 64 128; do
        note "memory and rate of $layers layers"
        record "\"depth\": $layers" "$CG" bench "$here/tiny.cg" --set "layers=$layers" --threads "$threads" --steps 2 --warmup 1 --json
    done
    table depth
fi

# ---- writing text ----

if asked decode; then
    sh "$here/decode.sh"
fi

# ---- where the time goes ----

if asked breakdown; then
    for config in $configs; do
        for precision in ${PRECISIONS:-f32 bf16}; do
            printf '\n### %s, %s\n\n' "$config" "$precision"
            # shellcheck disable=SC2086
            $PREFIX "$CG" bench "$here/$config.cg" --set "precision=$precision" --threads "$threads" --steps "$(steps_of "$config")" --prof --markdown |
                sed -n '/^forward/,$p' | sed "s|$here/|bench/|"
        done
    done
fi
