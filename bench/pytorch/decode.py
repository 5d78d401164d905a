"""decode.py - greedy decoding of reference models in PyTorch, timed.

Takes a configuration, a way of running, rows and a length; prints one JSON line: milliseconds a token (median and best).
Keys and values are kept in tensors of the full length, written in place, and only what is filled is attended to; no
gradients, no sampling. `compiled` compiles the step for one token, with the place as a tensor and a mask over the whole
length, so that it is compiled once. Random weights; the numbers do not matter, the shapes do.
"""
import argparse
import json
import resource
import statistics
import time

import torch
import torch.nn as nn
import torch.nn.functional as F

# layers, width, heads, SwiGLU width, vocabulary
CONFIGS = {
    "tiny": (4, 128, 4, 384, 256),
    "small": (6, 384, 6, 1024, 4096),
    "base": (12, 768, 12, 2048, 8192),
}


def rotate(x, cos, sin):
    a, b = x.chunk(2, dim=-1)
    return torch.cat((a * cos - b * sin, a * sin + b * cos), dim=-1)


class Block(nn.Module):
    def __init__(self, dim, heads, hidden, rows, length):
        super().__init__()
        self.heads, self.dim = heads, dim
        self.norm1, self.norm2 = nn.RMSNorm(dim, eps=1e-5), nn.RMSNorm(dim, eps=1e-5)
        self.qkv, self.out = nn.Linear(dim, 3 * dim, bias=False), nn.Linear(dim, dim, bias=False)
        self.gate_up, self.down = nn.Linear(dim, 2 * hidden, bias=False), nn.Linear(hidden, dim, bias=False)
        self.register_buffer("k", torch.zeros(rows, heads, length, dim // heads))
        self.register_buffer("v", torch.zeros(rows, heads, length, dim // heads))

    def attend(self, x, cos, sin, at, mask):
        b = x.shape[0]
        q, k, v = self.qkv(self.norm1(x)).view(b, 1, 3, self.heads, self.dim // self.heads).permute(2, 0, 3, 1, 4)
        q, k = rotate(q, cos, sin), rotate(k, cos, sin)
        if mask is None:                        # eager: the place is a number
            self.k[:, :, at : at + 1] = k
            self.v[:, :, at : at + 1] = v
            y = F.scaled_dot_product_attention(q, self.k[:, :, : at + 1], self.v[:, :, : at + 1])
        else:                                   # compiled: the place is a tensor
            self.k.index_copy_(2, at, k)
            self.v.index_copy_(2, at, v)
            y = F.scaled_dot_product_attention(q, self.k, self.v, attn_mask=mask)
        return self.out(y.transpose(1, 2).reshape(b, 1, self.dim))

    def forward(self, x, cos, sin, at, mask):
        x = x + self.attend(x, cos, sin, at, mask)
        gate, up = self.gate_up(self.norm2(x)).chunk(2, dim=-1)
        return x + self.down(F.silu(gate) * up)


class Transformer(nn.Module):
    def __init__(self, layers, dim, heads, hidden, vocab, rows, length):
        super().__init__()
        self.embed = nn.Embedding(vocab, dim)
        self.blocks = nn.ModuleList(Block(dim, heads, hidden, rows, length) for _ in range(layers))
        self.norm = nn.RMSNorm(dim, eps=1e-5)
        k = dim // heads
        angle = torch.arange(length)[:, None] * 10000.0 ** (-2.0 * torch.arange(k // 2) / k)
        self.register_buffer("cos", angle.cos())
        self.register_buffer("sin", angle.sin())
        self.register_buffer("places", torch.arange(length))

    def forward(self, ids, at):
        """The likeliest next token of each row: ids (rows, 1) stand at place `at`, a number or a tensor of one."""
        whole = isinstance(at, torch.Tensor)
        mask = (self.places <= at)[None, :] if whole else None
        cos, sin = (self.cos[at], self.sin[at]) if whole else (self.cos[at : at + 1], self.sin[at : at + 1])
        x = self.embed(ids)
        for block in self.blocks:
            x = block(x, cos, sin, at, mask)
        return F.linear(self.norm(x), self.embed.weight).argmax(dim=-1)


def main():
    p = argparse.ArgumentParser()
    p.add_argument("config", choices=CONFIGS)
    p.add_argument("--mode", choices=["eager", "compiled"], default="eager")
    p.add_argument("--batch", type=int, default=1)
    p.add_argument("--length", type=int, default=512)
    p.add_argument("--threads", type=int, default=2)
    p.add_argument("--rounds", type=int, default=3)
    a = p.parse_args()
    torch.manual_seed(0)
    torch.set_num_threads(a.threads)
    model = Transformer(*CONFIGS[a.config], a.batch, a.length).eval()
    weights = sum(w.numel() * w.element_size() for w in model.parameters())
    step = torch.compile(model, dynamic=False) if a.mode == "compiled" else model
    times = []
    with torch.inference_mode():
        for round in range(a.rounds + 1):
            ids = torch.full((a.batch, 1), 7)
            start = time.perf_counter()
            for t in range(a.length - 1):
                ids = step(ids, torch.tensor([t]) if a.mode == "compiled" else t)
            if round:
                times.append((time.perf_counter() - start) * 1e3 / (a.length - 1))
    ms = statistics.median(times)
    print(
        json.dumps(
            {
                "program": f"torch {torch.__version__}",
                "config": a.config,
                "mode": a.mode,
                "batch": a.batch,
                "length": a.length,
                "threads": a.threads,
                "rounds": a.rounds,
                "ms_per_token_median": round_(ms),
                "ms_per_token_best": round_(min(times)),
                "tokens_per_second": round_(1e3 * a.batch / ms),
                "weights_gb_per_second": round_(1e-6 * weights / ms),
                "peak_rss_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
            }
        )
    )


def round_(x):
    return float(f"{x:.4g}")


if __name__ == "__main__":
    main()
