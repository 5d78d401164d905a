#!/usr/bin/env python3
"""make.py - writes gpt2.json, llama.json, added.json (small tokenizers), cases.jsonl and added.jsonl (texts with the ids they must have).

Takes nothing; needs Hugging Face's tokenizers (0.23.3 was used):
    python3 -m venv /tmp/v && /tmp/v/bin/pip install tokenizers && /tmp/v/bin/python make.py
"""
import json
import random

from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers

LLAMA = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+")

rng = random.Random(2385)
WORDS = ("the of and to in is that it was for on are as with his they at be this from have or by one had not but what all were when "
         "we there can an your which their said if do will each about how up out them then she many some so these would other into "
         "has more her two like him see time could no make than first been its who now people my made over did down only way find "
         "don't we'll it's I'm you're they've he'd größer naïve 東京 日本語 привет мир 2385 1999 3.14 x+y==z {foo: [bar]}").split()


def prose(n):
    return "".join(rng.choice(WORDS) + rng.choice([" ", " ", " ", ", ", ". ", "\n", "  ", "\n\n    "]) for _ in range(n))


def train(pre, name):
    t = Tokenizer(models.BPE(ignore_merges=name == "llama"))
    t.pre_tokenizer = pre
    t.decoder = decoders.ByteLevel()
    t.train_from_iterator([prose(40) for _ in range(400)], trainers.BpeTrainer(
        vocab_size=600, special_tokens=["<|begin_of_text|>", "<|endoftext|>"], initial_alphabet=pre_tokenizers.ByteLevel.alphabet()))
    t.save(name + ".json")
    return t


gpt2 = train(pre_tokenizers.ByteLevel(add_prefix_space=False), "gpt2")
llama = train(pre_tokenizers.Sequence([pre_tokenizers.Split(Regex(LLAMA), "isolated"), pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)]), "llama")

texts = ["", " ", "  a", "a  ", "\n\n\nthe", "Don't you're WE'LL it'S 'tis", "1234567 12 3.14159", "x = [1,2]; // y\t\tz\r\n", "größer naïve 東京の日本語 привет",
         "e\u0301 \u00a0nbsp\u2003em \u3000ideographic\u0085nel", "🙂🙂 emoji👩‍👩‍👧", "\u0661\u0662 Ⅷ ½ ²", "====----====" * 9, "    indent\n        more\n", "a\u200bb\ufeffc",
         "they've made the first of it all and then some"] + [prose(30) for _ in range(20)]
with open("cases.jsonl", "w") as f:
    for text in texts:
        f.write(json.dumps({"text": text, "gpt2": gpt2.encode(text).ids, "llama": llama.encode(text).ids}) + "\n")

# Tokens that were added, found in the text and not special; runs that are one piece of thousands of bytes.
added = Tokenizer.from_file("gpt2.json")
added.add_tokens(["<tool>", "<tool>s", "\n\n\n", "ß", "the of"])
added.save("added.json")
texts = ["<tool>", "a<tool>b<tool>s and <tool", "x\n\n\n\ny", "größe the of the  of", "<<tool>>", "the of<tool>the of", "ab" * 1500, " " * 3001 + "x",
         "=" * 2500 + "-" * 1025, "the" * 700]
with open("added.jsonl", "w") as f:
    for text in texts:
        f.write(json.dumps({"text": text, "added": added.encode(text).ids}) + "\n")
