"""measure.py - what an exercise of synthetic("arithmetic") is long on average, and what a common divisor leaves open.

Takes nothing; prints, for numbers of one to four digits, the two tables of src/data/synth_arithmetic.c: the mean bytes of an
exercise, and the bits of the factor that the two numbers of a common divisor share when both are known. Both are sums over all
draws, none of them sampled; from five digits on, Euclid's steps are too many to go through. Uses nothing of cg: texts are written
out here as templates, of which only the numbers' digits vary.
"""
import sys

import numpy as np

SHARED = np.arange(1, 10)


def fixed(text):
    """Bytes of a template besides its numbers, each of which is written #."""
    return len(text.replace("#", ""))


def digits(n):
    n = np.asarray(n)
    return 1 + sum((np.abs(n) >= 10**k).astype(int) for k in range(1, 14)) + (n < 0)


class Numbers:
    """What number() draws: of one to `most` digits, each as likely, then evenly below the power of ten."""

    def __init__(self, most):
        self.most, self.n = most, 10**most
        self.v = np.arange(self.n)
        self.p = np.zeros(self.n)
        for d in range(1, most + 1):
            self.p[: 10**d] += 10.0**-d / most
        self.length = self.p @ digits(self.v)
        self.above = np.concatenate((np.cumsum(self.p[::-1])[::-1], [0.0]))  # chance of v or more

    def tail(self, least):
        return self.above[np.clip(least, 0, self.n)]

    def times(self, m):
        """Mean digits of m times a number, for each m."""
        m = np.asarray(m, dtype=np.int64)
        return 1 + sum(np.where(m > 0, self.tail(-(-(10**k) // np.maximum(m, 1))), 0) for k in range(1, 14))

    def plus(self, m):
        """Mean digits of m plus a number, for each m of 0 or more."""
        return 1 + sum(self.tail(10**k - np.asarray(m, dtype=np.int64)) for k in range(1, 14))


def chain(x):
    reach = 5 * x.n
    at = np.arange(-reach, reach + 1)
    p = np.zeros(at.size)
    p[reach:reach + x.n] = x.p
    step = np.zeros(2 * x.n - 1)  # of the numbers below 0 and above
    step[x.n - 1:] += 0.6 * x.p
    step[: x.n] += 0.4 * x.p[::-1]
    size = 1 << (at.size + step.size).bit_length()
    mean = [x.length]
    for _ in range(4):
        p = np.fft.irfft(np.fft.rfft(p, size) * np.fft.rfft(step, size), size)[x.n - 1:x.n - 1 + at.size]
        mean.append(p @ digits(at))
    of = []
    for n in range(1, 5):
        lines = sum(fixed("# + # = #\n") + mean[i] + x.length + mean[i + 1] for i in range(n))
        of.append(fixed("Calculate #") + x.length + n * (fixed(" + #") + x.length) + fixed(".\n") + lines
                  + fixed("Answer: #\n") + mean[n])
    return np.mean(of)


def product(x):
    b, power, sums = x.v, 1, 0.0
    lines = np.zeros(x.n)
    while power < x.n:
        there, digit = b >= power, b // power % 10
        each = fixed("# * # = #\n") + x.length + digits(digit * power) + x.times(digit * power)
        if power > 1:
            each = each + fixed("# + # = #\n") + x.times(b % power) + x.times(digit * power) + x.times(b % (10 * power))
        lines += np.where(there, each, 0)
        power *= 10
    return fixed("Multiply # by #.\nAnswer: #\n") + 2 * x.length + x.p @ (lines + x.times(b))


def division(x):
    d = x.v + 1
    rest = 1 + sum(np.maximum(0, 1 - 10.0**k / d) for k in range(1, 7))
    value = 1 + sum(np.maximum(0, 1 - 10.0**k / (d * 10.0**e)) for k in range(1, 14) for e in range(1, x.most + 1)) / x.most
    text = "Divide # by #.\n# * # = #\n# - # = #\nAnswer: # remainder #\n"
    return fixed(text) + 2 * x.length + x.p @ (2 * value + 2 * digits(d) + 2 * x.times(d) + 2 * rest)


def equation(x):
    text = "Solve _y + # = # for y.\n_y = # - #\n_y = #\ny = # / _\nAnswer: #\n"
    both = np.mean([x.p @ (2 * x.plus(a * x.v) + 2 * digits(a * x.v)) for a in range(2, 10)])
    return fixed(text) + 3 * x.length + both


def sequence(x):
    step = x.v + 1
    at = [x.p @ x.plus(i * step) for i in range(7)]
    own = x.p @ digits(step)
    text = "What comes next: ?\n# - # = #\n# + # = #\nAnswer: #\n"
    return np.mean([fixed(text) + sum(at[:n]) + 2 * (n - 1) + at[1] + at[0] + own + at[n - 1] + own + 2 * at[n] for n in range(3, 7)])


def common_divisor(x):
    """Digits are summed over the nine shared factors at once: all numbers of a line but the quotient have it."""
    n = x.n
    written = sum(digits(s * np.arange(n + 1)) for s in SHARED).astype(np.int32)
    line = 9 * fixed("# = # * # + #\n")
    # flat[begin(b) + r]: the lines from (b, r) on, and the answer
    flat, begin = np.zeros((n + 1) * (n + 2) // 2, dtype=np.int32), lambda b: b * (b + 1) // 2
    total, p = 0.0, x.p  # of a' - 1
    for b in range(1, n + 1):
        r = np.arange(b)
        own = flat[begin(b):begin(b) + b]
        own[0] = 9 * fixed("Answer: #\n") + written[b]
        if b > 1:
            m = r[1:]
            left = b % m
            own[1:] = line + written[b] + 9 * digits(b // m) + written[m] + written[left] + flat[m * (m + 1) // 2 + left]
        first = np.arange(1, n + 1)
        left = first % b
        each = line + written[first] + 9 * digits(first // b) + written[b] + written[left] + own[left]
        total += p[b - 1] * (p @ (each + written[first] + written[b]))
    return fixed("Find the greatest common divisor of # and #.\n") + total / 9


def comparison(x):
    both = np.convolve(x.p, x.p)
    equal = both @ both
    text = "Which is greater: # + # or # + #?\n# + # = #\n# + # = #\nAnswer: \n"
    answer = equal * len("they are equal") + (1 - equal) / 2 * len("the first" + "the second")
    return fixed(text) + 8 * x.length + 2 * (both @ digits(np.arange(both.size))) + answer


def ambiguity(x):
    a = np.arange(1, 9 * x.n + 1)
    weight = np.zeros((a.size, 9))
    for i, s in enumerate(SHARED):
        good = (a % s == 0) & (a // s <= x.n)
        weight[good, i] = x.p[a[good] // s - 1]
    kind, many = np.unique(weight, axis=0, return_counts=True)
    bits = 0.0
    for i in range(len(kind)):
        if not kind[i].any():
            continue
        joint = kind[i] * kind / 9
        whole = joint.sum(axis=1, keepdims=True)
        share = np.divide(joint, whole, out=np.ones_like(joint), where=joint > 0)
        bits -= many[i] * (many @ (joint * np.log2(share)).sum(axis=1))
    return bits


for most in range(1, int(sys.argv[1]) + 1 if len(sys.argv) > 1 else 5):
    x = Numbers(most)
    kinds = [f(x) + 1 for f in (chain, product, division, equation, sequence, common_divisor, comparison)]  # and a line that is empty
    print("#", most, " ".join(f"{k:.9f}" for k in kinds), file=sys.stderr)
    print(f"{most}: {(kinds[0] + sum(kinds)) / 8:.13f} bytes, {ambiguity(x):.15f} bits", flush=True)
