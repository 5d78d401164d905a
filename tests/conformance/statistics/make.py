#!/usr/bin/env python3
"""make.py - writes cases.json: statistics of real and random columns by SciPy and NumPy.

Takes nothing; gives JSON to standard output. Needs scipy:
    python3 -m venv /tmp/v && /tmp/v/bin/pip install scipy && /tmp/v/bin/python make.py > cases.json

Each case has columns x, y, z and what is expected of them; null is a value that is undefined."""
import json, math, warnings
import numpy as np
from scipy import stats

warnings.filterwarnings("ignore")
r = np.random.default_rng(2385)


def residuals(v, z):
    X = np.column_stack([np.ones(len(v)), z])
    return v - X @ np.linalg.lstsq(X, v, rcond=None)[0]


def partial(x, y, z):
    a, b = residuals(x, z), residuals(y, z)
    c = stats.pearsonr(a, b).statistic
    dof = len(x) - 3
    return [c, 2 * stats.t.sf(abs(c) * math.sqrt(dof / (1 - c * c)), dof)]


def multiple(y, x, z):
    X = np.column_stack([np.ones(len(y)), x, z])
    c, *_ = np.linalg.lstsq(X, y, rcond=None)
    left = y - X @ c
    dof = len(y) - 3
    s2 = left @ left / dof
    R = np.linalg.qr(X, mode="r")
    e = np.sqrt(s2 * (np.linalg.inv(R) ** 2).sum(axis=1))
    return [*c, *e, *(2 * stats.t.sf(abs(c / e), dof)), 1 - left @ left / ((y - y.mean()) ** 2).sum(), math.sqrt(s2)]


def cliff(a, b):
    return float(np.sign(a[:, None] - b[None, :]).mean())


def cohen(a, b):
    s = math.sqrt(((len(a) - 1) * a.var(ddof=1) + (len(b) - 1) * b.var(ddof=1)) / (len(a) + len(b) - 2))
    return (a.mean() - b.mean()) / s


def expected(x, y, z):
    m = len(x) + len(y) - 2
    line = stats.linregress(x, y)
    out = {
        "mean": x.mean(), "std": x.std(ddof=1),
        "quantiles": [float(np.quantile(x, q)) for q in (0, 0.05, 0.25, 0.5, 0.9, 1)],
        "pearson": list(stats.pearsonr(x, y)), "spearman": list(stats.spearmanr(x, y)), "kendall": list(stats.kendalltau(x, y)),
        "line": [line.intercept, line.slope, line.intercept_stderr, line.stderr, line.pvalue, line.rvalue**2],
        "multiple": multiple(y, x, z),
        "t": list(stats.ttest_rel(x, y))[:2], "wilcoxon": list(stats.wilcoxon(x, y, correction=True)),
        "cohen": cohen(x, y), "hedges": cohen(x, y) * math.exp(math.lgamma(m / 2) - math.lgamma((m - 1) / 2)) / math.sqrt(m / 2),
        "cliff": cliff(x, y), "paired": (x - y).mean() / (x - y).std(ddof=1),
    }
    if len(x) > 4:
        out["partial"] = partial(x, y, z)
        out["partial_spearman"] = partial(*(stats.rankdata(v) for v in (x, y, z)))
    if len(x) <= 12:
        out["permutation"] = stats.permutation_test((x, y), lambda a, b: np.mean(a - b), permutation_type="samples", n_resamples=np.inf).pvalue
    return out


def clean(v):
    if isinstance(v, dict):
        return {k: clean(w) for k, w in v.items()}
    if isinstance(v, (list, tuple, np.ndarray)):
        return [clean(w) for w in v]
    v = float(v)
    return v if math.isfinite(v) else None


cases = []
for n in (4, 7, 11, 12, 23, 33, 34, 51, 97, 211):
    for kind in range(4):
        z = r.normal(size=n)
        x = r.normal(size=n) * 2.385 + 0.3 * z + 1
        y = 0.4 * x + r.normal(size=n) + 0.5 * z + 0.7
        if kind == 1:  # ties
            x, y, z = np.round(x), np.round(y), np.round(z * 2) / 2
        elif kind == 2:  # long tails
            x, y = np.exp(x), np.exp(y)
        elif kind == 3:  # a large mean, shares of whole numbers
            x, y = 1e6 + np.round(x * 7) / 7, 1e6 + np.round(y * 11) / 11
        if len(set(x)) < 3 or len(set(y)) < 3 or len(set(z)) < 3:
            continue
        cases.append({"x": clean(x), "y": clean(y), "z": clean(z), "expected": clean(expected(x, y, z))})

tails = [{"p": p, "degrees": d, "t": float(stats.t.ppf(p, d))} for p in (0.025, 0.5001, 0.9, 0.995) for d in (1, 4, 39, 1e5)]
normal = [{"p": p, "z": float(stats.norm.ppf(p))} for p in (1e-12, 0.025, 0.5001, 0.9, 0.9995)]
beta = [{"a": a, "b": b, "x": x, "value": float(stats.beta.cdf(x, a, b))} for a, b, x in ((0.5, 0.5, 0.3), (2.5, 7.1, 0.4), (40, 0.5, 0.99), (3, 900, 0.001), (500, 700, 0.41), (1e5, 0.5, 0.9999))]
p = [0.01, 0.04, 0.03, 0.005, 0.8]
order = np.argsort(p)
holm = np.empty(5)
holm[order] = np.minimum(1, np.maximum.accumulate(np.array(p)[order] * np.arange(5, 0, -1)))
print(json.dumps({"cases": cases, "t": tails, "normal": normal, "beta": beta, "holm": {"p": p, "corrected": clean(holm)}}))
