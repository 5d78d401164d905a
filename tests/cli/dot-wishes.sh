# Ten things that users of other tools that draw models ask for (the threads are named), each in a few lines.
cat > deep.cg <<'END'
cg 2
import graphs.transformer
graph deep(ids: i32[B, T], layers: int) -> f32[B, T, 61] {
    lm = transformer(vocab = 61, dim = 16, layers, heads = 2, hidden = 37)
    return lm(ids)
}
graph wider(ids: i32[B, T], layers: int) -> f32[B, T, 61] {
    lm = transformer(vocab = 61, dim = 16, layers, heads = 2, hidden = 41)
    return lm(ids)
}
END
boxes() { grep -oE '^[[:space:]]*"[^"]*"[[:space:]]*\[' | tr -d '[\t ' | sort | tr '\n' ' '; echo; }
said() { sed 's/<[^>]*>/ /g; s/&#160;/ /g; s/  */ /g' | grep -oE 'label= .*' | sed 's/label= //; s/ >[]],*;*$//; s/ >,$//'; }

echo "1 folded by hierarchy, opened one by one (netron 68, 1370, 592, 824, 1237)"
cg dot deep.cg 'deep(layers = 3)' --depth=1 | boxes
cg dot deep.cg 'deep(layers = 3)' --depth=1 --open=lm.blocks.0.attn | boxes

echo "2 thousands of nodes do not hang (netron 68, 1212, 1135)"
cg dot deep.cg 'deep(layers = 500)' -T svg -o deep.svg; echo "exit $?"
[ "$(wc -c < deep.svg)" -lt 200000 ] && echo small
cg dot deep.cg 'deep(layers = 500)' --unfold -T svg 2>&1 | tail -1

echo "3 two models compared (netron 1544, 1134)"
cg dot deep.cg 'deep(layers = 2)' 'wider(layers = 2)' 2>&1 >two.dot; echo "exit $?"

echo "4 nesting can be turned off, and search reaches inside (netron 1554)"
cg dot deep.cg 'deep(layers = 1)' --flat --depth=0 | grep -c subgraph
cg dot deep.cg 'deep(layers = 1)' -T html | grep -c '"id":"deep.lm.blocks.0.attn/attention.0"'

echo "5 what is shared is drawn once, with a mark (netron 1525)"
cg dot deep.cg 'deep(layers = 1)' --depth=0 | said | grep shared

echo "6 a text that other programs read and git compares (netron 849)"
cg dot deep.cg 'deep(layers = 2)' > one.dot; cg dot deep.cg 'deep(layers = 2)' | cmp - one.dot && echo same
sed 's/vocab = 61/vocab = 67/; s/T, 61/T, 67/' deep.cg > other.cg; cg dot other.cg 'deep(layers = 2)' | diff one.dot - | grep -c '^>'

echo "7 SVG for documents (model-explorer 44, torchvista 16)"
cg dot deep.cg 'deep(layers = 2)' -T svg | grep -c 'prefers-color-scheme:dark'

echo "8 numbers baked into one file that needs no server (executorch 21068)"
cg dot deep.cg 'deep(layers = 2)' --overlay=parameters -T html | grep -o '"id":"deep.lm.embed[^,]*,"k":"[a-z ]*"\|976 parameters[^"]*' | head -3

echo "9 repeated blocks drawn once, with their count (ttnn-visualizer 1583, torchview 118)"
cg dot deep.cg 'deep(layers = 24)' --depth=2 | said | grep 'x24'

echo "10 a part of a graph alone (nnviz 5)"
cg dot deep.cg 'attention(heads = 2)' --dim D=16 --depth=0 | boxes
