# Data larger than memory: text that stays in its files, tokens in shards. The same bits as in memory, whatever the shards
# and threads, after a kill too; what is kept is not made again; what changes or is damaged is seen.
awk 'BEGIN { x = 7; for (i = 0; i < 9000; i++) { line = ""; for (k = 0; k < 9; k++) { x = (x * 16807) % 2147483647
    line = line sprintf("%c%c%c%s ", 97 + x % 7, 97 + x % 19, 97 + x % 5, x % 3 ? "" : "ing") } print line "." } }' >all.txt
mkdir text
sed -n '1,4000p' all.txt >text/a.txt
printf '\357\273\277' >text/b.txt
sed -n '4001,6500p' all.txt >>text/b.txt
sed -n '6501,7000p' all.txt | sed 's/.*/{"n": 1, "text": "&"}/' >text/c.jsonl
printf 'a\0b' >text/passed-over.bin
{ sed -n '7001,9000p' all.txt; sed -n '7001,7100p' all.txt; } | sed 's/.*/{"text": "&"}/' | gzip -n >more.jsonl.gz

run() { # FOLDER DEBUG ARG..
    folder=$1 debug=$2
    shift 2
    (mkdir -p "$folder" && cd "$folder" && ln -sf ../text ../more.jsonl.gz . && CG_DEBUG=$debug cg run ../cli/runtime/large.cg "$@" >shown 2>said)
}
same() { # FOLDER FOLDER
    cmp "$1/lm.safetensors" "$2/lm.safetensors" && cmp "$1/scores.csv" "$2/scores.csv" && echo "the same bits"
}

for how in "--set align=true --set stride=7" "--set align=false"; do
    echo "# $how"
    rm -rf memory one many
    run memory "" $how || cat memory/said
    run one large=1 $how --prof || cat one/said
    run many large=1,shard=3000 $how --threads 1 || cat many/said
    same memory one
    same memory many
    grep -o '^batches from files: 25' one/said
    [ "$(ls many/.cg/objects/*/* | wc -l)" -gt "$(ls one/.cg/objects/*/* | wc -l)" ] && echo "more shards"
done

echo "# killed while tokens are made, and once more"
run killed large=1,shard=3000,fault=kill:120 --set align=false 2>/dev/null
echo "exit $?"
touch killed/.cg/after
ls killed/.cg/objects/*/*.sum | sed 's/.sum$//' | sort >kept
run killed large=1,shard=3000,fault=kill:400 --set align=false 2>/dev/null
echo "exit $?"
run killed large=1,shard=3000 --set align=false || cat killed/said
same many killed
find $(cat kept) -newer killed/.cg/after | wc -l

echo "# again"
touch many/.cg/after
run many large=1,shard=3000 --set align=false --seed 3 && find many/.cg/objects -type f -newer many/.cg/after ! -name '*.sum' | wc -l

echo "# a shard that is damaged"
printf 'zz' | dd of="$(ls -S one/.cg/objects/*/* | head -n 1)" bs=1 seek=40000 conv=notrunc 2>/dev/null
run one large=1 --set align=false --seed 4
echo "exit $?"
sed "s/objects.*'/objects\/..'/" one/said | grep -A 3 error
run one large=1 --set align=false --seed 4
echo "exit $?"

echo "# a file that changes"
sed -n '1,300p' all.txt >>text/a.txt
run memory "" --set align=false && run many large=1,shard=3000 --set align=false || cat many/said
same memory many
