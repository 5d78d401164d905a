"""What cg says for each function of PyTorch: a row for each name in op_db, with PyTorch's own arguments.

A row takes expressions (T of expr.py) where PyTorch takes tensors and gives one expression, or a list, one for each tensor that PyTorch
gives. Nothing of PyTorch is needed.
"""
import itertools
import math

from expr import *

ROWS = {}


def row(*names):
    def add(f):
        for name in names:
            ROWS[name] = f
        return f
    return add


def text_of(text):
    return lambda x: new(text.replace("X", str(real(x))), x.shape)


for _name, _text in {
    "abs": "abs(X)", "acos": "acos(X)", "acosh": "acosh(X)", "asin": "asin(X)", "asinh": "asinh(X)", "atan": "atan(X)",
    "atanh": "atanh(X)", "ceil": "ceil(X)", "cos": "cos(X)", "cosh": "cosh(X)", "exp": "exp(X)", "exp2": "exp(X * log(2.0))",
    "expm1": "expm1(X)", "floor": "floor(X)", "frac": "X - trunc(X)", "log": "log(X)", "log10": "log(X) / log(10.0)",
    "log1p": "log1p(X)", "log2": "log(X) / log(2.0)", "neg": "-X", "positive": "X", "reciprocal": "1 / X",
    "round": "round(X)", "rsqrt": "rsqrt(X)", "sigmoid": "sigmoid(X)", "sign": "sign(X)", "sgn": "sign(X)",
    "sin": "sin(X)", "sinh": "sinh(X)", "sqrt": "sqrt(X)", "square": "X * X", "tan": "tan(X)", "tanh": "tanh(X)",
    "trunc": "trunc(X)", "erf": "erf(X)", "erfc": "1 - erf(X)",
    "deg2rad": "X * 0.017453292519943295", "rad2deg": "X * 57.29577951308232",
    "clone": "X", "contiguous": "X", "conj": "X", "conj_physical": "X", "resolve_conj": "X", "resolve_neg": "X", "real": "X",
    "alias_copy": "X", "double": "X", "angle": "where(X < 0, 3.141592653589793, 0 * X)",
    "sinc": "where(X == 0, 0 * X + 1, sin(3.141592653589793 * X) / (3.141592653589793 * where(X == 0, 0 * X + 1, X)))",
    "special.ndtr": "0.5 * (1 + erf(X / sqrt(2.0)))", "special.entr": "where(X > 0, -X * log(where(X > 0, X, 1)), where(X == 0, 0, -inf * (0 * X + 1)))",
    "nn.functional.hardswish": "hardswish(X)", "nn.functional.hardsigmoid": "hardsigmoid(X)", "nn.functional.mish": "mish(X)",
    "nn.functional.softsign": "softsign(X)", "nn.functional.tanhshrink": "X - tanh(X)", "nn.functional.logsigmoid": "log_sigmoid(X)",
    "nn.functional.relu": "relu(X)", "nn.functional.relu6": "relu6(X)", "nn.functional.silu": "silu(X)", "nn.functional.selu": "selu(X)",
    "nn.functional.softplus": "softplus(X)", "exp2": "exp(X * log(2.0))",
}.items():
    ROWS[_name] = lambda x, text=_text, inplace=False, memory_format=None: text_of(text)(x)

for _name, _text in {
    "isfinite": "is_finite(X)", "isinf": "abs(X) == inf", "isposinf": "X == inf", "isneginf": "X == -inf", "isnan": "X != X",
    "isreal": "X == X or X != X", "logical_not": "X == 0", "signbit": "X < 0 or 1 / X < 0",
}.items():
    ROWS[_name] = lambda x, text=_text: new(text.replace("X", str(real(x))), x.shape, "bool")

for _name, _text in {"eq": "==", "ne": "!=", "lt": "<", "le": "<=", "gt": ">", "ge": ">="}.items():
    ROWS[_name] = lambda x, y, text=_text: binary("%s " + text + " %s", x, y, "bool")

for _name, _text in {"logical_and": "and", "logical_or": "or", "logical_xor": "!="}.items():
    ROWS[_name] = lambda x, y, text=_text: binary("%s " + text + " %s", cast(x, "bool"), cast(y, "bool"), "bool")


@row("round")
def round_(x, decimals=0):
    ten = 10.0 ** abs(decimals)
    y = call("round", x if not decimals else x * ten if decimals > 0 else x / ten)
    return y if not decimals else y / ten if decimals > 0 else y * ten


@row("nn.functional.softplus")
def softplus(x, beta=1, threshold=20):
    return where(x * beta > threshold, x, call("softplus", x * beta) / beta)


# ---- two operands ----

@row("add")
def add(x, y, alpha=1): return x + (y if alpha == 1 else y * alpha)


@row("sub")
def sub(x, y, alpha=1): return x - (y if alpha == 1 else y * alpha)


@row("rsub")
def rsub(x, y, alpha=1): return y - (x if alpha == 1 else x * alpha)


@row("mul")
def mul(x, y): return x * y


ROWS.update({"__radd__": lambda x, y: y + x, "__rmul__": lambda x, y: y * x, "__rdiv__": lambda x, y: real(y) / real(x),
             "__rsub__": lambda x, y: y - x, "__rpow__": lambda x, y: y ** x, "__rmod__": lambda x, y: binary("%s %% %s", y, x),
             "__rmatmul__": lambda x, y: matmul(y, x), "true_divide": lambda x, y: x / y, "floor_divide": lambda x, y: x // y,
             "fmod": lambda x, y: binary("rem(%s, %s)", x, y), "remainder": lambda x, y: x % y, "pow": lambda x, y: x ** y,
             "float_power": lambda x, y: real(x) ** real(y), "atan2": lambda x, y: binary("atan2(%s, %s)", x, y),
             "maximum": maximum, "minimum": minimum, "max/binary": maximum, "min/binary": minimum, "fmax": maximum, "fmin": minimum})


@row("div")
def div(x, y, rounding_mode=None):
    if rounding_mode == "floor":
        return x // y
    return call("trunc", x / y) if rounding_mode else x / y


@row("addcmul")
def addcmul(c, x, y, value=1): return c + x * y * value


@row("addcdiv")
def addcdiv(c, x, y, value=1): return c + x / y * value


@row("lerp")
def lerp(x, y, w): return x + w * (y - x)


@row("hypot")
def hypot(x, y): return call("sqrt", x * x + y * y)


@row("copysign")
def copysign(x, y):
    if not isinstance(y, T):
        return call("abs", x) * math.copysign(1.0, y)
    return call("abs", x) * where(ROWS["signbit"](y), full(y.shape, -1.0), 1.0)


@row("xlogy", "special.xlogy")
def xlogy(x, y):
    if not isinstance(y, T):
        return x * math.log(y)
    if not isinstance(x, T):
        return x * call("log", y)
    zero = equal(x, 0)
    return where(zero, x * 0.0, x * call("log", where(both(zero, y <= 0), 1.0, y)))


@row("special.xlog1py")
def xlog1py(x, y):
    if not isinstance(y, T):
        return x * math.log1p(y)
    return x * call("log1p", y)


@row("logaddexp")
def logaddexp(x, y):
    m = maximum(x, y)
    return m + call("softplus", -call("abs", x - y))


@row("logaddexp2")
def logaddexp2(x, y): return logaddexp(x * math.log(2), y * math.log(2)) / math.log(2)


@row("ldexp")
def ldexp(x, y): return x * 2.0 ** real(y)


@row("heaviside")
def heaviside(x, y): return where(equal(x, 0), y, where(x > 0, full(x.shape, 1.0), 0.0))


@row("isclose")
def isclose(x, y, rtol=1e-5, atol=1e-8, equal_nan=False):
    if equal_nan:
        raise Missing("NaN equal to NaN")
    return binary("%s or %s", call("abs", x - y) <= atol + rtol * call("abs", y), equal(x, y), "bool")


@row("clamp", "clamp_min", "clamp_max")
def clamp(x, low=None, high=None, min=None, max=None):
    raise Missing("told by name")


ROWS["clamp_min"] = lambda x, low: clamped(x, low, None)
ROWS["clamp_max"] = lambda x, high: clamped(x, None, high)
ROWS["clamp"] = lambda x, low=None, high=None, min=None, max=None: clamped(x, low if low is not None else min, high if high is not None else max)


def clamped(x, low, high):
    shape = broadcast(*[v.shape for v in (x, low, high) if isinstance(v, T)])
    x = spread(x, shape)
    say = lambda v: str(spread(real(v), shape)) if isinstance(v, T) else number(v)
    if low is None or high is None:
        x = new("where(%s %s %s, 0 * %s + %s, %s)" % (x, "<" if high is None else ">", say(low if high is None else high), x,
                                                  say(low if high is None else high), x), shape)
        return x
    return new("where(%s > %s, 0 * %s + %s, clip(%s, %s, %s))" % (say(low), say(high), x, say(high), x, say(low), say(high)), shape)


@row("nan_to_num")
def nan_to_num(x, nan=None, posinf=None, neginf=None):
    top = 1.7976931348623157e308
    x = where(new("%s != %s" % (x, x), x.shape, "bool"), nan or 0.0, x)
    x = where(equal(x, math.inf), top if posinf is None else posinf, x)
    return where(equal(x, -math.inf), -top if neginf is None else neginf, x)


@row("logit")
def logit(x, eps=None):
    if eps is not None:
        x = where(x < eps, eps, where(x > 1 - eps, 1 - eps, x))
    return call("log", x / (1 - x))


@row("masked_fill")
def masked_fill(x, mask, value): return where(mask, value, spread(x, broadcast(x.shape, mask.shape)))


@row("where")
def where_(x, c, y): return where(c, x, y)


# ---- activations and losses ----

@row("nn.functional.leaky_relu")
def leaky_relu(x, negative_slope=0.01): return call("leaky_relu", x, "slope = " + number(negative_slope))


@row("nn.functional.elu")
def elu(x, alpha=1.0): return call("elu", x, "alpha = " + number(alpha))


@row("nn.functional.celu")
def celu(x, alpha=1.0): return call("celu", x, "alpha = " + number(alpha))


@row("nn.functional.gelu")
def gelu(x, approximate="none"): return call("gelu" if approximate == "none" else "gelu_tanh", x)


@row("nn.functional.hardtanh")
def hardtanh(x, min_val=-1.0, max_val=1.0): return call("hardtanh", x, "low = " + number(float(min_val)), "high = " + number(float(max_val)))


@row("nn.functional.hardshrink")
def hardshrink(x, lambd=0.5): return where(call("abs", x) > lambd, x, 0.0)


@row("nn.functional.softshrink")
def softshrink(x, lambd=0.5): return where(x > lambd, x - lambd, where(x < -lambd, x + lambd, 0.0 * x))


@row("nn.functional.threshold")
def threshold(x, threshold, value): return where(x > threshold, x, float(value))


@row("nn.functional.prelu")
def prelu(x, weight):
    w = weight
    return where(x > 0, x, x * reshape(w, [w.count if k == 1 else 1 for k in range(x.ndim)]) if x.ndim > 1 else x * reshape(w, [1] * x.ndim))


