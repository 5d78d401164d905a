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
# what a box of several ops does not show differs, too
sed 's/2\.385/3.385/' b.cg > d.cg
cg dot b.cg d.cg 2> said > d.dot; echo "exit $?"; cat said; signs < d.dot
# two graphs of one script, and a script as git knows it
cg dot a.cg 'model' 'model' > same.dot 2> said; echo "exit $?"; cat said
cat > c.cg <<'END'
import std.nn
graph wide(x: f32[B, 7]) -> f32[B, 11] { d = dense(out = 11)
    return d(x) }
graph other(x: f32[B, 7]) -> f32[B, 11] { d = dense(out = 11)
    return tanh(d(x)) }
END
cg dot c.cg wide other > two.dot 2> said; echo "exit $?"; cat said; signs < two.dot
if git init -q . 2>/dev/null && git add c.cg && git -c user.name=a -c user.email=a@b commit -qm one; then
    sed -i 's/tanh/sigmoid/' c.cg
    cg dot HEAD:c.cg c.cg other > rev.dot 2> said; echo "exit $?"; cat said; signs < rev.dot
    cg dot HEAD~7:c.cg c.cg other 2>/dev/null; echo "exit $?"
fi
# Where a size differs, an arrow says both types: two would lie on each other.
cat > sizes.cg <<'EOF'
import std.nn
graph sizes(x: f32[B, 7]) -> f32[B, 3] {
    up, down = dense(out = 11), dense(out = 3)
    return down(tanh(up(x)))
}
EOF
sed 's/out = 11/out = 13/' sizes.cg > other.cg
cg dot sizes.cg other.cg --depth=0 > sizes.dot 2> said; echo "exit $?"; cat said; signs < sizes.dot
grep -oE '^.*" -> .*' sizes.dot | sed 's/^[[:space:]]*//; s/[[:space:]]*\[.*//' | sort | uniq -d
grep -oE 'label="[^"]*was[^"]*"' sizes.dot
# A repeated type that is said elsewhere in the other one is no difference.
cat > said.cg <<'EOF'
graph said(x: f32[B, 7], y: f32[B, 7]) -> f32[B, 7], f32[B, 7] {
    a = exp(x)
    b = sin(a)
    return tanh(b) + b, b * y
}
graph more(x: f32[B, 7], y: f32[B, 7]) -> f32[B, 7], f32[B, 7] {
    a = exp(x)
    c = cos(y)
    b = sin(a)
    return tanh(b) + b, b * c
}
EOF
cg dot said.cg said more 2>&1 >/dev/null
