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
