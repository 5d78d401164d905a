# Text that goes on from a prompt: the same each time, in this process and the next; greedy and drawn differ.
cat >a.cg <<'CG'
import graphs.transformer
tok = bytes()
text = synthetic("grammar", size = 60000)
lm = train transformer(vocab = tok.size, dim = 32, layers = 1, heads = 2, hidden = 64) as lm {
    data = windows(text.train, tok, length = 16)
    loss = cross_entropy(lm(batch.tokens), batch.next)
    optimizer = adamw(rate = 1e-2)
    batch = 8
    steps = 80
}
save generate(lm, "The ", tok, length = 40) as "greedy.txt"
save generate(lm, "The ", tok, length = 40) as "greedy2.txt"
save generate(lm, "The ", tok, length = 40, temperature = 1.0, top_k = 20, seed = 3) as "drawn.txt"
save generate(lm, "The ", tok, length = 40, temperature = 1.0, top_k = 20, seed = 4) as "drawn4.txt"
CG
cg run a.cg 2>said || { cat said; exit 1; }
mkdir again; cp a.cg again
(cd again && cg run a.cg --threads 1 2>said) || { cat again/said; exit 1; }
mkdir whole; cp a.cg whole          # the whole graph for each token writes what the form with caches writes
(cd whole && CG_DEBUG=whole cg run a.cg 2>said) || { cat whole/said; exit 1; }
for f in greedy drawn; do cmp $f.txt whole/$f.txt && echo "$f: as by the whole graph"; done
for f in greedy drawn drawn4; do cmp $f.txt again/$f.txt && echo "$f: the same"; done
cmp greedy.txt greedy2.txt && echo "the same twice"
cmp -s drawn.txt drawn4.txt || echo "another seed, another text"
cut -c 1-4 greedy.txt
wc -c <greedy.txt
