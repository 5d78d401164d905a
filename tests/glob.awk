# glob.awk - takes a golden and a found text; succeeds when they agree, where a line `...` of the golden stands for any
# lines and `[..]` for any text within a line.
function matches(want, got,    part, n, i, at)
{
    n = split(want, part, /\[\.\.\]/)
    if (n == 1)
        return want == got
    if (substr(got, 1, length(part[1])) != part[1])
        return 0
    got = substr(got, length(part[1]) + 1)
    for (i = 2; i < n; i++) {
        at = index(got, part[i])
        if (!at)
            return 0
        got = substr(got, at + length(part[i]))
    }
    return length(got) >= length(part[n]) && substr(got, length(got) - length(part[n]) + 1) == part[n]
}
function agree(i, j)
{
    while (i <= nwant && want[i] != "...") {
        if (j > ngot || !matches(want[i], got[j]))
            return 0
        i++
        j++
    }
    if (i > nwant)
        return j > ngot
    for (; j <= ngot + 1; j++) {
        if (agree(i + 1, j))
            return 1
    }
    return 0
}
FNR == NR { want[++nwant] = $0; next }
{ got[++ngot] = $0 }
END { exit !agree(1, 1) }
