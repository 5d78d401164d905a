"""make_reference.py - twenty losses of seven small trainings, from PyTorch.

Takes nothing; gives for each task TASK.safetensors (where it starts, under the names of TASK.cg) and TASK-rows.safetensors (a batch a
step), and reference.safetensors (the losses), all computed in float64 on one thread. Layers and optimisers are those of torch.nn and
torch.optim where there are such; the rest is written out here. Uses nothing of cg.
"""
import math
import os
import sys

import numpy as np
import torch
import torch.nn.functional as F

here = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(here, "..", "transformer"))
from make_reference import rmsnorm, rope, write_safetensors  # noqa: E402

STEPS, SEED = 20, 2385


def drawn(rng, shapes):
    """Weights exact in float32: vectors near 0 or, if they are gains, near 1; the rest scaled by their inputs."""
    out = {}
    for k, s in shapes.items():
        fan = math.prod(s[1:]) if len(s) > 2 else s[0]
        w = rng.standard_normal(s) * (0.2 if len(s) == 1 else 1 / math.sqrt(fan))
        out[k] = (w + ("gain" in k)).astype(np.float32)
    return out


def fit(weights, loss, groups):
    """Twenty steps; `groups` gives what each step renews: a list of (optimiser, how the loss of the step is called)."""
    p = {k: torch.tensor(w, dtype=torch.float64, requires_grad=True) for k, w in weights.items()}
    turns, losses = groups(p), []
    for s in range(STEPS):
        opt, which = turns[s % len(turns)]
        for w in p.values():
            w.grad = None
        found = loss(p, s, which)
        found.backward()
        opt.step()
        losses.append(found.item())
    return np.array(losses)


def f64(x):
    return torch.tensor(x, dtype=torch.float64)


# ---- a residual network ----

def resnet(rng):
    shapes = {"stem.w": (6, 3, 3, 3), "first.gain": (6,), "first.shift": (6,)}
    for name, c, o in (("a", 6, 6), ("b", 6, 10)):
        shapes.update({name + ".one.w": (o, c, 3, 3), name + ".two.w": (o, o, 3, 3)})
        for n in ("n1", "n2"):
            shapes.update({f"{name}.{n}.gain": (o,), f"{name}.{n}.shift": (o,)})
    shapes.update({"b.across.w": (10, 6, 1, 1), "head.w": (10, 5), "head.b": (5,)})
    rows = {"x": rng.standard_normal((STEPS, 7, 3, 9, 11)).astype(np.float32), "y": rng.integers(0, 5, (STEPS, 7)).astype(np.int32)}

    def norm(p, x, at):
        return F.batch_norm(x, None, None, p[at + ".gain"], p[at + ".shift"], training=True)

    def block(p, x, at, stride):
        y = F.relu(norm(p, F.conv2d(x, p[at + ".one.w"], stride=stride, padding=1), at + ".n1"))
        y = norm(p, F.conv2d(y, p[at + ".two.w"], padding=1), at + ".n2")
        return F.relu(y + (x if stride == 1 else F.conv2d(x, p[at + ".across.w"], stride=stride)))

    def loss(p, s, which):
        x = F.relu(norm(p, F.conv2d(f64(rows["x"][s]), p["stem.w"], padding=1), "first"))
        x = block(p, block(p, x, "a", 1), "b", 2).mean((2, 3))
        return F.cross_entropy(x @ p["head.w"] + p["head.b"], torch.tensor(rows["y"][s], dtype=torch.long))

    weights = drawn(rng, shapes)
    for k in [k for k in shapes if k.endswith(".gain")]:  # what the layers keep for use after the training: no part of its losses
        weights[k[:-4] + "running_mean"] = np.zeros(shapes[k], np.float32)
        weights[k[:-4] + "running_var"] = np.ones(shapes[k], np.float32)

    return weights, rows, loss, lambda p: [(torch.optim.SGD(p.values(), 0.05, 0.9, weight_decay=1e-3, nesterov=True), None)]


# ---- long short-term memory ----

