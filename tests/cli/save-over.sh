# One file has one content: two names of a file are one, and a result goes neither over the script nor over what it is
# made of. All of it is found before anything runs.
mkdir sub
printf 'x,y\n1,2\n3,4\n' >in.csv
ln -s ../out.csv sub/link.csv
: >out.csv
cp cli/runtime/lm.cg lm.cg
try()   # lines of a script
{
    printf '%s\n' "$@" >s.cg
    echo "\$ $*"; cg check s.cg 2>&1 | grep -v '^ ' || echo fine
}
try 't = read("in.csv")' 'save t as "out.csv"' 'save t as "sub/../out.csv"'
try 't = read("in.csv")' 'save t as "out.csv"' 'save t as "sub/link.csv"'
try 't = read("in.csv")' 'save t as "sub/new.csv"' 'save t as "./sub//new.csv"'
try 't = read("in.csv")' 'save sort(t, by = x) as "./in.csv"'
try 'save "text" as "s.cg"'
try 'import lm' 'save "text" as "sub/../lm.cg"'
try 'c = corpus("in.csv", field = "x")' 'graph g(x: f32[B, 2]) -> f32[B] { return sum(x, axis = 1) }' \
    's = evaluate g() on arrays({ x: "in.csv" }) as m { y = m(batch.x) }' 'save s as "in.csv"'
try 't = read("in.csv")' 'save t as "out.csv"' 'save t as "sub/out.csv"' 'save "text" as "in.txt"'
try 'c = corpus("*.csv", field = "x")' 'graph g(x: f32[B, 2]) -> f32[B] { return sum(x, axis = 1) }' \
    's = evaluate g() on windows(c.all, bytes(), length = 2) as m { y = batch.id }' 'save s as "in.csv"'
# a link to a file that is not there yet stands for it, in a folder that is a link, too; another name of a file is another file
ln -s sub folder; ln -s nothing.csv sub/dangling.csv; ln -s dangling.csv sub/twice.csv; ln in.csv hard.csv
try 't = read("in.csv")' 'save t as "sub/dangling.csv"' 'save t as "sub/nothing.csv"'
try 't = read("in.csv")' 'save t as "folder/nothing.csv"' 'save t as "sub/twice.csv"'
try 't = read("in.csv")' 'save t as "folder/../sub/new.csv"' 'save t as "sub/new.csv"'
printf '%s\n' 't = read("in.csv")' 'save sort(t, by = y, down = true) as "hard.csv"' 'save t as "sub/twice.csv"' >s.cg
cg run s.cg --quiet 2>said; cat in.csv; ls -l sub | sed -n 's/.*\(dangling.csv -.*\)/\1/p'; tr -d '\r' <sub/nothing.csv
# nor does what a command writes besides
printf '%s\n' 'graph g(x: f32[B, 2]) -> f32[B] { return sum(x, axis = 1) }' 's = evaluate g() on arrays({ x: "in.csv" }) as m { y = m(batch.x) }' \
    'save s as "out.csv"' 'show mean(s.y)' >s.cg
cp s.cg kept.cg
for command in "run --trace=s.cg" "run --exact --publish=sub/../s.cg" "run --trace=in.csv" "run --trace=out.csv" "bench --trace=s.cg" "dot -T dot -o s.cg"; do
    echo "\$ $command"; cg ${command%% *} s.cg ${command#* } 2>&1 | grep error
done
cmp s.cg kept.cg && [ ! -s out.csv ] && cat in.csv
