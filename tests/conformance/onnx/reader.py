#!/usr/bin/env python3
"""Turns the node cases of the ONNX package into graphs of cg, runs them and compares.

Takes the program (CG, default ../../../build/cg) and words that names must contain; needs onnx and numpy.
A case is one node with given operands and results. Its operands are inputs of a graph; what ONNX takes as a tensor and
cg as a static argument (axes, sizes, counts) is written into the graph. Ops that ONNX defines by others are read from
that definition unless there is a row for them here; scans and loops of a known number of turns are written out; what
the coordinates of an interpolation weigh is computed here. Gives a line a case that does not pass, with the reason, and
as the last line how many of those in scope pass. --compare FILE takes such lines and fails where they differ in which
cases they name; --list writes the names of those that pass, --keep DIR keeps scripts and data, --show prints scripts.
In scope: operands and results are tensors of f32, f64, i32, i64 or bool.
"""
import argparse
import math
import os
import subprocess
import sys
import tempfile
import warnings

import numpy as np
import onnx
from onnx import numpy_helper

warnings.filterwarnings("ignore")
DTYPES = {np.dtype(np.float32): "f32", np.dtype(np.float64): "f64", np.dtype(np.int32): "i32",
          np.dtype(np.int64): "i64", np.dtype(bool): "bool"}
SCOPE = {onnx.TensorProto.FLOAT, onnx.TensorProto.DOUBLE, onnx.TensorProto.INT32, onnx.TensorProto.INT64,
         onnx.TensorProto.BOOL}


class Missing(Exception):
    """What cg lacks, or this reader."""


class Value:
    """An expression of the graph, and the array it stands for in this case: its shape, dtype and, for what is static,
    its elements."""

    def __init__(self, text, array, reason=None):
        self.text, self.array, self.reason = text, array, reason

    @property
    def shape(self):
        return list(self.array.shape)


class Graph:
    """Lines of a graph of cg, and its inputs."""

    def __init__(self):
        self.lines, self.inputs, self.used = [], {}, {}

    def bind(self, text):
        name = "t%d" % len(self.lines)
        self.lines.append("%s = %s" % (name, text))
        return name

    def input(self, array):
        name = "x%d" % len(self.inputs)
        self.inputs[name] = array
        return name

    def script(self, results):
        params = ", ".join("%s: %s[%s]" % (k, DTYPES[a.dtype], ", ".join(map(str, a.shape)))
                           for k, a in self.inputs.items() if self.mentions(k, results))
        return "import std.tensor\nimport std.nn\nimport std.conv\n\ngraph g(%s) {\n%s    return %s\n}\n" % (
            params, "".join("    %s\n" % line for line in self.lines), ", ".join(results))

    def mentions(self, name, results):
        words = " ".join(self.lines + results).replace("(", " ").replace(")", " ").replace(",", " ")
        return name in words.replace("[", " ").replace("]", " ").replace("-", " ").split()


def ints(v):
    return [int(i) for i in np.asarray(v).reshape(-1)]


def number(x):
    """A number as cg writes it."""
    if isinstance(x, (bool, np.bool_)):
        return "true" if x else "false"
    if isinstance(x, (int, np.integer)):
        return str(int(x)) if x >= 0 else "(%d)" % x
    x = float(x)
    if math.isinf(x):
        return "inf" if x > 0 else "(-inf)"
    text = np.format_float_positional(x, trim="0", unique=True) if 1e-4 <= abs(x) < 1e9 or x == 0 else repr(x)
    if "e" in text and "." not in text:
        text = text.replace("e", ".0e")
    return text if x >= 0 else "(%s)" % text


class Node:
    """One node, as the rows of OPS see it: operands as expressions, arrays and shapes; attributes."""

    def __init__(self, graph, proto, operands, results, opset):
        self.g, self.proto, self.operands, self.results, self.opset = graph, proto, operands, results, opset
        self.attributes = {a.name: onnx.helper.get_attribute_value(a) for a in proto.attribute}

    def __len__(self):
        return len(self.operands)

    def has(self, i):
        return i < len(self.operands) and self.operands[i] is not None

    def x(self, i=0):
        v = self.operands[i]
        if v.reason:
            raise Missing(v.reason)
        if v.text is None:
            v.text = self.g.input(v.array)
        return v.text

    def array(self, i=0):
        return self.operands[i].array

    def shape(self, i=0):
        return list(self.operands[i].array.shape)

    def rank(self, i=0):
        return self.operands[i].array.ndim

    def dtype(self, i=0):
        return DTYPES[self.operands[i].array.dtype]

    def attr(self, name, otherwise=None):
        v = self.attributes.get(name, otherwise)
        return v.decode() if isinstance(v, bytes) else v

    def out_shape(self, i=0):
        return list(self.results[i].shape)

    def bind(self, text):
        return self.g.bind(text)

    def axis(self, otherwise, i=0):
        a = self.attr("axis", otherwise)
        return a + self.rank(i) if a < 0 else a


# ---- expressions ----------------------------------------------------------------------------------------------------

def reshape(x, shape):
    return "op.reshape(%s, [%s])" % (x, ", ".join(map(str, shape)))


def transpose(x, perm):
    return x if list(perm) == list(range(len(perm))) else "op.transpose(%s, %s)" % (x, list(perm))


def slice_of(x, axis, start, end):
    return "op.slice(%s, %d, %d, %d)" % (x, axis, start, end)


def spread(x, shape, to):
    """x repeated to a shape, aligned at the right."""
    shape, to = list(shape), list(to)
    if shape == to:
        return x
    shift = len(to) - len(shape)
    kept = [k for k in range(len(shape)) if shape[k] == to[k + shift]]
    axes = [-1] * len(to)
    for at, k in enumerate(kept):
        axes[k + shift] = at
    if len(kept) < len(shape):
        x = reshape(x, [shape[k] for k in kept])
    if len(kept) == len(to):
        return x
    return "op.broadcast(%s, [%s], [%s])" % (x, ", ".join(map(str, to)), ", ".join(map(str, axes)))


def wide(n, *which):
    """Operands at one shape."""
    which = which or range(len(n))
    to = np.broadcast_shapes(*[tuple(n.shape(i)) for i in which])
    return [spread(n.x(i), n.shape(i), to) for i in which]


def cast(x, dtype):
    return "cast(%s, %s)" % (x, dtype)


def constant(n, shape, value, dtype):
    if len(shape) == 0:
        return cast("tensor(%s)" % number(value), dtype) if dtype != "f32" else "tensor(%s)" % number(value)
    return "fill(%s, [%s], %s)" % (number(float(value)), ", ".join(map(str, shape)), dtype)


# ---- the ops: a row for each ----------------------------------------------------------------------------------------

OPS = {}
# Why there is no row for some.
DATA = "the size of the result depends on the data"
REASONS = {"NonMaxSuppression": DATA, "NonZero": DATA, "Unique": DATA, "Compress": DATA,
           "BitCast": "no op reads the bits of a number as another type", "OptionalHasElement": "no optional values",
           "OptionalGetElement": "no optional values", "TreeEnsemble": "no op of decision trees",
           "TfIdfVectorizer": "no op that counts n-grams",
           "RandomUniformLike": "draws of another generator", "STFT": "this reader has no row for it",
           "RoiAlign": "this reader has no row for it", "DeformConv": "this reader has no row for it",
           "MelWeightMatrix": "this reader has no row for it", "Binarizer": "this reader has no row for it",
           "ArrayFeatureExtractor": "this reader has no row for it"}


def row(*names):
    def add(f):
        for name in names:
            OPS[name] = f
        return f
    return add


def unary(name, text):
    OPS[name] = lambda n: text.replace("X", n.x())


for _name, _text in {
    "Abs": "abs(X)", "Neg": "-X", "Exp": "exp(X)", "Log": "log(X)", "Sqrt": "sqrt(X)", "Sin": "sin(X)",
    "Cos": "cos(X)", "Tan": "tan(X)", "Asin": "asin(X)", "Acos": "acos(X)", "Atan": "atan(X)", "Sinh": "sinh(X)",
    "Cosh": "cosh(X)", "Asinh": "asinh(X)", "Acosh": "acosh(X)", "Atanh": "atanh(X)", "Tanh": "tanh(X)",
    "Floor": "floor(X)", "Ceil": "ceil(X)", "Round": "round(X)", "Sign": "sign(X)", "Sigmoid": "sigmoid(X)",
    "Erf": "erf(X)", "Softplus": "softplus(X)", "Softsign": "softsign(X)", "Relu": "where(X <= 0, 0, X)",
    "Reciprocal": "1 / X", "Identity": "X", "Not": "not X", "IsNaN": "X != X", "HardSwish": "hardswish(X)",
    "Mish": "mish(X)", "Det": "det(X)",
}.items():
    unary(_name, _text)

for _name, _text in {
    "Add": "X + Y", "Sub": "X - Y", "Mul": "X * Y", "And": "X and Y", "Or": "X or Y", "Xor": "X != Y",
    "Equal": "X == Y", "Greater": "X > Y", "Less": "X < Y", "GreaterOrEqual": "X >= Y", "LessOrEqual": "X <= Y",
}.items():
    def _binary(n, text=_text):
        x, y = wide(n)
        return text.replace("X", "(" + x + ")").replace("Y", "(" + y + ")")
    OPS[_name] = _binary


