"""Expressions of cg, built as PyTorch builds its own: a T is a bound name with a shape and a dtype.

Takes a list of lines that new names are appended to (`T.lines`). What PyTorch broadcasts, promotes or keeps as an axis of size 1 in
silence is written out here. Nothing of PyTorch is needed.
"""
import math


class Missing(Exception):
    """What cg lacks, or this reader."""


def number(x):
    """A number as cg writes it."""
    if isinstance(x, bool):
        return "true" if x else "false"
    if isinstance(x, int):
        return str(x) if x >= 0 else "(%d)" % x
    if math.isnan(x):
        return "(0 * inf)"
    if math.isinf(x):
        return "inf" if x > 0 else "(-inf)"
    text = repr(float(x))
    if "e" in text and "." not in text:
        text = text.replace("e", ".0e")
    return text if x >= 0 else "(%s)" % text


def literal(values, shape, dtype):
    """A tensor of a flat list of numbers."""
    if 0 in shape:
        return "cast(fill(0, %s, i32), %s)" % (list(shape), dtype)

    def nested(at, dims):
        if not dims:
            return number(values[at]).strip("()") if values[at] == values[at] and dtype != "bool" else number(values[at])
        step = math.prod(dims[1:])
        return "[" + ", ".join(nested(at + i * step, dims[1:]) for i in range(dims[0])) + "]"
    return "tensor(%s, %s)" % (nested(0, list(shape)), dtype)


def broadcast(*shapes):
    n = max(len(s) for s in shapes)
    out = []
    for k in range(n):
        sizes = {s[k - n + len(s)] for s in shapes if k - n + len(s) >= 0} - {1}
        if len(sizes) > 1:
            raise Missing("shapes that do not fit: %s" % (shapes,))
        out.append(sizes.pop() if sizes else 1)
    return tuple(out)


class T:
    lines = []

    def __init__(self, text, shape, dtype, values=None):
        self.text, self.shape, self.dtype, self.values = text, tuple(shape), dtype, values

    def __str__(self):
        return self.text

    @property
    def ndim(self):
        return len(self.shape)

    @property
    def count(self):
        return math.prod(self.shape)

    @property
    def real(self):
        return self.dtype[0] == "f"

    def __add__(self, y): return binary("%s + %s", self, y)
    def __radd__(self, y): return binary("%s + %s", y, self)
    def __sub__(self, y): return binary("%s - %s", self, y)
    def __rsub__(self, y): return binary("%s - %s", y, self)
    def __mul__(self, y): return binary("%s * %s", self, y)
    def __rmul__(self, y): return binary("%s * %s", y, self)
    def __truediv__(self, y): return binary("%s / %s", real(self), real(y))
    def __rtruediv__(self, y): return binary("%s / %s", real(y), real(self))
    def __floordiv__(self, y): return binary("%s // %s", self, y)
    def __mod__(self, y): return binary("%s %% %s", self, y)
    def __pow__(self, y): return binary("%s ^ %s", self, y)
    def __rpow__(self, y): return binary("%s ^ %s", y, self)
    def __neg__(self): return new("-%s" % self, self.shape, self.dtype)
    def __lt__(self, y): return binary("%s < %s", self, y, "bool")
    def __le__(self, y): return binary("%s <= %s", self, y, "bool")
    def __gt__(self, y): return binary("%s > %s", self, y, "bool")
    def __ge__(self, y): return binary("%s >= %s", self, y, "bool")

    def __getitem__(self, k):
        """x[i] along the first axis, or a list of slices and numbers."""
        x, axis = self, 0
        for at in (k if isinstance(k, tuple) else (k,)):
            if isinstance(at, slice):
                start, stop, step = at.indices(x.shape[axis])
                if step != 1:
                    raise Missing("a step")
                x, axis = cut(x, axis, start, max(start, stop)), axis + 1
            else:
                x = select(x, axis, at)
        return x


def new(text, shape, dtype="f64"):
    name = "t%d" % len(T.lines)
    T.lines.append("%s = %s" % (name, text))
    return T(name, shape, dtype)


