#!/bin/sh
# run.sh - cg and PyTorch in turns, so that both meet the same neighbours; the tables of doc/performance.md on stdout.
# Takes from the environment: CG (the program), PYTHON, CONFIGS, PRECISIONS, MODES, ROUNDS, THREADS, RESULTS (JSON lines, one
# a measurement), STEPS (of each configuration, unless its own number is meant), PREFIX (a command that runs each
# measurement), PARTS (of: same work nodes start memory decode breakdown; work is the table of steps).
# What each part measures: README.md beside this file.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
CG=${CG:-./cg}
python=${PYTHON:-python3}
results=${RESULTS:-bench-results.jsonl}
threads=${THREADS:-$(nproc)}
configs=${CONFIGS:-toy tiny small base compress}
parts=${PARTS:-same work nodes start memory decode breakdown}
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
note()      { echo "bench: $*" >&2; }

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
table()     { awk -v part="$1" -f "$here/table.awk" "$results"; }

: >"$results"
# shellcheck disable=SC2086
$PREFIX "$CG" bench --peaks --threads "$threads" --json >>"$results"
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
    round=0
    while [ "$round" -lt "${ROUNDS:-3}" ]; do
        round=$((round + 1))
        for config in $configs; do
            for precision in ${PRECISIONS:-f32 bf16}; do
                note "round $round, $config $precision"
                run_cg "\"round\": $round" "$config" "$precision" --steps "$(steps_of "$config")"
                run_cg "\"round\": $round, \"spare\": true" "$config" "$precision" --set spare=true --steps "$(steps_of "$config")"
                for mode in ${MODES:-eager compiled}; do
                    [ "$have_torch" = yes ] || continue
                    run_torch "\"round\": $round" "$config" "$precision" "$mode" --steps "$(steps_of "$config")" || :
                done
            done
        done
    done
    table work
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

# ---- memory by length ----

if asked memory; then
    for length in 1024 2048 4096 8192; do
        note "memory at $length positions"
        record "\"length\": $length" "$CG" bench "$here/small.cg" --set "length=$length" --set rows=1 --threads "$threads" --steps 1 --warmup 0 --json
    done
    table memory
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
