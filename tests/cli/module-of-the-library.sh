# std.* is the library's: a file that would be found in its place is an error, not a replacement. Options of imported
# modules that are called alike, and of none.
exec 2>&1
mkdir std a b
echo 'def dense(x) = 3' > std/nn.cg
printf 'import std.nn\nshow dense\n' > uses.cg
cg check uses.cg
echo "exit $?"
rm -r std
cg check uses.cg
echo 'option width: int = 3' > a/net.cg
cp a/net.cg b/net.cg
printf 'import a.net\nimport b.net\nx = 1\nshow x\n' > two.cg
cg run two.cg --set net.width=5
echo "exit $?"
printf 'import a.net\nimport b.net as other\nshow width, other.width\n' > two.cg
cg run two.cg --set other.width=5 --set net.width=7
cg run two.cg --set nett.width=5
echo "exit $?"
cg run two.cg --help | tail -3
printf 'option sizes: int[] = [1]\noption scale: { tiny, small } = "tiny"\nshow sizes, scale\n' > types.cg
cg run types.cg --set 'sizes=[1, 2.5]'
cg run types.cg --set 'sizes=[1, 2'
cg run types.cg --set scale=smal
echo "exit $?"
