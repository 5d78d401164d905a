# Text that says by its first bytes how it is encoded: the mark of UTF-8 is no part of it, UTF-16 becomes UTF-8 in a
# corpus, and all else is refused with what to do.
text='Gr\303\274\303\237e, 2.385\n'
marked() { printf '\357\273\277'; cat; }
lines() { i=0; while [ $i -lt 40 ]; do i=$((i + 1)); printf "$text"; done; }
wide()   # each byte of ASCII and the two letters as UTF-16, little end first
{
    printf '\377\376'
    i=0; while [ $i -lt 40 ]; do i=$((i + 1)); printf 'G\0r\0\374\0\337\0e\0,\0 \0002\0.\0003\0008\0005\0\n\0'; done
}
cat >seen.cg <<'CG'
option path: str = "a.txt"
graph total(ids: i32[B, T]) -> i32[B] { return sum(ids, axis = 1) }
seen = evaluate total() on windows(corpus(path).all, bytes(), length = 13, count = 1) as m {
    first = batch.tokens[.., 0]
    third = batch.tokens[.., 2]
    fourth = batch.tokens[.., 3]
}
show seen
CG
lines >plain.txt; lines | marked >marked.txt; wide >wide.txt
{ printf '\377\376\0\0'; printf 'G\0\0\0r\0\0\0'; } >wider.txt
tail -c +3 wide.txt >unmarked.txt
for f in plain marked wide wider unmarked; do echo "== $f"; cg run seen.cg --quiet --set path=$f.txt 2>&1 | grep -v '^ *[0-9]* |\|^ *|'; done
echo "== records and tables"
printf '\377\376{\0}\0\n\0' >wide.jsonl; printf '\377\376a\0\n\0001\0\n\0' >wide.csv
printf '{"text": "a long line of text"}\n' | marked >marked.jsonl; printf 'a,b\n1,2\n' | marked >marked.csv
cg run seen.cg --quiet --set path=wide.jsonl 2>&1 | grep 'error\|help'
for f in wide.csv wide.jsonl marked.jsonl marked.csv; do
    printf 'show read("%s")\n' $f >table.cg; cg run table.cg 2>&1 | grep -v '^ *[0-9]* | \|^ *|'
done
printf '1\n2.385\n3\n' | marked >numbers.csv
for f in numbers.csv wide.csv; do
    printf 'show arrays({ x: "%s" })\n' $f >rows.cg; cg run rows.cg 2>&1 | grep -v '^ *[0-9]* | \|^ *|'
done
echo "== scripts"
{ printf '\377\376'; printf 's\0h\0o\0w\0 \0001\0\n\0'; } >wide.cg; cg check wide.cg; echo "exit $?"
printf 'show 1\n' | marked >marked.cg; cg run marked.cg