@row("nn.functional.glu")
def glu(x, dim=-1):
    n = x.shape[dim] // 2
    return cut(x, dim, 0, n) * call("sigmoid", cut(x, dim, n, 2 * n))


@row("torch.ops.aten._safe_softmax.default")
def safe_softmax(x, dim, dtype=None):
    if not x.ndim:
        return softmax_(x, dim)
    y = move(x, dim, -1)
    return move(new("softmax_or_zero(%s)" % y, y.shape), -1, dim)


@row("softmax")
def softmax_(x, dim, dtype=None): return softmax(real(x), dim) if x.ndim else 0.0 * x + 1.0


@row("nn.functional.softmin")
def softmin(x, dim, dtype=None): return softmax_(-x, dim)


@row("log_softmax")
def log_softmax(x, dim, dtype=None): return new("log_softmax(%s, %d)" % (x, dim % x.ndim), x.shape) if x.ndim else 0.0 * x


@row("logsumexp")
def logsumexp_(x, dim, keepdim=False):
    x = real(x)
    axes = axes_of(x, dim)
    if not x.ndim:
        return x
    if len(axes) > 1:
        kept = [k for k in range(x.ndim) if k not in axes]
        y = reshape(transpose(x, kept + axes), [x.shape[k] for k in kept] + [-1])
        return reshape(logsumexp(y, -1), reduced(x, axes, keepdim))
    return logsumexp(x, axes[0], keepdim)


@row("_softmax_backward_data")
def softmax_backward(g, y, dim, dtype=None): return y * (g - total(g * y, dim, True))


def loss(x, reduction="mean"):
    return {"mean": mean, "sum": total, "none": lambda x: x, "batchmean": lambda x: total(x) / x.shape[0]}[reduction](x)


@row("nn.functional.mse_loss")
def mse_loss(x, y, reduction="mean"): return loss((x - y) * (x - y), reduction)


@row("nn.functional.l1_loss")
def l1_loss(x, y, reduction="mean"): return loss(call("abs", x - y), reduction)


@row("nn.functional.smooth_l1_loss")
def smooth_l1_loss(x, y, reduction="mean", beta=1.0):
    (x, y), _, _ = common(x, y)
    return loss(call("abs", x - y) if beta == 0 else new("huber(%s, %s, delta = %s)" % (x, y, number(beta)), x.shape) / beta, reduction)


@row("nn.functional.huber_loss")
def huber_loss(x, y, reduction="mean", delta=1.0):
    (x, y), _, _ = common(x, y)
    return loss(new("huber(%s, %s, delta = %s)" % (x, y, number(delta)), x.shape), reduction)


@row("nn.functional.binary_cross_entropy_with_logits")
def bce_logits(x, y, weight=None, reduction="mean", pos_weight=None):
    if pos_weight is not None:
        w = (pos_weight - 1) * y + 1
        z = (1 - y) * x + w * call("softplus", -x)
    else:
        z = new("binary_cross_entropy(%s, %s)" % (x, y), x.shape)
    return loss(z * weight if weight is not None else z, reduction)


@row("nn.functional.binary_cross_entropy")
def bce(x, y, weight=None, reduction="mean"):
    low = lambda v: maximum(call("log", v), -100.0)
    z = -(y * low(x) + (1 - y) * low(1 - x))
    return loss(z * weight if weight is not None else z, reduction)


@row("nn.functional.kl_div")
def kl_div(x, y, reduction="mean", log_target=False):
    z = call("exp", y) * (y - x) if log_target else xlogy(y, y) - y * x
    return loss(z, reduction)


@row("nn.functional.soft_margin_loss")
def soft_margin_loss(x, y, reduction="mean"): return loss(call("softplus", -y * x), reduction)


@row("nn.functional.poisson_nll_loss")
def poisson_nll(x, y, log_input=True, full=False, eps=1e-8, reduction="mean", size_average=None, reduce=None):
    z = call("exp", x) - y * x if log_input else x - y * call("log", x + eps)
    if full:
        z = z + where(y > 1, y * call("log", where(y > 1, y, 1.0)) - y + 0.5 * call("log", 2 * math.pi * where(y > 1, y, 1.0)), 0.0 * y)
    return loss(z, reduction)


@row("nn.functional.gaussian_nll_loss")
def gaussian_nll(x, y, var, full=False, eps=1e-6, reduction="mean"):
    if not isinstance(var, T):
        var = globals()["full"](x.shape, float(var))
    if var.shape != x.shape and var.shape == x.shape[:-1]:
        var = unsqueeze(var, -1)
    var = where(var < eps, eps, var)
    z = 0.5 * (call("log", var) + (x - y) * (x - y) / var)
    return loss(z + 0.5 * math.log(2 * math.pi) if full else z, reduction)


@row("nn.functional.margin_ranking_loss")
def margin_ranking(x, y, t, margin=0.0, reduction="mean"): return loss(positive(margin - t * (x - y)), reduction)


def positive(x): return where(x <= 0, 0.0, x)


@row("nn.functional.hinge_embedding_loss")
def hinge_embedding(x, y, margin=1.0, reduction="mean"):
    return loss(where(equal(y, 1), 0.0 * x, positive(margin - x)) + where(equal(y, -1), 0.0 * x, x), reduction)


@row("nn.functional.cosine_embedding_loss")
def cosine_embedding(x, y, t, margin=0.0, reduction="mean"):
    c = total(x * y, -1) / call("sqrt", (total(x * x, -1) + 1e-12) * (total(y * y, -1) + 1e-12))
    return loss(where(equal(t, 1), 1 - c, positive(c - margin)), reduction)


@row("nn.functional.cosine_similarity")
def cosine_similarity(x, y, dim=1, eps=1e-8):
    shape = broadcast(x.shape, y.shape)
    x, y = spread(x, shape), spread(y, shape)
    length = lambda v: maximum(vector_norm(v, 2, dim, True), eps)
    return total(x / length(x) * (y / length(y)), dim)


@row("nn.functional.multi_margin_loss")
def multi_margin(x, t, p=1, margin=1.0, weight=None, reduction="mean"):
    if x.ndim < 2:
        x, t = reshape(x, [1, -1]), reshape(t, [1])
    n, c = x.shape
    own = unsqueeze(t, 1)
    z = positive(margin - take_along(x, own, 1) + x)
    z = z * z if p == 2 else z
    if weight is not None:
        z = z * unsqueeze(index_select(weight, t, 0), 1)
    z = where(equal(axis_index([n, c], 1), own), 0.0 * z, z)
    return loss(total(z, 1) / c, reduction)


@row("nn.functional.multilabel_soft_margin_loss")
def multilabel_soft_margin(x, y, weight=None, reduction="mean"):
    z = y * call("softplus", -x) + (1 - y) * call("softplus", x)
    return loss(mean(z * weight if weight is not None else z, -1), reduction)


@row("nn.functional.triplet_margin_loss")
def triplet_margin(a, p, n, margin=1.0, p_=2.0, eps=1e-6, swap=False, reduction="mean", **rest):
    power = rest.get("p", p_)
    d = lambda u, v: vector_norm(u - v + eps, power, -1)
    far = d(a, n)
    if swap:
        far = minimum(far, d(p, n))
    return loss(positive(d(a, p) - far + margin), reduction)


@row("nn.functional.pairwise_distance")
def pairwise_distance(x, y, p=2.0, eps=1e-6, keepdim=False): return vector_norm(x - y + eps, p, -1, keepdim)


def class_last(x):
    return move(x, 1, -1) if x.ndim > 1 else x


@row("nn.functional.nll_loss")
def nll(x, t, weight=None, ignore_index=-100, reduction="mean"):
    ones = full(t.shape, 1.0)
    counts = where(equal(t, ignore_index), 0.0, ones)
    ids = where(equal(t, ignore_index), 0, t)
    w = counts if weight is None else counts * index_select(weight, ids, 0)
    picked = new("pick(%s, %s)" % (class_last(x), ids), t.shape)
    z = -picked * w
    return total(z) / total(w) if reduction == "mean" else loss(z, reduction)


@row("nn.functional.cross_entropy")
def cross_entropy(x, t, weight=None, ignore_index=-100, reduction="mean", label_smoothing=0.0):
    classes = x.shape[1] if x.ndim > 1 else x.shape[0]
    if not t.real and not label_smoothing and weight is None:
        z = new("cross_entropy(%s, %s, ignore = %d)" % (class_last(x), t, ignore_index), t.shape)
        return total(z) / total(where(equal(t, ignore_index), 0.0, full(t.shape, 1.0))) if reduction == "mean" else loss(z, reduction)
    p = class_last(x)
    p = new("log_softmax(%s, %d)" % (p, p.ndim - 1), p.shape)
    each = full([classes], 1.0) if weight is None else weight
    if t.real:
        q = class_last(t)
        q = q * (1 - label_smoothing) + label_smoothing / classes if label_smoothing else q
        z = -total(p * q * each, -1)
        return total(z) / (z.count) if reduction == "mean" else loss(z, reduction)
    counts = where(equal(t, ignore_index), 0.0, full(t.shape, 1.0))
    ids = where(equal(t, ignore_index), 0, t)
    w = counts * index_select(each, ids, 0)
    z = -new("pick(%s, %s)" % (p, ids), t.shape) * w
    smooth = -total(p * each, -1) * counts
    if reduction == "mean":
        z, smooth = total(z) / total(w), total(smooth) / total(w)
    else:
        z, smooth = loss(z, reduction), loss(smooth, reduction)
    return z * (1 - label_smoothing) + smooth * (label_smoothing / classes)


# ---- shapes ----

def as_list(*shape):
    return list(shape[0]) if len(shape) == 1 and isinstance(shape[0], (list, tuple)) else list(shape)


@row("reshape", "view", "view_copy", "_unsafe_view")
def reshape_(x, *shape): return reshape(x, as_list(*shape))


@row("reshape_as", "view_as")
def reshape_as(x, y): return reshape(x, y.shape)


@row("ravel")
def ravel(x): return reshape(x, [x.count])


@row("flatten")
def flatten(x, start_dim=0, end_dim=-1):
    if x.ndim == 0:
        return reshape(x, [1])
    a, b = start_dim % x.ndim, end_dim % x.ndim
    return reshape(x, x.shape[:a] + (math.prod(x.shape[a:b + 1]),) + x.shape[b + 1:])