@row("Div")
def div(n):
    x, y = wide(n)
    return "(%s - rem(%s, %s)) // %s" % (x, x, y, y) if n.dtype()[0] == "i" else "%s / %s" % (x, y)


@row("Mod")
def mod(n):
    x, y = wide(n)
    return "rem(%s, %s)" % (x, y) if n.attr("fmod", 0) else "%s %% %s" % (x, y)


@row("Pow")
def pow_(n):
    x, y = wide(n)
    if n.dtype(0) == n.dtype(1):
        return "%s ^ %s" % (x, y)
    if n.dtype(0)[0] == "i" and n.dtype(1)[0] == "f":
        return cast("%s ^ %s" % (cast(x, n.dtype(1)), y), n.dtype(0))
    return "%s ^ %s" % (x, cast(y, n.dtype(0)))


@row("BitShift")
def bit_shift(n):
    x, y = wide(n)
    two = "fill(2, %s, %s) ^ %s" % (n.out_shape(), n.dtype(), y)
    if n.attr("direction") == "LEFT":
        return "where({1} < 0, 0, {0} * {2})".format(x, y, two)
    width = {"i32": 32, "i64": 64}[n.dtype()]
    far = "{0} < 0 or {0} >= {1}".format(y, width - 1)
    return "where({0}, where({1} < 0, 0 * {1} - 1, 0), {1} // ({2}))".format(far, x, two)


@row("BitwiseAnd", "BitwiseOr", "BitwiseXor")
def bitwise(n):
    x, y = wide(n)
    bits = {"i32": 32, "i64": 64}[n.dtype()]
    kind = n.proto.op_type[7:]
    acc = None
    for k in range(bits):
        one = constant(n, n.out_shape(), 2, n.dtype())
        step = n.bind("%s ^ fill(%d, %s, %s)" % (one, k, n.out_shape(), n.dtype()))
        p, q = "((%s) // %s %% 2)" % (x, step), "((%s) // %s %% 2)" % (y, step)
        if k == bits - 1:
            p, q = "cast(%s < 0, %s)" % (x, n.dtype()), "cast(%s < 0, %s)" % (y, n.dtype())
        bit = {"And": "%s * %s" % (p, q), "Or": "maximum(%s, %s)" % (p, q), "Xor": "(%s - %s) ^ 2" % (p, q)}[kind]
        acc = n.bind("%s(%s) * %s" % (acc + " + " if acc else "", bit, step))
    return acc


@row("BitwiseNot")
def bitwise_not(n):
    return "-1 - %s" % n.x()


@row("Max", "Min", "Sum", "Mean")
def several(n):
    xs = wide(n)
    kind = n.proto.op_type
    acc = xs[0]
    for x in xs[1:]:
        acc = n.bind("%s + %s" % (acc, x) if kind in ("Sum", "Mean") else "%simum(%s, %s)" % (kind.lower(), acc, x))
    return "%s / %d" % (acc, len(xs)) if kind == "Mean" else acc


@row("Where")
def where(n):
    return "where(%s, %s, %s)" % tuple(wide(n))


@row("IsInf")
def is_inf(n):
    high, low = n.attr("detect_positive", 1), n.attr("detect_negative", 1)
    return "abs(X) == inf".replace("X", n.x()) if high and low else "%s == %s" % (n.x(), "inf" if high else "-inf")


@row("Elu", "Celu", "Selu", "LeakyRelu", "ThresholdedRelu", "HardSigmoid", "Gelu", "Shrink", "Swish", "PRelu")
def activation(n):
    kind, x, a = n.proto.op_type, n.x(), lambda name, v: number(n.attr(name, v))
    if kind == "Gelu":
        return ("gelu_tanh(%s)" if n.attr("approximate", "none") == "tanh" else "gelu(%s)") % x
    if kind == "Swish":
        return "%s * sigmoid(%s * %s)" % (x, a("alpha", 1.0), x)
    if kind == "Shrink":
        lam, bias = a("lambd", 0.5), a("bias", 0.0)
        return "where(%s < -%s, %s + %s, where(%s > %s, %s - %s, 0))" % (x, lam, x, bias, x, lam, x, bias)
    if kind == "PRelu":
        return "where({0} < 0, {1} * {0}, {0})".format(x, spread(n.x(1), n.shape(1), n.shape(0)))
    if kind == "HardSigmoid":
        return "minimum(maximum(%s * %s + %s, 0), 1)" % (a("alpha", 0.2), x, a("beta", 0.5))
    if kind == "ThresholdedRelu":
        return "where(%s > %s, %s, 0)" % (x, a("alpha", 1.0), x)
    if kind == "LeakyRelu":
        return "leaky_relu(%s, slope = %s)" % (x, a("alpha", 0.01))
    if kind == "Selu":
        return "%s * where({0} > 0, {0}, %s * expm1(minimum({0}, 0)))".format(x) % (a("gamma", 1.0507009873554805), a("alpha", 1.6732632423543772))
    return "%s(%s, alpha = %s)" % (kind.lower(), x, a("alpha", 1.0))


@row("Clip")
def clip(n):
    x = n.x()
    if n.has(1):
        x = "maximum(%s, %s)" % (x, spread(n.x(1), n.shape(1), n.shape()))
    if n.has(2):
        x = "minimum(%s, %s)" % (x, spread(n.x(2), n.shape(2), n.shape()))
    return x


@row("Cast", "CastLike")
def cast_to(n):
    if n.results[0].dtype not in DTYPES:
        raise Missing("the package's reference does not tell the type of this cast")
    return cast(n.x(), DTYPES[n.results[0].dtype])


# ---- shapes ----

@row("Reshape", "Flatten", "Squeeze", "Unsqueeze")
def reshaped(n):
    return reshape(n.x(), n.out_shape())


@row("Transpose")
def transposed(n):
    return transpose(n.x(), n.attr("perm", list(range(n.rank()))[::-1]))


@row("Expand")
def expand(n):
    return spread(n.x(), n.shape(), n.out_shape())


@row("Concat")
def concat(n):
    return "concat([%s], axis = %d)" % (", ".join(n.x(i) for i in range(len(n))), n.axis(0))


@row("Split")
def split(n):
    axis, at, out = n.axis(0), 0, []
    for r in n.results:
        out.append(slice_of(n.x(), axis, at, at + r.shape[axis]))
        at += r.shape[axis]
    return out


@row("Slice")
def slice_(n):
    starts, ends = ints(n.array(1)), ints(n.array(2))
    axes = ints(n.array(3)) if n.has(3) else list(range(len(starts)))
    steps = ints(n.array(4)) if n.has(4) else [1] * len(starts)
    x, shape = n.x(), n.shape()
    for a, start, end, step in zip(axes, starts, ends, steps):
        a %= n.rank()
        picked = range(shape[a])[slice(start, end, step)] if step > 0 else range(shape[a])[slice(start, None if end < -shape[a] else end, step)]
        if len(picked) == 0:
            x = slice_of(x, a, 0, 0)
        else:
            low, high = min(picked), max(picked)
            x = n.bind(slice_of(x, a, low, high + 1))
            x = x if step == 1 else n.bind("every(%s, %d, %d)" % (x, step, a))
        shape[a] = len(picked)
    return x


@row("Pad")
def pad(n):
    pads, mode = ints(n.array(1)), n.attr("mode", "constant")
    axes = ints(n.array(3)) if n.has(3) else list(range(n.rank()))
    value = n.array(2).reshape(-1)[0] if n.has(2) and n.array(2).size else 0
    x, shape = n.x(), n.shape()
    for k, a in enumerate(axes):
        a %= n.rank()
        before, after = pads[k], pads[k + len(axes)]
        if before < 0 or after < 0:
            x = n.bind(slice_of(x, a, max(0, -before), shape[a] + min(0, after)))
            shape[a] += min(0, before) + min(0, after)
            before, after = max(0, before), max(0, after)
        if before or after:
            x = n.bind("padded(%s, %d, %d, %d, mode = \"%s\", value = %s)" % (x, a, before, after, mode, number(float(value))))
    return x


@row("Tile")
def tile(n):
    x = n.x()
    for a, times in enumerate(ints(n.array(1))):
        x = x if times == 1 else n.bind("tile(%s, %d, %d)" % (x, times, a))
    return x


@row("Shape", "Size")
def shape_op(n):
    return "tensor([%s], i64)" % ", ".join(map(str, ints(n.results[0]))) if n.results[0].ndim else "cast(tensor(%d), i64)" % n.results[0]


@row("ConstantOfShape")
def constant_of_shape(n):
    r = n.results[0]
    value = r.reshape(-1)[0] if r.size else 0
    return constant(n, list(r.shape), value, DTYPES[r.dtype])


@row("Range")
def range_(n):
    dtype, count = n.dtype(), n.out_shape()[0]
    return "cast(%s) + cast(iota(%d), %s) * %s" % (n.x(0) + ", " + dtype, count, dtype, n.x(2))


@row("EyeLike")
def eye_like(n):
    rows, columns = n.shape()
    k, dtype = n.attr("k", 0), DTYPES[n.results[0].dtype]
    return cast("reshape(iota(%d), [%d, 1]) + %s == iota(%d)" % (rows, rows, number(k), columns), dtype)


