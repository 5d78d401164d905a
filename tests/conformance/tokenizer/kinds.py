#!/usr/bin/env python3
"""kinds.py - ten kinds of tokenizer.json (kinds/*.json), and texts with the ids and the text that come of them (kinds.jsonl).

Takes nothing; needs Hugging Face's tokenizers (0.23.3 was used), and sentencepiece (0.2.1) for one of the files:
    python3 -m venv /tmp/v && /tmp/v/bin/pip install tokenizers sentencepiece && /tmp/v/bin/python kinds.py
`kinds.py --large TEXT FILE..` writes 10 MB of the files, random characters and special tokens to TEXT, documents with a
byte 1 between them, and the number of ids and their CRC-32 for each kind to large.json; tests/unit/tokenizers compares
them where CG_TOKENIZER_TEXT=TEXT is set.
"""
import json, random, sys, unicodedata, zlib
from tokenizers import AddedToken, Regex, Tokenizer
from tokenizers import decoders as D, models as M, normalizers as N, pre_tokenizers as P, processors as R, trainers as T

LLAMA = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
rng = random.Random(2385)
WORDS = """the of and to in is that it was for on are as with his they at be this from have or by one had not but what all were when we there
can an your which their said if do will each about how up out them then she many some so these would other into has more her two like him see
don't we'll it's I'm größer naïve Straße über 東京 日本 語 中文 文字 привет мир русский текст καλημέρα κόσμε مرحبا نص שלום नमस्ते 2385 1999 3.14
x+y==z {foo: [bar]} --- ... !? word words Right""".split()
SPECIAL = ["<|endoftext|>", "<|pad|>", "<s>", "</s>", "<unk>", "<mask>", " <mask> ", "[SEP]", "[CLS]", "[UNK]", "<0x41>", "▁", "      ", "<|begin_of_text|>"]
NAMES = ["gpt2", "roberta", "llama3", "deepseek", "llama2", "gemma", "mistral", "unigram", "bert", "words", "t5"]
# characters whose properties are the same in all versions of Unicode that are in use
OLD = [chr(c) for c in range(2, 0x30000) if unicodedata.ucd_3_2_0.category(chr(c)) not in ("Cn", "Cs", "Co") and c not in (0x166d, 0x1734, 0x1885, 0x1886)]


def prose(n):
    return "".join(rng.choice(WORDS) + rng.choice([" ", " ", " ", ", ", ". ", "\n", "  ", "\n\n    ", "\t"]) for _ in range(n))


