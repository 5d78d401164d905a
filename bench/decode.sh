#!/bin/sh
# decode.sh - greedy decoding of small, 512 tokens a row, in cg and PyTorch in turns; a table on stdout.
# Called by run.sh and takes from it CG, python, results, threads, here, PREFIX, ROUNDS and MODES. Every measurement is a line of JSON.
set -eu
decode=$(dirname "$CG")/bench/decode
[ -x "$decode" ] || { echo "bench: $decode is not built; no decoding" >&2; exit 0; }
lines=$(mktemp)
trap 'rm -f "$lines"' EXIT
round=0
while [ "$round" -lt "${ROUNDS:-3}" ]; do
    round=$((round + 1))
    for batch in 1 16; do
        echo "bench: decoding, round $round, $batch rows" >&2
        # shellcheck disable=SC2086
        $PREFIX "$decode" small --batch "$batch" --threads "$threads" --rounds 1 >>"$lines"
        "$python" -c 'import torch' 2>/dev/null || continue
        for mode in ${MODES:-eager compiled}; do
            # shellcheck disable=SC2086
            $PREFIX "$python" "$here/pytorch/decode.py" small --batch "$batch" --mode "$mode" --threads "$threads" --rounds 1 \
                2>/dev/null >>"$lines" || echo "bench: failed: decode.py --mode $mode" >&2
        done
    done
done
cat "$lines" >>"$results"
# Medians over the rounds; the ratio is that of medians, by the faster of PyTorch's ways.
sed 's/[{}"]//g; s/, /,/g; s/: /=/g' "$lines" | awk -F, '
    function median(key,    i, j, t)
    {
        for (i = 2; i <= n[key]; i++)
            for (j = i; j > 1 && ms[key, j] < ms[key, j - 1]; j--) { t = ms[key, j]; ms[key, j] = ms[key, j - 1]; ms[key, j - 1] = t }
        return n[key] ? ms[key, int((n[key] + 1) / 2)] : 0
    }
    {
        for (i = 1; i <= NF; i++) { split($i, kv, "="); f[kv[1]] = kv[2] }
        key = f["batch"] " " (f["program"] ~ /^cg/ ? "cg" : f["mode"])
        ms[key, ++n[key]] = f["ms_per_token_median"] + 0
        if (f["program"] ~ /^cg/) rate[f["batch"]] = f["weights_gb_per_second"]
    }
    END {
        print "\n| rows | cg ms a token | weights read GB/s | eager ms | compiled ms | PyTorch over cg |"
        print "|---|---|---|---|---|---|"
        for (b = 1; b <= 16; b += 15) {
            cg = median(b " cg"); eager = median(b " eager"); compiled = median(b " compiled")
            best = compiled && compiled < eager ? compiled : eager
            printf "| %d | %.2f | %s | %s | %s | %s |\n", b, cg, rate[b], eager ? sprintf("%.2f", eager) : "-",
                compiled ? sprintf("%.2f", compiled) : "-", best ? sprintf("%.2f", best / cg) : "-"
        }
    }'
