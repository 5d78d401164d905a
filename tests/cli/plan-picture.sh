# Lifetimes as a picture: of relu(x @ u) @ v each product in the slab from the instruction that makes it to the last
# that reads it; the instruction where most is alive is the one --dump=mem says.
cat > net.cg <<'EOF'
cg 2
graph net(x: f32[B, 30]) -> f32[B, 20] {
    param u: f32[30, 50] = normal()
    param v: f32[50, 20] = normal()
    return exp(x @ u) @ v
}
EOF
cg plan net.cg --dim B=64 --picture > net.svg; echo "exit $?"
grep -o '<title>[^<]*' net.svg | sed 's/<title>//'
grep -o '<desc>[^<]*' net.svg
grep -o '>[^<]* alive at[^<]*' net.svg
cg plan net.cg --dim B=64 --dump=mem | head -1
cg plan net.cg --picture 2>&1; echo "exit $?"
# Where nothing runs it says so.
echo 'graph same(x: f32[3]) -> f32[3] { return x }' > none.cg
cg plan none.cg --picture | grep -oE '>no [^<]*'
# No text reaches beyond the picture, however long the names are: half of its size for each character, at least.
cat > a_file_whose_name_says_all_that_there_is_to_say_of_what_is_in_it.cg <<'EOF'
graph loss(logits: f32[B, 7], ids: i32[B]) -> f32[7] {
    return grad(sum(cross_entropy(logits, ids)), wrt = logits)[0, ..] * 2.385
}
EOF
cg plan a_file*.cg --dim B=5 --picture | awk '
    function number(name,    s) { s = at; return sub(".* " name "=\"", "", s) ? s + 0 : 0 }
    /^<svg/ { at = $0; wide = number("width"); high = number("height"); print (wide > 994), (high > 654) }
    /<text/ { n++; at = text = $0; sub(/.*<text/, "", at); sub(/>.*/, "", at); sub(/.*<text[^>]*>/, "", text); sub(/<.*/, "", text)
        room = length(text) * 5; split(at, p, /[(,)]/)
        if (at ~ /rotate/) { if (p[2] + 0.766 * room > wide || p[3] + 0.643 * room > high) print "cut: " text }
        else if (at !~ /anchor|"in"/ && number("x") + room > wide) print "cut: " text }
    END { print (n > 8) }'
