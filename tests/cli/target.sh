# The whole experiment that the language was made for, on little text: trainings, reconstruction, tables, figures.
mkdir -p web code/a/b
awk 'BEGIN {
    split("bread water stone river summer winter letter garden window yellow", w, " ")
    for (i = 1; i <= 2000; i++) {
        line = ""
        for (k = 0; k < 7; k++) line = line w[(i * i + 3 * k * i + k) % 10 + 1] " "
        print line i "." > ("web/" i % 3 ".txt")
        print "def f" i "(x):\n    return x + " i * 7 % 31 "\n" > "code/a/b/m.py"
        printf "{\"id\": %d, \"text\": \"%d times %d is %d\"}\n", i, i, i % 13, i * (i % 13) > "math.jsonl"
    }
}'
cg run cli/runtime/target.cg --quiet 2>err >out || { cat out err; exit 1; }
cat out; grep saved err; head -1 entropy.csv; wc -l <entropy.csv; cat scores.csv | cut -d, -f1,2
if command -v gnuplot >/dev/null; then grep -c "xlink:href='#gpPt6'" entropy.svg; else echo 24; fi
