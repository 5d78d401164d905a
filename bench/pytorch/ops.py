"""ops.py - the graphs of bench/ops.cg in PyTorch: the same shapes, forward and by every parameter.

Takes a name, a way of running and threads; prints one JSON line: milliseconds a run, the median of several.
"""
import argparse
import json
import statistics
import time

import torch
import torch.nn.functional as F


def normal(*sizes):
    return torch.randn(*sizes).requires_grad_()


def conv(x, w, **how):
    return (lambda x, w: F.conv2d(x, w, **how)), normal(*x), normal(*w)


def units(sizes, hidden):
    gru = torch.nn.GRU(sizes[-1], hidden, batch_first=True)
    names = [name for name, _ in gru.named_parameters()]
    call = torch.func.functional_call
    return (lambda x, *w: call(gru, dict(zip(names, w)), (x,))[0]), normal(*sizes), *gru.parameters()


def decay(x, keep):
    h, states = torch.zeros_like(x[:, 0]), []
    for share, new in zip(torch.sigmoid(keep).unbind(1), x.unbind(1)):
        h = share * h + new
        states.append(h)
    return torch.stack(states, 1)


IMAGE, TEXT, TABLE = (32, 64, 56, 56), (16, 256, 512), (1024, 1000)
ROWS = torch.arange(16384) * 2385 % 8192
PLACES = (torch.arange(1000) * 391 % 1000).expand(TABLE)
OPS = {
    "conv3": lambda: conv(IMAGE, (64, 64, 3, 3), padding=1),
    "conv1": lambda: conv((32, 256, 14, 14), (256, 256, 1, 1)),
    "conv_stride": lambda: conv(IMAGE, (128, 64, 3, 3), stride=2, padding=1),
    "conv_depth": lambda: conv(IMAGE, (64, 1, 3, 3), padding=1, groups=64),
    "conv_text": lambda: ((lambda x, w: F.conv1d(x, w, padding=1)), normal(*TEXT), normal(256, 256, 3)),
    "pool_max": lambda: ((lambda x: F.max_pool2d(x, 2)), normal(*IMAGE)),
    "pool_max3": lambda: ((lambda x: F.max_pool2d(x, 3, 2, 1)), normal(*IMAGE)),
    "pool_mean": lambda: ((lambda x: F.avg_pool2d(x, 2)), normal(*IMAGE)),
    "pool_text": lambda: ((lambda x: F.max_pool1d(x, 2)), normal(*TEXT)),
    "sorted": lambda: ((lambda x: torch.sort(x, -1)[0]), normal(*TABLE)),
    "greatest": lambda: ((lambda x: torch.topk(x, 32)[0]), normal(*TABLE)),
    "rows": lambda: ((lambda x: F.embedding(ROWS, x)), normal(8192, 256)),
    "places": lambda: ((lambda x: torch.gather(x, 1, PLACES)), normal(*TABLE)),
    "sums": lambda: ((lambda x: torch.cumsum(x, 1)), normal(*TABLE)),
    "turns": lambda: units((16, 512, 128), 128),
    "decay": lambda: (decay, normal(16, 512, 256), normal(16, 512, 256)),
    "products": lambda: ((lambda x: torch.cumprod(1 + 0.001 * x, 1)), normal(*TABLE)),
}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("op", choices=OPS)
    parser.add_argument("--mode", choices=["eager", "compiled"], default="eager")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--steps", type=int, default=7)
    args = parser.parse_args()
    torch.manual_seed(2385)
    torch.set_num_threads(args.threads)
    f, *wrt = OPS[args.op]()
    if args.mode == "compiled":
        f = torch.compile(f)
    g = torch.ones_like(f(*wrt))
    times = []
    for i in range(args.steps + 2):
        begin = time.perf_counter()
        torch.autograd.grad(f(*wrt), wrt, g)
        times.append(1e3 * (time.perf_counter() - begin))
    print(json.dumps({"program": "torch " + torch.__version__, "mode": args.mode,
                      "ms_median": statistics.median(times[2:])}))


if __name__ == "__main__":
    main()
