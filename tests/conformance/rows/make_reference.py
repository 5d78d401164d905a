"""make_reference.py - the losses of three small trainings on rows of a table, from PyTorch.

Takes nothing; gives, beside itself, the data (pairs.csv, questions.jsonl, houses.csv), the weights that trainings start
from (NAME.safetensors, under the models' own names) and reference.safetensors: NAME.losses, f64[20], computed in float64.
Uses nothing of cg: reading, encoding, padding, masks, models and losses are written out here, the second tokenizer is
carried out by the package tokenizers, the optimiser is torch.optim.AdamW. A batch is all rows, so their order does not
matter.
"""
import csv
import json
import math
import os

import numpy as np
import torch
from safetensors.numpy import save_file
from tokenizers import Tokenizer

HERE = os.path.dirname(os.path.abspath(__file__))
STEPS, EPS, BASE, SEED = 20, 1e-5, 10000.0, 151
F = torch.nn.functional


def path(name):
    return os.path.join(HERE, name)


# ---- layers, as in ../transformer/make_reference.py; p is a dictionary of parameters, `at` the path of a part

def rmsnorm(x, gain):
    return x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + EPS) * gain


def rope(x, at):
    k = x.shape[-1]
    rate = BASE ** (-2.0 * torch.arange(k // 2, dtype=torch.float64) / k)
    angle = torch.tensor(at, dtype=torch.float64)[:, None] * rate
    cos, sin = angle.cos().to(x.dtype), angle.sin().to(x.dtype)
    a, b = x[..., : k // 2], x[..., k // 2:]
    return torch.cat((a * cos - b * sin, a * sin + b * cos), dim=-1)


def attention(x, p, name, heads, at):
    b, t, d = x.shape
    k = d // heads
    split = lambda w: (x @ p[name + w]).view(b, t, heads, k).transpose(1, 2)
    q, key, v = rope(split("wq"), at), rope(split("wk"), at), split("wv")
    s = q @ key.transpose(-1, -2) / math.sqrt(k)
    s = s.masked_fill(torch.ones(t, t, dtype=torch.bool).triu(1), -math.inf)
    y = torch.softmax(s, dim=-1) @ v
    return y.transpose(1, 2).reshape(b, t, d) @ p[name + "wo"]


def blocks(x, p, name, layers, heads, at):
    for i in range(layers):
        b = f"{name}blocks.{i}."
        x = x + attention(rmsnorm(x, p[b + "norm1.gain"]), p, b + "attn.", heads, at)
        h = rmsnorm(x, p[b + "norm2.gain"])
        gate = h @ p[b + "ffn.gate"]
        x = x + (gate * torch.sigmoid(gate) * (h @ p[b + "ffn.up"])) @ p[b + "ffn.down"]
    return rmsnorm(x, p[name + "norm.gain"])


def embed(ids, p, name):
    table = p[name + "embed.table"]
    return math.sqrt(table.shape[1]) * table[ids]


def transformer_shapes(name, vocab, dim, layers, hidden):
    s = {name + "embed.table": (vocab, dim), name + "norm.gain": (dim,)}
    for i in range(layers):
        b = f"{name}blocks.{i}."
        s.update({b + "attn." + w: (dim, dim) for w in ("wq", "wk", "wv", "wo")})
        s.update({b + "ffn.gate": (dim, hidden), b + "ffn.up": (dim, hidden), b + "ffn.down": (hidden, dim)})
        s.update({b + "norm1.gain": (dim,), b + "norm2.gain": (dim,)})
    return s


def initial(shapes, rng):
    """Exact in float32, so that both programs start from the same bits."""
    out = {}
    for name, shape in shapes.items():
        if name.endswith("gain"):
            w = 1.0 + 0.2 * rng.standard_normal(shape)
        elif name.endswith("table"):
            w = 0.1 * rng.standard_normal(shape)
        else:
            w = 0.7 * rng.standard_normal(shape) / math.sqrt(shape[0] if len(shape) > 1 else 4)
        out[name] = w.astype(np.float32)
    return out


# ---- rows

def padded(ids, length, end):
    """Tokens and the `end` behind them, cut or filled up to a length; 1 on what is not filling."""
    ids = (ids + [end])[:length]
    return ids + [end] * (length - len(ids)), [1.0] * len(ids) + [0.0] * (length - len(ids))


def answered(prompt, answer, length, end):
    """A prompt and an answer; the tokens one place on; 1 where those are of the answer or its end."""
    all_ids = prompt + answer + [end]
    filled = all_ids + [end] * (length + 1 - len(all_ids))
    mask = [1.0 if len(prompt) <= i + 1 < len(all_ids) else 0.0 for i in range(length)]
    return filled[:length], filled[1:length + 1], mask


def bytes_of(text):
    return list(text.encode())


# ---- the three trainings: data, shapes of the model, loss of all rows

def pair(rng):
    words = ["tree", "river", "stone", "cloud", "bird", "lamp", "door", "road", "field", "night"]
    write = Tokenizer.from_file(path("../tokenizer/gpt2.json"))
    end, mark = write.token_to_id("<|endoftext|>"), write.token_to_id("<|begin_of_text|>")
    texts = []
    for _ in range(15):
        some = [words[rng.integers(len(words))] for _ in range(rng.integers(1, 5))]
        texts.append((" ".join(some)[:23], "The " + " and the ".join(reversed(some)) + "."))
    with open(path("pairs.csv"), "w", newline="") as f:
        out = csv.writer(f, lineterminator="\n")
        out.writerow(["source", "target"])
        out.writerows(texts)
    L, T, slots, dim, width = 24, 14, 4, 16, 12
    source = torch.tensor([padded(bytes_of(s), L, 0)[0] for s, _ in texts])
    rows = [padded(write.encode(t, add_special_tokens=False).ids, T, end) for _, t in texts]
    target, mask = torch.tensor([r[0] for r in rows]), torch.tensor([r[1] for r in rows])
    assert any(len(write.encode(t).ids) >= T for _, t in texts) and (mask == 0).any()
    shapes = transformer_shapes("memory.encoder.", 256, dim, 1, 24)
    shapes.update(transformer_shapes("decoder.", write.get_vocab_size(), width, 1, 20))
    shapes.update({"memory.query.table": (slots, dim), "memory.projection.w": (dim, width), "memory.projection.b": (width,)})

    def loss(p):
        share = L // slots
        x = embed(source, p, "memory.encoder.")
        x = torch.cat((x, p["memory.query.table"].expand(len(texts), slots, dim)), dim=1)
        at = list(range(L)) + [i * share + share - 1 for i in range(slots)]
        h = blocks(x, p, "memory.encoder.", 1, 2, at)[:, L:]
        memory = h @ p["memory.projection.w"] + p["memory.projection.b"]
        before = torch.cat((torch.full((len(texts), 1), mark), target[:, :-1]), dim=1)
        x = torch.cat((memory, embed(before, p, "decoder.")), dim=1)
        at = [i * share + share // 2 for i in range(slots)] + [i + L for i in range(T)]
        y = blocks(x, p, "decoder.", 1, 3, at)[:, slots:] @ p["decoder.embed.table"].T
        each = F.cross_entropy(y.flatten(0, 1), target.flatten(), reduction="none")
        return (each * mask.flatten()).sum() / mask.sum()

    rate = lambda s: 1e-2 * (s + 1) / 5 if s < 5 else 1e-3 + 9e-3 * 0.5 * (1 + math.cos(math.pi * (s - 5) / (STEPS - 5)))
    return shapes, loss, rate, 0.1, 1.0


def questions(rng):
    rows = []
    for _ in range(17):
        a, b = int(rng.integers(0, 400)), int(rng.integers(0, 40))
        rows.append({"question": f"what is {a} + {b}?", "answer": str(a + b)})
    with open(path("questions.jsonl"), "w") as f:
        for row in rows:
            f.write(json.dumps(row) + "\n")
    made = [answered(bytes_of(f"Q: {r['question']} A: "), bytes_of(r["answer"]), 40, 0) for r in rows]
    text, following, mask = (torch.tensor([m[i] for m in made]) for i in range(3))

    def loss(p):
        x = blocks(embed(text, p, ""), p, "", 2, 3, range(40))
        y = x @ p["embed.table"].T
        each = F.cross_entropy(y.flatten(0, 1), following.flatten(), reduction="none")
        return (each * mask.flatten()).sum() / mask.sum()

    return transformer_shapes("", 256, 24, 2, 40), loss, lambda s: 1e-2, 0.1, None


def regression(rng):
    towns = ["Bonn", "Kiel", "Ulm"]
    rows = []
    for _ in range(23):
        area, rooms, age, town = rng.uniform(2, 16), rng.integers(1, 7), rng.uniform(0, 9), int(rng.integers(3))
        price = 0.25 * area + 0.3 * rooms - 0.1 * age + 0.5 * town + 0.2 * rng.standard_normal()
        rows.append((round(area, 2), int(rooms), round(age, 1), towns[town], round(float(price), 3)))
    with open(path("houses.csv"), "w", newline="") as f:
        out = csv.writer(f, lineterminator="\n")
        out.writerow(["area", "rooms", "age", "town", "price"])
        out.writerows(rows)
    single = lambda values: torch.tensor(np.array(values, dtype=np.float32)).double()
    x, price = single([r[:3] for r in rows]), single([r[4] for r in rows])
    town = torch.tensor([towns.index(r[3]) for r in rows])

    def loss(p):
        h = torch.tanh(x @ p["into.w"] + p["into.b"] + p["of"][town])
        return ((h @ p["out.w"] + p["out.b"])[:, 0] - price).pow(2).mean()

    return {"of": (3, 7), "into.w": (3, 7), "into.b": (7,), "out.w": (7, 1), "out.b": (1,)}, loss, lambda s: 0.05, 0.0, None


def train(weights, loss, rate, decay, clip):
    p = {n: torch.tensor(w, dtype=torch.float64, requires_grad=True) for n, w in weights.items()}
    opt = torch.optim.AdamW(
        [{"params": [w for w in p.values() if w.ndim >= 2], "weight_decay": decay},
         {"params": [w for w in p.values() if w.ndim < 2], "weight_decay": 0.0}],
        lr=1.0, betas=(0.9, 0.95), eps=1e-8)
    losses = []
    for step in range(STEPS):
        opt.zero_grad()
        value = loss(p)
        value.backward()
        if clip:
            torch.nn.utils.clip_grad_norm_(p.values(), clip)
        for group in opt.param_groups:
            group["lr"] = rate(step)
        opt.step()
        losses.append(value.item())
    return losses


def main():
    torch.set_num_threads(1)
    reference = {}
    for number, task in enumerate((pair, questions, regression)):
        rng = np.random.default_rng(SEED + number)
        shapes, loss, rate, decay, clip = task(rng)
        weights = initial(shapes, rng)
        save_file(weights, path(task.__name__ + ".safetensors"))
        losses = train(weights, loss, rate, decay, clip)
        reference[task.__name__ + ".losses"] = np.array(losses)
        print(task.__name__, losses[0], losses[-1])
    save_file(reference, path("reference.safetensors"))


main()
