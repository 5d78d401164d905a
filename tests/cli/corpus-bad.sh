# Texts that are not there, empty, too short: one message with its place, and the documented exit code.
cat >a.cg <<'CG'
import graphs.transformer
option path: str = "none.txt"
tok = bytes()
text = corpus(path)
lm = train transformer(vocab = tok.size, dim = 16, layers = 1, heads = 2, hidden = 32) as lm {
    data = windows(text.train, tok, length = 16)
    loss = cross_entropy(lm(batch.tokens), batch.next)
    optimizer = adamw(rate = 1e-2)
    batch = 8
    steps = 8
}
save lm as "lm.safetensors"
CG
: >empty.txt
echo short >short.txt
mkdir folder
for path in none.txt empty.txt short.txt folder; do
    cg run a.cg --set path=$path 2>&1
    echo "exit $?"
done
cg run a.cg --set pth=empty.txt 2>&1
echo "exit $?"
[ -f lm.safetensors ] || echo "nothing is saved"
# what is said of files of another kind
printf '{"text": "a text"}\n' >lines.jsonl
for how in 'corpus("lines.jsonl", block = 256)' 'corpus("short.txt", field = "text")'; do
    echo "show $how" >b.cg
    for large in "" 1; do CG_DEBUG=${large:+large=1} cg run b.cg 2>&1 | grep 'error\|help'; done
done
