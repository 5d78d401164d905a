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
        for weights in f32 bf16 int8; do
            # shellcheck disable=SC2086
            $PREFIX "$decode" small --batch "$batch" --threads "$threads" --rounds 3 --weights "$weights" >>"$lines"
        done
        "$python" -c 'import torch' 2>/dev/null || continue
        for mode in ${MODES:-eager compiled}; do
            # shellcheck disable=SC2086
            $PREFIX "$python" "$here/pytorch/decode.py" small --batch "$batch" --mode "$mode" --threads "$threads" --rounds 3 \
                2>/dev/null >>"$lines" || echo "bench: failed: decode.py --mode $mode" >&2
        done
    done
done
cat "$lines" >>"$results"
# Medians over the rounds; the ratio is made within a round, with the faster of PyTorch's ways, and so is the share.
sed 's/[{}"]//g; s/, /,/g; s/: /=/g' "$lines" | awk -F, '
    function put(key, value) { all[key, ++n[key]] = value }
    function median(key,    i, j, t)
    {
        for (i = 2; i <= n[key]; i++)
            for (j = i; j > 1 && all[key, j] < all[key, j - 1]; j--) { t = all[key, j]; all[key, j] = all[key, j - 1]; all[key, j - 1] = t }
        return n[key] ? (all[key, int((n[key] + 1) / 2)] + all[key, int(n[key] / 2) + 1]) / 2 : 0
    }
    function shown(key, form) { return n[key] ? sprintf(form, median(key)) : "-" }
    # A round of some rows is over when the next one begins.
    function end_round() { if (cg && torch) put(rows " ratio", torch / cg); cg = torch = 0 }
    {
        delete f
        for (i = 1; i <= NF; i++) { split($i, kv, "="); f[kv[1]] = kv[2] }
        ms = f["ms_per_token_median"] + 0
        if (f["program"] ~ /^cg/ && f["weights"] != "f32") {
            put(rows " " f["weights"], ms); put(rows " " f["weights"] " times", cg / ms)
        } else if (f["program"] ~ /^cg/) {
            end_round()
            rows = f["batch"]; cg = ms
            put(rows " cg", ms); put(rows " rate", f["weights_gb_per_second"]); put(rows " reading", f["reading_gb_per_second"])
            put(rows " share", 100 * f["weights_gb_per_second"] / f["reading_gb_per_second"])
        } else {
            put(rows " " f["mode"], ms)
            torch = torch && torch < ms ? torch : ms
        }
    }
    END {
        end_round()
        print "\n| rows | cg ms a token | weights read GB/s | only reading them GB/s | share | eager ms | compiled ms | PyTorch over cg |"
        print "|---|---|---|---|---|---|---|---|"
        for (b = 1; b <= 16; b += 15)
            print "| " b " | " shown(b " cg", "%.2f") " | " shown(b " rate", "%.1f") " | " shown(b " reading", "%.1f") " | " \
                shown(b " share", "%.0f%%") " | " shown(b " eager", "%.2f") " | " shown(b " compiled", "%.2f") " | " shown(b " ratio", "%.2f") " |"
        print "\n| rows | matrices in f32 ms | bf16 ms | times as fast | int8 ms | times as fast |"
        print "|---|---|---|---|---|---|"
        for (b = 1; b <= 16; b += 15)
            print "| " b " | " shown(b " cg", "%.2f") " | " shown(b " bf16", "%.2f") " | " shown(b " bf16 times", "%.2f") " | " \
                shown(b " i8", "%.2f") " | " shown(b " i8 times", "%.2f") " |"
    }'
