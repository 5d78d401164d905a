# What stands in files is not obeyed by the terminal: names, cells and types show no control characters.
printf 'a\033[31m,b\n\033]0;x\007cell,2\n' >e.csv
printf '{"k\\u001b[31m": "v\\u001b[2J", "n": 1}\n' >e.jsonl
printf 'show read("e.csv")\nshow read("e.jsonl")\nsave read("e.csv") as "o.md"\nsave read("e.jsonl") as "o.tex"\n' >e.cg
printf 'c = windows(corpus("e.jsonl", field = "t").train, bytes(), length = 2)\ngraph g(i: i32[B, T]) -> i32[B] { return sum(i, axis = 1) }\nshow evaluate g() on c as m { x = m(batch.tokens) }\n' >c.cg
printf 'x = 1\033[31m\n' >g.cg
printf "\223NUMPY\1\0v\0%-117s\n" "{'descr': '$(printf '\033')[31m', 'fortran_order': False, 'shape': (2,), }" >e.npy
printf 'graph f(x: f32[N]) -> f32[N] { return x }\n' >f.cg
for command in "run e.cg" "run c.cg" "check g.cg" "apply f.cg f --in x=e.npy"; do
    echo "\$ $command"; cg $command >shown 2>&1; echo "exit $?"
    cat shown *.md *.tex 2>/dev/null >>all
    tr -d '\n\t -~' <shown | tr -cd '\000-\037\177' | wc -c
done
tr -d '\n\t' <all | tr -cd '\000-\037\177' | wc -c
cg run e.cg 2>/dev/null
# nor records of a file; a text by itself is what it is where no terminal reads it
printf '{"a\\u001b[31m": {"t": "\\u001b]0;x"}, "n": [1]}\n' >r.json
printf 'c = json("r.json")\nshow c\nshow { k: v.t for k, v in c if k != "n" }\nfor_all = [v.t for k, v in c if k != "n"]\nshow for_all[0]\n' >r.cg
cg run r.cg | cat -v
# nor names of scripts, words of a command, and keys that a warning tells
esc=$(printf '\033[31m')
echo 'x = ' >"e$esc.cg"
echo '{"a\u001b[31m": {"x": 1}}' >k.json
cat >k.cg <<'CG'
import std.nn as nn
graph g(x: f32[B, 1]) -> f32[B, 1] { return nn.dense(x, out = 1) }
models = { k: train g() as m {
    data = arrays({ x: [[1], [2]], y: [[0], [0]] })
    loss = mean((m(batch.x) - batch.y) ^ 2)
    optimizer = adamw(rate = 1e-2)
    batch = 2
    steps = 2
} for k, v in json("k.json") }
show table({ k: evaluate m on arrays({ x: [[1]] }) as m { y = log(0 * m(batch.x)[.., 0]) } for k, m in models }, columns = [mean(y)])
CG
for command in "check e$esc.cg" "run a.cg --no$esc" "$esc" "help $esc" "run k.cg"; do
    cg $command 2>&1 | tr -d '\n\t -~' | tr -cd '\000-\037\177' | wc -c
done
