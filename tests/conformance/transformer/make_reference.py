"""make_reference.py - the numbers of a small decoder-only transformer, from PyTorch.

Takes nothing; gives three files beside itself: weights.safetensors (where training starts, under the model's own
names), batches.safetensors (tokens and next, a batch a step) and reference.safetensors (what ten steps of training make
of them, computed in float64; once more in float32 to show how far float32 alone wanders).
Uses nothing of cg: model, loss and schedule are written out here, the optimiser is torch.optim.AdamW.
"""
import json
import math
import os
import struct

import numpy as np
import torch

VOCAB, DIM, LAYERS, HEADS, T, B = 61, 48, 2, 4, 19, 5
HIDDEN, EPS, BASE = 4 * DIM, 1e-5, 10000.0
STEPS, WARMUP, PEAK, FLOOR = 10, 3, 3e-3, 3e-4
DECAY, BETAS, ADAM_EPS = 0.1, (0.9, 0.95), 1e-8
CLIP = 1.35     # between the norms of the ten steps: five are clipped, five are not
SEED = 2385


def shapes():
    s = {"embed.table": (VOCAB, DIM)}
    for i in range(LAYERS):
        for name in ("wq", "wk", "wv", "wo"):
            s[f"blocks.{i}.attn.{name}"] = (DIM, DIM)
        s[f"blocks.{i}.ffn.gate"] = (DIM, HIDDEN)
        s[f"blocks.{i}.ffn.up"] = (DIM, HIDDEN)
        s[f"blocks.{i}.ffn.down"] = (HIDDEN, DIM)
        s[f"blocks.{i}.norm1.gain"] = (DIM,)
        s[f"blocks.{i}.norm2.gain"] = (DIM,)
    s["norm.gain"] = (DIM,)
    return s


def initial(rng):
    """Exact in float32, so that every program starts from the same bits. Gains are not all one: a wrong axis shows."""
    out = {}
    for name, shape in shapes().items():
        if len(shape) == 1:
            w = 1.0 + 0.2 * rng.standard_normal(shape)
        elif name == "embed.table":
            w = 0.08 * rng.standard_normal(shape)
        else:
            w = 0.7 * rng.standard_normal(shape) / math.sqrt(shape[0])
        out[name] = w.astype(np.float32)
    return out


def batches(rng):
    """Skewed unigrams, so that there is something to learn: (STEPS, B, T + 1) ids."""
    p = 1.0 / np.arange(2.0, VOCAB + 2.0)
    ids = rng.choice(rng.permutation(VOCAB), size=(STEPS, B, T + 1), p=p / p.sum())
    return ids.astype(np.int32)


def rmsnorm(x, gain):
    return x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + EPS) * gain


