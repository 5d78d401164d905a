# picture.awk - what is wrong with a picture, from its SVG alone.
# Takes an SVG as GraphViz writes it; prints a line for each arrow that crosses a frame or a box it has nothing to do with,
# each arrow that leaves the frame both its ends are in, each label that overlaps a box, and each line of a box that is in
# pieces, which stand apart or meet with another face. Knows nothing of who drew it.
function numbers(text, into,    n) { gsub(/[^-0-9.]+/, " ", text); return split(text, into, " ") }

# The rectangle around the points of a path or polygon, in L, T, R, B.
function around(text,    n, i, at)
{
    n = numbers(text, at)
    for (i = 1; i < n; i += 2) {
        if (at[i] + 0 < L) L = at[i] + 0
        if (at[i] + 0 > R) R = at[i] + 0
        if (at[i + 1] + 0 < T) T = at[i + 1] + 0
        if (at[i + 1] + 0 > B) B = at[i + 1] + 0
    }
}
function value(line, name,    s)
{
    s = line
    if (!match(s, " " name "=\"[^\"]*\"")) return ""
    s = substr(s, RSTART + length(name) + 3)
    return substr(s, 1, index(s, "\"") - 1)
}
function close_group()
{
    if (kind == "cluster") { fl[++frames] = L; ft[frames] = T; fr[frames] = R; fb[frames] = B; fname[frames] = title }
    if (kind == "node") { bl[++boxes] = L; bt[boxes] = T; br[boxes] = R; bb[boxes] = B; bname[boxes] = title; box_of[title] = boxes }
    kind = ""
}
/^<g id="[^"]*" class="(cluster|node|edge)"/ { close_group(); kind = value($0, "class"); L = T = 1e9; R = B = -1e9; next }
/^<\/g>/ { close_group(); next }
kind && /^<title>/ { title = $0; sub(/^<title>/, "", title); sub(/<\/title>.*/, "", title); gsub(/&#45;/, "-", title); gsub(/&gt;/, ">", title) }
kind == "edge" && /^<path/ { way[++edges] = value($0, "d"); ename[edges] = title }
(kind == "node" || kind == "cluster") && /^<(path|polygon|polyline|ellipse)/ { around(/^<path/ ? value($0, "d") : value($0, "points")) }
kind == "node" && L > R && /^<text/ { around(value($0, "x") " " value($0, "y")) }     # no shape around it
kind == "node" && /^<text/ { if (known[title, value($0, "y")]++) print "a line in pieces in box " title }
(kind == "edge" || kind == "cluster") && /^<text/ {
    s = $0; sub(/^[^>]*>/, "", s); gsub(/<[^>]*>/, "", s); gsub(/&[#a-z0-9]*;/, "x", s)
    size = value($0, "font-size") + 0; x = value($0, "x") + 0; y = value($0, "y") + 0; w = 0.5 * size * length(s)
    start = $0 ~ /text-anchor="start"/ ? x : x - w / 2
    tl[++texts] = start; tr[texts] = start + w; tt[texts] = y - 0.7 * size; tb[texts] = y + 0; tname[texts] = s
}
function inside(i, x, y, by) { return x > fl[i] + by && x < fr[i] - by && y > ft[i] + by && y < fb[i] - by }
function centre_in(i, box) { return inside(i, (bl[box] + br[box]) / 2, (bt[box] + bb[box]) / 2, 0) }

# Frames and boxes near the n points of edge e, which leads from box a to box b: no others can be crossed.
function gather(e, a, b, n,    i, left, right, top, bottom)
{
    left = top = 1e9; right = bottom = -1e9; near_frames = near_boxes = 0
    for (i = 1; i < n; i += 2) {
        if (p[i] < left) left = p[i]
        if (p[i] > right) right = p[i]
        if (p[i + 1] < top) top = p[i + 1]
        if (p[i + 1] > bottom) bottom = p[i + 1]
    }
    for (i = 1; i <= frames; i++) {
        from[i] = centre_in(i, a); to[i] = centre_in(i, b)
        if (from[i] == to[i] && (from[i] || (fl[i] < right && fr[i] > left && ft[i] < bottom && fb[i] > top))) frame[++near_frames] = i
    }
    for (i = 1; i <= boxes; i++)
        if (i != a && i != b && bl[i] < right && br[i] > left && bt[i] < bottom && bb[i] > top) box[++near_boxes] = i
}
function look(x, y,    i, k)
{
    for (k = 1; k <= met_frames; k++) {
        i = met_frame[k]
        if (!from[i] && inside(i, x, y, 0.75)) said["crosses frame " fname[i]] = 1
        if (from[i] && !inside(i, x, y, -0.75)) said["leaves frame " fname[i]] = 1
    }
    for (k = 1; k <= met_boxes; k++) {
        i = met_box[k]
        if (x > bl[i] + 0.75 && x < br[i] - 0.75 && y > bt[i] + 0.75 && y < bb[i] - 0.75) said["crosses box " bname[i]] = 1
    }
}
function least(a, b, c, d) { if (b < a) a = b; if (c < a) a = c; return d < a ? d : a }
function most(a, b, c, d) { if (b > a) a = b; if (c > a) a = c; return d > a ? d : a }

# The curve from point k on: a curve lies between its points, so only what meets these can be crossed, or left.
function follow(k,    i, m, left, right, top, bottom, t, u)
{
    left = least(p[k], p[k+2], p[k+4], p[k+6]); right = most(p[k], p[k+2], p[k+4], p[k+6])
    top = least(p[k+1], p[k+3], p[k+5], p[k+7]); bottom = most(p[k+1], p[k+3], p[k+5], p[k+7])
    met_frames = met_boxes = 0
    for (m = 1; m <= near_frames; m++) {
        i = frame[m]
        if (from[i]) { if (left < fl[i] || right > fr[i] || top < ft[i] || bottom > fb[i]) met_frame[++met_frames] = i }
        else if (fl[i] < right && fr[i] > left && ft[i] < bottom && fb[i] > top) met_frame[++met_frames] = i
    }
    for (m = 1; m <= near_boxes; m++) {
        i = box[m]
        if (bl[i] < right && br[i] > left && bt[i] < bottom && bb[i] > top) met_box[++met_boxes] = i
    }
    if (met_frames + met_boxes)
        for (t = 0; t <= 1; t += 1 / 10) {
            u = 1 - t
            look(u*u*u*p[k] + 3*u*u*t*p[k+2] + 3*u*t*t*p[k+4] + t*t*t*p[k+6],
                u*u*u*p[k+1] + 3*u*u*t*p[k+3] + 3*u*t*t*p[k+5] + t*t*t*p[k+7])
        }
}
END {
    for (e = 1; e <= edges; e++) {
        cut = index(ename[e], "->")
        a = box_of[substr(ename[e], 1, cut - 1)]; b = box_of[substr(ename[e], cut + 2)]
        if (!a || !b) { print "an arrow without ends: " ename[e]; continue }
        n = numbers(way[e], p)
        for (k = 1; k <= n; k++) p[k] += 0
        gather(e, a, b, n)
        for (k = 1; k + 7 <= n; k += 6) follow(k)
        for (s in said) print ename[e] " " s
        split("", said)
    }
    for (i = 1; i <= texts; i++)
        for (k = 1; k <= boxes; k++)
            if (tl[i] < br[k] - 1 && tr[i] > bl[k] + 1 && tt[i] < bb[k] - 1 && tb[i] > bt[k] + 1)
                print "label '" tname[i] "' overlaps box " bname[k]
    if (!boxes) print "no boxes"
}
