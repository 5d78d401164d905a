"""bench.py - the models of bench/*.cg in PyTorch: the same shapes, weights, data, loss, clipping and optimiser.

Takes a configuration, a way of running and a precision; prints one JSON line: milliseconds a step (median, best and each),
losses before each step and peak memory. One process a measurement. With --make FOLDER it writes weights and batches that
both programs can start from instead, and with --weights and --tokens it reads them; otherwise it draws its own.
"""
import argparse
import json
import math
import os
import resource
import statistics
import struct
import time

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F

# layers, width, heads, SwiGLU width, vocabulary, positions, batch
CONFIGS = {
    "toy": (12, 32, 4, 96, 256, 16, 1),
    "tiny": (4, 128, 4, 384, 256, 256, 16),
    "small": (6, 384, 6, 1024, 4096, 256, 8),
    "base": (12, 768, 12, 2048, 8192, 512, 4),
    "compress": (6, 384, 6, 1024, 4096, 512, 8),
}
SLOTS, MARK = 128, 1
BATCHES, SEED = 4, 2385


# ---- the models ----

class Block(nn.Module):
    """One matrix for q, k and v and one for gate and up: what PyTorch is faster with."""

    def __init__(self, dim, heads, hidden):
        super().__init__()
        self.heads = heads
        self.norm1, self.norm2 = nn.RMSNorm(dim, eps=1e-5), nn.RMSNorm(dim, eps=1e-5)
        self.qkv, self.out = nn.Linear(dim, 3 * dim, bias=False), nn.Linear(dim, dim, bias=False)
        self.gate_up, self.down = nn.Linear(dim, 2 * hidden, bias=False), nn.Linear(hidden, dim, bias=False)

    def forward(self, x, cos, sin):
        b, t, d = x.shape
        q, k, v = self.qkv(self.norm1(x)).view(b, t, 3, self.heads, d // self.heads).permute(2, 0, 3, 1, 4)
        y = F.scaled_dot_product_attention(rotate(q, cos, sin), rotate(k, cos, sin), v, is_causal=True)
        x = x + self.out(y.transpose(1, 2).reshape(b, t, d))
        gate, up = self.gate_up(self.norm2(x)).chunk(2, dim=-1)
        return x + self.down(F.silu(gate) * up)


def rotate(x, cos, sin):
    a, b = x.chunk(2, dim=-1)
    return torch.cat((a * cos - b * sin, a * sin + b * cos), dim=-1)


class Transformer(nn.Module):
    def __init__(self, layers, dim, heads, hidden, vocab, at):
        """at: the position of each place."""
        super().__init__()
        self.embed = nn.Embedding(vocab, dim)
        self.blocks = nn.ModuleList(Block(dim, heads, hidden) for _ in range(layers))
        self.norm = nn.RMSNorm(dim, eps=1e-5)
        k = dim // heads
        angle = at[:, None].double() * 10000.0 ** (-2.0 * torch.arange(k // 2).double() / k)
        self.register_buffer("cos", angle.cos().float())
        self.register_buffer("sin", angle.sin().float())
        nn.init.normal_(self.embed.weight, std=0.02)

    def read(self, tokens):
        return self.embed(tokens) * math.sqrt(self.embed.embedding_dim)

    def body(self, x):
        for block in self.blocks:
            x = block(x, self.cos, self.sin)
        return self.norm(x)

    def loss(self, h, ids):
        return F.cross_entropy((h @ self.embed.weight.T).flatten(0, 1), ids.flatten())

    def forward(self, tokens, following):
        return self.loss(self.body(self.read(tokens)), following)


class Compressor(nn.Module):
    """The encoder reads the text and SLOTS slots; a frozen decoder reads the slots, projected, and writes the text."""

    def __init__(self, layers, dim, heads, hidden, vocab, positions):
        super().__init__()
        share, shape = positions // SLOTS, (layers, dim, heads, hidden, vocab)
        text, slot = torch.arange(positions), torch.arange(SLOTS) * share
        self.encoder = Transformer(*shape, torch.cat((text, slot + share - 1)))
        self.decoder = Transformer(*shape, torch.cat((slot + share // 2, text + positions))).requires_grad_(False)
        self.slots = nn.Parameter(0.5 * torch.randn(SLOTS, dim))
        self.project = nn.Linear(dim, dim)

    def forward(self, tokens, following):
        slots = self.slots.expand(len(tokens), -1, -1)
        memory = self.project(self.encoder.body(torch.cat((self.encoder.read(tokens), slots), dim=1))[:, -SLOTS:])
        before = F.pad(tokens[:, :-1], (1, 0), value=MARK)
        h = self.decoder.body(torch.cat((memory, self.decoder.read(before)), dim=1))
        return self.decoder.loss(h[:, SLOTS:], tokens)


def build(config):
    *shape, positions, _ = CONFIGS[config]
    if config == "compress":
        return Compressor(*shape, positions)
    return Transformer(*shape, torch.arange(positions))


# ---- weights under the names cg gives them ----

def block_names(at):
    """The parameter of ours, the parameters of cg that lie in it one after the other (as (in, out) matrices)."""
    return [(("qkv", "weight"), [at + "attn." + w for w in ("wq", "wk", "wv")]), (("out", "weight"), [at + "attn.wo"]),
            (("gate_up", "weight"), [at + "ffn.gate", at + "ffn.up"]), (("down", "weight"), [at + "ffn.down"]),
            (("norm1", "weight"), [at + "norm1.gain"]), (("norm2", "weight"), [at + "norm2.gain"])]


def transformer_names(m, at):
    out = [(m.embed.weight, [at + "embed.table"]), (m.norm.weight, [at + "norm.gain"])]
    for i, block in enumerate(m.blocks):
        out += [(getattr(getattr(block, part), name), names) for (part, name), names in block_names(f"{at}blocks.{i}.")]
    return out


def names_of(model):
    if isinstance(model, Transformer):
        return transformer_names(model, "")
    return (transformer_names(model.encoder, "memory.encoder.") + transformer_names(model.decoder, "decoder.")
            + [(model.slots, ["memory.query.table"]), (model.project.weight, ["memory.projection.w"]),
               (model.project.bias, ["memory.projection.b"])])


def is_matrix(name):
    """Tables are used row by row in both programs; matrices of cg are the other way round."""
    return not name.endswith((".table", ".gain", ".b")) and name != "embed.table"


def take(weight, names, tensors):
    parts = [tensors[n].T if is_matrix(n) else tensors[n] for n in names]
    weight.copy_(torch.from_numpy(np.ascontiguousarray(np.concatenate(parts, axis=0))))


def give(weight, names):
    parts = np.split(weight.detach().numpy(), len(names), axis=0)
    return {n: np.ascontiguousarray(p.T if is_matrix(n) else p) for n, p in zip(names, parts)}


def write_safetensors(path, tensors):
    code = {"float32": "F32", "int32": "I32"}
    header, at = {}, 0
    for name in sorted(tensors):
        a = tensors[name]
        header[name] = {"dtype": code[str(a.dtype)], "shape": list(a.shape), "data_offsets": [at, at + a.nbytes]}
        at += a.nbytes
    text = json.dumps(header).encode()
    text += b" " * (-(len(text) + 8) % 64)
    with open(path, "wb") as f:
        f.write(struct.pack("<Q", len(text)) + text)
        for name in sorted(tensors):
            f.write(tensors[name].tobytes())


def read_safetensors(path):
    with open(path, "rb") as f:
        size, = struct.unpack("<Q", f.read(8))
        header, data = json.loads(f.read(size)), f.read()
    kinds = {"F32": np.float32, "I32": np.int32}
    return {n: np.frombuffer(data[e["data_offsets"][0]:e["data_offsets"][1]], kinds[e["dtype"]]).reshape(e["shape"]).copy()
            for n, e in header.items() if n != "__metadata__"}


def random_batches(config):
    *_, vocab, positions, batch = CONFIGS[config]
    rng = np.random.Generator(np.random.PCG64(SEED))
    p = 1.0 / np.arange(2.0, vocab + 2.0)       # skewed, so that there is something to learn
    ids = rng.choice(rng.permutation(vocab), size=(BATCHES, batch, positions + 1), p=p / p.sum()).astype(np.int32)
    return {"tokens": np.ascontiguousarray(ids[:, :, :-1]), "next": np.ascontiguousarray(ids[:, :, 1:])}


def make(config, folder):
    os.makedirs(folder, exist_ok=True)
    tensors = {}
    for weight, names in names_of(build(config)):
        if weight.ndim == 2 and is_matrix(names[0]):
            nn.init.normal_(weight, std=0.7 / math.sqrt(weight.shape[1]))
        tensors.update(give(weight, names))
    write_safetensors(os.path.join(folder, config + ".weights.safetensors"), tensors)
    write_safetensors(os.path.join(folder, config + ".tokens.safetensors"), random_batches(config))


# ---- steps ----

def measure(a):
    model = build(a.config)
    if a.weights:
        tensors = read_safetensors(a.weights)
        with torch.no_grad():
            for weight, names in names_of(model):
                take(weight, names, tensors)
        del tensors
    batches = read_safetensors(a.tokens) if a.tokens else random_batches(a.config)
    trained = [w for w in model.parameters() if w.requires_grad]
    optimizer = torch.optim.AdamW(
        [{"params": [w for w in trained if w.ndim >= 2], "weight_decay": 0.1}, {"params": [w for w in trained if w.ndim < 2], "weight_decay": 0.0}],
        lr=3e-4, betas=(0.9, 0.95), eps=1e-8, fused=True)
    forward = torch.compile(model) if a.mode == "compiled" else model

    def step(i):
        tokens, following = (torch.from_numpy(batches[n][i % BATCHES]).long() for n in ("tokens", "next"))
        with torch.autocast("cpu", torch.bfloat16, enabled=a.precision == "bf16"):
            loss = forward(tokens, following)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(trained, 1.0)
        optimizer.step()
        optimizer.zero_grad()
        return loss.item()

    times, losses = [], []
    for i in range(a.warmup + a.steps):
        start = time.perf_counter()
        losses.append(step(i))
        if i >= a.warmup:
            times.append(1e3 * (time.perf_counter() - start))
    *_, positions, batch = CONFIGS[a.config]
    print(json.dumps({
        "program": "pytorch " + torch.__version__.split("+")[0], "config": a.config, "mode": a.mode, "precision": a.precision,
        "threads": a.threads, "steps": a.steps, "ms_median": round(statistics.median(times), 4), "ms_best": round(min(times), 4),
        "tokens_per_second": round(1e3 * batch * positions / statistics.median(times)),
        "peak_rss_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1),
        "ms": [round(t, 4) for t in times], "loss": [float(f"{x:.8g}") for x in losses]}))


def main():
    p = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    p.add_argument("config", choices=CONFIGS)
    p.add_argument("--make", metavar="FOLDER")
    p.add_argument("--mode", choices=("eager", "compiled"), default="eager")
    p.add_argument("--precision", choices=("f32", "bf16"), default="f32")
    p.add_argument("--threads", type=int, default=2)
    p.add_argument("--steps", type=int, default=7)
    p.add_argument("--warmup", type=int, default=2)
    p.add_argument("--weights", help="a safetensors file to start from")
    p.add_argument("--tokens", help="a file of batches")
    a = p.parse_args()
    torch.set_num_threads(a.threads)
    torch.manual_seed(SEED)
    make(a.config, a.make) if a.make else measure(a)


if __name__ == "__main__":
    main()
