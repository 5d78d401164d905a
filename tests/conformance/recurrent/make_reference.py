"""make_reference.py - gradients and losses of gated recurrent units over 512 places, from torch.nn.GRU.

Takes nothing; gives weights.safetensors (under the names of recurrent.cg), batches.safetensors (x and y, a batch a step) and
reference.safetensors (losses, gradient norms and the gradients of the first step), computed in float64 on one thread.
"""
import os
import sys

import numpy as np
import torch

here = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(here, "..", "transformer"))
from make_reference import write_safetensors  # noqa: E402

T, B, D, H, STEPS, RATE, SEED = 512, 3, 5, 7, 3, 0.05, 2385


def main():
    torch.set_num_threads(1)
    rng = np.random.default_rng(SEED)
    shapes = {"layer.wx": (D, 3 * H), "layer.bx": (3 * H,), "layer.cell.wh": (H, 3 * H), "layer.cell.bh": (3 * H,),
              "head.w": (H, 1), "head.b": (1,)}
    weights = {k: (rng.standard_normal(s) * (0.5 if len(s) == 1 else 1.1 / np.sqrt(s[0]))).astype(np.float32)
               for k, s in shapes.items()}
    x = rng.standard_normal((STEPS, B, T, D)).astype(np.float32)
    y = rng.standard_normal((STEPS, B)).astype(np.float32)
    p = {k: torch.tensor(w, dtype=torch.float64, requires_grad=True) for k, w in weights.items()}
    gru = torch.nn.GRU(D, H, batch_first=True, dtype=torch.float64)
    losses, norms, reference = [], [], {}
    for s in range(STEPS):
        torch_weights = {"weight_ih_l0": p["layer.wx"].T, "weight_hh_l0": p["layer.cell.wh"].T,
                         "bias_ih_l0": p["layer.bx"], "bias_hh_l0": p["layer.cell.bh"]}
        states, last = torch.func.functional_call(gru, torch_weights, (torch.tensor(x[s], dtype=torch.float64),))
        found = (states.mean(1) + last[0]) @ p["head.w"] + p["head.b"]
        loss = ((found[:, 0] - torch.tensor(y[s], dtype=torch.float64)) ** 2).mean()
        grads = torch.autograd.grad(loss, list(p.values()))
        losses.append(loss.item())
        norms.append(torch.sqrt(sum((g ** 2).sum() for g in grads)).item())
        for (k, w), g in zip(p.items(), grads):
            if s == 0:
                reference["grad." + k] = g.numpy().astype(np.float32)
            w.data -= RATE * g
    reference["losses"], reference["norms"] = np.array(losses), np.array(norms)
    write_safetensors(os.path.join(here, "weights.safetensors"), weights, {})
    write_safetensors(os.path.join(here, "batches.safetensors"), {"x": x, "y": y}, {})
    write_safetensors(os.path.join(here, "reference.safetensors"), reference, {})


if __name__ == "__main__":
    main()
