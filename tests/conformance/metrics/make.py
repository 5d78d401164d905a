#!/usr/bin/env python3
"""make.py - writes pairs.jsonl: scores of real and random pairs of texts by the packages people cite.

Takes how many pairs to write (240 if nothing is said), and files of text that they are cut from in turn (else they are made
of the sentences below); gives JSON Lines to standard output. Needs sacrebleu and rouge-score:
    python3 -m venv /tmp/v && /tmp/v/bin/pip install sacrebleu rouge-score && /tmp/v/bin/python make.py > pairs.jsonl
    /tmp/v/bin/python make.py 2000 english.txt german.txt chinese.txt > real.jsonl && CG_PAIRS=real.jsonl tests/unit/metric

A line is [candidate, reference, [scores]]; scores by name in the first line. The last line is the corpus of all pairs.
SQuAD's exact match and F1 are written down here as its evaluation script computes them."""
import json, math, random, re, string, sys
from collections import Counter
from sacrebleu.metrics import BLEU, CHRF
from rouge_score import rouge_scorer

WAYS = [("13a", "exp"), ("char", "floor"), ("intl", "add-k"), ("none", "none"), ("intl", "exp"), ("13a", "none")]
NAMES = [f"bleu {words} {smooth.replace('-', '_')}" for words, smooth in WAYS] + ["chrf"]
NAMES += [f"{kind} {words}" for words in ("rouge", "stem") for kind in ("rouge_1", "rouge_2", "rouge_l")]
NAMES += ["token_f1 squad", "exact squad", "edit_distance words"]
bleus = [BLEU(tokenize=words, smooth_method=smooth, effective_order=True) for words, smooth in WAYS]
whole = [BLEU(tokenize=words, smooth_method=smooth) for words, smooth in WAYS]
chrf = CHRF()
scorers = [rouge_scorer.RougeScorer(["rouge1", "rouge2", "rougeL"], use_stemmer=stem) for stem in (False, True)]


def normalise(text):
    text = "".join(c for c in text.lower() if c not in set(string.punctuation))
    return " ".join(re.sub(r"\b(a|an|the)\b", " ", text).split())


def squad_f1(candidate, reference):
    a, b = normalise(candidate).split(), normalise(reference).split()
    if not a or not b:
        return float(a == b)
    common = sum((Counter(a) & Counter(b)).values())
    return 2 * common / (len(a) + len(b)) if common else 0.0


def edits(a, b):
    row = list(range(len(b) + 1))
    for i, x in enumerate(a):
        corner, row[0] = row[0], i + 1
        for k, y in enumerate(b):
            corner, row[k + 1] = row[k + 1], min(corner + (x != y), row[k + 1] + 1, row[k] + 1)
    return row[-1]


def scores(candidate, reference):
    out = [b.sentence_score(candidate, [reference]).score / 100 for b in bleus]
    out.append(chrf.sentence_score(candidate, [reference]).score / 100)
    for scorer in scorers:
        s = scorer.score(reference, candidate)
        out += [s[k].fmeasure for k in ("rouge1", "rouge2", "rougeL")]
    out += [squad_f1(candidate, reference), float(normalise(candidate) == normalise(reference))]
    return out + [edits(candidate.split(), reference.split())]


SENTENCES = {
    "latin": [
        "All human beings are born free and equal in dignity and rights.",
        "They are endowed with reason and conscience and should act towards one another in a spirit of brotherhood.",
        "Everyone has the right to life, liberty and security of person.",
        "No one shall be held in slavery or servitude; slavery and the slave trade shall be prohibited in all their forms.",
        "In 2024, about 1,234,567 people (12.5%) paid $3.99 - or less - for an e-mail service called \"Mail&More\".",
        "The proceedings, relational databases and hopefully rationalised formalities were succeeding; skies cleared &amp; news spread.",
        "Dying, lying and tying flies happily, the controller's agreed troubles conflated 3-4 plastered outings &lt;b&gt;.",
        "Le cœur a ses raisons que la raison ne connaît point; l'État, c'est moi - 3.14 ou 2,72?",
    ],
    "cyrillic": [
        "Все люди рождаются свободными и равными в своем достоинстве и правах.",
        "Они наделены разумом и совестью и должны поступать в отношении друг друга в духе братства.",
        "Каждый человек имеет право на жизнь, на свободу и на личную неприкосновенность: № 3, «статья» — 1948 г.",
    ],
    "greek": [
        "ΌΛΟΙ ΟΙ ΆΝΘΡΩΠΟΙ γεννιούνται ελεύθεροι και ίσοι στην αξιοπρέπεια και τα δικαιώματα.",
        "Είναι προικισμένοι με λογική και συνείδηση, και οφείλουν να συμπεριφέρονται μεταξύ τους με πνεύμα αδελφοσύνης· ΟΔΟΣ 5€.",
    ],
    "devanagari": [
        "सभी मनुष्यों को गौरव और अधिकारों के मामले में जन्मजात स्वतन्त्रता और समानता प्राप्त है।",
        "उन्हें बुद्धि और अन्तरात्मा की देन प्राप्त है और परस्पर उन्हें भाईचारे के भाव से बर्ताव करना चाहिए। १९४८ में ₹५.५०",
    ],
    "han": [
        "人人 生 而 自由 ， 在 尊严 和 权利 上 一律 平等 。 他们 赋有 理性 和 良心 ， 并 应 以 兄弟 关系 的 精神 相对待 。",
        "任何人 不得 使 为 奴隶 或 奴役 ； 一切 形式 的 奴隶制度 和 奴隶买卖 ， 均 应 予以 禁止 。 第 ４ 条 （１９４８）",
    ],
}


