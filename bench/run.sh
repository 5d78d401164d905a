#!/bin/sh
# run.sh - cg and PyTorch in turns, so that both meet the same neighbours.
# Takes CONFIGS, PRECISIONS, MODES, ROUNDS, STEPS, THREADS and PYTHON from the environment; writes one JSON line a
# measurement to bench-results.jsonl and a table of medians over the rounds to stdout.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
tape=${TAPE:-bench/tape}
python=${PYTHON:-python3}
results=${RESULTS:-bench-results.jsonl}
threads=${THREADS:-$(nproc)}

have_torch=yes
"$python" -c 'import torch' 2>/dev/null || { have_torch=no; echo "bench: $python has no torch; cg alone" >&2; }
: >"$results"
round=0
while [ "$round" -lt "${ROUNDS:-3}" ]; do
    round=$((round + 1))
    for config in ${CONFIGS:-tiny small}; do
        for precision in ${PRECISIONS:-f32 bf16}; do
            flag=; [ "$precision" = f32 ] || flag=--bf16
            echo "bench: round $round, $config $precision" >&2
            # shellcheck disable=SC2086
            "$tape" "$config" $flag --threads "$threads" --steps "${STEPS:-7}" >>"$results"
            for mode in ${MODES:-eager compiled}; do
                [ "$have_torch" = yes ] || continue
                OMP_PROC_BIND=${OMP_PROC_BIND:-true} "$python" "$here/pytorch/bench.py" "$config" --mode "$mode" --precision "$precision" \
                    --threads "$threads" --steps "${STEPS:-7}" 2>/dev/null >>"$results"
            done
        done
    done
done
# Median over the rounds of each median.
sed 's/[{}"]//g; s/, /,/g; s/: /=/g' "$results" | awk -F, '
    {
        for (i = 1; i <= NF; i++) { split($i, kv, "="); f[kv[1]] = kv[2] }
        key = f["config"] " " f["precision"] " " f["program"] " " f["mode"]
        if (!(key in n)) order[++keys] = key
        ms[key, ++n[key]] = f["ms_median"] + 0
        if (f["peak_rss_mb"] + 0 > rss[key]) rss[key] = f["peak_rss_mb"] + 0
    }
    END {
        printf "%-44s %12s %10s\n", "", "ms/step", "peak MB"
        for (k = 1; k <= keys; k++) {
            key = order[k]
            for (i = 2; i <= n[key]; i++)
                for (j = i; j > 1 && ms[key, j] < ms[key, j - 1]; j--) { t = ms[key, j]; ms[key, j] = ms[key, j - 1]; ms[key, j - 1] = t }
            printf "%-44s %12.1f %10d\n", key, ms[key, int((n[key] + 1) / 2)], rss[key]
        }
    }'
