"""bench.py - training steps of reference models in PyTorch, timed.

Takes a configuration, a way of running and a precision; prints one JSON line: milliseconds a step (median and best) and
peak memory. Random tokens; the numbers of the model do not matter, their shapes do. One process a measurement.
"""
import argparse
import json
import resource
import statistics
import time

import torch
import torch.nn as nn
import torch.nn.functional as F

# layers, width, heads, SwiGLU width, vocabulary, positions, batch
CONFIGS = {
    "tiny": (4, 128, 4, 384, 256, 256, 16),
    "small": (6, 384, 6, 1024, 4096, 256, 8),
    "base": (12, 768, 12, 2048, 8192, 512, 4),
    "compress": (6, 384, 6, 1024, 4096, 512, 8),
}
SLOTS = 128


class Block(nn.Module):
    def __init__(self, dim, heads, hidden):
        super().__init__()
        self.heads = heads
        self.norm1, self.norm2 = nn.RMSNorm(dim, eps=1e-5), nn.RMSNorm(dim, eps=1e-5)
        self.qkv, self.out = nn.Linear(dim, 3 * dim, bias=False), nn.Linear(dim, dim, bias=False)
        self.gate_up, self.down = nn.Linear(dim, 2 * hidden, bias=False), nn.Linear(hidden, dim, bias=False)

    def forward(self, x, cos, sin):
        b, t, d = x.shape
        q, k, v = self.qkv(self.norm1(x)).view(b, t, 3, self.heads, d // self.heads).permute(2, 0, 3, 1, 4)
        q, k = rotate(q, cos, sin), rotate(k, cos, sin)
        y = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        x = x + self.out(y.transpose(1, 2).reshape(b, t, d))
        gate, up = self.gate_up(self.norm2(x)).chunk(2, dim=-1)
        return x + self.down(F.silu(gate) * up)


def rotate(x, cos, sin):
    a, b = x.chunk(2, dim=-1)
    return torch.cat((a * cos - b * sin, a * sin + b * cos), dim=-1)


class Transformer(nn.Module):
    def __init__(self, layers, dim, heads, hidden, vocab, positions):
        super().__init__()
        self.embed = nn.Embedding(vocab, dim)
        self.blocks = nn.ModuleList(Block(dim, heads, hidden) for _ in range(layers))
        self.norm = nn.RMSNorm(dim, eps=1e-5)
        k = dim // heads
        angle = torch.arange(positions)[:, None] * 10000.0 ** (-2.0 * torch.arange(k // 2) / k)
        self.register_buffer("cos", angle.cos())
        self.register_buffer("sin", angle.sin())
        nn.init.normal_(self.embed.weight, std=0.02)

    def body(self, x):
        cos, sin = self.cos[: x.shape[1]], self.sin[: x.shape[1]]
        for block in self.blocks:
            x = block(x, cos, sin)
        return self.norm(x)

    def loss(self, h, ids):
        return F.cross_entropy((h @ self.embed.weight.T).flatten(0, 1), ids.flatten())

    def forward(self, ids):
        return self.loss(self.body(self.embed(ids[:, :-1])), ids[:, 1:])


class Compressor(nn.Module):
    """The encoder reads the text and SLOTS slots; a frozen decoder reads the slots, projected, and predicts the text."""

    def __init__(self, layers, dim, heads, hidden, vocab, positions):
        super().__init__()
        self.encoder = Transformer(layers, dim, heads, hidden, vocab, positions + SLOTS)
        self.decoder = Transformer(layers, dim, heads, hidden, vocab, positions + SLOTS).requires_grad_(False)
        self.slots = nn.Parameter(0.02 * torch.randn(SLOTS, dim))
        self.project = nn.Linear(dim, dim, bias=False)

    def forward(self, ids):
        text = ids[:, :-1]
        slots = self.slots.expand(len(text), -1, -1)
        memory = self.project(self.encoder.body(torch.cat((self.encoder.embed(text), slots), dim=1))[:, -SLOTS:])
        h = self.decoder.body(torch.cat((memory, self.decoder.embed(text)), dim=1))
        return self.decoder.loss(h[:, SLOTS - 1:-1], text)


def main():
    p = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    p.add_argument("config", choices=CONFIGS)
    p.add_argument("--mode", choices=("eager", "compiled"), default="eager")
    p.add_argument("--precision", choices=("f32", "bf16"), default="f32")
    p.add_argument("--threads", type=int, default=2)
    p.add_argument("--steps", type=int, default=7)
    p.add_argument("--warmup", type=int, default=2)
    a = p.parse_args()
    torch.set_num_threads(a.threads)
    torch.manual_seed(2385)
    *shape, vocab, positions, batch = CONFIGS[a.config]
    model = (Compressor if a.config == "compress" else Transformer)(*shape, vocab, positions)
    trained = [w for w in model.parameters() if w.requires_grad]
    optimizer = torch.optim.AdamW(trained, lr=3e-4, betas=(0.9, 0.95), weight_decay=0.1, fused=True)
    forward = torch.compile(model) if a.mode == "compiled" else model

    def step():
        ids = torch.randint(vocab, (batch, positions + 1))
        with torch.autocast("cpu", torch.bfloat16, enabled=a.precision == "bf16"):
            loss = forward(ids)
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        return loss.item()

    times = []
    for i in range(a.warmup + a.steps):
        start = time.perf_counter()
        step()
        if i >= a.warmup:
            times.append(1e3 * (time.perf_counter() - start))
    print(json.dumps({
        "program": "pytorch " + torch.__version__.split("+")[0], "config": a.config, "mode": a.mode, "precision": a.precision,
        "threads": a.threads, "steps": a.steps, "ms_median": round(statistics.median(times), 2), "ms_best": round(min(times), 2),
        "tokens_per_second": round(1e3 * batch * positions / statistics.median(times)),
        "peak_rss_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
        "trained_parameters": sum(w.numel() for w in trained)}))


if __name__ == "__main__":
    main()
