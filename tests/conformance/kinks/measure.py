"""measure.py - what PyTorch and JAX do where a function has a kink, a tie or an edge: the last column of the table in doc/language.md.

Takes nothing; needs torch and jax; gives a line for each: the function and the place, the value and the derivatives there in PyTorch, then in
JAX, in float64. `-` where one of them has no such function.
"""
import os
import warnings

os.environ["JAX_PLATFORMS"] = "cpu"
warnings.filterwarnings("ignore")
import jax
import jax.numpy as J
import torch
import torch.nn.functional as F

jax.config.update("jax_enable_x64", True)
inf, nan = float("inf"), float("nan")


def show(xs):
    flat = [v for x in xs for v in (x if isinstance(x, list) else [x])]
    return " ".join("%.4g" % v for v in flat)


def in_torch(f, args):
    if f is None:
        return "-"
    try:
        xs = [torch.tensor(a, dtype=torch.float64, requires_grad=True) for a in args]
        y = f(*xs)
        if not y.requires_grad:
            return show([y.detach().double().reshape(-1).tolist()]) + " | none"
        g = torch.autograd.grad(y.sum(), xs, allow_unused=True)
        return show([y.detach().reshape(-1).tolist()]) + " | " + show([v.reshape(-1).tolist() if v is not None else 0.0 for v in g])
    except Exception as e:
        return "error: " + str(e).splitlines()[0][:50]


def in_jax(f, args):
    if f is None:
        return "-"
    try:
        xs = [J.array(a, dtype=J.float64) for a in args]
        y = f(*xs)
        if not J.issubdtype(y.dtype, J.floating):
            return show([y.astype(J.float64).reshape(-1).tolist()]) + " | none"
        g = jax.grad(lambda *v: f(*v).sum(), argnums=tuple(range(len(xs))))(*xs)
        return show([y.reshape(-1).tolist()]) + " | " + show([v.reshape(-1).tolist() for v in g])
    except Exception as e:
        return "error: " + str(e).splitlines()[0][:50]