def rope(x):
    """Rotates pairs (i, i + K/2) of the last axis by position * BASE^(-2i/K)."""
    t, k = x.shape[-2], x.shape[-1]
    rate = BASE ** (-2.0 * torch.arange(k // 2, dtype=torch.float64) / k)
    angle = torch.arange(t, dtype=torch.float64)[:, None] * rate
    cos, sin = angle.cos().to(x.dtype), angle.sin().to(x.dtype)
    a, b = x[..., : k // 2], x[..., k // 2:]
    return torch.cat((a * cos - b * sin, a * sin + b * cos), dim=-1)


def attention(x, p, at):
    b, t, d = x.shape
    k = d // HEADS
    split = lambda w: (x @ p[at + w]).view(b, t, HEADS, k).transpose(1, 2)
    q, key, v = rope(split("wq")), rope(split("wk")), split("wv")
    s = q @ key.transpose(-1, -2) / math.sqrt(k)
    s = s.masked_fill(torch.ones(t, t, dtype=torch.bool).triu(1), -math.inf)
    y = torch.softmax(s, dim=-1) @ v
    return y.transpose(1, 2).reshape(b, t, d) @ p[at + "wo"]


def swiglu(x, p, at):
    gate = x @ p[at + "gate"]
    return (gate * torch.sigmoid(gate) * (x @ p[at + "up"])) @ p[at + "down"]


def logits(ids, p):
    x = math.sqrt(DIM) * p["embed.table"][ids]
    for i in range(LAYERS):
        b = f"blocks.{i}."
        x = x + attention(rmsnorm(x, p[b + "norm1.gain"]), p, b + "attn.")
        x = x + swiglu(rmsnorm(x, p[b + "norm2.gain"]), p, b + "ffn.")
    return rmsnorm(x, p["norm.gain"]) @ p["embed.table"].T


def rate(step):
    """Step 0 is the first. Linear warm-up to PEAK, then a cosine that would reach FLOOR at step STEPS."""
    if step < WARMUP:
        return PEAK * (step + 1) / WARMUP
    return FLOOR + (PEAK - FLOOR) * 0.5 * (1.0 + math.cos(math.pi * (step - WARMUP) / (STEPS - WARMUP)))


def train(weights, ids, dtype):
    p = {n: torch.tensor(w, dtype=dtype, requires_grad=True) for n, w in weights.items()}
    opt = torch.optim.AdamW(
        [{"params": [w for w in p.values() if w.ndim >= 2], "weight_decay": DECAY},
         {"params": [w for w in p.values() if w.ndim < 2], "weight_decay": 0.0}],
        lr=PEAK, betas=BETAS, eps=ADAM_EPS)
    losses, norms, first, out = [], [], {}, None
    for step in range(STEPS):
        batch = torch.tensor(ids[step], dtype=torch.long)
        y = logits(batch[:, :-1], p)
        loss = torch.nn.functional.cross_entropy(y.reshape(-1, VOCAB), batch[:, 1:].reshape(-1))
        opt.zero_grad()
        loss.backward()
        if step == 0:
            first, out = {n: w.grad.clone() for n, w in p.items()}, y.detach()
        norm = math.sqrt(sum(float(w.grad.double().pow(2).sum()) for w in p.values()))
        if norm > CLIP:
            for w in p.values():
                w.grad.mul_(CLIP / norm)
        for group in opt.param_groups:
            group["lr"] = rate(step)
        opt.step()
        losses.append(loss.item())
        norms.append(norm)
    return losses, norms, first, out, p


def write_safetensors(path, tensors, metadata):
    code = {"float32": "F32", "float64": "F64", "int32": "I32"}
    header, blobs, at = {"__metadata__": metadata}, [], 0
    for name in sorted(tensors):
        a = np.ascontiguousarray(tensors[name])
        header[name] = {"dtype": code[str(a.dtype)], "shape": list(a.shape), "data_offsets": [at, at + a.nbytes]}
        blobs.append(a.tobytes())
        at += a.nbytes
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as f:
        f.write(struct.pack("<Q", len(text)) + text + b"".join(blobs))


@torch.no_grad()
def worst(found, expected):
    """The largest difference of each tensor over its largest element; the largest of those."""
    return max(float((found[n].double() - expected[n].double()).abs().max() / expected[n].double().abs().max()) for n in expected)


def main():
    torch.set_num_threads(1)
    rng = np.random.Generator(np.random.PCG64(SEED))
    weights, ids = initial(rng), batches(rng)
    losses, norms, first, out, last = train(weights, ids, torch.float64)
    losses32, norms32, first32, out32, last32 = train(weights, ids, torch.float32)

    tensors = {"grad." + n: g.numpy().astype(np.float32) for n, g in first.items()}
    tensors["logits"] = out.numpy().astype(np.float32)
    tensors["losses"], tensors["norms"] = np.array(losses), np.array(norms)
    tensors["rates"] = np.array([rate(i) for i in range(STEPS)])
    meta = {"torch": torch.__version__, "seed": str(SEED), "computed in": "float64"}
    here = os.path.dirname(os.path.abspath(__file__))
    write_safetensors(os.path.join(here, "reference.safetensors"), tensors, meta)
    write_safetensors(os.path.join(here, "weights.safetensors"), weights, {})
    write_safetensors(os.path.join(here, "batches.safetensors"), {"tokens": ids[:, :, :-1], "next": ids[:, :, 1:]}, {})

    print("step  rate      loss       norm     float32: loss difference, norm difference (relative)")
    for i in range(STEPS):
        print(f"{i:4}  {rate(i):.3e} {losses[i]:.8f} {norms[i]:.5f}  {abs(losses32[i] / losses[i] - 1):.1e}  {abs(norms32[i] / norms[i] - 1):.1e}")
    print(f"float32 against float64, worst tensor: logits {worst({'': out32}, {'': out}):.1e}, "
          f"gradients of the first step {worst(first32, first):.1e}, weights after {STEPS} steps {worst(last32, last):.1e}")


if __name__ == "__main__":
    main()
