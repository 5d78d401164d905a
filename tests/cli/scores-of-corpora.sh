# Scores of columns of texts are those that sacreBLEU 2.6.0 has of the corpus (corpus_bleu and corpus_chrf), also where
# texts are empty: 0.367206 and 0.546447; of empty texts alone they are 1.
cat >texts.jsonl <<'J'
{"c": "The cat sat on the mat.", "r": "The cat sat on a mat."}
{"c": "hello world", "r": "hello there world"}
{"c": "", "r": ""}
{"c": "abc", "r": ""}
{"c": "a a a a b", "r": "a b b a a"}
J
cat >a.cg <<'CG'
cg 2
t = read("texts.jsonl")
show digits(bleu(t.c, t.r), 6), digits(chrf(t.c, t.r), 6)
none = filter(t, c == "" and r == "")
show bleu(none.c, none.r), chrf(none.c, none.r)
extra = filter(t, r == "")
show bleu(extra.c, extra.r), chrf(extra.c, extra.r)
CG
$CG run a.cg