@row("unflatten")
def unflatten(x, dim, sizes):
    dim %= x.ndim
    rest = math.prod(s for s in sizes if s != -1)
    sizes = [x.shape[dim] // rest if s == -1 else s for s in sizes]
    return reshape(x, x.shape[:dim] + tuple(sizes) + x.shape[dim + 1:])


@row("permute", "permute_copy")
def permute(x, *dims): return transpose(x, as_list(*dims)) if x.ndim else x


@row("transpose", "transpose_copy", "swapaxes")
def transpose_(x, a, b): return swap(x, a, b)


@row("t", "t_copy", "T", "H", "mT", "mH", "adjoint")
def t(x): return swap(x, -1, -2) if x.ndim > 1 else x


@row("movedim")
def movedim(x, source, target):
    a, b = as_list(source), as_list(target)
    a, b = [k % x.ndim for k in a], [k % x.ndim for k in b]
    perm = [None] * x.ndim
    for s, d in zip(a, b):
        perm[d] = s
    rest = iter(k for k in range(x.ndim) if k not in a)
    return transpose(x, [next(rest) if p is None else p for p in perm])


@row("expand", "expand_copy", "broadcast_to")
def expand(x, *shape):
    to = as_list(*shape)
    if to and not isinstance(to[0], int):
        to = list(to[0])
    shift = len(to) - x.ndim
    return spread(x, [x.shape[k - shift] if n == -1 else n for k, n in enumerate(to)])


@row("expand_as")
def expand_as(x, y): return spread(x, y.shape)


@row("broadcast_tensors")
def broadcast_tensors(*xs):
    to = broadcast(*[x.shape for x in xs])
    return [spread(x, to) for x in xs]


@row("squeeze", "squeeze_copy")
def squeeze(x, dim=None):
    axes = axes_of(x, dim) if dim is not None and x.ndim and not (isinstance(dim, (tuple, list)) and not dim) else ([] if dim is not None else range(x.ndim))
    return reshape(x, [n for k, n in enumerate(x.shape) if not (k in axes and n == 1)])


@row("unsqueeze", "unsqueeze_copy")
def unsqueeze_(x, dim): return unsqueeze(x, dim)


@row("sum_to_size")
def sum_to_size(x, *shape):
    to = as_list(*shape)
    shift = x.ndim - len(to)
    axes = [k for k in range(x.ndim) if k < shift or (to[k - shift] == 1 and x.shape[k] != 1)]
    return reshape(total(x, axes), to) if axes else reshape(x, to)


@row("cat")
def cat(xs, dim=0):
    xs = [x for x in xs if x.shape != (0,) or len(xs) == 1] or list(xs)[:1]
    return concat(list(xs), dim)


@row("stack")
def stack_(xs, dim=0): return stack(list(xs), dim)


def up(x, n):
    return reshape(x, {1: [1] if x.ndim == 0 else x.shape, 2: [1] * (2 - x.ndim) + list(x.shape),
                       3: [1, 1, 1] if x.ndim == 0 else [1, x.shape[0], 1] if x.ndim == 1 else list(x.shape) + [1]}[n] if x.ndim < n else x.shape)


def several(n):
    def f(*xs):
        xs = xs[0] if len(xs) == 1 and isinstance(xs[0], (list, tuple)) else xs
        out = [up(x, n) for x in xs]
        return out if len(out) > 1 or isinstance(xs, list) else out[0]
    return f


for _n in (1, 2, 3):
    ROWS["atleast_%dd" % _n] = several(_n)
ROWS["hstack"] = lambda xs: concat([up(x, 1) for x in xs], 0 if all(x.ndim < 2 for x in xs) else 1)
ROWS["vstack"] = lambda xs: concat([up(x, 2) for x in xs], 0)
ROWS["dstack"] = lambda xs: concat([up(x, 3) for x in xs], 2)
ROWS["column_stack"] = lambda xs: concat([reshape(x, [x.count, 1]) if x.ndim < 2 else x for x in xs], 1)


@row("chunk", "unsafe_chunk")
def chunk(x, n, dim=0):
    size = -(-x.shape[dim] // n)
    return [cut(x, dim, a, min(a + size, x.shape[dim])) for a in range(0, x.shape[dim], size)]


@row("split", "unsafe_split", "split_with_sizes", "split_with_sizes_copy")
def split(x, size, dim=0):
    sizes = size if isinstance(size, (list, tuple)) else [min(size, x.shape[dim] - a) for a in range(0, x.shape[dim], size)]
    at = [sum(sizes[:k]) for k in range(len(sizes) + 1)]
    return [cut(x, dim, a, b) for a, b in zip(at, at[1:])]


@row("tensor_split")
def tensor_split(x, sections, dim=0):
    n = x.shape[dim]
    if isinstance(sections, T):
        sections = sections.values if sections.ndim else sections.values[0]
    if isinstance(sections, int):
        ends = [sum(n // sections + (j < n % sections) for j in range(k + 1)) for k in range(sections - 1)]
    else:
        ends = [range(n + 1)[:e][-1] + 1 if e > 0 and e <= n else (n if e > n else max(0, n + e) if e < 0 else 0) for e in sections]
    edges = [0] + list(ends) + [n]
    return [cut(x, dim, min(a, n), max(a, b)) for a, b in zip(edges, edges[1:])]


ROWS["hsplit"] = lambda x, s: tensor_split(x, s, 0 if x.ndim == 1 else 1)
ROWS["vsplit"] = lambda x, s: tensor_split(x, s, 0)
ROWS["dsplit"] = lambda x, s: tensor_split(x, s, 2)


@row("unbind", "unbind_copy")
def unbind(x, dim=0): return [select(x, dim, k) for k in range(x.shape[dim])]


@row("narrow", "narrow_copy")
def narrow(x, dim, start, length):
    start = (start.values[0] if isinstance(start, T) else start) % (x.shape[dim] or 1) if not (isinstance(start, int) and start == x.shape[dim]) else start
    return cut(x, dim, start, start + length)


@row("select")
def select_(x, dim, i): return select(x, dim, i)


@row("slice")
def slice_(x, dim=0, start=None, end=None, step=1): return every(x, dim, start, end, step)


@row("__getitem__")
def getitem(x, k):
    keys = list(k) if isinstance(k, (tuple, list)) else [k]
    if any(isinstance(a, (T, list, bool)) for a in keys):
        raise Missing("tensors among the indices")
    if Ellipsis in keys:
        at = keys.index(Ellipsis)
        keys[at:at + 1] = [slice(None)] * (x.ndim - sum(a is not None for a in keys) + 1)
    axis = 0
    for a in keys:
        if a is None:
            x, axis = unsqueeze(x, axis), axis + 1
        elif isinstance(a, slice):
            x, axis = every(x, axis, a.start, a.stop, a.step or 1), axis + 1
        else:
            x = select(x, axis, a)
    return x


def put_slice(x, y, dim, start, stop, step):
    """x with y where every(x, ..) would take it."""
    picked = list(range(x.shape[dim])[slice(start, stop, step)])
    if not picked:
        return x
    ids = new(literal(picked, [len(picked)], "i64"), [len(picked)], "i64")
    ids = spread(reshape(ids, [-1 if k == dim % x.ndim else 1 for k in range(x.ndim)]), [len(picked) if k == dim % x.ndim else n for k, n in enumerate(x.shape)])
    return put_along(x, ids, spread(y, ids.shape), dim)


@row("select_scatter")
def select_scatter(x, y, dim, i): return put_slice(x, unsqueeze(y, dim % x.ndim), dim, i % x.shape[dim], i % x.shape[dim] + 1, 1)


@row("slice_scatter")
def slice_scatter(x, y, dim=0, start=None, end=None, step=1): return put_slice(x, y, dim, start, end, step)


@row("flip")
def flip_(x, *args, dims=None): return flip(x, as_list(*args) if args else dims)


ROWS["fliplr"] = lambda x: flip(x, [1])
ROWS["flipud"] = lambda x: flip(x, [0])


@row("rot90")
def rot90(x, k=1, dims=(0, 1)):
    a, b = dims
    k %= 4
    if k == 2:
        return flip(x, [a, b])
    return swap(flip(x, [b]), a, b) if k == 1 else flip(swap(x, a, b), [b]) if k == 3 else x


@row("roll")
def roll(x, shifts, dims=()):
    shifts, dims = as_list(shifts), as_list(dims) if dims != () else []
    if not dims:
        return reshape(roll(reshape(x, [x.count]), shifts[0], [0]), x.shape)
    for s, d in zip(shifts, dims):
        n = x.shape[d]
        x = new("roll(%s, %d, %d)" % (x, s % n if n else 0, d % x.ndim), x.shape, x.dtype) if n else x
    return x


@row("repeat", "tile")
def repeat(x, *counts):
    counts = as_list(*counts)
    counts = [1] * (x.ndim - len(counts)) + counts
    x = reshape(x, [1] * (len(counts) - x.ndim) + list(x.shape))
    for k, n in enumerate(counts):
        if n == 0:
            x = cut(x, k, 0, 0)
        elif n > 1:
            x = new("tile(%s, %d, %d)" % (x, n, k), x.shape[:k] + (n * x.shape[k],) + x.shape[k + 1:], x.dtype)
    return x


@row("repeat_interleave")
def repeat_interleave(x, repeats, dim=None, output_size=None):
    if dim is None:
        x, dim = reshape(x, [x.count]), 0
    if isinstance(repeats, T):
        counts = repeats.values * (x.shape[dim] if repeats.count == 1 else 1)
        picked = [k for k, n in enumerate(counts) for _ in range(n)]
        return index_select(x, new(literal(picked, [len(picked)], "i64"), [len(picked)], "i64"), dim)
    return new("repeat_each(%s, %d, %d)" % (x, repeats, dim % x.ndim), [n * repeats if k == dim % x.ndim else n for k, n in enumerate(x.shape)]) if repeats else cut(x, dim, 0, 0)


def pads_of(x, pads):
    pads = list(pads)
    return [(x.ndim - 1 - k, pads[2 * k], pads[2 * k + 1]) for k in range(len(pads) // 2)]


@row("constant_pad_nd", "nn.functional.pad")
def pad_(x, pads, mode="constant", value=0.0):
    mode, value = ("constant", mode) if isinstance(mode, (int, float)) else (mode, value)
    mode = {"constant": "constant", "reflect": "reflect", "replicate": "edge", "circular": "wrap"}[mode]
    for axis, before, after in pads_of(x, pads):
        x = pad(x, axis, before, after, mode, float(value or 0))
    return x


@row("diag")
def diag(x, k=0):
    if x.ndim == 1:
        return diag_embed(x, k)
    return diagonal(x, k)


@row("diagonal", "diagonal_copy")
def diagonal(x, offset=0, dim1=0, dim2=1):
    a, b = dim1 % x.ndim, dim2 % x.ndim
    x = transpose(x, [k for k in range(x.ndim) if k not in (a, b)] + [a, b])
    m, n = x.shape[-2:]
    r, c = max(0, -offset), max(0, offset)
    size = max(0, min(m - r, n - c))
    x = cut(cut(x, -2, min(r, m), min(r, m) + size), -1, min(c, n), min(c, n) + size)
    return new("diagonal(%s)" % x, x.shape[:-1], x.dtype)


ROWS["linalg.diagonal"] = lambda x, offset=0, dim1=-2, dim2=-1: diagonal(x, offset, dim1, dim2)


@row("diag_embed")
def diag_embed(x, offset=0, dim1=-2, dim2=-1):
    n = x.shape[-1] + abs(offset)
    wide = pad(x, -1, max(0, offset), max(0, -offset))  # along columns
    mask = equal(axis_index([n, n], 1) - axis_index([n, n], 0), offset)
    y = where(mask, spread(unsqueeze(wide, -2), wide.shape[:-1] + (n, n)), 0.0)
    a, b = dim1 % y.ndim, dim2 % y.ndim
    perm = [None] * y.ndim
    perm[a], perm[b] = y.ndim - 2, y.ndim - 1
    rest = iter(range(y.ndim - 2))
    return transpose(y, [next(rest) if p is None else p for p in perm])


@row("diagflat")
def diagflat(x, offset=0): return diag_embed(reshape(x, [x.count]), offset)


def triangle(name):
    return lambda x, k=0: new("%s(%s, k = %d)" % (name, x, k), x.shape, x.dtype)


ROWS["tril"], ROWS["triu"] = triangle("tril"), triangle("triu")


@row("trace")
def trace(x): return total(diagonal(x))


@row("meshgrid")
def meshgrid(*xs, indexing="ij"):
    xs = list(xs[0]) if len(xs) == 1 and isinstance(xs[0], (list, tuple)) else list(xs)
    xs = [up(x, 1) for x in xs]
    shape = [x.shape[0] for x in xs]
    out = [spread(reshape(x, [-1 if j == k else 1 for j in range(len(xs))]), shape) for k, x in enumerate(xs)]
    return [swap(x, 0, 1) for x in out] if indexing == "xy" and len(xs) > 1 else out


@row("block_diag")
def block_diag(*xs):
    xs = [up(x, 2) for x in xs]
    width, at, rows = sum(x.shape[1] for x in xs), 0, []
    for x in xs:
        rows.append(pad(x, 1, at, width - at - x.shape[1]))
        at += x.shape[1]
    return concat(rows, 0)


@row("unfold", "unfold_copy")
def unfold_(x, dim, size, step):
    if x.ndim == 0:
        return reshape(x, [1])[:size] if size else reshape(cut(reshape(x, [1]), 0, 0, 0), [0])
    return move(unfold(x, dim, size, step), dim % x.ndim + 1, -1)


@row("nn.functional.pixel_shuffle")
def pixel_shuffle(x, upscale_factor):
    r = upscale_factor
    c, h, w = x.shape[-3:]
    y = reshape(x, x.shape[:-3] + (c // r // r, r, r, h, w))
    n = x.ndim - 3
    y = transpose(y, list(range(n + 1)) + [n + 3, n + 1, n + 4, n + 2])
    return reshape(y, x.shape[:-3] + (c // r // r, h * r, w * r))


@row("nn.functional.pixel_unshuffle")
def pixel_unshuffle(x, downscale_factor):
    r = downscale_factor
    c, h, w = x.shape[-3:]
    y = reshape(x, x.shape[:-3] + (c, h // r, r, w // r, r))
    n = x.ndim - 3
    y = transpose(y, list(range(n + 1)) + [n + 2, n + 4, n + 1, n + 3])
    return reshape(y, x.shape[:-3] + (c * r * r, h // r, w // r))


@row("nn.functional.channel_shuffle")
def channel_shuffle(x, groups):
    y = reshape(x, [x.shape[0], groups, x.shape[1] // groups, -1])
    return reshape(swap(y, 1, 2), x.shape)


# ---- reductions ----

@row("sum")
def sum_(x, dim=None, keepdim=False, dtype=None): return total(real(x), dim, keepdim)


@row("mean")
def mean_(x, dim=None, keepdim=False, dtype=None): return mean(real(x), dim, keepdim)


@row("prod")
def prod(x, dim=None, keepdim=False, dtype=None): return reduce("prod", real(x), dim, keepdim)


@row("amax")
def amax(x, dim=None, keepdim=False): return reduce("max", x, dim, keepdim)


@row("amin")
def amin(x, dim=None, keepdim=False): return reduce("min", x, dim, keepdim)


@row("aminmax")
def aminmax(x, dim=None, keepdim=False): return [amin(x, dim, keepdim), amax(x, dim, keepdim)]


def not_nan(x): return new("%s == %s" % (x, x), x.shape, "bool")


@row("nansum")
def nansum(x, dim=None, keepdim=False, dtype=None): return total(where(not_nan(x), x, 0.0), dim, keepdim)


@row("nanmean")
def nanmean(x, dim=None, keepdim=False, dtype=None): return nansum(x, dim, keepdim) / total(cast(not_nan(x), "f64"), dim, keepdim)


def variance(x, dim=None, unbiased=None, correction=None, keepdim=False):
    if isinstance(dim, bool):
        dim, unbiased = None, dim
    correction = correction if correction is not None else 0 if unbiased is False else 1
    axes = axes_of(x, dim)
    d = x - mean(x, axes, True)
    n = math.prod(x.shape[a] for a in axes) if x.ndim else 1
    return total(d * d, axes, keepdim) / max(0, n - correction) if n != correction or True else None


def spread_of(x, **how):
    axes = axes_of(x, how.get("dim"))
    if not x.ndim:
        raise Missing("the variance of a number")
    correction = how.get("correction")
    correction = correction if correction is not None else 0 if how.get("unbiased") is False else 1
    y = new("%s(%s, axis = %s, correction = %s)" % (how["name"], x, axes, number(correction)), reduced(x, axes, False))
    return reshape(y, reduced(x, axes, how.get("keepdim", False)))


def statistic(name, with_mean=False):
    def f(x, dim=None, unbiased=None, keepdim=False, correction=None):
        if isinstance(dim, bool):
            dim, unbiased = None, dim
        y = spread_of(x, name=name, dim=dim, unbiased=unbiased, keepdim=keepdim, correction=correction)
        return [y, mean(x, dim, keepdim)] if with_mean else y
    return f


ROWS.update({"var": statistic("var"), "std": statistic("std"), "var_mean": statistic("var", True), "std_mean": statistic("std", True)})


@row("all")
def all_(x, dim=None, keepdim=False): return truth("all", x, dim, keepdim)


@row("any")
def any_(x, dim=None, keepdim=False): return truth("any", x, dim, keepdim)


def truth(name, x, dim, keepdim):
    x = new("%s != 0" % x, x.shape, "bool") if x.dtype != "bool" else x
    axes = axes_of(x, dim)
    if not x.ndim:
        return x
    return reshape(new("%s(%s, axis = %s)" % (name, x, axes), reduced(x, axes, False), "bool"), reduced(x, axes, keepdim))


@row("count_nonzero")
def count_nonzero(x, dim=None): return total(cast(new("%s != 0" % x, x.shape, "bool"), "i64"), dim)


def arg(name):
    def f(x, dim=None, keepdim=False):
        if dim is None:
            y = argmax(reshape(x, [x.count]), 0, name)
            return reshape(y, [1] * x.ndim) if keepdim else y
        if not x.ndim:
            return new("tensor(0, i64)", [], "i64")
        return reshape(argmax(x, dim, name), reduced(x, axes_of(x, dim), keepdim))
    return f


ROWS["argmax"], ROWS["argmin"] = arg("argmax"), arg("argmin")


def extreme(name, op):
    def f(x, dim=None, keepdim=False):
        if isinstance(dim, T):
            return {"max": maximum, "min": minimum}[op](x, dim)
        if dim is None:
            return reduce(op, x)
        if not x.ndim:
            return [x, new("tensor(0, i64)", [], "i64")]
        ids = unsqueeze(argmax(x, dim, name), dim % x.ndim)
        out = [take_along(x, ids, dim), ids]
        return [reshape(v, reduced(x, axes_of(x, dim), keepdim)) for v in out]
    return f


ROWS["max"], ROWS["min"] = extreme("argmax", "max"), extreme("argmin", "min")


@row("cumsum")
def cumsum(x, dim, dtype=None): return call("cumsum", x, "axis = %d" % (dim % x.ndim)) if x.ndim else x


@row("cumprod")
def cumprod(x, dim, dtype=None): return new("cumprod(%s, axis = %d)" % (x, dim % x.ndim), x.shape) if x.ndim else x


def running(name):
    def f(x, dim):
        if not x.ndim:
            return [x, new("tensor(0, i64)", [], "i64")]
        dim %= x.ndim
        return [new("cum%s(%s, axis = %d)" % (name, x, dim), x.shape), new("cumarg%s(%s, axis = %d)" % (name, x, dim), x.shape, "i32")]
    return f


ROWS["cummax"], ROWS["cummin"] = running("max"), running("min")


@row("logcumsumexp")
def logcumsumexp(x, dim):
    if not x.ndim:
        return x
    dim %= x.ndim
    m = new("stop_gradient(cummax(%s, axis = %d))" % (x, dim), x.shape)
    before = concat([cut(m, dim, 0, 1), cut(m, dim, 0, x.shape[dim] - 1)], dim) if x.shape[dim] else m
    s = new("recurrence(%s, %s, axis = %d)" % (call("exp", before - m), call("exp", x - m), dim), x.shape)
    return call("log", s) + m


@row("diff")
def diff(x, n=1, dim=-1, prepend=None, append=None):
    dim %= x.ndim
    ends = lambda v: reshape(v, [1 if k == dim else m for k, m in enumerate(x.shape)]) if v.ndim < x.ndim else v
    x = concat([ends(v) for v in (prepend, x, append) if v is not None], dim) if n else x
    for _ in range(min(n, x.shape[dim])):
        if x.shape[dim] == 0:
            break
        x = cut(x, dim, 1, x.shape[dim]) - cut(x, dim, 0, x.shape[dim] - 1)
    return x


@row("trapz", "trapezoid")
def trapezoid(y, x=None, dx=1.0, dim=-1): return total(areas(y, x, dx, dim), dim)


@row("cumulative_trapezoid")
def cumulative_trapezoid(y, x=None, dx=1.0, dim=-1): return cumsum(areas(y, x, dx, dim), dim)


def areas(y, x, dx, dim):
    dim %= y.ndim
    n = y.shape[dim]
    pair = cut(y, dim, 0, n - 1) + cut(y, dim, 1, n)
    if x is None:
        return pair * (dx / 2)
    if x.ndim == 1 and y.ndim > 1:
        x = reshape(x, [x.count if k == dim else 1 for k in range(y.ndim)])
        return pair * (cut(x, dim, 1, x.shape[dim]) - cut(x, dim, 0, x.shape[dim] - 1)) / 2
    axis = dim - y.ndim
    return pair * (cut(x, axis, 1, x.shape[axis]) - cut(x, axis, 0, x.shape[axis] - 1)) / 2


@row("cov")
def cov(x, correction=1, fweights=None, aweights=None):
    x = up(x, 2) if x.ndim else reshape(x, [1, 1])
    n = x.shape[1]
    w = full([n], 1.0)
    if fweights is not None:
        w = w * real(fweights)
    if aweights is not None:
        w = w * aweights
    m = total(x * w, 1, True) / total(w)
    d = x - m
    bottom = total(w) - correction * (total(w * aweights) / total(w) if aweights is not None else 1.0) if correction else total(w)
    return squeeze(matmul(d * w, t(d)) / bottom)


@row("corrcoef")
def corrcoef(x):
    c = cov(x)
    if c.ndim == 0:
        return c / c
    d = call("sqrt", diagonal(c))
    return c / unsqueeze(d, 1) / unsqueeze(d, 0)


# ---- order ----

@row("sort")
def sort(x, dim=-1, descending=False, stable=False):
    if not x.ndim:
        return [x, new("tensor(0, i64)", [], "i64")]
    ids = argsort(x, dim, descending)
    return [take_along(x, ids, dim), ids]


@row("argsort")
def argsort_(x, dim=-1, descending=False, stable=False): return argsort(x, dim, descending) if x.ndim else new("tensor(0, i64)", [], "i64")


@row("msort")
def msort(x): return sort(x, 0)[0] if x.ndim else x


@row("topk")
def topk(x, k, dim=-1, largest=True, sorted=True):
    if not x.ndim:
        return [x, new("tensor(0, i64)", [], "i64")]
    v, i = sort(x, dim, largest)
    return [cut(v, dim, 0, k), cut(i, dim, 0, k)]


@row("kthvalue")
def kthvalue(x, k, dim=-1, keepdim=False):
    if not x.ndim:
        return [x, new("tensor(0, i64)", [], "i64")]
    v, i = sort(x, dim)
    return [reshape(cut(y, dim, k - 1, k), reduced(x, axes_of(x, dim), keepdim)) for y in (v, i)]


@row("median")
def median(x, dim=None, keepdim=False):
    if dim is None:
        return sort(reshape(x, [x.count]))[0][(x.count - 1) // 2]
    return kthvalue(x, (x.shape[dim] + 1) // 2 if x.ndim else 1, dim, keepdim)


@row("nanmedian")
def nanmedian(x, dim=None, keepdim=False): return median(x, dim, keepdim)


@row("quantile", "nanquantile")
def quantile(x, q, dim=None, keepdim=False, interpolation="linear"):
    whole = dim is None
    if whole:
        rank, x, dim = x.ndim, reshape(x, [x.count]), 0
    if x.ndim == 0:
        x = reshape(x, [1])
        rank, whole, dim = 0, True, 0
    dim %= x.ndim
    v = sort(x, dim)[0]
    n = x.shape[dim]
    at = (q if isinstance(q, T) else full([], float(q))) * float(n - 1)
    qs = reshape(at, [at.count])
    low, high = cast(call("floor", qs), "i64"), cast(call("ceil", qs), "i64")
    pick = lambda ids: move(index_select(v, ids, dim), dim, 0)
    share = reshape(qs - call("floor", qs), [-1] + [1] * (v.ndim - 1))
    if interpolation == "linear":
        a, b = pick(low), pick(high)
        y = a + share * (b - a)
    elif interpolation == "midpoint":
        a, b = pick(low), pick(high)
        y = a + 0.5 * (b - a)
    else:
        y = pick({"lower": low, "higher": high, "nearest": cast(call("round", qs), "i64")}[interpolation])
    rest = y.shape[1:]
    if keepdim:
        rest = (1,) * rank if whole else rest[:dim] + (1,) + rest[dim:]
    return reshape(y, (at.shape if at.ndim else ()) + tuple(rest))


# ---- indices ----

@row("gather", "take_along_dim")
def gather(x, dim, index=None, sparse_grad=False):
    if isinstance(dim, T):
        x, dim, index = (x, index, dim) if index is not None else (reshape(x, [x.count]), 0, reshape(dim, [dim.count]))
        shape = [a if k == dim % x.ndim else max(a, b) for k, (a, b) in enumerate(zip(index.shape, x.shape))]
        index = spread(index, shape)
        x = spread(x, [x.shape[k] if k == dim % x.ndim else n for k, n in enumerate(shape)])
    if not x.ndim:
        return x * 1.0 if not index.ndim else spread(x, index.shape)
    if not index.ndim:
        return reshape(gather(x, dim, reshape(index, [1])), [])
    for k in range(x.ndim):
        if k != dim % x.ndim and index.shape[k] < x.shape[k]:
            x = cut(x, k, 0, index.shape[k])
    return take_along(x, index, dim)


def scattered(x, dim, index, src, how):
    """x with src at index along dim, which may be shorter than x along other axes."""
    if not x.ndim:
        x1 = scattered(reshape(x, [1]), 0, reshape(index, [1]) if not index.ndim else index, reshape(src, [1]) if isinstance(src, T) and not src.ndim else src, how)
        return reshape(x1, [])
    if not index.count:
        return x
    if isinstance(src, T):
        for k in range(x.ndim):
            src = cut(src, k, 0, index.shape[k])
    else:
        src = full(index.shape, float(src))
    axis = dim % x.ndim
    grid = [spread(index if k == axis else axis_index(index.shape, k), index.shape) for k in range(x.ndim)]
    ids = stack([cast(g, "i64") for g in grid], -1)
    return scatter(x, ids, src, how)


@row("scatter")
def scatter_(x, dim, index, src=None, value=None, reduce=None):
    return scattered(x, dim, index, value if src is None else src, {None: "set", "add": "add", "multiply": "mul"}[reduce])


@row("scatter_add")
def scatter_add(x, dim, index, src): return scattered(x, dim, index, src, "add")


@row("scatter_reduce")
def scatter_reduce(x, dim, index, src, reduce, include_self=True):
    how = {"sum": "add", "prod": "mul", "amax": "max", "amin": "min", "mean": "add"}[reduce]
    base = x
    if not include_self:
        start = {"sum": 0.0, "mean": 0.0, "prod": 1.0, "amax": -math.inf, "amin": math.inf}[reduce]
        base = scattered(x, dim, index, start, "set")
    y = scattered(base, dim, index, src, how)
    if reduce != "mean":
        return y
    counts = scattered(full(x.shape, 1.0), dim, index, 0.0, "set") if not include_self else full(x.shape, 1.0)
    n = scattered(counts, dim, index, 1.0, "add")
    return y / maximum(n, 1.0)


@row("index_select")
def index_select_(x, dim, index): return index_select(x, reshape(index, [index.count]), dim) if x.ndim else x


def at_rows(x, dim, index, y, how):
    if not x.ndim:
        return reshape(at_rows(reshape(x, [1]), 0, index, reshape(y, [-1]) if isinstance(y, T) else y, how), [])
    n = index.count
    shape = [n if k == dim % x.ndim else m for k, m in enumerate(x.shape)]
    ids = spread(reshape(index, [n if k == dim % x.ndim else 1 for k in range(x.ndim)]), shape)
    src = spread(reshape(y, shape) if y.count == math.prod(shape) else y, shape) if isinstance(y, T) else full(shape, float(y))
    return put_along(x, ids, src, dim, how)


@row("index_fill")
def index_fill(x, dim, index, value): return at_rows(x, dim, index, value, "set")


@row("index_copy")
def index_copy(x, dim, index, y): return at_rows(x, dim, index, y, "set")


@row("index_add")
def index_add(x, dim, index, y, alpha=1): return at_rows(x, dim, index, y * alpha, "add")


@row("index_reduce")
def index_reduce(x, dim, index, y, reduce, include_self=True):
    if not x.ndim:
        raise Missing("of a number")
    shape = [index.count if k == dim % x.ndim else m for k, m in enumerate(x.shape)]
    ids = spread(reshape(index, [index.count if k == dim % x.ndim else 1 for k in range(x.ndim)]), shape)
    return scatter_reduce(x, dim, ids, spread(y, shape), {"mean": "mean", "prod": "prod", "amin": "amin", "amax": "amax"}[reduce], include_self)


@row("take")
def take(x, index): return new("gather(%s, op.reshape(%s, %s))" % (reshape(x, [x.count]), index, list(index.shape) + [1]), index.shape, x.dtype)


@row("put")
def put(x, index, y, accumulate=False):
    flat = reshape(x, [x.count])
    ids = reshape(index, [index.count, 1])
    return reshape(scatter(flat, ids, reshape(y, [index.count]), "add" if accumulate else "set"), x.shape) if index.count else x


@row("index_put", "_unsafe_masked_index_put_accumulate")
def index_put(x, indices, values, accumulate=False):
    if any(i is None or i.dtype == "bool" for i in indices):
        raise Missing("masks as indices")
    shape = broadcast(*[i.shape for i in indices])
    ids = stack([spread(i, shape) for i in indices], -1)
    rest = x.shape[len(indices):]
    return scatter(x, ids, spread(values, shape + rest), "add" if accumulate else "set")


@row("nn.functional.embedding")
def embedding(ids, w, padding_idx=None, max_norm=None, norm_type=2.0, scale_grad_by_freq=False, sparse=False):
    if padding_idx is not None or max_norm is not None or scale_grad_by_freq:
        raise Missing("a derivative that is not that of the value")
    return new("take(%s, %s)" % (w, ids), ids.shape + w.shape[1:])


# ---- products ----

@row("mm", "bmm", "mv", "dot", "vdot", "matmul")
def matmul_(x, y): return matmul(x, y)


@row("inner")
def inner(x, y): return x * y if not x.ndim or not y.ndim else matmul(x, t(y)) if y.ndim > 1 else matmul(x, y)


@row("addmm", "addmv")
def addmm(c, x, y, beta=1, alpha=1): return c * beta + matmul(x, y) * alpha


@row("addbmm")
def addbmm(c, x, y, beta=1, alpha=1): return c * beta + total(matmul(x, y), 0) * alpha


@row("baddbmm")
def baddbmm(c, x, y, beta=1, alpha=1): return c * beta + matmul(x, y) * alpha


@row("outer", "ger")
def outer(x, y): return unsqueeze(x, 1) * unsqueeze(y, 0)


@row("addr")
def addr(c, x, y, beta=1, alpha=1): return (c * beta if beta else 0.0) + outer(x, y) * alpha


@row("kron")
def kron(x, y):
    n = max(x.ndim, y.ndim)
    x, y = reshape(x, [1] * (n - x.ndim) + list(x.shape)), reshape(y, [1] * (n - y.ndim) + list(y.shape))
    z = reshape(x, [d for s in x.shape for d in (s, 1)]) * reshape(y, [d for s in y.shape for d in (1, s)])
    return reshape(z, [a * b for a, b in zip(x.shape, y.shape)])


@row("tensordot")
def tensordot(x, y, dims=2):
    a, b = (list(range(x.ndim - dims, x.ndim)), list(range(dims))) if isinstance(dims, int) else map(list, dims)
    ra, rb = [k for k in range(x.ndim) if k not in a], [k for k in range(y.ndim) if k not in b]
    n = math.prod(x.shape[k] for k in a)
    z = matmul(reshape(transpose(x, ra + a), [-1, n]), reshape(transpose(y, b + rb), [n, -1]))
    return reshape(z, [x.shape[k] for k in ra] + [y.shape[k] for k in rb])


@row("einsum")
def einsum_(*args):
    pattern, xs = (args[0], args[1:]) if isinstance(args[0], str) else (args[1], (args[0],))
    if isinstance(pattern, (list, tuple)):
        pattern = pattern[0]
    if isinstance(xs[0], (list, tuple)):
        xs = xs[0]
    xs = xs[0] if len(xs) == 1 and isinstance(xs[0], (list, tuple)) else xs
    pattern = pattern.replace(" ", "")
    left, _, right = pattern.partition("->")
    sides = left.split(",")
    free = [c for c in "zyxwvuts" if c not in pattern]
    more = max([x.ndim - len(s.replace("...", "")) for s, x in zip(sides, xs) if "..." in s] or [0])
    dots = lambda n: "".join(free[more - n:more])
    sides = [s.replace("...", dots(x.ndim - len(s.replace("...", "")))) for s, x in zip(sides, xs)]
    if "->" not in pattern:
        right = ("..." if "..." in left else "") + "".join(sorted(c for c in set("".join(left.split(",")).replace(".", "")) if left.count(c) == 1))
    return einsum(",".join(sides) + "->" + right.replace("...", dots(more)), *xs)


@row("nn.functional.linear")
def linear(x, w, b=None):
    y = matmul(x, t(w))
    return y + b if b is not None else y


@row("nn.functional.bilinear")
def bilinear(x, y, w, b=None):
    lead = x.shape[:-1]
    u, v = reshape(x, [-1, x.shape[-1]]), reshape(y, [-1, y.shape[-1]])
    z = einsum("ni,oij,nj->no", u, w, v)
    z = reshape(z, lead + (w.shape[0],))
    return z + b if b is not None else z


@row("linalg.multi_dot")
def multi_dot(xs):
    z = xs[0]
    for x in xs[1:]:
        z = matmul(z, x)
    return z


@row("linalg.vecdot")
def vecdot(x, y, dim=-1): return total(x * y, dim)


@row("cross", "linalg.cross")
def cross(x, y, dim=None):
    shape = broadcast(x.shape, y.shape)
    x, y = spread(x, shape), spread(y, shape)
    dim = (shape.index(3) if dim is None else dim) % len(shape)
    i, j = new("tensor([1, 2, 0], i32)", [3], "i32"), new("tensor([2, 0, 1], i32)", [3], "i32")
    at = lambda v, k: index_select(v, k, dim)
    return at(x, i) * at(y, j) - at(x, j) * at(y, i)


@row("matrix_power", "linalg.matrix_power")
def matrix_power(x, n):
    if n < 0:
        x, n = inverse(x), -n
    y = None
    for bit in bin(n)[2:] if n else "":
        y = x if y is None else matmul(y, y)
        if bit == "1" and y is not x:
            y = matmul(y, x)
    return y if y is not None else spread(identity(x.shape[-1]), x.shape) + 0.0 * x


@row("linalg.vander")
def vander(x, N=None):
    n = x.shape[-1] if N is None else N
    return stack([x ** float(k) if k else x * 0.0 + 1.0 for k in range(n)], -1)


# ---- norms and distances ----

def vector_norm(x, p=2.0, dim=None, keep=False):
    axes = axes_of(x, dim)
    p = float(p)
    if p == -math.inf:
        return reduce("min", call("abs", x), dim, keep)
    if x.ndim and 0 not in x.shape and p >= 0:
        y = new("norm(%s, axis = %s, p = %s)" % (x, axes, number(p)), reduced(x, axes, False))
        return reshape(y, reduced(x, axes, keep))
    if not x.ndim:
        return call("abs", x)
    return total(call("abs", x) ** p, dim, keep) ** (1 / p)


@row("linalg.vector_norm")
def vector_norm_(x, ord=2, dim=None, keepdim=False, dtype=None): return vector_norm(x, ord, dim, keepdim)


@row("norm")
def norm(x, p="fro", dim=None, keepdim=False, dtype=None):
    if p == "nuc":
        raise Missing("singular values")
    return vector_norm(x, 2.0 if p in ("fro", None) else p, dim, keepdim)


@row("linalg.norm")
def linalg_norm(x, ord=None, dim=None, keepdim=False, dtype=None):
    if ord == "nuc" or (ord in (2, -2) and dim is None and x.ndim == 2) or (ord in (2, -2) and isinstance(dim, (tuple, list)) and len(dim) == 2):
        raise Missing("singular values")
    two = (isinstance(dim, (tuple, list)) and len(dim) == 2) or (dim is None and x.ndim == 2 and ord is not None)
    if two and ord is not None:
        return matrix_norm(x, ord, dim if dim is not None else (-2, -1), keepdim)
    return vector_norm(x, 2.0 if ord is None else ord, dim, keepdim)


@row("linalg.matrix_norm")
def matrix_norm(x, ord="fro", dim=(-2, -1), keepdim=False, dtype=None):
    a, b = [d % x.ndim for d in dim]
    if ord == "fro":
        return vector_norm(x, 2.0, dim, keepdim)
    if ord in (1, -1, math.inf, -math.inf):
        inner, outer_ = (a, b) if abs(ord) == 1 else (b, a)
        y = total(call("abs", x), inner, True)
        y = reduce("max" if ord > 0 else "min", y, outer_, True)
        return reshape(y, reduced(x, [a, b], keepdim))
    raise Missing("singular values")


@row("dist")
def dist(x, y, p=2): return vector_norm(x - y, p)


@row("nn.functional.normalize")
def normalize(x, p=2.0, dim=1, eps=1e-12): return x / maximum(vector_norm(x, p, dim, True), eps)


@row("cdist")
def cdist(x, y, p=2.0, compute_mode=None):
    if 0 in x.shape or 0 in y.shape:
        raise Missing("no points")
    return vector_norm(unsqueeze(x, -2) - unsqueeze(y, -3), p, -1)


@row("nn.functional.pdist")
def pdist(x, p=2):
    n = x.shape[0]
    pairs = list(itertools.combinations(range(n), 2))
    if not pairs or not x.count:
        raise Missing("no pairs")
    ids = lambda k: new(literal([q[k] for q in pairs], [len(pairs)], "i64"), [len(pairs)], "i64")
    return vector_norm(index_select(x, ids(0), 0) - index_select(x, ids(1), 0), p, -1)


@row("renorm")
def renorm(x, p, dim, maxnorm):
    axes = [k for k in range(x.ndim) if k != dim % x.ndim]
    n = vector_norm(x, p, axes, True)
    return x * where(n > maxnorm, maxnorm / (n + 1e-7), 1.0)


# ---- small matrices ----

def inverse(x): return new("inverse(%s)" % x, x.shape)


@row("linalg.inv", "inverse")
def inv(x): return inverse(x)


@row("linalg.inv_ex")
def inv_ex(x, check_errors=False): return [inverse(x), full(x.shape[:-2], 0, "i32")]


@row("linalg.solve_ex")
def solve_ex(a, y, left=True, check_errors=False): return [solve_(a, y, left), full(a.shape[:-2], 0, "i32")]


@row("linalg.det", "det")
def det(x): return new("det(%s)" % x, x.shape[:-2])


@row("logdet")
def logdet(x): return call("log", det(x))


@row("linalg.slogdet", "slogdet")
def slogdet(x):
    d = det(x)
    return [call("sign", d), call("log", call("abs", d))]


@row("linalg.cholesky")
def cholesky(x, upper=False):
    l = new("cholesky(%s)" % x, x.shape)
    return t(l) if upper else l


@row("linalg.cholesky_ex")
def cholesky_ex(x, upper=False, check_errors=False): return [cholesky(x, upper), full(x.shape[:-2], 0, "i32")]


@row("cholesky_solve")
def cholesky_solve(b, u, upper=False):
    l = t(u) if upper else u
    batch = broadcast(l.shape[:-2], b.shape[:-2])
    l, b = spread(l, batch + l.shape[-2:]), spread(b, batch + b.shape[-2:])
    return new("cholesky_solve(%s, %s)" % (l, b), b.shape)


@row("cholesky_inverse")
def cholesky_inverse(u, upper=False): return cholesky_solve(spread(identity(u.shape[-1]), u.shape), u, upper)


@row("linalg.solve")
def solve_(a, y, left=True):
    vector = y.ndim == 1 or (y.ndim == a.ndim - 1 and y.shape == a.shape[:-1])
    y = unsqueeze(y, -1) if vector else y
    if not left:
        a, y = t(a), t(y)
    batch = broadcast(a.shape[:-2], y.shape[:-2])
    x = solve(spread(a, batch + a.shape[-2:]), spread(y, batch + y.shape[-2:]))
    x = x if left else t(x)
    return reshape(x, x.shape[:-1]) if vector else x


@row("linalg.solve_triangular")
def solve_triangular(a, y, upper, left=True, unitriangular=False):
    if not left:
        return t(solve_triangular(t(a), t(y), upper=not upper, unitriangular=unitriangular))
    if unitriangular:
        n = a.shape[-1]
        a = where(equal(axis_index([n, n], 0), axis_index([n, n], 1)), 1.0, a)
    batch = broadcast(a.shape[:-2], y.shape[:-2])
    return triangular(spread(a, batch + a.shape[-2:]), spread(y, batch + y.shape[-2:]), upper)


@row("triangular_solve")
def triangular_solve(b, a, upper=True, transpose=False, unitriangular=False):
    if transpose:
        x = solve_triangular(t(a), b, upper=not upper, unitriangular=unitriangular)
    else:
        x = solve_triangular(a, b, upper=upper, unitriangular=unitriangular)
    return [x, a]


@row("linalg.eigh")
def eigh(x, UPLO="L"):
    return [new("eigh(%s)[0]" % x, x.shape[:-1]), call("abs", new("eigh(%s)[1]" % x, x.shape))]


@row("linalg.eigvalsh")
def eigvalsh(x, UPLO="L"): return new("eigh(%s)[0]" % x, x.shape[:-1])


@row("linalg.tensorinv")
def tensorinv(x, ind=2):
    n = math.prod(x.shape[:ind])
    return reshape(inverse(reshape(x, [n, n])), x.shape[ind:] + x.shape[:ind])


@row("linalg.tensorsolve")
def tensorsolve(a, b, dims=None):
    if dims is not None:
        a = transpose(a, [k for k in range(a.ndim) if k not in dims] + list(dims))
    shape = a.shape[b.ndim:]
    n = math.prod(shape)
    return reshape(solve(reshape(a, [n, n]), reshape(b, [n, 1])), shape)


@row("linalg.qr")
def qr(x, mode="reduced"):
    m, n = x.shape[-2:]
    if mode != "reduced" or m < n or 0 in x.shape:
        raise Missing("Q of all rows, or more columns than rows")
    return [new("qr(%s)[0]" % x, x.shape), new("qr(%s)[1]" % x, x.shape[:-2] + (n, n))]


# ---- windows ----

def sizes(v, n):
    v = [v] * n if isinstance(v, int) else list(v)
    return v * n if len(v) == 1 else v


def windows(x, kernel, stride, dilation):
    """x[.., L..] as [.., N.., K..] along its last axes."""
    n = len(kernel)
    lead = x.ndim - n
    for k in range(n):
        x = unfold(x, lead + 2 * k, kernel[k], stride[k], dilation[k])
    return transpose(x, list(range(lead)) + [lead + 2 * k for k in range(n)] + [lead + 2 * k + 1 for k in range(n)])


def pool_shape(n, kernel, stride, padding, dilation, ceil_mode):
    """How many windows, and how much padding behind the last one."""
    span = (kernel - 1) * dilation + 1
    room = n + 2 * padding - span
    count = room // stride + 1
    if ceil_mode:
        count = -(-room // stride) + 1
        if (count - 1) * stride >= n + padding:
            count -= 1
    return count, (count - 1) * stride + span - n - padding


def pooled(x, n, kernel, stride, padding, dilation, ceil_mode, value):
    kernel = sizes(kernel, n)
    stride = sizes(stride, n) if stride is not None and stride != [] and stride != () else kernel
    padding, dilation = sizes(padding, n), sizes(dilation, n)
    for k in range(n):
        axis = x.ndim - n + k
        count, after = pool_shape(x.shape[axis], kernel[k], stride[k], padding[k], dilation[k], ceil_mode)
        x = pad(x, axis, padding[k], after, value=value)
    return windows(x, kernel, stride, dilation)


def image(x, n):
    """x[.., L..] with n < 3 axes of places as [B, C, H, W]."""
    return reshape(x, [1] * (n + 2 - x.ndim) + list(x.shape[:x.ndim - n]) + [1] * (2 - n) + list(x.shape[x.ndim - n:]))


def geometry(n, **of):
    """Attributes of ops over images: numbers for each axis, of padding before and behind; axes there are not have one place."""
    text = []
    for name, values in of.items():
        values = [list(v) if isinstance(v, (list, tuple)) else [v] for v in values]
        fill = [0, 0] if name == "padding" else [1]
        text.append("%s = %s" % (name, sum([fill] * (2 - n) + values, [])))
    return ", ".join(text)


def pool_op(name, x, n, kernel, stride, padding, dilation, ceil_mode):
    """An op over windows of one or two axes, and the sizes of its result."""
    room = [pool_shape(x.shape[x.ndim - n + k], kernel[k], stride[k], padding[k], dilation[k], ceil_mode) for k in range(n)]
    around = [(padding[k], max(0, room[k][1])) for k in range(n)]
    text = "%s(%s, %s)" % (name, image(x, n), geometry(n, kernel=kernel, stride=stride, padding=around, dilation=dilation))
    return text, list(x.shape[:x.ndim - n]) + [count for count, _ in room]


def max_pool(n):
    def f(x, kernel_size, stride=None, padding=0, dilation=1, ceil_mode=False, return_indices=False):
        kernel, pads, shape = sizes(kernel_size, n), sizes(padding, n), x.shape[x.ndim - n:]
        dilations = sizes(dilation, n)
        strides = sizes(stride, n) if stride not in (None, (), []) else kernel
        if n < 3 and x.count:
            text, shape = pool_op("max_pool", x, n, kernel, strides, pads, dilations, ceil_mode)
            own = [shape[0] if x.ndim > n + 1 else 1, shape[-n - 1]] + [1] * (2 - n) + shape[-n:]
            y = [reshape(new("%s[%d]" % (text, k), own, ["f64", "i32"][k]), shape) for k in range(2)]
            return [y[0], cast(y[1], "i64")] if return_indices else y[0]
        w = pooled(x, n, kernel_size, stride, padding, dilation, ceil_mode, -math.inf)
        flat = reshape(w, w.shape[:w.ndim - n] + (-1,))
        ids = argmax(flat, -1)
        y = reshape(take_along(flat, unsqueeze(ids, -1), -1), ids.shape)
        if not return_indices:
            return y
        place, rest = None, cast(ids, "i64")
        for k in reversed(range(n)):
            at = rest % kernel[k] * dilations[k] + axis_index(ids.shape[ids.ndim - n:], k) * strides[k] - pads[k]
            rest = rest // kernel[k]
            step = math.prod(shape[k + 1:])
            place = at * step if place is None else place + at * step
        return [y, place]
    return f


def mean_pool(n):
    def f(x, kernel_size, stride=None, padding=0, ceil_mode=False, count_include_pad=True, divisor_override=None):
        kernel, pads = sizes(kernel_size, n), sizes(padding, n)
        if n < 3 and x.count:
            strides = sizes(stride, n) if stride not in (None, (), []) else kernel
            text, shape = pool_op("sum_pool", x, n, kernel, strides, pads, [1] * n, ceil_mode)
            own = [shape[0] if x.ndim > n + 1 else 1, shape[-n - 1]] + [1] * (2 - n) + shape[-n:]
            y = reshape(new(text, own, x.dtype), shape)
        else:
            w = pooled(x, n, kernel_size, stride, padding, 1, ceil_mode, 0.0)
            y = total(w, list(range(w.ndim - n, w.ndim)))
        if divisor_override:
            return y / divisor_override
        one = full([1] * 2 + list(x.shape[x.ndim - n:]), 1.0)
        if count_include_pad:
            for k in range(n):
                one = pad(one, 2 + k, pads[k], pads[k], value=1.0)
            step = kernel if stride in (None, (), []) else stride
            spare = [pool_shape(x.shape[x.ndim - n + k], kernel[k], sizes(step, n)[k], pads[k], 1, ceil_mode)[1] for k in range(n)]
            for k in range(n):
                one = pad(one, 2 + k, 0, spare[k] - pads[k])
            counts = windows(one, kernel, sizes(step, n), [1] * n)
        else:
            counts = pooled(one, n, kernel_size, stride, padding, 1, ceil_mode, 0.0)
        counts = total(counts, list(range(counts.ndim - n, counts.ndim)))
        return y / reshape(counts, [1] * (y.ndim - n) + list(counts.shape[2:]))
    return f


for _n in (1, 2, 3):
    ROWS["nn.functional.max_pool%dd" % _n] = max_pool(_n)
    ROWS["nn.functional.avg_pool%dd" % _n] = mean_pool(_n)


def adaptive(n, kind):
    def f(x, output_size, return_indices=False):
        out = sizes(output_size, n)
        shape = x.shape[x.ndim - n:]
        out = [s if o is None else o for o, s in zip(out, shape)]
        if kind == "max" and return_indices:
            raise Missing("indices of an adaptive pool")
        for k in range(n):
            axis, s, o = x.ndim - n + k, shape[k], out[k]
            edges = [(i * s // o, -(-(i + 1) * s // o)) for i in range(o)]
            if kind == "max":
                x = stack([reduce("max", cut(x, axis, a, b), axis) for a, b in edges], axis)
            else:
                x = stack([mean(cut(x, axis, a, b), axis) for a, b in edges], axis) if edges else cut(x, axis, 0, 0)
        return x
    return f


for _n in (1, 2, 3):
    ROWS["nn.functional.adaptive_avg_pool%dd" % _n] = adaptive(_n, "mean")
    ROWS["nn.functional.adaptive_max_pool%dd" % _n] = adaptive(_n, "max")


@row("nn.functional.unfold")
def im2col(x, kernel_size, dilation=1, padding=0, stride=1):
    kernel, pads = sizes(kernel_size, 2), sizes(padding, 2)
    plain = x.ndim == 3
    x = unsqueeze(x, 0) if plain else x
    for k in range(2):
        x = pad(x, 2 + k, pads[k], pads[k])
    w = windows(x, kernel, sizes(stride, 2), sizes(dilation, 2))
    b, c, h, v, i, j = w.shape
    y = reshape(transpose(w, [0, 1, 4, 5, 2, 3]), [b, c * i * j, h * v])
    return reshape(y, y.shape[1:]) if plain else y


def convolution(n):
    def f(x, w, bias=None, stride=1, padding=0, dilation=1, groups=1):
        stride, dilation = sizes(stride, n), sizes(dilation, n)
        plain = x.ndim == n + 1
        x = unsqueeze(x, 0) if plain else x
        kernel = w.shape[2:]
        if padding == "same":
            whole = [d * (k - 1) for d, k in zip(dilation, kernel)]
            around = [(p // 2, p - p // 2) for p in whole]
        else:
            around = [(0, 0)] * n if padding == "valid" else [(p, p) for p in sizes(padding, n)]
        if n < 3:
            places = [(x.shape[2 + k] + sum(around[k]) - (kernel[k] - 1) * dilation[k] - 1) // stride[k] + 1 for k in range(n)]
            how = geometry(n, stride=stride, padding=around, dilation=dilation)
            y = new("conv(%s, %s, %s, groups = %d)" % (image(x, n), image(w, n), how, groups),
                    [x.shape[0], w.shape[0]] + [1] * (2 - n) + places, x.dtype)
            y = reshape(y, [x.shape[0], w.shape[0]] + places)
            if bias is not None:
                y = y + reshape(bias, [1, -1] + [1] * n)
            return reshape(y, y.shape[1:]) if plain else y
        for k in range(n):
            x = pad(x, 2 + k, *around[k])
        v = windows(x, kernel, stride, dilation)
        b, c = v.shape[:2]
        places, inner, out = v.shape[2:2 + n], math.prod(kernel), w.shape[0]
        v = reshape(v, [b, groups, c // groups, math.prod(places), inner])
        v = reshape(transpose(v, [0, 1, 3, 2, 4]), [b, groups, math.prod(places), -1])
        y = matmul(v, t(reshape(w, [1, groups, out // groups, -1])))
        y = reshape(swap(y, 2, 3), [b, out] + list(places))
        if bias is not None:
            y = y + reshape(bias, [1, out] + [1] * n)
        return reshape(y, y.shape[1:]) if plain else y
    return f


def transposed_convolution(n):
    def f(x, w, bias=None, stride=1, padding=0, output_padding=0, groups=1, dilation=1):
        stride, dilation, padding, more = sizes(stride, n), sizes(dilation, n), sizes(padding, n), sizes(output_padding, n)
        plain = x.ndim == n + 1
        x = unsqueeze(x, 0) if plain else x
        b, c, kernel, out = x.shape[0], x.shape[1], w.shape[2:], w.shape[1]
        places = x.shape[2:]
        if n < 3:
            behind = [max(0, padding[k] - more[k]) for k in range(n)]
            size = [(places[k] - 1) * stride[k] + dilation[k] * (kernel[k] - 1) + 1 - padding[k] - behind[k] for k in range(n)]
            how = geometry(n, stride=stride, padding=list(zip(padding, behind)), dilation=dilation, dims=size)
            y = new("conv_transpose(%s, %s, %s, groups = %d)" % (image(x, n), image(w, n), how, groups),
                    [b, groups * out] + [1] * (2 - n) + size, x.dtype)
            y = reshape(y, [b, groups * out] + size)
            for k in range(n):
                y = pad(y, 2 + k, 0, max(0, more[k] - padding[k]))
            if bias is not None:
                y = y + reshape(bias, [1, -1] + [1] * n)
            return reshape(y, y.shape[1:]) if plain else y
        u = swap(reshape(x, [b, groups, c // groups, -1]), 2, 3)
        y = matmul(u, reshape(w, [1, groups, c // groups, -1]))  # b, groups, places, out * kernel
        y = reshape(y, [b, groups] + list(places) + [out] + list(kernel))
        y = transpose(y, [0, 1, 2 + n] + [k for d in range(n) for k in (2 + d, 3 + n + d)])
        y = reshape(y, [b, groups * out] + [s for d in range(n) for s in (places[d], kernel[d])])
        for d in range(n):
            whole = (places[d] - 1) * stride[d] + dilation[d] * (kernel[d] - 1) + 1
            y = fold(y, 2 + d, whole, stride[d], dilation[d])
            y = pad(y, 2 + d, -padding[d], more[d] - padding[d])
        if bias is not None:
            y = y + reshape(bias, [1, -1] + [1] * n)
        return reshape(y, y.shape[1:]) if plain else y
    return f


for _n in (1, 2, 3):
    ROWS["nn.functional.conv%dd" % _n] = convolution(_n)
    ROWS["nn.functional.conv_transpose%dd" % _n] = transposed_convolution(_n)


# ---- norms of layers, attention ----

def standard(x, axes, eps):
    d = x - mean(x, axes, True)
    v = mean(d * d, axes, True)
    return d * call("rsqrt", v + eps)


@row("nn.functional.layer_norm")
def layer_norm(x, shape, weight=None, bias=None, eps=1e-5):
    if len(shape) == 1 and weight is not None and bias is not None:
        return new("layernorm(%s, %s, %s, eps = %s)" % (x, weight, bias, number(eps)), x.shape)
    y = standard(x, list(range(x.ndim - len(shape), x.ndim)), eps)
    y = y * weight if weight is not None else y
    return y + bias if bias is not None else y


@row("nn.functional.rms_norm")
def rms_norm(x, shape, weight=None, eps=None):
    eps = 2.220446049250313e-16 if eps is None else eps
    if len(shape) == 1 and weight is not None:
        return new("rmsnorm(%s, %s, eps = %s)" % (x, weight, number(eps)), x.shape)
    y = x * call("rsqrt", mean(x * x, list(range(x.ndim - len(shape), x.ndim)), True) + eps)
    return y * weight if weight is not None else y


def channels(v, x):
    return reshape(v, [1, -1] + [1] * (x.ndim - 2))


@row("nn.functional.group_norm")
def group_norm(x, groups, weight=None, bias=None, eps=1e-5):
    if not x.count:
        raise Missing("an empty axis")
    y = reshape(x, [x.shape[0], groups, -1])
    y = reshape(standard(y, [2], eps), x.shape)
    y = y * channels(weight, x) if weight is not None else y
    return y + channels(bias, x) if bias is not None else y


@row("nn.functional.instance_norm")
def instance_norm(x, running_mean=None, running_var=None, weight=None, bias=None, use_input_stats=True, momentum=0.1, eps=1e-5):
    if not use_input_stats:
        raise Missing("running statistics of an instance")
    y = standard(x, list(range(2, x.ndim)), eps)
    y = y * channels(weight, x) if weight is not None else y
    return y + channels(bias, x) if bias is not None else y


@row("nn.functional.batch_norm")
def batch_norm(x, running_mean, running_var, weight=None, bias=None, training=False, momentum=0.1, eps=1e-5):
    if training:
        y = standard(x, [k for k in range(x.ndim) if k != 1], eps)
    else:
        y = (x - channels(running_mean, x)) * call("rsqrt", channels(running_var, x) + eps)
    y = y * channels(weight, x) if weight is not None else y
    return y + channels(bias, x) if bias is not None else y


@row("nn.functional.local_response_norm")
def local_response_norm(x, size, alpha=1e-4, beta=0.75, k=1.0):
    w = unfold(pad(x * x, 1, size // 2, (size - 1) // 2), 1, size)
    return x / (mean(w, 2) * alpha + k) ** beta


@row("nn.functional.scaled_dot_product_attention")
def attention(q, k, v, attn_mask=None, dropout_p=0.0, is_causal=False, scale=None, enable_gqa=False):
    if dropout_p:
        raise Missing("draws of another generator")
    if enable_gqa:
        r = q.shape[-3] // k.shape[-3]
        k, v = [new("repeat_each(%s, %d, %d)" % (z, r, z.ndim - 3), z.shape[:-3] + (r * z.shape[-3],) + z.shape[-2:]) for z in (k, v)]
    s = matmul(q, t(k)) * (1 / math.sqrt(q.shape[-1]) if scale is None else scale)
    if is_causal:
        s = where(axis_index(s.shape[-2:], 0) >= axis_index(s.shape[-2:], 1), s, -math.inf)
    if attn_mask is not None:
        s = where(attn_mask, s, -math.inf) if attn_mask.dtype == "bool" else s + attn_mask
    return matmul(new("softmax_or_zero(%s)" % s, s.shape), v)


# ---- interpolation ----

def weights(n, m, scale, mode, align):
    """Each of m places as weights of n places."""
    rows = []
    for i in range(m):
        w = [0.0] * n
        if mode == "nearest":
            at = min(n - 1, int(math.floor(i * (1 / scale if scale else n / m))))
            w[at] = 1.0
        elif mode == "nearest-exact":
            at = min(n - 1, int(math.floor((i + 0.5) * (1 / scale if scale else n / m))))
            w[at] = 1.0
        else:
            if align:
                at = i * ((n - 1) / (m - 1)) if m > 1 else 0.0
            else:
                at = (i + 0.5) * (1 / scale if scale else n / m) - 0.5
            if mode == "cubic":
                low = math.floor(at)
                x, a = at - low, -0.75
                near = lambda d: ((a + 2) * d - (a + 3)) * d * d + 1
                far = lambda d: ((a * d - 5 * a) * d + 8 * a) * d - 4 * a
                for k, c in enumerate([far(x + 1), near(x), near(1 - x), far(2 - x)]):
                    w[min(max(low - 1 + k, 0), n - 1)] += c
            else:
                at = max(at, 0.0)
                low = min(int(at), n - 1)
                w[low] += 1 - (at - low)
                w[min(low + 1, n - 1)] += at - low
        rows.append(w)
    return new(literal([v for r in rows for v in r], [m, n], "f64"), [m, n])


@row("nn.functional.interpolate")
def interpolate(x, size=None, scale_factor=None, mode="nearest", align_corners=None, recompute_scale_factor=None, antialias=False):
    n = x.ndim - 2
    shape = x.shape[2:]
    scale = [None] * n
    if size is None:
        scale = [float(s) for s in (scale_factor if isinstance(scale_factor, (tuple, list)) else [scale_factor] * n)]
        size = [int(math.floor(s * f)) for s, f in zip(shape, scale)]
        if recompute_scale_factor:
            scale = [None] * n
    size = sizes(size, n)
    if mode == "area":
        return adaptive(n, "mean")(x, size)
    kind = {"linear": "linear", "bilinear": "linear", "trilinear": "linear", "bicubic": "cubic"}.get(mode, mode)
    for k in range(n):
        w = weights(shape[k], size[k], scale[k], kind, bool(align_corners))
        x = move(matmul(move(x, 2 + k, -1), t(w)), -1, 2 + k)
    return x


@row("nn.functional.upsample_bilinear")
def upsample_bilinear(x, size=None, scale_factor=None): return interpolate(x, size, scale_factor, "bilinear", True)


@row("nn.functional.upsample_nearest")
def upsample_nearest(x, size=None, scale_factor=None): return interpolate(x, size, scale_factor, "nearest")


# ---- under masks ----

def masked(f, start):
    def g(x, dim=None, keepdim=False, mask=None, dtype=None, **rest):
        x = real(x)
        if mask is not None:
            x = where(mask, x, start(rest) if callable(start) else start)
        return f(x, dim, keepdim, **rest)
    return g


ROWS["masked.sum"] = masked(total, 0.0)
ROWS["masked.prod"] = masked(prod, 1.0)
ROWS["masked.amax"] = masked(amax, -math.inf)
ROWS["masked.amin"] = masked(amin, math.inf)
ROWS["masked.logsumexp"] = masked(logsumexp_, -math.inf)


def mask_of(x, mask):
    return spread(mask, x.shape) if mask is not None else new("%s == %s or true" % (x, x), x.shape, "bool")


@row("masked.mean")
def masked_mean(x, dim=None, keepdim=False, mask=None, dtype=None):
    x = real(x)
    if mask is None:
        return mean(x, dim, keepdim)
    return total(where(mask, x, 0.0), dim, keepdim) / total(cast(spread(mask, x.shape), "f64"), dim, keepdim)


def masked_spread(x, dim=None, unbiased=None, keepdim=False, mask=None, correction=None, dtype=None):
    correction = correction if correction is not None else 0 if unbiased is False else 1
    x = real(x)
    m = cast(spread(mask, x.shape), "f64") if mask is not None else full(x.shape, 1.0)
    n = total(m, dim, True)
    d = (x - total(x * m, dim, True) / n) * m
    axes = axes_of(x, dim)
    y = total(d * d, dim, True) / maximum(n - correction, 0.0)
    return reshape(y, reduced(x, axes, keepdim)) if x.ndim else y


ROWS["masked.var"] = masked_spread
ROWS["masked.std"] = lambda *a, **k: call("sqrt", masked_spread(*a, **k))


@row("masked.norm")
def masked_norm(x, ord, dim=None, keepdim=False, mask=None, dtype=None):
    if mask is not None:
        x = where(mask, x, math.inf if ord == -math.inf else 0.0)
    return vector_norm(x, ord, dim, keepdim)


def masked_softmax(f, sign):
    def g(x, dim, mask=None, dtype=None):
        x = real(x) * sign if sign < 0 else real(x)
        x = where(mask, x, -math.inf) if mask is not None else x
        return f(x, dim)
    return g


ROWS["masked.softmax"] = masked_softmax(softmax_, 1)
ROWS["masked.softmin"] = masked_softmax(softmax_, -1)
ROWS["masked.log_softmax"] = masked_softmax(log_softmax, 1)


@row("masked.cumsum")
def masked_cumsum(x, dim, mask=None, dtype=None): return cumsum(where(mask, x, 0.0) if mask is not None else x, dim)


@row("masked.cumprod")
def masked_cumprod(x, dim, mask=None, dtype=None): return cumprod(where(mask, x, 1.0) if mask is not None else x, dim)


@row("masked.normalize")
def masked_normalize(x, ord, dim, eps=1e-12, mask=None, dtype=None):
    x = where(mask, x, 0.0) if mask is not None else x
    return x / maximum(vector_norm(x, ord, dim, True), eps)


def masked_arg(name, start):
    def f(x, dim=None, keepdim=False, mask=None, dtype=None):
        x = where(mask, x, start) if mask is not None else x
        return arg(name)(x, dim, keepdim)
    return f


ROWS["masked.argmax"] = masked_arg("argmax", -math.inf)
ROWS["masked.argmin"] = masked_arg("argmin", math.inf)


# ---- values that are known ----

def filled(value):
    def f(x, *rest, **named): return full(x.shape, value, x.dtype)
    return f


ROWS["zeros_like"], ROWS["ones_like"] = filled(0.0), filled(1.0)
