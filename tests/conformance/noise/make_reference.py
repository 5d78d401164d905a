"""make_reference.py - losses of a variational autoencoder with dropout, in PyTorch, from the draws that cg makes.

Takes nothing; gives weights.safetensors (under the names of noise.cg), batches.safetensors (x, a batch a step) and
reference.safetensors (losses, gradient norms and the gradients of the first step), computed in float64 on one thread.
Draws are Philox 4x32-10 (Salmon et al. 2011), written out here, as functions of (seed, stream, step, row, index). Streams
are hashes of the paths of the parts that draw: `cg run noise.cg --dump=graph` shows them.
"""
import os
import sys

import numpy as np
import torch

here = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(here, "..", "transformer"))
from make_reference import write_safetensors  # noqa: E402

B, D, L, H, STEPS, RATE, DROP, SEED, DATA = 8, 12, 3, 10, 20, 0.02, 0.25, 7, 2385
STREAMS = {"drop": 1065464333951440270, "noise": 7826005502190459995}
MASK, LOW = (1 << 64) - 1, np.uint64(0xffffffff)


def mix(x):
    """The finaliser of splitmix64."""
    for shift, factor in ((30, 0xbf58476d1ce4e5b9), (27, 0x94d049bb133111eb)):
        x = (x ^ x >> shift) * factor & MASK
    return x ^ x >> 31


def words(stream, step, n):
    """n words of 32 bits."""
    key = mix((mix(SEED + 0x9e3779b97f4a7c15 & MASK) + stream) & MASK)
    block = np.arange((n + 3) // 4, dtype=np.uint64)
    x = [block & LOW, block >> np.uint64(32), np.full_like(block, step & 0xffffffff), np.full_like(block, step >> 32)]
    k = [key & 0xffffffff, key >> 32]
    for _ in range(10):
        a, b = np.uint64(0xd2511f53) * x[0], np.uint64(0xcd9e8d57) * x[2]
        x = [b >> np.uint64(32) ^ x[1] ^ np.uint64(k[0]), b & LOW, a >> np.uint64(32) ^ x[3] ^ np.uint64(k[1]), a & LOW]
        k = [k[0] + 0x9e3779b9 & 0xffffffff, k[1] + 0xbb67ae85 & 0xffffffff]
    return np.stack(x, axis=1).reshape(-1)[:n]


def uniform(stream, step, shape):
    return ((words(stream, step, int(np.prod(shape))) >> np.uint64(8)) * 2.0 ** -24).reshape(shape)


def normal(stream, step, shape):
    w = words(stream, step, int(np.prod(shape))).astype(np.float64).reshape(-1, 2)
    r, a = np.sqrt(-2 * np.log((w[:, 0] + 1) * 2.0 ** -32)), 2 * np.pi * w[:, 1] * 2.0 ** -32
    return np.stack([r * np.cos(a), r * np.sin(a)], axis=1).astype(np.float32).astype(np.float64).reshape(shape)


def dense(x, p, name):
    return x @ p[name + ".w"] + p[name + ".b"]


def loss_of(x, p, step):
    h = torch.tanh(dense(x, p, "enc"))
    keep = torch.tensor(uniform(STREAMS["drop"], step, (B, H)) >= DROP)
    h = torch.where(keep, h / (1 - DROP), torch.zeros_like(h))
    mean, spread = dense(h, p, "mean"), dense(h, p, "spread")
    z = mean + torch.exp(spread / 2) * torch.tensor(normal(STREAMS["noise"], step, (B, L)))
    kl = 0.5 * (torch.exp(spread) + mean ** 2 - 1 - spread).sum(1)
    y = dense(torch.tanh(dense(z, p, "dec")), p, "out")
    return (((y - x) ** 2).sum(1) + kl).mean()


def main():
    torch.set_num_threads(1)
    rng = np.random.default_rng(DATA)
    sizes = {"enc": (D, H), "dec": (L, H), "mean": (H, L), "spread": (H, L), "out": (H, D)}
    weights = {}
    for name, size in sizes.items():
        weights[name + ".w"] = (0.9 * rng.standard_normal(size) / np.sqrt(size[0])).astype(np.float32)
        weights[name + ".b"] = (0.1 * rng.standard_normal(size[1])).astype(np.float32)
    x = rng.standard_normal((STEPS, B, D)).astype(np.float32)
    p = {k: torch.tensor(w, dtype=torch.float64, requires_grad=True) for k, w in weights.items()}
    losses, norms, reference = [], [], {}
    for s in range(STEPS):
        loss = loss_of(torch.tensor(x[s], dtype=torch.float64), p, s)
        grads = torch.autograd.grad(loss, list(p.values()))
        losses.append(loss.item())
        norms.append(torch.sqrt(sum((g ** 2).sum() for g in grads)).item())
        for (k, w), g in zip(p.items(), grads):
            if s == 0:
                reference["grad." + k] = g.numpy().astype(np.float32)
            w.data -= RATE * g
    reference["losses"], reference["norms"] = np.array(losses), np.array(norms)
    write_safetensors(os.path.join(here, "weights.safetensors"), weights, {})
    write_safetensors(os.path.join(here, "batches.safetensors"), {"x": x}, {})
    write_safetensors(os.path.join(here, "reference.safetensors"), reference, {})


if __name__ == "__main__":
    main()