def lstm(rng):
    v, d, h, t = 13, 6, 8, 17
    shapes = {"embed.table": (v, d), "layer.wx": (d, 4 * h), "layer.b": (4 * h,), "layer.cell.wh": (h, 4 * h), "out.w": (h, v), "out.b": (v,)}
    ids = rng.integers(0, v, (STEPS, 5, t + 1)).astype(np.int32)
    cell = torch.nn.LSTM(d, h, batch_first=True, dtype=torch.float64)

    def loss(p, s, which):
        b = torch.tensor(ids[s], dtype=torch.long)
        w = {"weight_ih_l0": p["layer.wx"].T, "weight_hh_l0": p["layer.cell.wh"].T, "bias_ih_l0": p["layer.b"],
             "bias_hh_l0": torch.zeros(4 * h, dtype=torch.float64)}
        states, _ = torch.func.functional_call(cell, w, (p["embed.table"][b[:, :-1]],))
        return F.cross_entropy((states @ p["out.w"] + p["out.b"]).reshape(-1, v), b[:, 1:].reshape(-1))

    def groups(p):
        wide = [w for w in p.values() if w.ndim > 1]
        flat = [w for w in p.values() if w.ndim < 2]
        return [(torch.optim.AdamW([{"params": wide, "weight_decay": 0.1}, {"params": flat, "weight_decay": 0.0}], 0.02, (0.9, 0.95), 1e-8), None)]

    return drawn(rng, shapes), {"tokens": ids[:, :, :-1].copy(), "next": ids[:, :, 1:].copy()}, loss, groups


# ---- a variational autoencoder, its noise given ----

def vae(rng):
    d, h, z = 9, 11, 3
    shapes = {"enc.w": (d, h), "enc.b": (h,), "mean.w": (h, z), "mean.b": (z,), "spread.w": (h, z), "spread.b": (z,),
              "dec.w": (z, h), "dec.b": (h,), "out.w": (h, d), "out.b": (d,)}
    rows = {"x": rng.random((STEPS, 8, d)).astype(np.float32), "noise": rng.standard_normal((STEPS, 8, z)).astype(np.float32)}

    def loss(p, s, which):
        x = f64(rows["x"][s])
        a = lambda u, at: u @ p[at + ".w"] + p[at + ".b"]
        u = torch.tanh(a(x, "enc"))
        mu, lv = a(u, "mean"), a(u, "spread")
        y = a(torch.tanh(a(mu + torch.exp(lv / 2) * f64(rows["noise"][s]), "dec")), "out")
        kl = torch.distributions.kl_divergence(torch.distributions.Normal(mu, torch.exp(lv / 2)), torch.distributions.Normal(0.0, 1.0)).sum(1)
        return (F.binary_cross_entropy_with_logits(y, x, reduction="none").sum(1) + kl).mean()

    return drawn(rng, shapes), rows, loss, lambda p: [(torch.optim.Adam(p.values(), 0.01, (0.9, 0.999)), None)]


# ---- a maker and a critic that take turns ----

def gan(rng):
    d, z, h = 3, 2, 9
    shapes = {}
    for name, i, o in (("maker", z, d), ("critic", d, 1)):
        shapes.update({name + ".up.w": (i, h), name + ".up.b": (h,), name + ".down.w": (h, o), name + ".down.b": (o,)})
    rows = {"x": rng.standard_normal((STEPS, 8, d)).astype(np.float32) + 1, "z": rng.standard_normal((STEPS, 8, z)).astype(np.float32)}

    def loss(p, s, which):
        net = lambda u, at: torch.tanh(u @ p[at + ".up.w"] + p[at + ".up.b"]) @ p[at + ".down.w"] + p[at + ".down.b"]
        fake = net(net(f64(rows["z"][s]), "maker"), "critic")[:, 0]
        real = net(f64(rows["x"][s]), "critic")[:, 0]
        one = torch.ones_like(fake)
        bce = F.binary_cross_entropy_with_logits
        return bce(real, one) + bce(fake, 0 * one) if which == "critic" else bce(fake, one)

    def groups(p):
        of = lambda name: [w for k, w in p.items() if k.startswith(name)]
        critic = (torch.optim.Adam(of("critic"), 0.02, (0.5, 0.999)), "critic")
        return [critic, critic, (torch.optim.RMSprop(of("maker"), 0.005, 0.9), "maker")]

    return drawn(rng, shapes), rows, loss, groups


