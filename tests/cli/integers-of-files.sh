# Integers of files are exact in tables and in data, or refused where they stand; what has a point is rounded.
printf 'id,mixed,name\n9007199254740993,9007199254740993,12345678901234567890\n-7,2.5,x\n' >t.csv
printf '{"id": 9007199254740993, "v": 0.1, "b": 1}\n{"id": 9007199254740992, "v": 16777216, "b": false}\n' >t.jsonl
printf '{"x": 2.5}\n{"x": 9007199254740993}\n' >mixed.jsonl
printf '1,0.1\n16777217,2\n' >n.csv
printf 'x,y\n1e400,1e39\n2.385,inf\n' >huge.csv
cat >a.cg <<'CG'
cg 2
t = read("t.csv")
show t, filter(t, id == 9007199254740992), t.id - t.id, filter(read("t.jsonl"), b == 1)
save t as "again.csv"
show examples("t.jsonl", { v: "v", b: field("b", dtype = bool) })
CG
$CG run --quiet a.cg; cmp t.csv again.csv && echo "the same"
while read -r expression; do
    echo "show $expression" >b.cg
    echo "\$ $expression"; $CG run --quiet b.cg 2>&1 | grep error
done <<'CASES'
examples("t.jsonl", { id: "id" })
examples("t.jsonl", { id: field("id", dtype = i64) })
examples("t.jsonl", { id: field("id", dtype = f64) })
examples("t.jsonl", { id: field("id", dtype = f16) })
examples("t.jsonl", { v: field("v", dtype = i32) })
examples("t.jsonl", { v: field("v", dtype = bool) })
arrays({ x: [[1, 2], [3, 16777217]] })
arrays({ x: "n.csv" })
examples("huge.csv", { x: "x" })
examples("huge.csv", { x: field("x", dtype = f64) })
examples("huge.csv", { x: "y" })
arrays({ x: "huge.csv" })
2 * mean(read("huge.csv").x)
read("mixed.jsonl")
CASES
# A first row names columns where it has a name; one that only looks like no numbers is not passed over.
for row in 'area,2nd' ',area' '1;2' '0x10' 'NA' '12:30' '1,area'; do
    printf '%s\n3,2.385\n' "$row" | cut -d, -f1-$(echo "$row" | tr -cd , | wc -c | awk '{ print $1 + 1 }') >first.csv
    echo 'show arrays({ x: "first.csv" })' >c.cg
    echo "\$ $row"; $CG run --quiet c.cg 2>&1 | grep -v '^ '
done