N = jax.nn
max_pool = lambda x: jax.lax.reduce_window(x, -inf, jax.lax.max, (3,), (1,), "VALID")
ids = lambda k: (torch.tensor(k), J.array(k))
ROWS = [
    ("abs at 0", torch.abs, J.abs, [0.0]),
    ("abs of NaN", torch.abs, J.abs, [nan]),
    ("sign of NaN", torch.sign, J.sign, [nan]),
    ("relu at 0", F.relu, N.relu, [0.0]),
    ("relu of NaN", F.relu, N.relu, [nan]),
    ("relu6 at 0, 6", F.relu6, N.relu6, [[0.0, 6.0]]),
    ("hardtanh at -1, 1", F.hardtanh, N.hard_tanh, [[-1.0, 1.0]]),
    ("hardsigmoid at -3, 3", F.hardsigmoid, N.hard_sigmoid, [[-3.0, 3.0]]),
    ("leaky_relu at 0", lambda x: F.leaky_relu(x, 0.01), lambda x: N.leaky_relu(x, 0.01), [0.0]),
    ("elu at 0, alpha 2", lambda x: F.elu(x, 2.0), lambda x: N.elu(x, 2.0), [0.0]),
    ("clip at its ends -1, 1, of NaN", lambda x: torch.clamp(x, -1, 1), lambda x: J.clip(x, -1, 1), [[-1.0, 1.0, nan]]),
    ("floor", torch.floor, J.floor, [0.5]),
    ("round of 0.5, 1.5, 2.5", torch.round, J.round, [[0.5, 1.5, 2.5]]),
    ("floor division 7 by 2", lambda x, y: x // y, lambda x, y: x // y, [7.0, 2.0]),
    ("-7 % 3", lambda x, y: x % y, lambda x, y: x % y, [-7.0, 3.0]),
    ("-1 % inf", lambda x, y: x % y, lambda x, y: x % y, [-1.0, inf]),
    ("maximum of equal operands", torch.maximum, J.maximum, [2.0, 2.0]),
    ("maximum of NaN and 1", torch.maximum, J.maximum, [nan, 1.0]),
    ("max over equal elements", lambda x: x.amax(0), lambda x: x.max(0), [[1.0, 1.0, 0.0]]),
    ("max with index, equal elements", lambda x: x.max(0).values, None, [[1.0, 1.0, 0.0]]),
    ("max over a NaN", lambda x: x.amax(0), lambda x: x.max(0), [[1.0, nan, 0.0]]),
    ("cummax of equal elements", lambda x: x.cummax(0).values, lambda x: jax.lax.cummax(x), [[1.0, 1.0, 0.0]]),
    ("top 1 of equal elements", lambda x: x.topk(1).values, lambda x: jax.lax.top_k(x, 1)[0], [[1.0, 1.0, 0.0]]),
    ("sort of equal elements times 1 2 3", lambda x: torch.sort(x, stable=True).values * torch.tensor([1.0, 2, 3]), lambda x: J.sort(x) * J.array([1.0, 2, 3]), [[1.0, 1.0, 0.0]]),
    ("max_pool of equal elements", lambda x: F.max_pool1d(x[None, None], 3), max_pool, [[1.0, 1.0, 0.0]]),
    ("max_pool over a NaN", lambda x: F.max_pool1d(x[None, None], 3), max_pool, [[1.0, nan, 2.0]]),
    ("argmax of equal elements", lambda x: x.argmax(), lambda x: x.argmax(), [[0.0, 1.0, 1.0]]),
    ("argmax with a NaN", lambda x: x.argmax(), lambda x: x.argmax(), [[0.0, nan, 1.0]]),
    ("argmax of an empty axis", lambda x: x.argmax(), lambda x: x.argmax(), [[]]),
    ("argsort with a NaN", lambda x: x.argsort(), lambda x: x.argsort(), [[2.0, nan, 1.0]]),
    ("scatter max of equal ones", lambda x, y: x.scatter_reduce(0, ids([0, 0])[0], y, "amax"), lambda x, y: x.at[J.array([0, 0])].max(y), [[1.0], [1.0, 1.0]]),
    ("scatter of two to one place", lambda x, y: x.scatter(0, ids([0, 0])[0], y), lambda x, y: x.at[J.array([0, 0])].set(y), [[1.0], [2.0, 3.0]]),
    ("sqrt at 0", torch.sqrt, J.sqrt, [0.0]),
    ("asin at -1, 1", torch.asin, J.arcsin, [[-1.0, 1.0]]),
    ("2-norm of 0 0", lambda x: torch.linalg.vector_norm(x), lambda x: J.linalg.norm(x), [[0.0, 0.0]]),
    ("1-norm of 0 0", lambda x: torch.linalg.vector_norm(x, 1), lambda x: J.linalg.norm(x, 1), [[0.0, 0.0]]),
    ("inf-norm of equal elements", lambda x: torch.linalg.vector_norm(x, inf), lambda x: J.linalg.norm(x, inf), [[2.0, -2.0]]),
    ("standard deviation of equal elements", lambda x: x.std(), lambda x: x.std(ddof=1), [[2.0, 2.0]]),
    ("atan2 at the origin", torch.atan2, J.arctan2, [0.0, 0.0]),
    ("0 ^ 0", torch.pow, J.power, [0.0, 0.0]),
    ("0 ^ 2", torch.pow, J.power, [0.0, 2.0]),
    ("0 ^ -1", torch.pow, J.power, [0.0, -1.0]),
    ("(-2) ^ 2", torch.pow, J.power, [-2.0, 2.0]),
    ("prod of 0 2 3", lambda x: x.prod(), lambda x: x.prod(), [[0.0, 2.0, 3.0]]),
    ("prod of 0 0 3", lambda x: x.prod(), lambda x: x.prod(), [[0.0, 0.0, 3.0]]),
    ("cumprod of 2 0 3", lambda x: x.cumprod(0), lambda x: J.cumprod(x), [[2.0, 0.0, 3.0]]),
    ("where, log of 0 on the other side", lambda x: torch.where(x > 0, torch.log(x), 0.0 * x), lambda x: J.where(x > 0, J.log(x), 0.0 * x), [0.0]),
    ("logsumexp of inf 0", lambda x: torch.logsumexp(x, 0), lambda x: N.logsumexp(x), [[inf, 0.0]]),
    ("logsumexp of -inf -inf", lambda x: torch.logsumexp(x, 0), lambda x: N.logsumexp(x), [[-inf, -inf]]),
    ("softmax of inf 0", lambda x: torch.softmax(x, 0), lambda x: N.softmax(x), [[inf, 0.0]]),
    ("softmax of -inf -inf", lambda x: torch.softmax(x, 0), lambda x: N.softmax(x), [[-inf, -inf]]),
    ("attention of a row that sees nothing", lambda q: F.scaled_dot_product_attention(q.reshape(1, 1), q.reshape(1, 1), q.reshape(1, 1), attn_mask=torch.tensor([[False]])),
     lambda q: jax.nn.dot_product_attention(q.reshape(1, 1, 1, 1), q.reshape(1, 1, 1, 1), q.reshape(1, 1, 1, 1), mask=J.zeros((1, 1, 1, 1), bool)), [2.0]),
    ("0 times inf, a constant 0", lambda x: 0.0 * x, lambda x: 0.0 * x, [inf]),
    ("cross entropy of -inf for the right one", lambda x: F.cross_entropy(x, torch.tensor(0)), lambda x: -N.log_softmax(x)[0], [[-inf, 0.0]]),
    ("index 5 of 2 elements", lambda x: x.take(torch.tensor(5)), lambda x: J.take(x, 5), [[1.0, 2.0]]),
    ("x[5] of 2 elements", lambda x: x[5], lambda x: x[J.array(5)], [[1.0, 2.0]]),
    ("one hot of 5, of 2 classes", lambda x: F.one_hot(torch.tensor(5), 2), lambda x: N.one_hot(5, 2), [0.0]),
    ("label -100 of cross entropy", lambda x: F.cross_entropy(x.reshape(1, 2), torch.tensor([-100]), reduction="sum"), None, [[1.0, 2.0]]),
    ("mean of nothing", lambda x: x.mean(), lambda x: x.mean(), [[]]),
    ("max of nothing", lambda x: x.max(), lambda x: x.max(), [[]]),
    ("cast of 3e9, NaN to i32", lambda x: x.int(), lambda x: x.astype(J.int32), [[3e9, -3e9, nan]]),
    ("7 // 0 of integers", lambda x: torch.tensor(7) // torch.tensor(0), lambda x: J.array(7) // J.array(0), [0.0]),
    ("7 % 0 of integers", lambda x: torch.tensor(7) % torch.tensor(0), lambda x: J.array(7) % J.array(0), [0.0]),
    ("sum of i32 beyond its range", lambda x: torch.tensor([2**31 - 1, 1], dtype=torch.int32).sum(), lambda x: J.array([2**31 - 1, 1], dtype=J.int32).sum(), [0.0]),
    ("huber at its corner", lambda x: F.huber_loss(x, torch.zeros(()).double(), delta=1.0), None, [1.0]),
    ("l1 loss at 0", lambda x: F.l1_loss(x, torch.zeros(()).double()), None, [0.0]),
    ("softplus at 800, -800", F.softplus, N.softplus, [[800.0, -800.0]]),
    ("gelu at inf, -inf", F.gelu, lambda x: N.gelu(x, approximate=False), [[inf, -inf]]),
    ("cosine similarity with 0", lambda x: F.cosine_similarity(x, torch.ones(2).double(), dim=0), None, [[0.0, 0.0]]),
    ("determinant of a singular matrix", torch.linalg.det, J.linalg.det, [[[1.0, 2.0], [2.0, 4.0]]]),
    ("eigenvalues that are equal, the sum of their vectors", lambda a: torch.linalg.eigh(a)[1].sum(), lambda a: J.linalg.eigh(a)[1].sum(), [[[1.0, 0.0], [0.0, 1.0]]]),
    ("Cholesky of what is not positive", torch.linalg.cholesky, J.linalg.cholesky, [[[1.0, 2.0], [2.0, 1.0]]]),
]


def main():
    print("torch %s, jax %s: value | derivatives" % (torch.__version__, jax.__version__))
    for what, t, j, args in ROWS:
        print("%s: %s || %s" % (what, in_torch(t, args), in_jax(j, args)))


if __name__ == "__main__":
    main()
