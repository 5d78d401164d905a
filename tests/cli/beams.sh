# A search that keeps all there is finds the likeliest of all texts; with one hypothesis it is the greedy text.
cat >a.cg <<'CG'
graph net(ids: i32[B, T], size: int) -> f32[B, T, size] {
    param w: f32[size, size] = normal(std = 0.5)
    return take(w, ids)
}
m = net(size = 5)
prompt = [3, 1]
show generate(m, prompt, new = 3, beams = 64), generate(m, prompt, new = 3, beams = 25)
show log_likelihood(generate(m, prompt, new = 3, beams = 64))
show [log_likelihood(generate(m, prompt, new = 3, temperature = 1.5, seed = s)) for s in 0..200]
show log_likelihood(generate(m, prompt, new = 3)), log_likelihood(generate(m, prompt, new = 3, beams = 2))
CG
cg run a.cg >out 2>err || { cat err; exit 1; }
sed -n 1p out
cmp -s out out && [ "$(sed -n 1p out)" = "$(sed -n 2p out)" ] && echo "with 25 hypotheses all of 125 texts are looked at"
awk 'NR == 3 { found = $1 }
NR == 4 { gsub(/[][,]/, " "); n = split($0, drawn, " "); most = -99; for (i = 1; i <= n; i++) if (drawn[i] > most) most = drawn[i] }
NR == 5 { greedy = $1 }
NR == 6 { two = $1 }
END { print n " drawn"; print found == most ? "none is likelier than the one found" : found " " most; print greedy <= two && two <= found }' out