def call(name, *args, like=None, shape=None, dtype=None):
    like = like if like is not None else next(a for a in args if isinstance(a, T))
    text = ", ".join(str(a) if isinstance(a, (T, str)) else number(a) if isinstance(a, (int, float)) else str(list(a)) for a in args)
    return new("%s(%s)" % (name, text), like.shape if shape is None else shape, dtype or like.dtype)


def cast(x, dtype):
    if not isinstance(x, T):
        return x
    return x if x.dtype == dtype else new("cast(%s, %s)" % (x, dtype), x.shape, dtype)


def real(x):
    return cast(x, "f64") if isinstance(x, T) and not x.real else x


def spread(x, to):
    """x repeated to a shape, aligned at the right."""
    to = tuple(to)
    if x.shape == to:
        return x
    shift = len(to) - x.ndim
    kept = [k for k in range(x.ndim) if x.shape[k] == to[k + shift]]
    axes = [-1] * len(to)
    for at, k in enumerate(kept):
        axes[k + shift] = at
    if len(kept) < x.ndim:
        x = reshape(x, [x.shape[k] for k in kept])
    return x if x.shape == to else new("op.broadcast(%s, %s, %s)" % (x, list(to), axes), to, x.dtype)


ORDER = ["bool", "i32", "i64", "f32", "f64"]


def common(*xs):
    """Tensors and numbers in one dtype, as PyTorch promotes them."""
    tensors = [x for x in xs if isinstance(x, T)]
    dtype = max((x.dtype for x in tensors), key=ORDER.index)
    for x in xs:
        if isinstance(x, float) and dtype[0] != "f":
            dtype = "f64"
        if isinstance(x, int) and not isinstance(x, bool) and dtype == "bool":
            dtype = "i64"
    out = [cast(x, dtype) if isinstance(x, T) else x for x in xs]
    to = broadcast(*[x.shape for x in tensors])
    return [spread(x, to) if isinstance(x, T) else x for x in out], to, dtype


def binary(text, x, y, dtype=None):
    (x, y), to, own = common(x, y)
    say = lambda v: str(v) if isinstance(v, T) else number(v)
    return new(text % (say(x), say(y)), to, dtype or own)


def equal(x, y):
    return binary("%s == %s", x, y, "bool")


def both(x, y):
    return binary("%s and %s", x, y, "bool")


def where(c, x, y):
    c = cast(c, "bool")
    if not isinstance(x, T) and not isinstance(y, T):
        x = full(c.shape, float(x))
    (x, y), to, dtype = common(x, y)
    to = broadcast(to, c.shape)
    say = lambda v: str(spread(v, to)) if isinstance(v, T) else number(v)
    return new("where(%s, %s, %s)" % (spread(c, to), say(x), say(y)), to, dtype)


def full(shape, value, dtype="f64"):
    return new("fill(%s, %s, %s)" % (number(value), list(shape), dtype) if shape else "tensor(%s, %s)" % (number(value), dtype), shape, dtype)


def maximum(x, y): return binary("maximum(%s, %s)", x, y)
def minimum(x, y): return binary("minimum(%s, %s)", x, y)


# ---- shapes ----

def reshape(x, shape):
    shape = list(shape)
    if -1 in shape:
        rest = math.prod(d for d in shape if d != -1)
        shape[shape.index(-1)] = x.count // rest if rest else 0
    return x if x.shape == tuple(shape) else new("op.reshape(%s, %s)" % (x, shape), shape, x.dtype)


def transpose(x, perm):
    perm = [p % x.ndim for p in perm]
    return x if perm == list(range(x.ndim)) else new("op.transpose(%s, %s)" % (x, perm), [x.shape[p] for p in perm], x.dtype)


def swap(x, a, b):
    if x.ndim == 0:
        return x
    perm = list(range(x.ndim))
    perm[a], perm[b] = perm[b], perm[a]
    return transpose(x, perm)


