# Tokens that end a text, mark a place or stand around each text count in no score, whichever tokenizer they are of: what
# has nothing in common scores 0, and nothing is as nothing.
printf '{"a": "ab", "b": "cd"}\n{"a": "abcd cd", "b": "abcd cd"}\n{"a": "ab", "b": ""}\n{"a": "", "b": ""}\n' >p.jsonl
word='"type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##", "max_input_chars_per_word": 100'
added='{"id": 0, "content": "[PAD]", "special": true}, {"id": 1, "content": "[CLS]", "special": true}, {"id": 2, "content": "[SEP]", "special": true}'
around='"single": [{"SpecialToken": {"id": "[CLS]", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}, {"SpecialToken": {"id": "[SEP]", "type_id": 0}}], "pair": [{"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 1}}]'
ids='"special_tokens": {"[CLS]": {"id": "[CLS]", "ids": [1], "tokens": ["[CLS]"]}, "[SEP]": {"id": "[SEP]", "ids": [2], "tokens": ["[SEP]"]}}'
cat >framed.json <<JSON
{"version": "1.0", "truncation": null, "padding": null, "added_tokens": [$added], "normalizer": null,
 "pre_tokenizer": {"type": "Whitespace"}, "post_processor": {"type": "TemplateProcessing", $around, $ids},
 "decoder": {"type": "WordPiece", "prefix": "##", "cleanup": false},
 "model": {$word, "vocab": {"[PAD]": 0, "[CLS]": 1, "[SEP]": 2, "[UNK]": 3, "ab": 4, "cd": 5, "##cd": 6}}}
JSON
{
    echo 'cg 2'
    echo 'option which: str = "bytes"'
    echo 'text = corpus("p.jsonl", field = "a", shares = [1, 0, 0])'
    echo 'tok = if which == "bytes" then bytes() else if which == "bpe" then bpe(text, size = 258) else tokenizer(which)'
    echo 'graph none(ids: i32[B, T]) -> f32[B] { return fill(0, [B]) }'
    echo 'pairs = examples("p.jsonl", { a: field("a", tok, length = 12), b: field("b", tok, length = 9) }).all'
    echo 's = evaluate none() on pairs as m {'
    metrics="accuracy bleu chrf exact exact_prefix rouge_1 rouge_l token_f1 word_f1 word_rouge_l"
    for m in $metrics; do echo "    by_$m = $m(batch.a, batch.b)"; done
    echo '}'
    echo 'save s as "s.csv"'
} >a.cg
for which in bytes bpe framed.json; do
    echo "== $which"; cg run a.cg --quiet --set which=$which >said 2>&1 || cat said
    tail -n +2 s.csv
done
