#!/usr/bin/env python3
"""merges.py - the merges that Hugging Face's tokenizers learns of three texts, which tests/unit/bpe learns anew.

Takes nothing; needs tokenizers (0.23.3 was used) and regex: `python merges.py` writes merges/NAME.txt and merges/NAME.bpe.
`merges.py --large FILE..` learns 8,000 tokens of the first 4 MB of each file and writes how many merges there are and
their CRC-32 to merges/large.json; tests/unit/bpe compares them where CG_MERGES_TEXTS names the folder of the files.

Both count pairs inside the same pieces, which this script makes: those of GPT-2's pattern, of which 64 bytes are one, and
bytes 0 and 1 alone. A byte b is the character U+0100 + b here, so that the ids of bytes are the bytes, by which ties go.
"""
import json, os, random, sys, zlib
import regex
from tokenizers import Tokenizer, models, pre_tokenizers, trainers

PATTERN = regex.compile(
    r"'(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+")
LONGEST = 64
WORDS = """the of and to in is that it was for on are as with his they at be this from have or by one had not but what all
don't we'll it's I'm größer naïve Straße über 東京 日本 語 中文 文字 привет мир русский текст καλημέρα κόσμε مرحبا نص שלום 2385 1999
3.14 x+y==z {foo: [bar]} --- ... !? word words Right""".split()


def pieces(text):
    """Of bytes. A piece that is cut may be cut in a character, whose bytes then are no letters: what follows is decoded anew."""
    for stretch in regex.split(rb"([\x00\x01])", text):
        at = 0
        while at < len(stretch):
            window = stretch[at:at + 4096]
            whole = at + len(window) == len(stretch)
            # a byte that is no UTF-8 is a character of its own that is neither letter, digit nor white space
            for m in PATTERN.finditer(window.decode("utf-8", "surrogateescape")):
                p = m.group().encode("utf-8", "surrogateescape")
                if not whole and m.end() + 4 > len(m.string):
                    break  # it may go on behind the window, which begins with it now
                at += min(len(p), LONGEST)
                yield p[:LONGEST]
                if len(p) > LONGEST:
                    break


def learn(text, size):
    counts = {}
    for p in pieces(text):
        counts[p] = counts.get(p, 0) + 1
    t = Tokenizer(models.BPE())
    t.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    written = lambda p: "".join(chr(0x100 + b) for b in p)
    lines = (" ".join([written(p)] * n) for p, n in counts.items())
    t.train_from_iterator(lines, trainers.BpeTrainer(vocab_size=size, min_frequency=2, show_progress=False,
                                                     initial_alphabet=[chr(0x100 + b) for b in range(256)]))
    vocab, out = t.get_vocab(), ["cg bpe 1\n"]
    assert all(vocab[chr(0x100 + b)] == b for b in range(256))
    for i, pair in enumerate(json.loads(t.to_str())["model"]["merges"]):
        left, right = pair if isinstance(pair, list) else pair.split(" ")
        assert vocab[left + right] == 256 + i
        out.append(f"{vocab[left]} {vocab[right]}\n")
    return "".join(out).encode()


def texts():
    rng = random.Random(2385)
    def prose(words, n):
        return "".join(rng.choice(words) + rng.choice([" ", " ", " ", ", ", ". ", "\n", "  ", "\n\n    ", "\t"]) for _ in range(n))
    latin = [w for w in WORDS if w.isascii()]
    yield "english", prose(latin, 6000).encode()
    yield "scripts", (prose(WORDS, 4000) + "".join(chr(rng.choice([rng.randrange(2, 0x250), rng.randrange(0x3b1, 0x3ca), rng.randrange(0x4e00, 0x9fa6)])) for _ in range(2000)) + "文" * 90 + "中文" * 200).encode()
    noise = bytes(rng.choice([32, 32, 10, 97, 98, 39, 115, 0xc3, 0xa9, 0xff, 0, 1, 48]) for _ in range(20000))
    yield "bytes", noise + b"-" * 700 + b"a" * 300 + prose(latin, 500).encode()


if __name__ == "__main__":
    here = os.path.join(os.path.dirname(os.path.abspath(__file__)), "merges")
    os.makedirs(here, exist_ok=True)
    if sys.argv[1:2] == ["--large"]:
        known = {}
        for path in sys.argv[2:]:
            made = learn(open(path, "rb").read(4 << 20), 8000)
            known[os.path.basename(path)] = [made.count(b"\n") - 1, zlib.crc32(made)]
        json.dump(known, open(os.path.join(here, "large.json"), "w"), indent=1)
    else:
        for name, text in texts():
            open(f"{here}/{name}.txt", "wb").write(text)
            open(f"{here}/{name}.bpe", "wb").write(learn(text, 1000))