# ---- a mixture of experts ----

def moe(rng):
    d, e, k, h = 6, 4, 2, 7
    shapes = {"up.w": (5, d), "up.b": (d,), "mixed.gate": (d, e), "down.w": (d, 2), "down.b": (2,)}
    for i in range(e):
        shapes.update({f"mixed.each.{i}.gate": (d, h), f"mixed.each.{i}.up": (d, h), f"mixed.each.{i}.down": (h, d)})
    rows = {"x": rng.standard_normal((STEPS, 4, 6, 5)).astype(np.float32), "y": rng.standard_normal((STEPS, 4, 6, 2)).astype(np.float32)}

    def loss(p, s, which):
        x = f64(rows["x"][s]) @ p["up.w"] + p["up.b"]
        gates = x @ p["mixed.gate"]
        top, at = torch.topk(gates, k, -1)
        w = torch.zeros_like(gates).scatter(-1, at, torch.softmax(top, -1))
        y = x
        for i in range(e):
            q = lambda n: p[f"mixed.each.{i}.{n}"]
            y = y + w[..., i:i + 1] * ((F.silu(x @ q("gate")) * (x @ q("up"))) @ q("down"))
        share = (w > 0).double().mean((0, 1)) / k
        balance = e * (share * torch.softmax(gates, -1).mean((0, 1))).sum()
        return F.huber_loss(y @ p["down.w"] + p["down.b"], f64(rows["y"][s]), delta=0.5) + 0.1 * balance

    return drawn(rng, shapes), rows, loss, lambda p: [(torch.optim.Adam(p.values(), 0.01, (0.9, 0.95)), None)]


# ---- a frozen transformer with additions of low rank ----

