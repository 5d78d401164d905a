#!/usr/bin/env python3
"""Samples of PyTorch's functions as tests of cg: values, vector-Jacobian and Jacobian-vector products in f64.

Takes the program (CG, default ../../../build/cg) and names of functions; needs torch with its test samples (packages expecttest and
hypothesis). Each sample of op_db whose tensors are real becomes a `test` block: the tensors as literals, the expression that rows.py has
for the function, and what PyTorch found, to be met within 1e-7 of the largest element. Cotangents and tangents are drawn from
normal distributions with a fixed seed.
Gives a line a sample that does not pass with the reason, and as the last line how many values and products agree. --compare FILE takes
such a list by function and fails where a function passes fewer samples; --write FILE makes one; --sample FILE writes a script
of small samples of all functions, a megabyte; --keep DIR keeps the scripts; --most N takes the first N samples of each function (30;
0: all).
"""
import argparse
import collections
import os
import re
import subprocess
import sys
import tempfile
import warnings

warnings.filterwarnings("ignore")
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
import torch
import torch.autograd.forward_ad as forward_ad
from torch.testing._internal.common_methods_invocations import op_db
from torch.utils._pytree import tree_flatten, tree_map

from expr import Missing, T, literal, new
from rows import ROWS

TOLERANCE = 1e-7
SAMPLE = 1000000  # bytes
LARGEST = 4000    # elements of one tensor; larger samples are counted as not passed
DTYPES = {torch.float64: "f64", torch.float32: "f32", torch.int64: "i64", torch.int32: "i32", torch.bool: "bool"}
HEADER = """cg 2
# Samples of PyTorch %s in f64, as reader.py writes them: its functions in cg's words, and the numbers it found.
import std.tensor
import std.linalg
import nn64

""" % torch.__version__.split("+")[0]


def write_library(folder):
    with open(os.path.join(folder, "nn64.cg"), "w") as f:
        subprocess.run(["sh", os.path.join(HERE, "library64.sh"), os.path.join(HERE, "../../../stdlib")], stdout=f, check=True)


def put(x):
    """A tensor of PyTorch as a literal bound to a name."""
    if x.dtype not in DTYPES:
        raise Missing("elements of type %s" % x.dtype)
    if x.layout != torch.strided:
        raise Missing("a tensor that is not dense")
    if x.numel() > LARGEST:
        raise Missing("a tensor of %d elements" % x.numel())
    flat = x.detach().reshape(-1).tolist()
    name = "x%d" % sum(line.startswith("x") for line in T.lines)
    T.lines.append("%s = %s" % (name, literal(flat, list(x.shape), DTYPES[x.dtype])))
    return T(name, list(x.shape), DTYPES[x.dtype], flat)


