# Two scripts as one picture: what the second adds (+), removes (-) and changes (~); instances in which nothing differs are
# boxes. Exit code 1 where they differ.
cat > a.cg <<'EOF'
import graphs.transformer
graph model(ids: i32[B, T]) -> f32[B, T, 61] {
    lm = transformer(vocab = 61, dim = 16, layers = 3, heads = 2, hidden = 37)
    return lm(ids)
}
EOF
sed 's/hidden = 37/hidden = 43/; s/return lm(ids)/return softmax(lm(ids)*2.385, axis = -1)/' a.cg > b.cg
sed 's/layers = 3/layers = 2/' a.cg > c.cg
signs() { sed 's/<[^>]*>/ /g; s/&#160;/ /g' | grep -oE '[+~-]  .*' | sed 's/ *>*[],;]*$//; s/  */ /g'; }
for other in a b c; do
    cg dot a.cg $other.cg > $other.dot 2> said; echo "exit $?"; cat said; signs < $other.dot
done
grep -c 'blocks.0.attn"' b.dot
cg dot b.cg a.cg model 2>&1 | signs
cg dot a.cg b.cg --stage=experiment 2>&1; echo "exit $?"
cg dot a.cg none.cg; echo "exit $?"