@row("Trilu")
def trilu(n):
    k = ints(n.array(1))[0] if n.has(1) else 0
    rows, columns = n.shape()[-2:]
    sign = "<=" if n.attr("upper", 1) else ">="
    mask = n.bind("reshape(iota(%d), [%d, 1]) + %s %s iota(%d)" % (rows, rows, number(k), sign, columns))
    return "where(%s, %s, 0)" % (spread(mask, [rows, columns], n.shape()), n.x())


@row("DepthToSpace", "SpaceToDepth")
def depth_to_space(n):
    b, c, h, w = n.shape()
    s = n.attr("blocksize")
    if n.proto.op_type == "SpaceToDepth":
        x = transpose(reshape(n.x(), [b, c, h // s, s, w // s, s]), [0, 3, 5, 1, 2, 4] if n.attr("mode", "DCR") == "DCR" else [0, 1, 3, 5, 2, 4])
    elif n.attr("mode", "DCR") == "DCR":
        x = transpose(reshape(n.x(), [b, s, s, c // (s * s), h, w]), [0, 3, 4, 1, 5, 2])
    else:
        x = transpose(reshape(n.x(), [b, c // (s * s), s, s, h, w]), [0, 1, 4, 2, 5, 3])
    return reshape(x, n.out_shape())


@row("ReverseSequence")
def reverse_sequence(n):
    time, batch = n.attr("time_axis", 0), n.attr("batch_axis", 1)
    t = n.shape()[time]
    like = [1] * n.rank()
    like[time] = t
    at = n.bind(spread(reshape("iota(%d)" % t, like), like, n.shape()))
    like = [1] * n.rank()
    like[batch] = n.shape()[batch]
    ends = n.bind(spread(reshape(cast(n.x(1), "i32"), like), like, n.shape()))
    return "take_along(%s, where(%s < %s, %s - 1 - %s, %s), %d)" % (n.x(), at, ends, ends, at, at, time)


# ---- indices ----

@row("Gather")
def gather(n):
    return "index_select(%s, %s, %d)" % (n.x(), n.x(1), n.axis(0))


def cut_like(n, x, shape, like, axis):
    """What take_along asks for: all other axes as long as those of the indices."""
    for a in range(len(shape)):
        if a != axis and like[a] < shape[a]:
            x = n.bind(slice_of(x, a, 0, like[a]))
    return x


@row("GatherElements")
def gather_elements(n):
    axis = n.axis(0)
    return "take_along(%s, %s, %d)" % (cut_like(n, n.x(), n.shape(), n.shape(1), axis), n.x(1), axis)


@row("GatherND")
def gather_nd(n):
    return "gather(%s, %s, batch = %d)" % (n.x(), n.x(1), n.attr("batch_dims", 0))


HOW = {"none": "set", "add": "add", "mul": "mul", "max": "max", "min": "min"}


@row("ScatterElements", "Scatter")
def scatter_elements(n):
    axis, shape, like = n.axis(0), n.shape(), n.shape(1)
    how = HOW[n.attr("reduction", "none")]
    if all(a == axis or shape[a] == like[a] for a in range(n.rank())):
        return "put_along(%s, %s, %s, %d, how = \"%s\")" % (n.x(), n.x(1), n.x(2), axis, how)
    tuples = []  # fewer indices than places along other axes: tuples of all of them
    for a in range(n.rank()):
        at = [1] * n.rank()
        at[a] = like[a]
        text = cast(n.x(1), "i64") if a == axis else cast(spread(reshape("iota(%d)" % like[a], at), at, like), "i64")
        tuples.append(reshape(text, like + [1]))
    ids = n.bind("concat([%s], axis = %d)" % (", ".join(tuples), n.rank()))
    return "scatter(%s, %s, %s, how = \"%s\")" % (n.x(), ids, n.x(2), how)


@row("ScatterND")
def scatter_nd(n):
    return "scatter(%s, %s, %s, how = \"%s\")" % (n.x(), n.x(1), n.x(2), HOW[n.attr("reduction", "none")])


@row("TensorScatter")
def tensor_scatter(n):
    axis = n.axis(-2)
    size, length = n.shape()[axis], n.shape(1)[axis]
    like = [1] * n.rank()
    like[axis] = length
    at = spread(reshape("iota(%d)" % length, like), like, n.shape(1))
    if n.has(2):
        first = [n.shape(2)[0]] + [1] * (n.rank() - 1)
        at = "%s + %s" % (at, spread(reshape(cast(n.x(2), "i32"), first), first, n.shape(1)))
    if n.attr("mode", "linear") == "circular":
        at = "(%s) %% %d" % (at, size)
    return "put_along(%s, %s, %s, %d)" % (n.x(), n.bind(at), n.x(1), axis)


@row("OneHot")
def one_hot(n):
    depth, axis = ints(n.array(1))[0], n.attr("axis", -1)
    off_on = n.x(2)
    dtype = n.dtype(2)
    rank = n.rank() + 1
    axis = axis % rank
    ids = n.bind(cast(n.x(), "i64") if n.dtype() != "i64" else n.x())
    like = [1] * rank
    like[axis] = depth
    out = n.out_shape()
    at = n.bind(cast(spread(reshape("iota(%d)" % depth, like), like, out), "i64"))
    here = [1 if a == axis else out[a] for a in range(rank)]
    wanted = n.bind(spread(reshape("where({0} < 0, {0} + {1}, {0})".format(ids, depth), here), here, out))
    pick = lambda k: spread(reshape(slice_of(off_on, 0, k, k + 1), []), [], out)
    return "where(%s == %s, %s, %s)" % (at, wanted, pick(1), pick(0))


@row("ArgMax", "ArgMin")
def arg_extreme(n):
    x = "%s(%s, axis = %d, last = %s)" % (n.proto.op_type.lower(), n.x(), n.axis(0), "true" if n.attr("select_last_index", 0) else "false")
    return reshape(cast(x, "i64"), n.out_shape())


@row("TopK")
def top_k(n):
    axis = n.axis(-1)
    v = n.bind("top_k(%s, %d, %d, largest = %s)" % (n.x(), ints(n.array(1))[0], axis, "true" if n.attr("largest", 1) else "false"))
    return ["%s[0]" % v, cast("%s[1]" % v, "i64")]


@row("Hardmax")
def hardmax(n):
    axis = n.axis(-1)
    at, like = "argmax(%s, axis = %d)" % (n.x(), axis), [1] * n.rank()
    like[axis] = n.shape()[axis]
    return cast("%s == %s" % (spread(reshape("iota(%d)" % like[axis], like), like, n.shape()),
                              spread(reshape(at, [1 if a == axis else s for a, s in enumerate(n.shape())]), [1 if a == axis else s for a, s in enumerate(n.shape())], n.shape())), n.dtype())


@row("CumSum", "CumProd")
def cumulative(n):
    axis, reverse = ints(n.array(1))[0] % n.rank(), bool(n.attr("reverse", 0))
    x, size, dtype = n.x(), n.shape()[axis], n.dtype()
    if n.attr("exclusive", 0):
        first = 0.0 if n.proto.op_type == "CumSum" else 1.0
        x = n.bind(slice_of(x, axis, 1, size) if reverse else slice_of(x, axis, 0, size - 1))
        x = n.bind("pad(%s, axis = %d, before = %d, after = %d, value = %s)" % (x, axis, not reverse, reverse, first))
    if n.proto.op_type == "CumSum":
        return "cumsum(%s, axis = %d, reverse = %s)" % (x, axis, str(reverse).lower())
    if dtype[0] == "i":
        return cast("cumprod(%s, %d, %s)" % (cast(x, "f64"), axis, str(reverse).lower()), dtype)
    return "cumprod(%s, %d, %s)" % (x, axis, str(reverse).lower())


# ---- reductions and norms ----

def reduced_axes(n):
    if "axes" in n.attributes:
        return [a % n.rank() for a in n.attributes["axes"]]
    if n.has(1) and n.array(1).size:
        return [a % n.rank() for a in ints(n.array(1))]
    return [] if n.attr("noop_with_empty_axes", 0) else list(range(n.rank()))


@row("ReduceSum", "ReduceMean", "ReduceMax", "ReduceMin", "ReduceProd", "ReduceL1", "ReduceL2", "ReduceLogSum",
     "ReduceLogSumExp", "ReduceSumSquare")
def reduction(n):
    axes, kind, x = reduced_axes(n), n.proto.op_type[6:], n.x()
    if not axes:
        return {"L1": "abs(%s)", "L2": "abs(%s)", "SumSquare": "%s ^ 2", "LogSum": "log(%s)"}.get(kind, "%s") % x
    by = ", axis = %s" % axes
    if kind in ("Max", "Min") and n.dtype() == "bool":
        y = "%s(%s%s)" % ("any" if kind == "Max" else "all", x, by)
    elif kind == "LogSumExp":
        rest = [a for a in range(n.rank()) if a not in axes]
        flat = reshape(transpose(x, rest + axes), [n.shape()[a] for a in rest] + [int(np.prod([n.shape()[a] for a in axes]))])
        y = "logsumexp(%s, axis = -1)" % flat
    else:
        y = {"Sum": "sum(%s)", "Mean": "mean(%s)", "Max": "max(%s)", "Min": "min(%s)", "Prod": "prod(%s)",
             "L1": "sum(abs(%s))", "L2": "sqrt(sum(%s))", "LogSum": "log(sum(%s))", "SumSquare": "sum(%s)"}[kind]
        x = "%s * %s" % (x, x) if kind in ("L2", "SumSquare") else x
        y = y % (x + by) if kind not in ("L1",) else "sum(abs(%s)%s)" % (x, by)
    return reshape(n.bind(y), n.out_shape()) if n.attr("keepdims", 1) else y


@row("Softmax", "LogSoftmax")
def softmax(n):
    name = "softmax(%s, axis = %d)" if n.proto.op_type == "Softmax" else "log_softmax(%s, %d)"
    return name % (n.x(), n.axis(-1))


@row("LpNormalization")
def lp_normalization(n):
    axis, p = n.axis(-1), n.attr("p", 2)
    kept = [1 if a == axis else s for a, s in enumerate(n.shape())]
    size = n.bind("norm(%s, %d, %s)" % (n.x(), axis, float(p)))
    size = n.bind(spread(reshape(size, kept), kept, n.shape()))
    return "where(%s == 0, 0, %s / where(%s == 0, 1, %s))" % (size, n.x(), size, size)


def channels(n, i, rank):
    """A vector by channel against the operand."""
    return spread(reshape(n.x(i), n.shape(i) + [1] * (rank - 2)), n.shape(i) + [1] * (rank - 2), n.shape())


@row("BatchNormalization")
def batch_norm(n):
    x, rank, eps = n.x(), n.rank(), number(n.attr("epsilon", 1e-5))
    axes = [a for a in range(rank) if a != 1]
    apply = lambda m, v: "%s * (%s - %s) / sqrt(%s + %s) + %s" % (channels(n, 1, rank), x, m, v, eps, channels(n, 2, rank))
    if not n.attr("training_mode", 0):
        return apply(channels(n, 3, rank), channels(n, 4, rank))
    keep = number(n.attr("momentum", 0.9))
    m, v = n.bind("mean(%s, axis = %s)" % (x, axes)), n.bind("var(%s, %s, correction = 0)" % (x, axes))
    up = lambda t: spread(reshape(t, n.shape(1) + [1] * (rank - 2)), n.shape(1) + [1] * (rank - 2), n.shape())
    return [apply(up(m), up(v)), "{0} * {1} + (1 - {0}) * {2}".format(keep, n.x(3), m),
            "{0} * {1} + (1 - {0}) * {2}".format(keep, n.x(4), v)]


@row("InstanceNormalization")
def instance_norm(n):
    axes = list(range(2, n.rank()))
    return "%s * (%s - spread_mean) / sqrt(spread_var + %s) + %s".replace("spread_mean", spread(n.bind("mean_kept(%s, %s)" % (n.x(), axes)), n.shape()[:2] + [1] * (n.rank() - 2), n.shape())).replace(
        "spread_var", spread(reshape("var(%s, %s, correction = 0)" % (n.x(), axes), n.shape()[:2] + [1] * (n.rank() - 2)), n.shape()[:2] + [1] * (n.rank() - 2), n.shape())) % (
        channels(n, 1, n.rank()), n.x(), number(n.attr("epsilon", 1e-5)), channels(n, 2, n.rank()))


@row("LRN")
def lrn(n):
    size, alpha, beta, bias = n.attr("size"), n.attr("alpha", 1e-4), n.attr("beta", 0.75), n.attr("bias", 1.0)
    before = (size - 1) // 2
    squares = n.bind("pad(%s * %s, axis = 1, before = %d, after = %d)" % (n.x(), n.x(), before, size - 1 - before))
    total = "sum(unfold(%s, axis = 1, size = %d), axis = 2)" % (squares, size)
    return "%s / (%s + %s * %s) ^ %s" % (n.x(), number(bias), number(alpha / size), total, number(beta))


# ---- products ----

@row("MatMul")
def matmul(n):
    x, y, sx, sy = n.x(), n.x(1), n.shape(), n.shape(1)
    if len(sx) == 1:
        x, sx = reshape(x, [1] + sx), [1] + sx
    if len(sy) == 1:
        y, sy = reshape(y, sy + [1]), sy + [1]
    batch = list(np.broadcast_shapes(tuple(sx[:-2]), tuple(sy[:-2])))
    if n.dtype()[0] == "i":
        x, y = cast(x, "f64"), cast(y, "f64")
    product = "%s @ %s" % (spread(x, sx, batch + sx[-2:]), spread(y, sy, batch + sy[-2:]) if len(sy) > 2 or batch else y)
    if n.dtype()[0] == "i":
        product = cast(product, n.dtype())
    return reshape(product, n.out_shape())


@row("Gemm")
def gemm(n):
    x = transpose(n.x(), [1, 0]) if n.attr("transA", 0) else n.x()
    y = transpose(n.x(1), [1, 0]) if n.attr("transB", 0) else n.x(1)
    z = "%s * (%s @ %s)" % (number(n.attr("alpha", 1.0)), x, y)
    return z + " + %s * %s" % (number(n.attr("beta", 1.0)), spread(n.x(2), n.shape(2), n.out_shape())) if n.has(2) else z


@row("Einsum")
def einsum(n):
    left, _, right = n.attr("equation").replace(" ", "").partition("->")
    terms = left.split(",")
    if "->" not in n.attr("equation"):
        right = ("..." if "..." in left else "") + "".join(sorted(c for c in set(left) if left.count(c) == 1 and c.isalpha()))
    rows = n.rank() - len(terms[0].replace("...", "")) if "..." in left else 0
    names = lambda t: "[%s]" % ", ".join(c.upper() if c.isalpha() else "Z%d" % i for i, c in
                                         [(0, c) for c in t] if c != ".") if "..." not in t else "[%s]" % ", ".join(
        [c.upper() for c in t.split("...")[0]] + ["Z%d" % k for k in range(rows)] + [c.upper() for c in t.split("...")[1]])
    return "einsum(%s, %s -> %s)" % (", ".join(n.x(i) for i in range(len(n))), ", ".join(names(t) for t in terms), names(right))


# ---- windows: convolutions and pools along any number of axes ----

def padding_of(n, kernel, strides, dilations, shape):
    """Places added before and behind each axis, by attribute or rule."""
    auto = n.attr("auto_pad", "NOTSET")
    pads = n.attr("pads", [0] * (2 * len(kernel)))
    if auto in ("NOTSET", ""):
        return list(zip(pads[:len(kernel)], pads[len(kernel):]))
    if auto == "VALID":
        return [(0, 0)] * len(kernel)
    out = []
    for k, s, d, size in zip(kernel, strides, dilations, shape):
        total = max(0, (-(-size // s) - 1) * s + (k - 1) * d + 1 - size)
        less = total // 2
        out.append((less, total - less) if auto == "SAME_UPPER" else (total - less, less))
    return out


def windows(n, x, kernel, strides, dilations, pads, counts, value=0.0):
    """x[.., a, b] as [.., count, kernel, count, kernel]; enough places are added for the wanted numbers of windows."""
    lead = n.rank() - len(kernel)
    for i, (k, s, d, (before, after), count) in enumerate(zip(kernel, strides, dilations, pads, counts)):
        axis, size = lead + i, n.shape()[lead + i]
        needed = (count - 1) * s + (k - 1) * d + 1
        after = max(after, needed - before - size)
        if before or after:
            x = n.bind("pad(%s, axis = %d, before = %d, after = %d, value = %s)" % (x, axis, before, after, number(value)))
        if before + size + after > needed:
            x = n.bind(slice_of(x, axis, 0, needed))
    for i, (k, s, d) in enumerate(zip(kernel, strides, dilations)):
        x = n.bind("unfold(%s, axis = %d, size = %d, stride = %d, dilation = %d)" % (x, lead + 2 * i, k, s, d))
    return x


@row("Conv")
def conv(n):
    kernel = n.shape(1)[2:]
    strides, dilations = n.attr("strides", [1] * len(kernel)), n.attr("dilations", [1] * len(kernel))
    groups, out = n.attr("group", 1), n.out_shape()
    pads = padding_of(n, kernel, strides, dilations, n.shape()[2:])
    seen = windows(n, n.x(), kernel, strides, dilations, pads, out[2:])
    b, c = n.shape()[:2]
    places, span = [], []
    for k, count in zip(kernel, out[2:]):
        places.append(count)
        span.append(k)
    flat = reshape(seen, [b, groups, c // groups] + [s for pair in zip(places, span) for s in pair])
    at = list(range(3, 3 + 2 * len(kernel), 2))
    flat = n.bind(reshape(transpose(flat, [1, 0] + at + [2] + [a + 1 for a in at]), [groups, b * int(np.prod(places)), c // groups * int(np.prod(span))]))
    o = n.shape(1)[0]
    w = n.bind(reshape(n.x(1), [groups, o // groups, c // groups * int(np.prod(span))]))
    y = n.bind("einsum(%s, %s, [G, N, K], [G, O, K] -> [G, O, N])" % (flat, w))
    y = reshape(transpose(reshape(y, [o, b] + places), [1, 0] + list(range(2, 2 + len(places)))), out)
    return "%s + %s" % (y, spread(reshape(n.x(2), [o] + [1] * len(places)), [o] + [1] * len(places), out)) if n.has(2) else y


@row("ConvTranspose")
def conv_transpose(n):
    kernel = n.shape(1)[2:]
    strides, dilations = n.attr("strides", [1] * len(kernel)), n.attr("dilations", [1] * len(kernel))
    groups, out, (b, c), per = n.attr("group", 1), n.out_shape(), n.shape()[:2], n.shape(1)[1]
    places = n.shape()[2:]
    g = n.bind(reshape(n.x(), [b, groups, c // groups, int(np.prod(places))]))
    w = n.bind(reshape(n.x(1), [groups, c // groups, per * int(np.prod(kernel))]))
    y = n.bind("einsum(%s, %s, [B, G, I, N], [G, I, P] -> [B, G, P, N])" % (g, w))
    y = reshape(y, [b, groups * per] + kernel + places)
    order = [0, 1] + [a for i in range(len(kernel)) for a in (2 + len(kernel) + i, 2 + i)]
    y = n.bind(transpose(y, order))
    lengths = [(p - 1) * s + (k - 1) * d + 1 for p, s, k, d in zip(places, strides, kernel, dilations)]
    for i in reversed(range(len(kernel))):
        y = n.bind("fold(%s, axis = %d, length = %d, stride = %d, dilation = %d)" % (y, 2 + 2 * i, lengths[i], strides[i], dilations[i]))
    auto, pads = n.attr("auto_pad", "NOTSET"), n.attr("pads", [0] * (2 * len(kernel)))
    for i in range(len(kernel)):
        total = lengths[i] - out[2 + i]
        begin = pads[i]
        if auto.startswith("SAME") or "output_shape" in n.attributes:
            extra = n.attr("output_padding", [0] * len(kernel))[i]
            total += extra
            begin = total // 2 if auto != "SAME_UPPER" or "output_shape" in n.attributes and auto == "NOTSET" else total // 2
            begin = max(begin, 0)
        end = begin + out[2 + i]
        if end > lengths[i]:
            y = n.bind("pad(%s, axis = %d, before = 0, after = %d)" % (y, 2 + i, end - lengths[i]))
        y = n.bind(slice_of(y, 2 + i, begin, end))
    if n.has(2):
        o = [out[1]] + [1] * len(kernel)
        y = "%s + %s" % (y, spread(reshape(n.x(2), o), o, out))
    return y


@row("MaxPool", "AveragePool", "LpPool", "GlobalMaxPool", "GlobalAveragePool")
def pool(n):
    kind = n.proto.op_type
    if kind.startswith("Global"):
        axes = list(range(2, n.rank()))
        return reshape("%s(%s, axis = %s)" % ("max" if "Max" in kind else "mean", n.x(), axes), n.out_shape())
    if n.dtype()[0] not in "fi":
        raise Missing("pools of bool")
    kernel = n.attr("kernel_shape")
    strides, dilations = n.attr("strides", [1] * len(kernel)), n.attr("dilations", [1] * len(kernel))
    pads = padding_of(n, kernel, strides, dilations, n.shape()[2:])
    axes = [3 + 2 * i for i in range(len(kernel))]
    count = n.out_shape()[2:]
    view = lambda x, value=0.0: windows(n, x, kernel, strides, dilations, pads, count, value)
    if kind == "MaxPool":
        y = "max(%s, axis = %s)" % (view(n.x(), -math.inf), axes)
        if len(n.results) == 1:
            return y
        seen = view(n.x(), -math.inf)
        order = list(range(2)) + [2 + 2 * i for i in range(len(kernel))] + axes
        flat = lambda t: reshape(transpose(t, order), n.out_shape() + [int(np.prod(kernel))])
        best = n.bind("unsqueeze(argmax(%s, axis = -1), -1)" % flat(seen))
        shape, dims = n.shape(), list(range(2, n.rank()))
        if n.attr("storage_order", 0):
            dims = dims[::-1]
        place = n.bind(spread(reshape(transpose(reshape("iota(%d)" % int(np.prod(shape[2:])), [shape[a] for a in dims]), [dims.index(a) for a in range(2, n.rank())]), [1, 1] + shape[2:]), [1, 1] + shape[2:], shape))
        lead = n.bind(spread(reshape("iota(%d) * %d" % (shape[0] * shape[1], int(np.prod(shape[2:]))), shape[:2] + [1] * len(kernel)), shape[:2] + [1] * len(kernel), shape))
        where_ = view("(%s + %s)" % (place, lead))
        return [y, cast(reshape("take_along(%s, %s, -1)" % (flat(where_), best), n.out_shape()), "i64")]
    if kind == "LpPool":
        p = float(n.attr("p", 2))
        return "sum(abs(%s) ^ %s, axis = %s) ^ %s" % (view(n.x()), p, axes, 1 / p)
    total = "sum(%s, axis = %s)" % (view(n.x()), axes)
    ones = n.bind("fill(1, %s)" % n.shape())
    if n.attr("count_include_pad", 0):  # what was added by the attribute counts, what rounding up asks for does not
        for i, (before, after) in enumerate(pads):
            ones = n.bind("pad(%s, axis = %d, before = %d, after = %d, value = 1.0)" % (ones, 2 + i, before, after))
        full = Node(n.g, n.proto, [Value(ones, np.zeros([a + (pads[i - 2][0] + pads[i - 2][1] if i > 1 else 0) for i, a in enumerate(n.shape())], np.float32))], n.results, n.opset)
        return "%s / sum(%s, axis = %s)" % (total, windows(full, ones, kernel, strides, dilations, [(0, 0)] * len(kernel), count), axes)
    return "%s / sum(%s, axis = %s)" % (total, view(ones), axes)


@row("Col2Im")
def col2im(n):
    image, kernel = ints(n.array(1)), ints(n.array(2))
    rank = len(image)
    dilations, strides = n.attr("dilations", [1] * rank), n.attr("strides", [1] * rank)
    pads = n.attr("pads", [0] * 2 * rank)
    lengths = [s + pads[i] + pads[i + rank] for i, s in enumerate(image)]
    counts = [(s - (k - 1) * d - 1) // t + 1 for s, k, d, t in zip(lengths, kernel, dilations, strides)]
    b, c = n.out_shape()[:2]
    y = reshape(n.x(), [b, c] + kernel + counts)
    y = n.bind(transpose(y, [0, 1] + [a for i in range(rank) for a in (2 + rank + i, 2 + i)]))
    for i in reversed(range(rank)):
        y = n.bind("fold(%s, axis = %d, length = %d, stride = %d, dilation = %d)" % (y, 2 + 2 * i, lengths[i], strides[i], dilations[i]))
    for i in range(rank):
        y = n.bind(slice_of(y, 2 + i, pads[i], pads[i] + image[i]))
    return y


@row("MaxUnpool")
def max_unpool(n):
    total = int(np.prod(n.out_shape()))
    shape = n.out_shape()
    if n.has(2):  # indices count in the shape without the given one
        k, s = n.attr("kernel_shape"), n.attr("strides", [1, 1])
        own = n.shape()[:2] + [(a - 1) * t + q for a, t, q in zip(n.shape()[2:], s, k)]
        flat = n.bind("scatter(fill(0, [%d]), %s, %s)" % (int(np.prod(own)), reshape(n.x(1), [-1 if False else int(np.prod(n.shape(1))), 1]), reshape(n.x(), [int(np.prod(n.shape()))])))
        y = n.bind(reshape(flat, own))
        for i in range(2, len(own)):
            y = n.bind("pad(%s, axis = %d, before = 0, after = %d)" % (y, i, shape[i] - own[i]))
        return y
    return reshape("scatter(fill(0, [%d]), %s, %s)" % (total, reshape(n.x(1), [int(np.prod(n.shape(1))), 1]), reshape(n.x(), [int(np.prod(n.shape()))])), shape)


# ---- interpolation: weights by place of each axis, then a product along it ----

def coordinates(n, axis, size, out, scale, roi):
    """Where the places of the result are in the operand."""
    mode = n.attr("coordinate_transformation_mode", "half_pixel")
    i = np.arange(out, dtype=np.float64)
    if mode == "align_corners":
        return i * (size - 1) / (scale * size - 1) if out > 1 else i * 0
    if mode == "asymmetric":
        return i / scale
    if mode == "pytorch_half_pixel":
        return (i + 0.5) / scale - 0.5 if out > 1 else i * 0
    if mode == "half_pixel_symmetric":
        return size / 2 * (1 - out / (scale * size)) + (i + 0.5) / scale - 0.5
    if mode == "tf_crop_and_resize":
        begin, end = roi
        return begin * (size - 1) + (i * (end - begin) * (size - 1) / (out - 1) if out > 1 else 0.5 * (end - begin) * (size - 1))
    return (i + 0.5) / scale - 0.5


def interpolation(n, size, at, scale):
    """A row of weights for each place."""
    mode, antialias = n.attr("mode", "nearest"), n.attr("antialias", 0)
    w = np.zeros((len(at), size))
    shrink = min(1.0, scale) if antialias else 1.0
    a = n.attr("cubic_coeff_a", -0.75)
    for r, x in enumerate(at):
        if mode == "nearest":
            how = n.attr("nearest_mode", "round_prefer_floor")
            k = {"round_prefer_floor": math.ceil(x - 0.5), "round_prefer_ceil": math.floor(x + 0.5), "floor": math.floor(x), "ceil": math.ceil(x)}[how]
            w[r, min(max(k, 0), size - 1)] = 1
            continue
        reach = (1 if mode == "linear" else 2) / shrink
        ks = np.arange(math.floor(x - reach) + 1 - 1, math.ceil(x + reach) + 1)
        d = np.abs(ks - x) * shrink
        if mode == "linear":
            f = np.maximum(0, 1 - d)
        else:
            f = np.where(d <= 1, (a + 2) * d ** 3 - (a + 3) * d ** 2 + 1, np.where(d < 2, a * d ** 3 - 5 * a * d ** 2 + 8 * a * d - 4 * a, 0))
        if n.attr("exclude_outside", 0):
            f = np.where((ks < 0) | (ks >= size), 0, f)
        if antialias or n.attr("exclude_outside", 0):
            f = f / f.sum()
        for k, v in zip(ks, f):
            w[r, min(max(k, 0), size - 1)] += v
    return w


@row("Resize", "Upsample")
def resize(n):
    axes = [a % n.rank() for a in n.attr("axes", list(range(n.rank())))]
    roi = n.array(1).reshape(-1).tolist() if len(n) > 2 and n.has(1) and n.array(1).size else None
    given = n.array(2 if len(n) > 2 else 1).reshape(-1) if (len(n) <= 2 or n.has(2)) else np.zeros(0)
    x, shape, dtype = n.x(), n.shape(), n.dtype()
    for k, a in enumerate(axes):
        size, out = shape[a], n.out_shape()[a]
        scale = float(given[k]) if given.size else out / size
        if not given.size and n.attr("keep_aspect_ratio_policy", "stretch") != "stretch":
            sizes = n.array(3).reshape(-1)
            pick = min if n.attr("keep_aspect_ratio_policy") == "not_larger" else max
            scale = pick(float(s) / n.shape()[b] for s, b in zip(sizes, axes))
        span = (roi[k], roi[k + len(axes)]) if roi else (0, 1)
        at = coordinates(n, a, size, out, scale, span)
        if size == out and np.allclose(at, np.arange(size)):
            continue
        w = interpolation(n, size, at, scale)
        outside = (at < 0) | (at > size - 1) if n.attr("coordinate_transformation_mode") == "tf_crop_and_resize" else np.zeros(out, bool)
        weights = n.g.input(np.ascontiguousarray(w.T.astype(n.array().dtype)))
        shape[a] = out
        if dtype[0] == "i":
            raise Missing("an interpolation of integers")
        x = n.bind("from_last(last(%s, %d) @ %s, %d)" % (x, a, weights, a))
        if outside.any():
            mask = n.bind(n.g.input(outside))
            like = [1] * len(shape)
            like[a] = out
            x = n.bind("where(%s, %s, %s)" % (spread(reshape(mask, like), like, shape), number(float(n.attr("extrapolation_value", 0.0))), x))
    return x


@row("GridSample")
def grid_sample(n):
    """Images at places between -1 and 1, the axes of a place from the last one."""
    rank, mode, border = n.rank() - 2, n.attr("mode", "linear"), n.attr("padding_mode", "zeros")
    sizes, corners = n.shape()[2:], n.attr("align_corners", 0)
    b, c, places = n.shape()[0], n.shape()[1], n.shape(1)[1:-1]
    image = n.bind(transpose(n.x(), [0] + list(range(2, 2 + rank)) + [1]))
    lead = [b] + places
    axis_at = []
    for k, size in enumerate(sizes):
        g = reshape(slice_of(n.x(1), n.rank(1) - 1, rank - 1 - k, rank - k), lead)
        axis_at.append(n.bind("(%s + 1) / 2 * %d" % (g, size - 1) if corners else "((%s + 1) * %d - 1) / 2" % (g, size)))

    def inside(at, size):
        if border == "reflection":  # back and forth between the ends
            low, high = (0.0, size - 1.0) if corners else (-0.5, size - 0.5)
            span = high - low
            if span == 0:
                return n.bind("0 * %s" % at)
            m = n.bind("(%s - %s) %% %s" % (at, number(low), number(2 * span)))
            return n.bind("minimum(%s, %s - %s) + %s" % (m, number(2 * span), m, number(low)))
        return at
    if mode in ("linear", "bilinear", "nearest"):
        axis_at = [inside(at, size) for at, size in zip(axis_at, sizes)]
    taps = []  # of each axis: index, weight
    for at in axis_at:
        if mode == "nearest":
            taps.append([(n.bind("round(%s)" % at), None)])
            continue
        low = n.bind("floor(%s)" % at)
        f = n.bind("%s - %s" % (at, low))
        if mode in ("linear", "bilinear"):
            taps.append([(low, "1 - %s" % f), ("%s + 1" % low, f)])
            continue
        a = -0.75
        near = lambda d: n.bind("(%s * {0} - %s) * {0} * {0} + 1".format("(%s)" % d) % (number(a + 2), number(a + 3)))
        far = lambda d: n.bind("((%s * {0} - %s) * {0} + %s) * {0} - %s".format("(%s)" % d) % (number(a), number(5 * a), number(8 * a), number(4 * a)))
        taps.append([("%s - 1" % low, far("1 + %s" % f)), (low, near(f)), ("%s + 1" % low, near("1 - %s" % f)), ("%s + 2" % low, far("2 - %s" % f))])
    total = None
    import itertools
    for combination in itertools.product(*taps):
        ids, weight, outside = [], None, None
        for (at, w), size in zip(combination, sizes):
            i = n.bind(at)
            if border == "reflection" and mode in ("cubic", "bicubic"):
                i = inside(i, size)
            out = n.bind("%s < 0 or %s > %d" % (i, i, size - 1))
            outside = out if outside is None else n.bind("%s or %s" % (outside, out))
            ids.append(reshape("cast(minimum(maximum(%s, 0), %d), i32)" % (i, size - 1), lead + [1]))
            if w is not None:
                weight = n.bind(w if weight is None else "%s * (%s)" % (weight, w))
        v = n.bind("gather(%s, %s, batch = 1)" % (image, n.bind("concat([%s], axis = -1)" % ", ".join(ids))))
        up = lambda t: spread(reshape(t, lead + [1]), lead + [1], lead + [c])
        if border == "zeros":
            v = n.bind("where(%s, 0, %s)" % (up(outside), v))
        if weight is not None:
            v = n.bind("%s * %s" % (v, up(weight)))
        total = v if total is None else n.bind("%s + %s" % (total, v))
    return transpose(total, [0, 1 + rank] + list(range(1, 1 + rank)))


# ---- recurrent layers, turn by turn ----

@row("RNN", "GRU", "LSTM")
def recurrent(n):
    kind, hidden = n.proto.op_type, n.attr("hidden_size")
    if n.attr("direction", "forward") not in ("forward", "reverse", "bidirectional") or n.attr("activations") or n.attr("clip"):
        raise Missing("other activations")
    gates = {"RNN": 1, "GRU": 3, "LSTM": 4}[kind]
    directions = 2 if n.attr("direction", "forward") == "bidirectional" else 1
    layout = n.attr("layout", 0)
    x = transpose(n.x(), [1, 0, 2]) if layout else n.x()
    shape = n.shape()
    turns, b = (shape[1], shape[0]) if layout else shape[:2]
    x = n.bind(x)
    if n.has(4) and ints(n.array(4)) != [turns] * b:
        raise Missing("rows of different lengths")
    outs, last, cells = [], [], []
    for d in range(directions):
        part = lambda i, dims: n.bind(reshape(slice_of(n.x(i), 0, d, d + 1), dims))
        w, r = part(1, [gates * hidden, shape[2]]), part(2, [gates * hidden, hidden])
        bias = part(3, [2 * gates * hidden]) if n.has(3) else None

        def start(i):
            if not n.has(i):
                return n.bind("fill(0, [%d, %d])" % (b, hidden))
            return n.bind(reshape(slice_of(transpose(n.x(i), [1, 0, 2]) if layout else n.x(i), 0, d, d + 1), [b, hidden]))
        h, c = start(5), start(6) if kind == "LSTM" else None
        peep = part(7, [3 * hidden]) if kind == "LSTM" and n.has(7) else None
        backwards = n.attr("direction", "forward") == "reverse" or d == 1
        states = [None] * turns
        piece = lambda t, k: slice_of(t, 1, k * hidden, (k + 1) * hidden)
        row_of = lambda t, k: slice_of(t, 0, k * hidden, (k + 1) * hidden)
        for t in (reversed(range(turns)) if backwards else range(turns)):
            xt = n.bind(reshape(slice_of(x, 0, t, t + 1), [b, shape[2]]))
            a, u = "%s @ transpose(%s, [1, 0])" % (xt, w), "%s @ transpose(%s, [1, 0])" % (h, r)
            if bias:
                a, u = "%s + %s" % (a, slice_of(bias, 0, 0, gates * hidden)), "%s + %s" % (u, slice_of(bias, 0, gates * hidden, 2 * gates * hidden))
            a, u = n.bind(a), n.bind(u)
            if kind == "RNN":
                h = n.bind("tanh(%s + %s)" % (a, u))
            elif kind == "GRU":
                z, reset = n.bind("sigmoid(%s + %s)" % (piece(a, 0), piece(u, 0))), n.bind("sigmoid(%s + %s)" % (piece(a, 1), piece(u, 1)))
                if n.attr("linear_before_reset", 0):
                    inner = "%s * %s" % (reset, piece(u, 2))
                else:
                    inner = "(%s * %s) @ transpose(%s, [1, 0])" % (reset, h, row_of(r, 2))
                    if bias:
                        inner += " + %s" % row_of(bias, 5)
                h = n.bind("(1 - {0}) * tanh({1} + {2}) + {0} * {3}".format(z, piece(a, 2), inner, h))
            else:
                gate = lambda k: "%s + %s" % (piece(a, k), piece(u, k))
                p = lambda k, v: " + %s * %s" % (row_of(peep, k), v) if peep else ""
                i, f = n.bind("sigmoid(%s%s)" % (gate(0), p(0, c))), n.bind("sigmoid(%s%s)" % (gate(2), p(2, c)))
                c = n.bind("%s * %s + %s * tanh(%s)" % (f, c, i, gate(3)))
                h = n.bind("sigmoid(%s%s) * tanh(%s)" % (gate(1), p(1, c), c))
            states[t] = h
        outs.append(n.bind("stack([%s])" % ", ".join(states)))
        last.append(h)
        cells.append(c)
    y = n.bind("stack([%s], 1)" % ", ".join(outs))  # turns, directions, batch, hidden
    results = [y, "stack([%s])" % ", ".join(last)] + (["stack([%s])" % ", ".join(cells)] if kind == "LSTM" else [])
    if layout:
        results = [transpose(y, [2, 0, 1, 3])] + [transpose(t, [1, 0, 2]) for t in results[1:]]
    return [results[k] for k, o in enumerate(n.proto.output) if o]


# ---- signals, optimisers ----

@row("HannWindow", "HammingWindow", "BlackmanWindow")
def window(n):
    size = n.out_shape()[0]
    angle = "(%s * cast(iota(%d), f32))" % (number(2 * math.pi / (size if n.attr("periodic", 1) else size - 1)), size)
    return {"HannWindow": "0.5 - 0.5 * cos(A)", "HammingWindow": "%s - %s * cos(A)" % (number(25 / 46), number(21 / 46)),
            "BlackmanWindow": "0.42 - 0.5 * cos(A) + 0.08 * cos(2 * A)"}[n.proto.op_type].replace("A", angle)


@row("DFT")
def dft(n):
    axis = ints(n.array(2))[0] if n.has(2) else n.attr("axis", 1 if n.opset < 20 else -2)
    axis %= n.rank()
    size, length = n.shape()[axis], ints(n.array(1))[0] if n.has(1) else n.shape()[axis]
    x, shape, sign, out = n.x(), n.shape(), 1 if n.attr("inverse", 0) else -1, n.out_shape()[axis]
    if n.attr("inverse", 0) and n.attr("onesided", 0):
        raise Missing("an inverse one-sided Fourier transform")
    if length > size:
        x = n.bind("pad(%s, axis = %d, before = 0, after = %d)" % (x, axis, length - size))
    elif length < size:
        x = n.bind(slice_of(x, axis, 0, length))
    shape[axis] = length
    dtype = "f64"
    angle = n.bind("%s * cast(reshape(iota(%d), [%d, 1]) * iota(%d) %% %d, %s)" % (number(sign * 2 * math.pi / length), out, out, length, length, dtype))
    x = n.bind(cast(x, "f64"))
    part = lambda k: n.bind("last(%s, %d)" % (reshape(slice_of(x, n.rank() - 1, k, k + 1), shape[:-1]), axis))
    real = part(0)
    row_ = lambda t, f: "%s @ transpose(%s(%s), [1, 0])" % (t, f, angle)
    flat = lambda t: reshape(t, [int(np.prod(shape[:-1])) // length, length])
    re, im = row_(flat(real), "cos"), row_(flat(real), "sin")
    if shape[-1] == 2:
        other = part(1)
        re, im = "%s - %s" % (re, row_(flat(other), "sin")), "%s + %s" % (im, row_(flat(other), "cos"))
    scale = "/ %d" % length if n.attr("inverse", 0) else ""
    back = [s for a, s in enumerate(shape[:-1]) if a != axis] + [out]
    ends = [n.bind("unsqueeze(from_last(%s, %d), -1)" % (reshape("(%s) %s" % (t, scale), back), axis)) for t in (re, im)]
    return cast("concat([%s], axis = -1)" % ", ".join(ends), n.dtype())


@row("Momentum", "Adagrad", "Adam")
def optimiser(n):
    kind = n.proto.op_type
    count = (len(n) - 2) // (3 if kind != "Adam" else 4)
    rate, step = n.x(0), n.x(1)
    a = lambda name, v: number(n.attr(name, v))
    xs, first, second = [], [], []
    for k in range(count):
        x, g, v = n.x(2 + k), n.x(2 + count + k), n.x(2 + 2 * count + k)
        g = n.bind("%s * %s + %s" % (a("norm_coefficient", 0.0), x, g))
        if kind == "Momentum":
            beta = n.bind("where(%s > 0, %s, 1.0)" % (step, a("beta", 0.9)))
            m = n.bind("%s * %s + %s * %s" % (a("alpha", 0.9), v, beta, g))
            first.append(m)
            xs.append("%s - %s * (%s)" % (x, rate, m if n.attr("mode") == "standard" else "%s + %s * %s" % (g, a("alpha", 0.9), m)))
        elif kind == "Adagrad":
            decay = n.bind("%s / (1 + cast(%s, f32) * %s)" % (rate, step, a("decay_factor", 0.0)))
            h = n.bind("%s + %s * %s" % (v, g, g))
            first.append(h)
            xs.append("%s - %s * %s / (sqrt(%s) + %s)" % (x, decay, g, h, a("epsilon", 1e-6)))
        else:
            h = n.x(2 + 3 * count + k)
            al, be = n.attr("alpha", 0.9), n.attr("beta", 0.999)
            m = n.bind("{0} * {1} + (1 - {0}) * {2}".format(number(al), v, g))
            w = n.bind("{0} * {1} + (1 - {0}) * {2} * {2}".format(number(be), h, g))
            t = "cast(%s, f32)" % step
            r = n.bind("where({3} > 0, {0} * sqrt(1 - {1} ^ {2}) / (1 - {4} ^ {2}), {0})".format(rate, number(be), t, step, number(al)))
            first.append(m)
            second.append(w)
            xs.append("%s - %s * %s / (sqrt(%s) + %s)" % (x, r, m, w, a("epsilon", 1e-6)))
    return xs + first + second


@row("Dropout")
def dropout(n):
    if n.has(2) and ints(n.array(2))[0] and (float(n.array(1)) if n.has(1) else 0.5) > 0:
        raise Missing("draws of another generator")
    mask = cast("fill(1, %s)" % n.shape(), "bool")
    return [n.x(), mask][:len(n.results)]


@row("NegativeLogLikelihoodLoss")
def nll(n):
    x, shape = n.x(), n.shape()
    t = n.bind(cast(n.x(1), "i64"))
    ignore, kind = n.attr("ignore_index"), n.attr("reduction", "mean")
    counted = n.bind("cast(%s, %s)" % ("%s != %s" % (t, number(ignore)) if ignore is not None else "%s == %s" % (t, t), n.dtype()))
    if ignore is not None:
        t = n.bind("where(%s == %s, 0, %s)" % (t, number(ignore), t))
    lane = [shape[0]] + shape[2:]
    weight = counted
    if n.has(2):
        weight = n.bind("%s * index_select(%s, %s)" % (counted, n.x(2), t))
    loss = n.bind("-pick(last(%s, 1), %s) * %s" % (x, t, weight))
    if kind == "none":
        return loss
    return "sum(%s)" % loss if kind == "sum" else "sum(%s) / sum(%s)" % (loss, weight)


@row("SoftmaxCrossEntropyLoss")
def softmax_cross_entropy(n):
    p = n.bind("log_softmax(%s, 1)" % n.x())
    inner = Node(n.g, n.proto, [Value(p, n.array())] + n.operands[1:], n.results[:1], n.opset)
    loss = nll(inner)
    return [loss, p] if len(n.results) > 1 else loss


# ---- models: nodes one after another ---------------------------------------------------------------------------------

def evaluate(node, values, opset):
    """What the package's own reference says of a node, for shapes and static arguments."""
    from onnx.reference import ReferenceEvaluator
    try:
        names = [i for i in node.input if i]
        inputs = [onnx.helper.make_tensor_value_info(i, onnx.helper.np_dtype_to_tensor_dtype(values[i].array.dtype), None) for i in names]
        outputs = [onnx.helper.make_tensor_value_info(o, onnx.TensorProto.UNDEFINED, None) for o in node.output if o]
        model = onnx.helper.make_model(onnx.helper.make_graph([node], "g", inputs, outputs), opset_imports=opset)
        return [np.asarray(r) for r in ReferenceEvaluator(model).run(None, {i: values[i].array for i in names})]
    except Exception as e:
        raise Missing("the reference does not know %s: %s" % (node.op_type, str(e)[:80]))


def body(graph, inner, model, values, arrays):
    """The nodes of a graph within a graph, which sees the values around it."""
    m = onnx.helper.make_model(inner, opset_imports=model.opset_import)
    outs = translate(graph, m, {**values, **arrays}, [], raw=True)
    return outs


def inline(graph, node, values, model, results):
    branch = "then_branch" if bool(values[node.input[0]].array) else "else_branch"
    inner = next(a.g for a in node.attribute if a.name == branch)
    for o, v in zip(node.output, body(graph, inner, model, values, {})):
        values[o] = v


def unroll(graph, node, values, model, results):
    """A scan or loop whose number of turns is known, turn by turn; what is collected is joined along axis 0."""
    attrs = {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}
    inner, operands = attrs["body"], [values.get(i) if i else None for i in node.input]
    if node.op_type == "Scan":
        scanned = attrs["num_scan_inputs"]
        version = {o.domain: o.version for o in model.opset_import}.get("", 20)
        if version < 9:
            raise Missing("scans over a batch")
        axes = attrs.get("scan_input_axes", [0] * scanned)
        if any(axes) or any(attrs.get("scan_input_directions", [])) or any(attrs.get("scan_output_axes", [])) or any(attrs.get("scan_output_directions", [])):
            raise Missing("scans along other axes, or from the end")
        state, sequences = operands[:-scanned], operands[-scanned:]
        turns = sequences[0].array.shape[0]
    else:
        state, sequences, turns = operands[2:], [], int(operands[0].array)
    collected = None
    text = lambda v: v.text if v.text is not None else graph.bind(graph.input(v.array))
    for t in range(turns):
        given = [Value(graph.bind(reshape(slice_of(text(v), 0, t, t + 1), v.shape[1:])), v.array[t]) for v in sequences]
        if node.op_type == "Loop":
            given = [Value(None, np.asarray(t, np.int64)), Value(None, np.asarray(True))]
            outs = body(graph, inner, model, values, dict(zip([i.name for i in inner.input], given + state)))
            if not bool(outs[0].array):
                raise Missing("a loop that ends early")
            outs = outs[1:]
        else:
            outs = body(graph, inner, model, values, dict(zip([i.name for i in inner.input], state + given)))
        for v in outs:
            if v.reason:
                raise Missing(v.reason)
        state, rest = outs[:len(state)], outs[len(state):]
        collected = collected or [[] for _ in rest]
        for c, v in zip(collected, rest):
            c.append(v)
    joined = [Value(graph.bind("stack([%s])" % ", ".join(text(v) for v in c)), np.stack([v.array for v in c])) for c in collected or []]
    for o, v in zip(node.output, state + joined):
        values[o] = v


def translate(graph, model, operands, expected, raw=False):
    """The nodes of a model; gives the expressions of its results."""
    values = dict(operands)
    version = {o.domain: o.version for o in model.opset_import}.get("", 20)
    for t in model.graph.initializer:
        values[t.name] = Value(None, numpy_helper.to_array(t))
    known = dict(zip([o.name for o in model.graph.output], expected))
    for node in model.graph.node:
        if node.op_type == "Constant":
            a = node.attribute[0]
            v = onnx.helper.get_attribute_value(a)
            values[node.output[0]] = Value(None, numpy_helper.to_array(v) if a.type == a.TENSOR else np.asarray(
                v, np.float32 if a.type in (a.FLOAT, a.FLOATS) else np.int64))
            continue
        if all(o in known for o in node.output if o):
            results = [known[o] for o in node.output if o]
        elif node.op_type in ("If", "Scan", "Loop"):
            results = []
        else:
            results = evaluate(node, values, model.opset_import)
        n = Node(graph, node, [values.get(i) if i else None for i in node.input], results, version)
        if node.op_type in ("Shape", "Size"):  # sizes are known
            for o, r in zip(node.output, results):
                values[o] = Value(None, r)
            continue
        if node.op_type == "If":  # on what is known, one of the two
            inline(graph, node, values, model, results)
            continue
        if node.op_type in ("Scan", "Loop"):
            unroll(graph, node, values, model, results)
            continue
        try:
            if node.op_type not in OPS:
                raise Missing("%s: %s" % (node.op_type, REASONS.get(node.op_type, "no row")))
            texts = OPS[node.op_type](n)
            texts = texts if isinstance(texts, list) else [texts]
            texts = [graph.bind(t) for t in texts]
            reason = None
        except Missing as e:
            texts, reason = [None] * len(results), str(e)
        for o, t, r in zip([o for o in node.output if o], texts, results):
            values[o] = Value(t, r, reason)
    if raw:
        return [values[o.name] for o in model.graph.output]
    out = []
    for o in model.graph.output:
        v = values[o.name]
        if v.reason:
            raise Missing(v.reason)
        out.append(v.text if v.text is not None else graph.bind(graph.input(v.array)))
    return out


class Case:
    def __init__(self, case, expanded):
        self.name, self.case, self.expanded = case.name, case, expanded
        self.operands, self.results = case.data_sets[0]

    def models(self):
        op = self.case.model.graph.node[0].op_type
        first = [self.case.model] if op in OPS or not self.expanded else []
        return first + self.expanded

    def run(self, cg, folder, show):
        reason = None
        for model in self.models():
            try:
                return self.attempt(cg, folder, model, show)
            except Missing as e:
                reason = reason or str(e)
        return reason

    def attempt(self, cg, folder, model, show):
        graph = Graph()
        operands = {i.name: Value(graph.input(np.asarray(a)), np.asarray(a)) for i, a in zip(model.graph.input, self.operands)}
        script = graph.script(translate(graph, model, operands, [np.asarray(r) for r in self.results]))
        args = [cg, "apply", "g.cg", "g", "--threads", "1", "--out", "out"]
        if show:
            print(script)
        with open(os.path.join(folder, "g.cg"), "w") as f:
            f.write(script)
        for name, a in graph.inputs.items():
            if name + ":" in script:
                np.save(os.path.join(folder, name + ".npy"), np.ascontiguousarray(a) if a.ndim else a)
                args += ["--in", "%s=%s.npy" % (name, name)]
        ran = subprocess.run(args, cwd=folder, capture_output=True, text=True, timeout=120)
        if ran.returncode:
            raise Missing("cg: " + (ran.stderr.strip() or str(ran.returncode)).splitlines()[0].split(": ", 1)[-1])
        for k, want in enumerate(self.results):
            path = os.path.join(folder, "out", "g.npy" if len(self.results) == 1 else "g.%d.npy" % k)
            have, want = np.load(path), np.asarray(want)
            os.remove(path)
            if have.shape != want.shape:
                raise Missing("result %d has the shape %s, not %s" % (k, have.shape, want.shape))
            if have.dtype != want.dtype:
                raise Missing("result %d is %s, not %s" % (k, have.dtype, want.dtype))
            if not np.allclose(have, want, rtol=self.case.rtol, atol=self.case.atol, equal_nan=True):
                off = np.max(np.abs(have.astype(np.float64) - want.astype(np.float64)))
                raise Missing("result %d is off by %g" % (k, off))
        return None


def cases():
    from onnx.backend.test.loader import load_model_tests
    found = load_model_tests(kind="node")
    in_scope = lambda vs: all(v.type.WhichOneof("value") == "tensor_type" and v.type.tensor_type.elem_type in SCOPE for v in vs)
    plain = [c for c in found if "_expanded" not in c.name]
    for c in plain:
        if in_scope(c.model.graph.input) and in_scope(c.model.graph.output):
            yield Case(c, [e.model for e in found if e.name.startswith(c.name + "_expanded")])


def main():
    here = os.path.dirname(os.path.abspath(__file__))
    p = argparse.ArgumentParser()
    p.add_argument("words", nargs="*")
    p.add_argument("--show", action="store_true")
    p.add_argument("--keep")
    p.add_argument("--list", action="store_true")
    p.add_argument("--compare")
    a = p.parse_args()
    cg = os.environ.get("CG", os.path.join(here, "../../../build/cg"))
    passed = total = 0
    failed = set()
    with tempfile.TemporaryDirectory() as scratch:
        folder = a.keep or scratch
        os.makedirs(folder, exist_ok=True)
        for c in cases():
            if a.words and not any(w in c.name for w in a.words):
                continue
            total += 1
            try:
                reason = c.run(os.path.abspath(cg), folder, a.show)
            except Exception as e:  # a fault of this reader is a case that does not pass
                reason = "reader: %s: %s" % (type(e).__name__, str(e)[:80])
            passed += reason is None
            if reason:
                failed.add(c.name)
                print("%s: %s" % (c.name, reason), flush=True)
            elif a.list:
                print("%s: ok" % c.name)
    print("%d of %d cases pass" % (passed, total))
    if not a.compare:
        return 0
    with open(a.compare) as f:
        listed = {line.split(":")[0] for line in f if line.startswith("test_")}
    for name in sorted(failed ^ listed):
        print("%s: %s" % (name, "listed, and passes" if name in listed else "does not pass, and is not listed"))
    return 1 if failed != listed else 0


if __name__ == "__main__":
    sys.exit(main())