def lora(rng):
    v, d, h, heads, t, r = 17, 12, 18, 2, 9, 2
    shapes, adapted = {"embed.table": (v, d), "norm.gain": (d,)}, []
    for i in range(2):
        b = f"blocks.{i}."
        shapes.update({b + "ffn.gate": (d, h), b + "ffn.up": (d, h), b + "ffn.down": (h, d), b + "norm1.gain": (d,), b + "norm2.gain": (d,)})
        for w in ("wq", "wk", "wv", "wo"):
            at = f"{b}attn.{w}"
            shapes.update({at: (d, d), at + ".lora.a": (d, r), at + ".lora.b": (r, d)})
            adapted += [at + ".lora.a", at + ".lora.b"]
    ids = rng.integers(0, v, (STEPS, 4, t + 1)).astype(np.int32)

    def loss(p, s, which):
        b = torch.tensor(ids[s], dtype=torch.long)
        x = math.sqrt(d) * p["embed.table"][b[:, :-1]]
        for i in range(2):
            q = lambda n: p[f"blocks.{i}.{n}"]
            w = lambda n: q("attn." + n) + 16.0 / r * (q(f"attn.{n}.lora.a") @ q(f"attn.{n}.lora.b"))
            u = rmsnorm(x, q("norm1.gain"))
            split = lambda n: (u @ w(n)).view(4, t, heads, d // heads).transpose(1, 2)
            y = F.scaled_dot_product_attention(rope(split("wq")), rope(split("wk")), split("wv"), is_causal=True)
            x = x + y.transpose(1, 2).reshape(4, t, d) @ w("wo")
            u = rmsnorm(x, q("norm2.gain"))
            x = x + (F.silu(u @ q("ffn.gate")) * (u @ q("ffn.up"))) @ q("ffn.down")
        y = rmsnorm(x, p["norm.gain"]) @ p["embed.table"].T
        return F.cross_entropy(y.reshape(-1, v), b[:, 1:].reshape(-1))

    weights = drawn(rng, shapes)
    weights["embed.table"] *= 0.3
    for k in adapted:
        weights[k] *= 0.2  # an addition that is small beside its matrix
    return weights, {"tokens": ids[:, :, :-1].copy(), "next": ids[:, :, 1:].copy()}, loss, lambda p: [
        (torch.optim.Adam([p[k] for k in adapted], 0.01, (0.9, 0.95)), None)]


# ---- an optimiser for each matrix ----

class Written:
    """Lion (Chen et al. 2023) and Muon (Jordan et al. 2024, in float64 where torch.optim rounds to bfloat16) as their papers have them."""

    def __init__(self, p, kind):
        self.p, self.m, self.kind = p, torch.zeros_like(p), kind

    def step(self):
        g, p, m = self.p.grad, self.p.data, self.m
        if self.kind == "lion":
            p -= 0.003 * (torch.sign(0.9 * m + 0.1 * g) + 0.05 * p)
            self.m = 0.99 * m + 0.01 * g
            return
        self.m = m = 0.95 * m + 0.05 * g
        x = 0.95 * m + 0.05 * g
        x = x / x.norm()
        for _ in range(5):
            a = x @ x.T
            x = 3.4445 * x + (-4.775 * a + 2.0315 * a @ a) @ x
        p -= 0.02 * math.sqrt(max(1, p.shape[0] / p.shape[1])) * x


class Both:
    """Several optimisers and schedules as one."""

    def __init__(self, optimisers, schedules):
        self.optimisers, self.schedules = optimisers, schedules

    def step(self):
        for o in self.optimisers + self.schedules:
            o.step()


def optimisers(rng):
    widths = [5, 8, 7, 9, 6, 3]
    shapes = {}
    for k, (i, o) in enumerate(zip(widths, widths[1:])):
        shapes.update({f"layers.{k}.w": (i, o), f"layers.{k}.b": (o,)})
    rows = {"x": rng.standard_normal((STEPS, 6, 5)).astype(np.float32), "y": rng.standard_normal((STEPS, 6, 3)).astype(np.float32)}

    def loss(p, s, which):
        x = f64(rows["x"][s])
        for k in range(5):
            x = x @ p[f"layers.{k}.w"] + p[f"layers.{k}.b"]
            x = torch.tanh(x) if k < 4 else x
        return F.mse_loss(x, f64(rows["y"][s]))

    def groups(p):
        w = lambda k: p[f"layers.{k}.w"]
        factored = torch.optim.Adafactor([w(0)], 0.1, eps=(torch.finfo(torch.float32).eps, 1e-3), weight_decay=0.01)
        sgd = torch.optim.SGD([w(3)], 0.05 / 25, 0.9, nesterov=True)
        cycle = torch.optim.lr_scheduler.OneCycleLR(sgd, 0.05, total_steps=STEPS, pct_start=0.3, anneal_strategy="cos", cycle_momentum=False)
        adam = torch.optim.AdamW([w(4)] + [p[f"layers.{k}.b"] for k in range(5)], 0.01, (0.9, 0.95), weight_decay=0.0)
        stable = torch.optim.lr_scheduler.LambdaLR(adam, lambda s: min((s + 1) / 4, 1) * (1 - max(s - 10, 0) / 10))
        return [(Both([factored, Written(w(1), "muon"), Written(w(2), "lion"), sgd, adam], [cycle, stable]), None)]

    return drawn(rng, shapes), rows, loss, groups


def main():
    torch.set_num_threads(1)
    reference = {}
    for task in (resnet, lstm, vae, gan, moe, lora, optimisers):
        weights, rows, loss, groups = task(np.random.default_rng(SEED))
        reference[task.__name__ + ".losses"] = fit(weights, loss, groups)
        write_safetensors(os.path.join(here, task.__name__ + ".safetensors"), weights, {})
        write_safetensors(os.path.join(here, task.__name__ + "-rows.safetensors"), rows, {})
        print(task.__name__, np.round(reference[task.__name__ + ".losses"][[0, 1, 2, 18, 19]], 4))
    write_safetensors(os.path.join(here, "reference.safetensors"), reference, {})


if __name__ == "__main__":
    main()