def move(x, a, b):
    a, b = a % x.ndim, b % x.ndim
    perm = [k for k in range(x.ndim) if k != a]
    return transpose(x, perm[:b] + [a] + perm[b:])


def cut(x, axis, start, stop):
    axis %= x.ndim
    if (start, stop) == (0, x.shape[axis]):
        return x
    shape = x.shape[:axis] + (stop - start,) + x.shape[axis + 1:]
    return new("op.slice(%s, %d, %d, %d)" % (x, axis, start, stop), shape, x.dtype)


def every(x, axis, start, stop, step):
    axis %= x.ndim
    picked = range(x.shape[axis])[start:stop:step]
    if not len(picked):
        return cut(x, axis, 0, 0)
    x = cut(x, axis, min(picked), max(picked) + 1)
    shape = x.shape[:axis] + (len(picked),) + x.shape[axis + 1:]
    return x if step == 1 else new("every(%s, %d, %d)" % (x, step, axis), shape, x.dtype)


def select(x, axis, i):
    axis %= x.ndim
    i %= x.shape[axis]
    return reshape(cut(x, axis, i, i + 1), x.shape[:axis] + x.shape[axis + 1:])


def unsqueeze(x, axis):
    axis = axis % (x.ndim + 1)
    return reshape(x, x.shape[:axis] + (1,) + x.shape[axis:])


def concat(xs, axis=0):
    xs = list(common_dtype(xs))
    axis %= xs[0].ndim
    shape = list(xs[0].shape)
    shape[axis] = sum(x.shape[axis] for x in xs)
    return new("concat([%s], axis = %d)" % (", ".join(map(str, xs)), axis), shape, xs[0].dtype) if len(xs) > 1 else xs[0]


def common_dtype(xs):
    dtype = max((x.dtype for x in xs), key=ORDER.index)
    return [cast(x, dtype) for x in xs]


def stack(xs, axis=0):
    axis %= xs[0].ndim + 1
    return concat([unsqueeze(x, axis) for x in xs], axis)


def pad(x, axis, before, after, mode="constant", value=0.0):
    axis %= x.ndim
    if before < 0 or after < 0:
        x = cut(x, axis, max(0, -before), x.shape[axis] + min(0, after))
        before, after = max(0, before), max(0, after)
    if not before and not after:
        return x
    shape = x.shape[:axis] + (x.shape[axis] + before + after,) + x.shape[axis + 1:]
    return new("padded(%s, %d, %d, %d, mode = \"%s\", value = %s)" % (x, axis, before, after, mode, number(value)), shape, x.dtype)


def flip(x, axes):
    for a in axes:
        x = call("flip", x, "axis = %d" % (a % x.ndim))
    return x


def unfold(x, axis, size, stride=1, dilation=1):
    axis %= x.ndim
    n = (x.shape[axis] - (size - 1) * dilation - 1) // stride + 1
    shape = x.shape[:axis] + (n, size) + x.shape[axis + 1:]
    return new("unfold(%s, axis = %d, size = %d, stride = %d, dilation = %d)" % (x, axis, size, stride, dilation), shape, x.dtype)


def fold(y, axis, length, stride=1, dilation=1):
    shape = y.shape[:axis] + (length,) + y.shape[axis + 2:]
    return new("op.fold(%s, axis = %d, length = %d, stride = %d, dilation = %d)" % (y, axis, length, stride, dilation), shape, y.dtype)


# ---- reductions ----

def axes_of(x, dim):
    if dim is None or (isinstance(dim, (list, tuple)) and len(dim) == 0):
        return list(range(x.ndim))
    dims = dim if isinstance(dim, (list, tuple)) else [dim]
    return sorted(d % x.ndim if x.ndim else 0 for d in dims)


def reduced(x, axes, keep):
    return [1 if k in axes else n for k, n in enumerate(x.shape) if keep or k not in axes]


