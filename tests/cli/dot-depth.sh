# Levels of a picture: the default is the deepest that fits a page, --depth says another, --open looks into one instance;
# what is too large to lay out is refused with what to write, and drawn when it is folded.
cat > deep.cg <<'EOF'
import graphs.transformer
graph deep(ids: i32[B, T], layers: int) -> f32[B, T, 61] {
    lm = transformer(vocab = 61, dim = 16, layers, heads = 2, hidden = 37)
    return lm(ids)
}
EOF
boxes() { grep -oE '^[[:space:]]*"[^"]*"[[:space:]]*\[' | tr -d '[\t ' | sort | tr '\n' ' '; echo; }
cg dot deep.cg 'deep(layers = 3)' | boxes
cg dot deep.cg 'deep(layers = 3)' --depth=1 | boxes
cg dot deep.cg 'deep(layers = 3)' --depth=2 --open=lm.blocks.0 | boxes
cg dot deep.cg 'deep(layers = 3)' --depth=0 | boxes | wc -w
cg dot deep.cg 'deep(layers = 120)' --unfold -T svg 2>&1; echo "exit $?"
cg dot deep.cg 'deep(layers = 120)' -T svg | grep -c 'x120'
cg dot deep.cg 'deep(layers = 3)' --depth=-1 2>&1; echo "exit $?"
# A model that was handed to a graph, which applies its parts one by one, is one instance.
cg dot "$srcdir/examples/quickstart.cg" --depth=1 > quickstart.dot; boxes < quickstart.dot
grep -o 'behind.*decoder' quickstart.dot | sed 's/<[^>]*>/ /g' | head -1
# Every stage is as deep as fits a page; --unfold draws all.
for how in --stage=graph --stage=grad '--stage=grad --unfold'; do
    cg dot "$srcdir/examples/images.cg" $how | boxes | wc -w
done
# What a training differentiates fits a page with the derivatives of each part; where they are one box, they are opened.
for how in --stage=grad --stage=tape '--stage=tape --open=backward'; do
    cg dot "$srcdir/examples/quickstart.cg" $how | grep -oE '^[[:space:]]*"?backward[^[:space:]]*[[:space:]]*\[' | tr -d '["\t' | tr '\n' ' '; echo
done
# Equal layers are folded forwards and backwards; those whose derivatives differ are not. Gradients of one box are one.
cat >> deep.cg <<'EOF'
graph score(ids: i32[B, T], layers: int) -> f32 {
    lm = deep(layers)
    return mean(lm(ids))
}
EOF
for how in '--stage=grad --depth=3' '--stage=opt --depth=3'; do
    cg dot deep.cg 'score(layers = 5)' $how > deep.dot; echo "exit $?"; boxes < deep.dot
    grep -oE 'blocks.[0-9] .. blocks.[0-9] .x[0-9]|[0-9]+ outputs' deep.dot
done
# An instance is named by the end of its path, in a folded block as well, and the one that is not there is an error; so
# is what says something of a graph where none is drawn.
cg dot deep.cg 'deep(layers = 3)' --depth=1 --open=blocks.2.ffn | boxes
cg dot deep.cg 'deep(layers = 3)' --depth=1 --open=deep.lm.blocks.1.ffn | boxes
for open in blocks.3 ffm blocks x.lm; do
    cg dot deep.cg 'deep(layers = 3)' --open=$open 2>&1; echo "exit $?"
done
cg dot deep.cg deep.cg 'deep(layers = 3)' --open=ffm 2>&1; echo "exit $?"
for how in --open=lm --overlay=flops --flat --unfold --dim=B=3; do
    cg dot deep.cg --stage=experiment $how 2>&1; echo "exit $?"
done
cg dot deep.cg deep.cg 'deep(layers = 3)' --overlay=flops 2>&1; echo "exit $?"
# A size that is not there is an error, too.
for dim in T=5 t=5 D=5 layers=5; do
    cg dot deep.cg 'deep(layers = 3)' --dim $dim 2>&1 >/dev/null; echo "exit $?"
done