def changed(r, words):
    words = list(words)
    for _ in range(r.randrange(0, 1 + len(words) // 2)):
        i = r.randrange(len(words) + 1)
        kind = r.randrange(4)
        if kind == 0 and len(words) > 1:
            del words[min(i, len(words) - 1)]
        elif kind == 1:
            words.insert(i, r.choice(words))
        elif kind == 2 and i < len(words):
            words[i] = r.choice([words[i].upper(), words[i] + ",", "-" + words[i], words[i][::-1], words[i] + "5-6.7", "the"])
        else:
            k = r.randrange(len(words))
            i = min(i, len(words) - 1)
            words[i], words[k] = words[k], words[i]
    return words


def pairs(count):
    r = random.Random(2385)
    groups = list(SENTENCES.values())
    done = 0
    while done < count:
        group = groups[done % len(groups)]
        if r.random() < 0.8:
            words = " ".join(r.choice(group) for _ in range(r.randrange(1, 3))).split()
        else:  # any characters, but none that a text of one line cannot hold
            words = ["".join(r.choice("abcyz059.,-'&;$_İΣσ。、Жи१\u00a0\u0301") for _ in range(r.randrange(1, 7))) for _ in range(r.randrange(1, 20))]
        candidate, reference = " ".join(changed(r, words)), " ".join(words)
        if r.random() < 0.1:
            candidate = " ".join(r.choice(r.choice(groups)).split()[: r.randrange(1, 6)])
        if not candidate.split() or not reference.split():
            continue
        # empty for ROUGE: scored 0 there, 1 here (two empty texts are equal)
        if not normalise(candidate) and not normalise(reference):
            continue
        if not re.search("[a-z0-9]", candidate.lower()) and not re.search("[a-z0-9]", reference.lower()):
            candidate, reference = "x " + candidate, reference + " y"
        yield candidate, reference
        done += 1


def cut(count, files):
    """Stretches of 4 to 70 words of each file, and what is made of them: changed, another stretch, or the same."""
    r = random.Random(2385)
    texts = [open(f, encoding="utf-8", errors="replace").read() for f in files]

    def stretch(text):
        at = r.randrange(len(text) - 600)
        return text[at : at + 600].split()[1 : r.randrange(5, 72)]

    done = 0
    while done < count:
        text = texts[done % len(texts)]
        words = stretch(text)
        if len(words) < 2:
            continue
        kind = r.random()
        other = stretch(text) if kind < 0.1 else words if kind < 0.15 else changed(r, words)
        candidate, reference = " ".join(other), " ".join(words)
        letters = [bool(re.search("[a-z0-9]", t.lower())) for t in (candidate, reference)]
        if not normalise(candidate) or not normalise(reference) or not any(letters):
            candidate, reference = "x " + candidate, reference + " y"
        yield candidate, reference
        done += 1


def main(count, files):
    print(json.dumps(NAMES))
    seen = list(cut(count, files) if files else pairs(count))
    for candidate, reference in seen:
        print(json.dumps([candidate, reference, scores(candidate, reference)], ensure_ascii=False))
    c, r = [p[0] for p in seen], [[p[1] for p in seen]]
    print(json.dumps({"corpus": [b.corpus_score(c, r).score / 100 for b in whole] + [chrf.corpus_score(c, r).score / 100]}))


main(int(sys.argv[1]) if len(sys.argv) > 1 else 240, sys.argv[2:])