def reduce(name, x, dim=None, keep=False):
    axes = axes_of(x, dim)
    if x.ndim == 0 or not axes:
        return x
    y = new("%s(%s, axis = %s)" % (name, x, axes), reduced(x, axes, False), x.dtype)
    return reshape(y, reduced(x, axes, keep))


def total(x, dim=None, keep=False): return reduce("sum", x, dim, keep)
def mean(x, dim=None, keep=False): return reduce("mean", x, dim, keep)


def argmax(x, axis, name="argmax"):
    axis %= x.ndim
    return new("%s(%s, axis = %d)" % (name, x, axis), reduced(x, [axis], False), "i32")


def take_along(x, ids, axis):
    axis %= x.ndim
    return new("take_along(%s, %s, %d)" % (x, ids, axis), ids.shape, x.dtype)


def put_along(x, ids, g, axis, how="set"):
    return new("put_along(%s, %s, %s, axis = %d, how = \"%s\")" % (x, ids, g, axis % x.ndim, how), x.shape, x.dtype)


def index_select(x, ids, axis):
    axis %= x.ndim
    return new("index_select(%s, %s, %d)" % (x, ids, axis), x.shape[:axis] + ids.shape + x.shape[axis + 1:], x.dtype)


def argsort(x, axis, descending=False):
    axis %= x.ndim
    return new("argsort(%s, axis = %d, descending = %s)" % (x, axis, number(bool(descending))), x.shape, "i32")


def logsumexp(x, axis, keep=False):
    axis %= x.ndim
    y = new("logsumexp(%s, axis = %d)" % (x, axis), reduced(x, [axis], False), x.dtype)
    return reshape(y, reduced(x, [axis], keep))


def softmax(x, axis):
    return call("softmax", x, "axis = %d" % (axis % x.ndim))


def iota(n, dtype="i64"):
    return new("cast(iota(%d), %s)" % (n, dtype), [n], dtype)


def axis_index(shape, axis, dtype="i64"):
    """The index along one axis, in a shape that broadcasts."""
    n = len(shape)
    return reshape(iota(shape[axis], dtype), [shape[axis] if k == axis % n else 1 for k in range(n)])


# ---- products ----

def matmul(x, y):
    x, y = common_dtype([x, y])
    if x.ndim == 1 and y.ndim == 1:
        return total(x * y)
    if x.ndim == 1:
        z = matmul(unsqueeze(x, 0), y)
        return reshape(z, z.shape[:-2] + z.shape[-1:])
    if y.ndim == 1:
        z = matmul(x, unsqueeze(y, 1))
        return reshape(z, z.shape[:-1])
    batch = broadcast(x.shape[:-2], y.shape[:-2])
    return new("%s @ %s" % (x, y), batch + (x.shape[-2], y.shape[-1]), x.dtype)


def einsum(pattern, *xs):
    """An Einstein sum in cg's own words; `pattern` is that of PyTorch, with `...` written out before."""
    left, right = pattern.split("->")
    sides = ["[%s]" % ", ".join(s.upper()) for s in left.split(",")]
    sizes = {}
    for s, x in zip(left.split(","), xs):
        sizes.update(zip(s, x.shape))
    text = "einsum(%s, %s -> [%s])" % (", ".join(map(str, xs)), ", ".join(sides), ", ".join(right.upper()))
    return new(text, [sizes[c] for c in right], xs[0].dtype)


def identity(n):
    return new("where(op.reshape(iota(%d), [%d, 1]) == iota(%d), fill(1, [%d, %d], f64), 0)" % (n, n, n, n, n), [n, n])


def solve(a, y):
    return new("solve(%s, %s)" % (a, y), y.shape, y.dtype)


def triangular(t, y, upper=False, transposed=False):
    return new("triangular_solve(%s, %s, upper = %s, transposed = %s)" % (t, y, number(upper), number(transposed)), y.shape, y.dtype)


def scatter(x, ids, g, how, batch=0):
    return new("scatter(%s, %s, %s, how = \"%s\", batch = %d)" % (x, ids, g, how, batch), x.shape, x.dtype)
