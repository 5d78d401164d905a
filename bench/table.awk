# table.awk - tables of what run.sh measured, as Markdown.
# Takes lines of JSON, -v part= and, of the table of steps, -v isa=; gives the table of that part. Ratios are made within a round and then their median is taken.

function get(key,    at) {
    if (!match($0, "\"" key "\": (\"[^\"]*\"|-?[0-9.]+(e[-+]?[0-9]+)?|true)")) return ""
    at = substr($0, RSTART + length(key) + 4, RLENGTH - length(key) - 4)
    gsub(/"/, "", at)
    return at
}
function list(key, out,    at, n) {
    if (!match($0, "\"" key "\": \\[[^]]*\\]")) return 0
    at = substr($0, RSTART + length(key) + 5, RLENGTH - length(key) - 6)
    n = split(at, out, /, */)
    return n
}
# Sorts v[1..n] and gives the median.
function median(v, n,    i, j, t) {
    for (i = 2; i <= n; i++)
        for (j = i; j > 1 && v[j] < v[j - 1]; j--) { t = v[j]; v[j] = v[j - 1]; v[j - 1] = t }
    return n % 2 ? v[(n + 1) / 2] : (v[n / 2] + v[n / 2 + 1]) / 2
}
function ms(x)  { return x == "" ? "-" : x < 10 ? sprintf("%.3f", x) : sprintf("%.1f", x) }
# The median over rounds of field f of `who`.
function over(who, f,    r, n, v) {
    for (r = 1; r <= rounds; r++) if ((who, r, f) in value) v[++n] = value[who, r, f]
    return n ? median(v, n) : ""
}

# The table of steps, a row for each configuration and precision, against the faster mode of PyTorch in each round.
function rows(way,    i, j, r, n, m, key, k, who, mine, best, mb, mid, own, ratio, memory, modes) {
    split("eager compiled", modes, " ")
    print "| configuration | precision | cg ms | of FMA peak | eager ms | compiled ms | PyTorch over cg, median (spread) | cg MB | PyTorch MB | memory |"
    print "|---|---|---|---|---|---|---|---|---|---|"
    for (i = 1; i <= count; i++) {
        key = order[i]
        mine = key " " way
        split(key, k, " ")
        n = m = 0
        for (r = 1; r <= rounds; r++) {
            best = mb = 0
            for (j = 1; j <= 2; j++) {
                who = key " " modes[j]
                if (!((who, r, "ms") in value)) continue
                if (!best || value[who, r, "ms"] < best) { best = value[who, r, "ms"]; mb = value[who, r, "mb"] }
            }
            if (!best || !((mine, r, "ms") in value)) continue
            ratio[++n] = best / value[mine, r, "ms"]
            memory[++m] = mb
        }
        mid = n ? median(ratio, n) : ""
        mb = m ? median(memory, m) : ""
        own = over(mine, "mb")
        if (own == "") continue
        printf "| %s | %s | %s | %.0f%% | %s | %s | %s | %.0f | %s | %s |\n", k[1], k[2], ms(over(mine, "ms")), 100 * over(mine, "rate") / top[k[2]],
            ms(over(key " eager", "ms")), ms(over(key " compiled", "ms")), n ? sprintf("%.2f (%.2f to %.2f)", mid, ratio[1], ratio[n]) : "-",
            own, mb == "" ? "-" : sprintf("%.0f", mb), mb == "" ? "-" : sprintf("1/%.1f", mb / own)
    }
}

# An operation against the faster mode of PyTorch in each round.
function op_row(op,    r, n, e, c, ratio) {
    for (r = 1; r <= turns; r++) {
        e = value[op " eager", r, "ms"] + 0
        c = value[op " compiled", r, "ms"] + 0
        if (c && (!e || c < e)) e = c
        if (e && value[op " cg", r, "ms"]) ratio[++n] = value[op " cg", r, "ms"] / e
    }
    printf "| %s | %s | %s | %s | %s |\n", op, ms(over_turns(op " cg")), ms(over_turns(op " eager")), ms(over_turns(op " compiled")), n ? sprintf("%.2f", median(ratio, n)) : "-"
}
# The median over the rounds of operations in which `who` was measured.
function over_turns(who,    r, n, v) {
    for (r = 1; r <= turns; r++) if (value[who, r, "ms"] + 0 > 0) v[++n] = value[who, r, "ms"]
    return n ? median(v, n) : ""
}

get("peaks") != "" {
    peaks = sprintf("Peaks of this machine, %d threads, at the time: %.0f GFLOP/s in f32, %.0f in bf16; %.0f GB/s second level, %.0f third, %.0f memory.",
        get("threads"), get("f32_gflops"), get("bf16_gflops"), get("l2_gbs"), get("l3_gbs"), get("memory_gbs"))
    next
}
get("same") != "" {
    key = get("config") " " get("precision")
    n = list("loss", loss)
    if (!(key in seen)) { seen[key] = 1; same_order[++same_count] = key }
    for (i = 1; i <= n; i++) {
        if (get("program") ~ /^cg/) ours[key, i] = loss[i]
        else { d = (ours[key, i] - loss[i]) / loss[i]; d = d < 0 ? -d : d; if (d > worst[key]) worst[key] = d; last[key] = loss[i] }
    }
    steps[key] = n
    next
}
get("micro") != "" {
    key = get("isa") " " get("micro") " " get("threads")
    if (!(key in micro_count)) micro_order[++micros] = key
    micro[key, ++micro_count[key]] = 1e3 * get("ms_median")
    next
}
get("limit") != "" {
    key = get("limit")
    if (!(key in limit_count)) limit_order[++limits] = key
    limit_ms[key, ++limit_count[key]] = get("ms_median") + 0
    planned[key] = get("planned_mb"); resident[key] = get("peak_rss_mb")
    next
}
get("again") != "" { key = get("again"); again[key, ++again_count[key]] = get("us") / 1e3; next }
get("depth") != "" { depths[++depth_count] = get("depth") + 0; depth_mb[depth_count] = get("planned_mb") + 0; depth_rate[depth_count] = get("gflops"); next }
get("round") != "" && isa != "" && get("isa") != isa { next }
get("op") != "" {
    key = get("op")
    r = get("turn") + 0
    if (r > turns) turns = r
    if (!(key in seen_op)) { seen_op[key] = 1; ops[++ops_count] = key }
    value[key " " (get("program") ~ /^cg/ ? "cg" : get("mode")), r, "ms"] = get("ms_median") + 0
    next
}
get("round") != "" {
    key = get("config") " " get("precision")
    who = key " " (get("program") !~ /^cg/ ? get("mode") : get("spare") == "" ? "cg" : "spare")
    r = get("round") + 0
    if (r > rounds) rounds = r
    if (!(key in seen_work)) { seen_work[key] = 1; order[++count] = key }
    value[who, r, "ms"] = get("ms_median") + 0
    value[who, r, "mb"] = get("peak_rss_mb") + 0
    if (get("program") ~ /^cg/) {
        value[who, r, "rate"] = 1e3 * get("gflop") / get("ms_median")
        if (get("peak_gflops") + 0 > top[get("precision")]) top[get("precision")] = get("peak_gflops") + 0
    } else torch = get("program")
    next
}
get("nodes") != ""  { node[++nodes_count] = sprintf("%.0f ns with %d thread%s", 1e6 * get("ms_median") / get("nodes"), get("threads"), get("threads") == 1 ? "" : "s"); next }
get("layers") != "" {
    start[++start_count] = sprintf("| %d | %.0f | %.1f | %.0f | %.0f | %.0f | %.0f | %.0f |", get("layers"), get("all"), get("parse"), get("elaborate"),
        get("differentiate"), get("optimise"), get("plan"), get("rest"))
    next
}
get("length") != "" {
    curve[++curve_count] = sprintf("| %d | %.0f | %.0f | %.0f |", get("length"), get("planned_mb"), get("parameters_mb") + get("optimiser_mb"), get("peak_rss_mb"))
    next
}

END {
    if (part == "peaks") print peaks
    if (part == "same") {
        print "\n| configuration | precision | losses compared | largest relative difference |\n|---|---|---|---|"
        for (i = 1; i <= same_count; i++) {
            split(same_order[i], k, " ")
            printf "| %s | %s | %d | %.1e |\n", k[1], k[2], steps[same_order[i]], worst[same_order[i]]
            if (k[2] == "f32" && !(worst[same_order[i]] <= 1e-4)) bad = bad " " k[1]
        }
        if (bad) { print "bench: not the same losses:" bad | "cat >&2"; exit 1 }
    }
    if (part == "work") {
        printf "\nKernels of %s; %d rounds; %s\n\n", isa, rounds, torch
        rows("cg")
        print "\nThe same with layers that are computed again in the backward pass (`--set spare=true`); the share of the peak does not count that.\n"
        rows("spare")
    }
    if (part == "micro") {
        print "\n| kernels | batch | threads | us a step |\n|---|---|---|---|"
        for (i = 1; i <= micros; i++) {
            for (j = 1; j <= micro_count[micro_order[i]]; j++) v[j] = micro[micro_order[i], j]
            split(micro_order[i], k, " ")
            printf "| %s | %d | %d | %.0f |\n", k[1], k[2], k[3], median(v, micro_count[micro_order[i]])
        }
    }
    if (part == "limit") {
        print "\n| `--memory` | planned MB | resident MB | ms a step | over none |\n|---|---|---|---|---|"
        for (i = 1; i <= limits; i++) {
            key = limit_order[i]
            for (j = 1; j <= limit_count[key]; j++) { v[j] = limit_ms[key, j]; w[j] = v[j] / limit_ms[limit_order[1], j] }
            printf "| %s | %.0f | %.0f | %.0f | %.3f |\n", key, planned[key], resident[key], median(v, limit_count[key]), median(w, limit_count[key])
        }
    }
    if (part == "ops") {
        print "\n| operation | cg ms | eager ms | compiled ms | cg over the faster, median |\n|---|---|---|---|---|"
        for (i = 1; i <= ops_count; i++) op_row(ops[i])
    }
    if (part == "nodes") {
        printf "\nA node that computes nearly nothing costs "
        for (i = 1; i <= nodes_count; i++) printf "%s%s", (i > 1 ? ", " : ""), node[i]
        print "."
    }
    if (part == "start") {
        print "\n| layers | all ms | parse | elaborate | differentiate | optimise | plan | rest |\n|---|---|---|---|---|---|---|---|"
        for (i = 1; i <= start_count; i++) print start[i]
    }
    if (part == "again") {
        print "\n| compress.cg of `examples` | ms, median (least to most) |\n|---|---|"
        for (i = 1; i <= 2; i++) {
            key = i == 1 ? "run" : "check"
            for (j = 1; j <= again_count[key]; j++) v[j] = again[key, j]
            half = median(v, again_count[key])
            printf "| `cg %s`%s | %.0f (%.0f to %.0f) |\n", key, i == 1 ? ", finished before" : "", half, v[1], v[again_count[key]]
        }
    }
    if (part == "depth") {
        print "\n| layers | planned MB | MB a layer more | GFLOP/s |\n|---|---|---|---|"
        for (i = 1; i <= depth_count; i++)
            printf "| %d | %.1f | %s | %.0f |\n", depths[i], depth_mb[i],
                (i > 1 ? sprintf("%.2f", (depth_mb[i] - depth_mb[i - 1]) / (depths[i] - depths[i - 1])) : "-"), depth_rate[i]
    }
    if (part == "memory") {
        print "\n| positions | planned MB | parameters, optimiser MB | resident MB |\n|---|---|---|---|"
        for (i = 1; i <= curve_count; i++) print curve[i]
    }
}