def train():
    """Each kind once; a vocabulary of a few hundred tokens."""
    text = [prose(40) for _ in range(300)]
    lines = [l for t in text for l in t.split("\n") if l]

    def byte_level(t, name, special, **k):
        t.decoder = D.ByteLevel()
        t.train_from_iterator(text, T.BpeTrainer(vocab_size=500, special_tokens=special, initial_alphabet=P.ByteLevel.alphabet(), show_progress=False))
        return t

    t = Tokenizer(M.BPE())
    t.pre_tokenizer = P.ByteLevel(add_prefix_space=False)
    byte_level(t, "gpt2", ["<|endoftext|>", "<|pad|>"]).save("kinds/gpt2.json")

    t = Tokenizer(M.BPE())
    t.pre_tokenizer = P.ByteLevel(add_prefix_space=True)
    byte_level(t, "roberta", ["<s>", "<pad>", "</s>", "<unk>"])
    t.add_special_tokens([AddedToken("<mask>", lstrip=True)])
    t.add_tokens([AddedToken("word", single_word=True), AddedToken("Right", rstrip=True)])
    t.post_processor = R.RobertaProcessing(("</s>", 2), ("<s>", 0))
    t.save("kinds/roberta.json")

    t = Tokenizer(M.BPE(ignore_merges=True))
    t.pre_tokenizer = P.Sequence([P.Split(Regex(LLAMA), "isolated"), P.ByteLevel(add_prefix_space=False, use_regex=False)])
    byte_level(t, "llama3", ["<|pad|>"])
    t.add_special_tokens(["<|begin_of_text|>", "<|end_of_text|>"])
    t.post_processor = R.Sequence([R.ByteLevel(trim_offsets=False), R.TemplateProcessing(
        single="<|begin_of_text|> $A", special_tokens=[("<|begin_of_text|>", t.token_to_id("<|begin_of_text|>"))])])
    t.save("kinds/llama3.json")

    t = Tokenizer(M.BPE())
    t.normalizer = N.Sequence([N.NFC()])
    t.pre_tokenizer = P.Sequence([P.Split(Regex(r"[\r\n]"), "isolated"), P.Split(Regex(r"\s?[!-/:-~！-～‘-‟　-。]+"), "isolated"),
                                  P.Split(Regex(r"[一-龥]+"), "isolated"), P.Digits(individual_digits=True), P.ByteLevel(add_prefix_space=False)])
    byte_level(t, "deepseek", ["<|endoftext|>"])
    t.add_tokens([" " * k for k in range(8, 1, -1)])
    t.save("kinds/deepseek.json")

    def with_bytes(name, normalizer, pre, decoder):
        t = Tokenizer(M.BPE(unk_token="<unk>", fuse_unk=True, byte_fallback=True))
        t.normalizer = normalizer
        t.pre_tokenizer = P.Metaspace(prepend_scheme="never")  # words, to train on
        t.train_from_iterator(lines, T.BpeTrainer(vocab_size=600, show_progress=False, special_tokens=["<unk>", "<s>", "</s>"] + [f"<0x{i:02X}>" for i in range(256)]))
        j = json.loads(t.to_str())
        j["added_tokens"] = j["added_tokens"][:3]
        j["pre_tokenizer"] = None
        t = Tokenizer.from_str(json.dumps(j))
        if pre:
            t.pre_tokenizer = pre
        t.decoder = decoder
        t.post_processor = R.TemplateProcessing(single="<s> $A", special_tokens=[("<s>", 1)])
        t.save(f"kinds/{name}.json")

    plain = [D.Replace("▁", " "), D.ByteFallback(), D.Fuse()]
    with_bytes("llama2", N.Sequence([N.Prepend("▁"), N.Replace(" ", "▁")]), None, D.Sequence(plain + [D.Strip(" ", 1, 0)]))
    with_bytes("gemma", N.Replace(" ", "▁"), P.Split(" ", "merged_with_previous"), D.Sequence(plain))
    with_bytes("mistral", None, P.Metaspace(prepend_scheme="first", split=False), D.Sequence(plain + [D.Strip(" ", 1, 0)]))

    t = Tokenizer(M.Unigram())
    t.normalizer = N.Sequence([N.NFKC(), N.Replace(Regex(" {2,}"), " "), N.Strip(False, True)])
    t.pre_tokenizer = P.Sequence([P.WhitespaceSplit(), P.Metaspace()])
    t.decoder = D.Metaspace()
    t.train_from_iterator(lines, T.UnigramTrainer(vocab_size=500, special_tokens=["<pad>", "</s>", "<unk>"], unk_token="<unk>", show_progress=False))
    t.post_processor = R.TemplateProcessing(single="$A </s>", special_tokens=[("</s>", t.token_to_id("</s>"))])
    t.save("kinds/unigram.json")

    t = Tokenizer(M.WordPiece(unk_token="[UNK]"))
    t.normalizer, t.pre_tokenizer, t.decoder = N.BertNormalizer(), P.BertPreTokenizer(), D.WordPiece()
    t.train_from_iterator(lines, T.WordPieceTrainer(vocab_size=500, special_tokens=["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"], show_progress=False))
    t.post_processor = R.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    t.save("kinds/bert.json")

    t = Tokenizer(M.WordPiece(unk_token="[UNK]", max_input_chars_per_word=20))
    t.normalizer = N.Sequence([N.NFD(), N.Lowercase(), N.StripAccents(), N.Strip()])
    t.pre_tokenizer = P.Sequence([P.Whitespace(), P.Punctuation("merged_with_next"), P.Digits()])
    t.decoder = D.WordPiece(cleanup=False)
    t.train_from_iterator(lines, T.WordPieceTrainer(vocab_size=400, special_tokens=["[UNK]", "[SEP]"], show_progress=False))
    t.save("kinds/words.json")

    # SentencePiece's own table of characters, as T5 and XLM-R have it
    import io
    import sentencepiece as spm
    model = io.BytesIO()
    spm.SentencePieceTrainer.train(sentence_iterator=iter(lines), model_writer=model, vocab_size=190, minloglevel=2, pad_id=3)
    p = spm.SentencePieceProcessor(model_proto=model.getvalue())
    raw = model.getvalue()
    at = raw.index(b"nmt_nfkc") + len(b"nmt_nfkc")  # the next field is the table: its tag, its length, its bytes
    n, shift, at = 0, 0, at + 1
    while True:
        n |= (raw[at] & 127) << shift
        shift += 7
        at += 1
        if raw[at - 1] < 128:
            break
    table = raw[at:at + n]
    t = Tokenizer(M.Unigram([(p.id_to_piece(i), p.get_score(i)) for i in range(p.get_piece_size())], unk_id=p.unk_id()))
    t.normalizer = N.Sequence([N.Precompiled(table), N.Replace(Regex(" {2,}"), " ")])
    t.pre_tokenizer = P.Metaspace()
    t.decoder = D.Metaspace()
    t.add_special_tokens(["<unk>", "<s>", "</s>", "<pad>"])
    t.post_processor = R.TemplateProcessing(single="$A </s>", special_tokens=[("</s>", t.token_to_id("</s>"))])
    t.save("kinds/t5.json")


