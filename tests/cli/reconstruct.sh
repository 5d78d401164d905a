# Texts written from memory slots: place by place, with what is kept, they are those of the whole graph.
cat >a.cg <<'CG'
import graphs.transformer
import graphs.compressor
tok = bytes()
text = synthetic("grammar", size = 60000)
lm = train transformer(vocab = tok.size, dim = 32, layers = 2, heads = 2, hidden = 64) as lm {
    data = windows(text.train, tok, length = 16)
    loss = cross_entropy(lm(batch.tokens), batch.next)
    optimizer = adamw(rate = 1e-2)
    batch = 8
    steps = 60
}
pair = compressor(memory = memory(encoder = lm, slots = 4, width = 32), decoder = freeze(lm))
written = evaluate pair on windows(text.test, tok, length = 16) as m {
    text = reconstruct(m, batch.tokens)
    accuracy = token_f1(text, batch.tokens)
}
again = evaluate pair on windows(text.test, tok, length = 16) as m {
    text = reconstruct(m, batch.next)
    accuracy = token_f1(text, batch.tokens)
}
save written as "written.csv"
save again as "again.csv"
CG
cg run a.cg 2>said || { cat said; exit 1; }
for how in whole one; do
    mkdir $how; cp a.cg $how
done
(cd whole && CG_DEBUG=whole cg run a.cg 2>said) || { cat whole/said; exit 1; }
(cd one && cg run a.cg --threads 1 2>said) || { cat one/said; exit 1; }
cmp written.csv whole/written.csv && echo "as by the whole graph"
cmp written.csv one/written.csv && echo "with one thread, too"
[ $(wc -l <written.csv) -gt 40 ] && echo "many rows"
cmp -s written.csv again.csv || echo "of other tokens, other texts"