class Sample:
    """One sample: what PyTorch finds, and the test that says so."""

    def __init__(self, op, name, sample):
        self.op, self.name, self.sample = op, name, sample
        self.values = self.vjps = self.jvps = 0

    def expect(self, have, want, shape):
        y = put(want)
        if y.dtype not in ("f64",):
            T.lines.append("expect shape(%s) == %s" % (have, shape))
            T.lines.append("expect cast(%s, %s) == %s" % (have, y.dtype, y))
            return
        T.lines.append("expect shape(%s) == %s" % (have, shape))
        if not want.numel():
            return
        off = max(TOLERANCE * float(want.abs().nan_to_num(0, 0, 0).max()), 1e-12)
        if want.isnan().any():
            nan = put(want.isnan())
            T.lines.append("expect (%s != %s) == %s" % (have, have, nan))
            have, y = "where(%s, 0, %s)" % (nan, have), "where(%s, 0, %s)" % (nan, y)
        if want.isinf().any():
            T.lines.append("expect %s == %s or abs(%s - %s) <= %r" % (have, y, have, y, off))
        else:
            T.lines.append("expect abs(%s - %s) <= %r" % (have, y, off))

    def script(self):
        """The lines of the test."""
        T.lines = []
        s = self.sample
        args = (s.input,) + tuple(s.args)
        tensors = [t for t in tree_flatten((args, s.kwargs))[0] if isinstance(t, torch.Tensor)]
        if any(t.is_complex() or t.dtype in (torch.float16, torch.bfloat16, torch.float32) for t in tensors):
            raise Missing("elements of a type beyond the scope")
        finish = s.output_process_fn_grad

        def run(a, k):
            return [t for t in tree_flatten(finish(self.op(*a, **k)))[0] if isinstance(t, torch.Tensor)]
        outs = run(args, s.kwargs)
        if any(o.dtype not in DTYPES for o in outs):
            raise Missing("results of a type beyond the scope")
        known = {}

        def as_expression(t):
            if isinstance(t, torch.Tensor):
                if id(t) not in known:
                    known[id(t)] = put(t)
                return known[id(t)]
            return t
        a, k = tree_map(as_expression, (args, s.kwargs))
        found = ROWS[self.name](*a, **k)
        found = list(found) if isinstance(found, (list, tuple)) else [found]
        if len(found) < len(outs):
            raise Missing("the row gives %d results of %d" % (len(found), len(outs)))
        for have, want in zip(found, outs):
            if have.dtype[0] == "i" and want.dtype == torch.float64:
                have = new("cast(%s, f64)" % have, have.shape)
            self.expect(have, want, list(want.shape))
            self.values += 1
        if self.op.supports_autograd:
            self.derivatives(found, outs, tensors, known)
            self.tangents(found, outs, args, known, run)
        return T.lines

    def derivatives(self, found, outs, tensors, known):
        pairs = [(h, o) for h, o in zip(found, outs) if o.requires_grad and o.dtype == torch.float64]
        wrt = list({id(t): t for t in tensors if t.requires_grad}.values())
        if not pairs or not wrt:
            return
        vs = [torch.randn(o.shape, dtype=o.dtype) for _, o in pairs]
        grads = torch.autograd.grad([o for _, o in pairs], wrt, vs, allow_unused=True)
        self.cotangents = {id(o): v for (_, o), v in zip(pairs, vs)}
        self.gradients = {id(t): g for t, g in zip(wrt, grads) if g is not None}
        terms = ["sum(%s * %s)" % (h, put(v)) for (h, _), v in zip(pairs, vs) if v.numel()]
        if not terms:
            return
        T.lines.append("f = %s" % " + ".join(terms))
        for t, g in zip(wrt, grads):
            if g is None or not t.numel():
                continue
            name = "g%d" % self.vjps
            T.lines.append("%s = grad(f, wrt = %s)" % (name, known[id(t)]))
            self.expect(name, g, list(g.shape))
            self.vjps += 1

    def tangents(self, found, outs, args, known, run):
        if not self.op.supports_forward_ad:
            return
        with forward_ad.dual_level():
            tangents = {}

            def dual(t):
                if isinstance(t, torch.Tensor) and t.requires_grad:
                    if id(t) not in tangents:
                        v = torch.randn(t.shape, dtype=t.dtype)
                        tangents[id(t)] = (forward_ad.make_dual(t.detach(), v), v)
                    return tangents[id(t)][0]
                return t
            a, k = tree_map(dual, (args, self.sample.kwargs))
            results = [forward_ad.unpack_dual(o).tangent for o in run(a, k)]
        if not self.adjoint(outs, results, tangents):
            return
        vs = {i: put(v) for i, (_, v) in tangents.items() if v.numel()}
        for h, o, want in zip(found, outs, results):
            if want is None or not want.numel() or not vs:
                continue
            name = "j%d" % self.jvps
            T.lines.append("%s = %s" % (name, " + ".join("jvp(%s, wrt = %s, along = %s)" % (h, known[i], v) for i, v in vs.items())))
            self.expect(name, want, list(want.shape))
            self.jvps += 1

    def adjoint(self, outs, results, tangents):
        """Whether PyTorch's two derivatives are adjoint; where they are not, as of a symmetric matrix along one that is not, it has no answer."""
        if not hasattr(self, "gradients"):
            return True
        left = sum(float((self.cotangents[id(o)] * r).sum()) for o, r in zip(outs, results) if r is not None and id(o) in self.cotangents)
        right = sum(float((g * tangents[i][1]).sum()) for i, g in self.gradients.items() if i in tangents)
        return not abs(left - right) > 1e-8 * max(1, abs(left), abs(right))

    def block(self, number_):
        lines = self.script()
        return "test \"%s %d\" {\n%s}\n" % (self.name, number_, "".join("    %s\n" % line for line in lines))


def samples(words, most):
    for op in op_db:
        full = op.name if not op.variant_test_name else op.name + "/" + op.variant_test_name
        if torch.float64 not in op.dtypes or (words and op.name not in words and full not in words):
            continue
        if op.name not in ROWS:
            yield full, None
            continue
        torch.manual_seed(7)
        try:
            for i, s in enumerate(op.sample_inputs("cpu", torch.float64, requires_grad=op.supports_autograd)):
                if most and i >= most:
                    break
                yield full, Sample(op, op.name, s)
        except Exception as e:
            print("%s: no samples: %s" % (full, str(e)[:80]), flush=True)


def run(cg, folder, blocks):
    """Which tests of a script pass; None if it does not run."""
    with open(os.path.join(folder, "t.cg"), "w") as f:
        f.write(HEADER + "\n".join(blocks))
    ran = subprocess.run([cg, "test", "t.cg"], cwd=folder, capture_output=True, text=True, timeout=300)
    if ran.returncode not in (0, 1) or not re.search(r"^\d+ passed, \d+ failed$", ran.stdout, re.M) or re.search(r"^not ok 1 - t\.cg$", ran.stdout, re.M):
        return None, ran.stderr
    return {m[2]: m[1] == "ok" for m in re.finditer(r"^(ok|not ok) \d+ - (.*)$", ran.stdout, re.M)}, ran.stderr


