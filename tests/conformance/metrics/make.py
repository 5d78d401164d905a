#!/usr/bin/env python3
"""make.py - writes cases.tsv: scores of random and hand-made pairs by the packages people cite.

Takes nothing; gives tab-separated rows to standard output. Must be run with sacrebleu, nltk and rouge-score installed:
    python3 -m venv /tmp/v && /tmp/v/bin/pip install sacrebleu nltk rouge-score && /tmp/v/bin/python make.py > cases.tsv

Columns: candidate ids, reference ids, f1 (by Counter, as SQuAD's), rouge_l (rouge_score, fmeasure, own tokenizer that splits
at spaces), bleu_exp (sacrebleu sentence, tokenize none, exp, effective order), bleu_none, bleu_floor (nltk, method 1).
The last row, "corpus", holds the corpus scores of all pairs: exp and none of sacrebleu.
"""
import random
import sys
import warnings
from collections import Counter

import nltk
import rouge_score
import sacrebleu
from nltk.translate.bleu_score import SmoothingFunction, sentence_bleu
from rouge_score.rouge_scorer import RougeScorer
from sacrebleu.metrics import BLEU

warnings.filterwarnings("ignore")


class Spaces:
    def tokenize(self, text):
        return text.split()


def f1(c, r):
    common = sum((Counter(c) & Counter(r)).values())
    return 2 * common / (len(c) + len(r)) if c or r else 1.0


def pairs():
    rng = random.Random(2385)
    for n in (1, 2, 3, 4, 5, 7, 13, 31, 61, 127):
        for vocabulary in (3, 17, 251):
            r = [rng.randrange(vocabulary) for _ in range(n)]
            yield [rng.randrange(vocabulary) for _ in range(n)], r
            noisy = [x if rng.random() < 0.8 else rng.randrange(vocabulary) for x in r]
            yield noisy[: max(1, len(noisy) - rng.randrange(4))], r
            yield noisy + [rng.randrange(vocabulary) for _ in range(rng.randrange(1, 9))], r
            cut = rng.randrange(n + 1)
            yield r[cut:] + r[:cut], r
    yield [5, 7, 11, 13, 17], [5, 7, 11, 13, 17]
    yield [1, 1, 1, 1, 1, 1, 1], [1, 2, 3, 4, 5, 1]
    yield [300, 70000, 2000000000], [300, 70000, 2000000000, 4]


print("# sacrebleu %s, nltk %s, rouge_score; see make.py" % (sacrebleu.__version__, nltk.__version__))
exp = BLEU(tokenize="none", smooth_method="exp", effective_order=True)
none = BLEU(tokenize="none", smooth_method="none", effective_order=True)
rouge = RougeScorer(["rougeL"], tokenizer=Spaces())
all_c, all_r = [], []
for c, r in pairs():
    cs, rs = " ".join("t%d" % x for x in c), " ".join("t%d" % x for x in r)
    all_c.append(cs)
    all_r.append(rs)
    row = [
        f1(c, r),
        rouge.score(rs, cs)["rougeL"].fmeasure,
        exp.sentence_score(cs, [rs]).score / 100,
        none.sentence_score(cs, [rs]).score / 100,
        sentence_bleu([rs.split()], cs.split(), smoothing_function=SmoothingFunction().method1),
    ]
    print(" ".join(map(str, c)), " ".join(map(str, r)), *("%.12g" % x for x in row), sep="\t")
scores = [BLEU(tokenize="none", smooth_method=m).corpus_score(all_c, [all_r]).score / 100 for m in ("exp", "none")]
print("corpus", *("%.12g" % x for x in scores), sep="\t")
sys.exit(0)