def odd(n):
    return "".join(rng.choice(SPECIAL + WORDS + ["é", "e\u0301", "ﬁ", "½", "🙂👩‍👩‍👧", "WE'LL", "a\u00a0b\u3000c", "İSTANBUL", "_x_y", "(a,b)!?..."])
                   + rng.choice(["", " ", " ", "  ", "\r\n"]) for _ in range(n))


def noise(n):
    return "".join(rng.choice(OLD) for _ in range(n))


def small():
    texts = ["", " ", "  a", "a  ", "\n\n\nthe", "Don't you're WE'LL it'S 'tis", "1234567 12 3.14159", "x = [1,2]; // y\t\tz\r\n", "größer naïve 東京の日本語 привет",
             "e\u0301 \u00a0nbsp\u2003em \u3000ideographic\u0085nel", "🙂🙂 emoji👩‍👩‍👧", "\u0661\u0662 Ⅷ ½ ²", "====----====" * 9, "a\u200bb\ufeffc", "word words Right  now <mask>,",
             "ab" * 60, "  leading", "trailing  ", "<s>the</s>", "ﬁ ｆｕｌｌ ①②", "\u0130I\u0131i ǅ ß"] + [prose(20) for _ in range(8)] + [odd(12) for _ in range(16)] + [noise(30) for _ in range(12)]
    tokenizers = {n: Tokenizer.from_file(f"kinds/{n}.json") for n in NAMES}
    with open("kinds.jsonl", "w") as f:
        for text in texts:
            row = {"text": text}
            for n, t in tokenizers.items():
                ids = t.encode(text).ids
                row[n] = ids
                row[n + "_text"] = t.decode(ids, skip_special_tokens=True)
            f.write(json.dumps(row) + "\n")


def large(path, files):
    each = 10_000_000 // len(files)
    docs = []
    for name in files:
        text = open(name, "rb").read(each).decode("utf-8", "ignore")
        docs += [text[i:i + 4000].replace("\x01", "") for i in range(0, len(text), 4000)]
    docs += [noise(400) for _ in range(500)] + [odd(60) for _ in range(500)]
    open(path, "w", encoding="utf-8", newline="").write("\x01".join(docs))
    out = {}
    for n in NAMES:
        t = Tokenizer.from_file(f"kinds/{n}.json")
        count = crc = 0
        for d in docs:
            ids = t.encode(d).ids
            count += len(ids)
            crc = zlib.crc32(b"".join(i.to_bytes(4, "little") for i in ids), crc)
        out[n] = [count, crc]
        print(n, count, crc, flush=True)
    json.dump({"bytes": len("\x01".join(docs).encode()), "kinds": out}, open("large.json", "w"), indent=1)


if len(sys.argv) > 3 and sys.argv[1] == "--large":
    large(sys.argv[2], sys.argv[3:])
else:
    train()
    small()