def first_line(stderr):
    lines = [line for line in stderr.splitlines() if "error" in line]
    return (lines[0].split(": ", 1)[-1] if lines else stderr[-100:]).strip()


class Tally:
    """What passed, and why the rest did not, by function."""

    def __init__(self):
        self.passed, self.reasons, self.blocks = collections.Counter(), collections.defaultdict(collections.Counter), {}
        self.values = self.vjps = self.jvps = 0

    def good(self, full, s, block):
        self.passed[full] += 1
        self.values += s.values
        self.vjps += s.vjps
        self.jvps += s.jvps
        self.blocks.setdefault(full, []).append((s.vjps + s.jvps, block))

    def bad(self, full, at, reason):
        self.reasons[full][reason] += 1
        print("%s %s: %s" % (full, at, reason), flush=True)

    def lines(self):
        """A line a function: how many samples pass, and the reasons of the others."""
        for full in sorted(set(self.passed) | set(self.reasons)):
            why = "".join("; %d: %s" % (n, r) for r, n in sorted(self.reasons[full].items()))
            yield "%s: %d of %d%s" % (full, self.passed[full], self.passed[full] + sum(self.reasons[full].values()), why)

    def sample(self, size):
        """Small blocks of each function, those with derivatives first, of `size` bytes in all."""
        ranked = []
        for blocks in self.blocks.values():
            order = sorted(blocks, key=lambda b: (b[0] == 0, len(b[1])))
            ranked += [(k, len(b), b) for k, (_, b) in enumerate(order)]
        out = []
        for _, n, b in sorted(ranked):
            if n < 8000 and size - n > 0:
                out.append(b)
                size -= n
        return sorted(out)


def check(cg, folder, group, tally):
    """Runs a group of samples, and each by itself where a script does not run as a whole."""
    passed, stderr = run(cg, folder, [b for _, _, _, b in group]) if len(group) > 1 else (None, "")
    for full, at, s, b in group:
        mine, why = (passed, stderr) if passed is not None else run(cg, folder, [b])
        if mine and mine.get("%s %d" % (s.name, at)):
            tally.good(full, s, b)
        else:
            if passed is not None:
                mine, why = run(cg, folder, [b])
            tally.bad(full, at, first_line(why))


def main():
    p = argparse.ArgumentParser()
    p.add_argument("names", nargs="*")
    p.add_argument("--compare")
    p.add_argument("--write")
    p.add_argument("--sample")
    p.add_argument("--keep")
    p.add_argument("--most", type=int, default=30)
    a = p.parse_args()
    cg = os.path.abspath(os.environ.get("CG", os.path.join(HERE, "../../../build/cg")))
    tally, group, at, sampled = Tally(), [], collections.Counter(), []
    with tempfile.TemporaryDirectory() as scratch:
        folder = a.keep or scratch
        os.makedirs(folder, exist_ok=True)
        write_library(folder)
        for full, s in samples(a.names, a.most):
            if s is None:
                tally.bad(full, "", "no row")
                continue
            at[full] += 1
            try:
                block = s.block(at[full])
            except Missing as e:
                tally.bad(full, at[full], str(e))
                continue
            except Exception as e:  # a fault of this reader is a sample that does not pass
                tally.bad(full, at[full], "reader: %s: %s" % (type(e).__name__, str(e).splitlines()[0][:80] if str(e) else ""))
                continue
            group.append((full, at[full], s, block))
            if len(group) == 40:
                check(cg, folder, group, tally)
                group = []
        if group:
            check(cg, folder, group, tally)
    total = sum(tally.passed.values()) + sum(sum(c.values()) for c in tally.reasons.values())
    print("%d of %d samples of %d functions pass: %d values, %d vector-Jacobian products, %d Jacobian-vector products" % (
        sum(tally.passed.values()), total, len(tally.passed), tally.values, tally.vjps, tally.jvps))
    if a.write:
        with open(a.write, "w") as f:
            f.write("# Samples of PyTorch %s in f64 that pass, by function, and why the others do not, as reader.py says.\n" % torch.__version__.split("+")[0])
            f.write("".join(line + "\n" for line in tally.lines()))
    if a.sample:
        with open(a.sample, "w") as f:
            f.write(HEADER + "\n".join(tally.sample(SAMPLE)))
    return compare(a.compare, tally) if a.compare else 0


def compare(path, tally):
    """1 where a function passes fewer samples than the list says."""
    fewer = 0
    with open(path) as f:
        for m in re.finditer(r"^([^#].*): (\d+) of ", f.read(), re.M):
            if tally.passed[m[1]] < int(m[2]):
                print("%s: %d samples pass, and the list says %s" % (m[1], tally.passed[m[1]], m[2]))
                fewer += 1
    return 1 if fewer else 0


if __name__ == "__main__":
    sys.exit(main())
