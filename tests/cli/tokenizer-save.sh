# Trained tokenizers are saved as tokenizer.json, and give the same tokens when they are read again.
cat >make.cg <<'CG'
text = synthetic("code", size = 60007)
tok = bpe(text, size = 400)
letters = chars(text)
save tok as "bpe.json"
save letters as "chars.json"
CG
cg run make.cg 2>&1
cat >use.cg <<'CG'
import make as made
import graphs.transformer: transformer
lm = transformer(vocab = 400, dim = 4, layers = 1, heads = 1, hidden = 4)
def texts(t) = evaluate lm on windows(made.text.test, t, length = 32, count = 50) as m {
    ids = mean(cast(batch.tokens, f32), axis = 1)
    text = decode(batch.tokens)
}
again, letters = tokenizer("bpe.json"), tokenizer("chars.json")
show again.size, again.end, again.mark, letters.end, letters.mark
save texts(made.tok) as "a.csv"
save texts(again) as "b.csv"
save texts(made.letters) as "c.csv"
save texts(letters) as "d.csv"
CG
cg run use.cg 2>/dev/null
cmp a.csv b.csv && cmp c.csv d.csv && echo "the same tokens"
printf 'save bytes() as "b.json"\n' >none.cg
cg run none.cg 2>&1
printf 'save bpe(synthetic("code", size = 60007)) as "b.txt"\n' >none.cg
cg run none.cg 2>&1
printf 'abcabd.\nhello world, abc.\n%.0s' 1 2 3 4 5 6 7 8 9 >letters.txt
printf 'show chars(corpus("letters.txt", shares = [1, 0, 0])).size\n' >size.cg
cg run size.cg 2>&1 # a b c d e h l o r w . , blank newline, and three besides
printf 'a = tokenizer("bpe.json", end_token = "zebra")\nb = tokenizer("bpe.json", end_token = 4000)\nc = tokenizer("bpe.json", end_token = 7)\nshow c.end' >ends.cg
cg run ends.cg 2>&1
