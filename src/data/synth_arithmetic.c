/* synth_arithmetic.c - worked exercises whose every line is true.
 * Takes draws; gives documents of exercises, each a question, its steps and an answer line.
 * Must not overflow: numbers have at most six digits, products thirteen. */
#include <math.h>

#include "data/synth_kinds.h"

#define EXERCISES 12 /* a document */

static long long number(CgSynthWork *w)
{
    long long most = 1;
    for (int i = cg_synth_between(w, 1, w->whole); i > 0; i--)
        most *= 10;
    return (long long)cg_draw_below(w->draw, (uint64_t)most);
}

static void chain(CgSynthWork *w)
{
    long long value = number(w), term[4];
    bool minus[4];
    int n = cg_synth_between(w, 1, 4);
    cg_strbuf_printf(w->out, "Calculate %lld", value);
    for (int i = 0; i < n; i++) {
        term[i] = number(w);
        minus[i] = cg_synth_chance(w, 40);
        cg_strbuf_printf(w->out, " %c %lld", minus[i] ? '-' : '+', term[i]);
    }
    cg_strbuf_puts(w->out, ".\n");
    for (int i = 0; i < n; i++) {
        long long next = minus[i] ? value - term[i] : value + term[i];
        cg_strbuf_printf(w->out, "%lld %c %lld = %lld\n", value, minus[i] ? '-' : '+', term[i], next);
        value = next;
    }
    cg_strbuf_printf(w->out, "Answer: %lld\n", value);
}

static void product(CgSynthWork *w) /* digit by digit, as taught at school */
{
    long long a = number(w), b = number(w), sum = 0, power = 1;
    cg_strbuf_printf(w->out, "Multiply %lld by %lld.\n", a, b);
    for (long long rest = b; rest > 0; rest /= 10, power *= 10) {
        long long product = a * (rest % 10) * power;
        cg_strbuf_printf(w->out, "%lld * %lld = %lld\n", a, rest % 10 * power, product);
        if (power > 1)
            cg_strbuf_printf(w->out, "%lld + %lld = %lld\n", sum, product, sum + product);
        sum += product;
    }
    cg_strbuf_printf(w->out, "Answer: %lld\n", a * b);
}

static void division(CgSynthWork *w)
{
    long long divisor = 1 + number(w), quotient = number(w),
              rest = (long long)cg_draw_below(w->draw, (uint64_t)divisor);
    long long value = divisor * quotient + rest;
    cg_strbuf_printf(w->out,
        "Divide %lld by %lld.\n%lld * %lld = %lld\n%lld - %lld = %lld\nAnswer: %lld remainder %lld\n", value, divisor,
        divisor, quotient, divisor * quotient, value, divisor * quotient, rest, quotient, rest);
}

static void equation(CgSynthWork *w)
{
    static const char names[] = "abcdkmnpqrstuvwxyz";
    char x = CG_SYNTH_PICK(w, names);
    if (!x)
        x = 'x';
    long long a = cg_synth_between(w, 2, 9), value = number(w), b = number(w);
    cg_strbuf_printf(w->out,
        "Solve %lld%c + %lld = %lld for %c.\n%lld%c = %lld - %lld\n%lld%c = %lld\n%c = %lld / "
        "%lld\nAnswer: %lld\n",
        a, x, b, a * value + b, x, a, x, a * value + b, b, a, x, a * value, x, a * value, a, value);
}

static void sequence(CgSynthWork *w)
{
    long long from = number(w), step = 1 + number(w);
    int n = cg_synth_between(w, 3, 6);
    cg_strbuf_puts(w->out, "What comes next: ");
    for (int i = 0; i < n; i++)
        cg_strbuf_printf(w->out, "%s%lld", i ? ", " : "", from + step * i);
    cg_strbuf_printf(w->out, "?\n%lld - %lld = %lld\n%lld + %lld = %lld\nAnswer: %lld\n", from + step, from, step,
        from + step * (n - 1), step, from + step * n, from + step * n);
}

static void common_divisor(CgSynthWork *w)
{
    long long shared = cg_synth_between(w, 1, 9), a = shared * (1 + number(w)), b = shared * (1 + number(w));
    cg_strbuf_printf(w->out, "Find the greatest common divisor of %lld and %lld.\n", a, b);
    while (b) {
        cg_strbuf_printf(w->out, "%lld = %lld * %lld + %lld\n", a, a / b, b, a % b);
        long long rest = a % b;
        a = b;
        b = rest;
    }
    cg_strbuf_printf(w->out, "Answer: %lld\n", a);
}

static void comparison(CgSynthWork *w)
{
    long long a = number(w), b = number(w), c = number(w), d = number(w), left = a + b, right = c + d;
    cg_strbuf_printf(w->out, "Which is greater: %lld + %lld or %lld + %lld?\n%lld + %lld = %lld\n%lld + %lld = %lld\n",
        a, b, c, d, a, b, left, c, d, right);
    cg_strbuf_printf(w->out, "Answer: %s\n",
        left > right       ? "the first"
            : left < right ? "the second"
                           : "they are equal");
}

static void arithmetic(CgSynthWork *w)
{
    static CgSynthDoc *const sorts[] = { chain, chain, product, division, equation, sequence, common_divisor,
        comparison };
    for (int i = 0; i < EXERCISES; i++) {
        CG_SYNTH_PICK(w, sorts)(w);
        cg_strbuf_putc(w->out, '\n');
    }
}

/* Bits of what number() gives, and in *of_factorial the mean of log2(1 + it). A number of k digits is drawn by any d
 * from k to `most`, evenly below 10^d. */
static double bits_of_number(int most, double *of_factorial)
{
    double bits = 0, chance = 0;
    *of_factorial = 0;
    for (int d = most; d >= 1; d--) {
        double below = pow(10, d), first = d > 1 ? below / 10 : 0;
        chance += 1 / below / most;
        bits -= (below - first) * chance * log2(chance);
        *of_factorial += lgamma(below + 1) / log(2) / below / most;
    }
    return bits;
}

/* An exercise says all that was drawn for it by its question, but for the factor that the two numbers of a common
 * divisor share: 6 and 12 may be 2 * 3 and 2 * 6, or 3 * 2 and 3 * 4. What both leave open of it, and how long an
 * exercise is, are sums over all draws: those of Euclid's steps were gone through up to four digits
 * (tests/conformance/arithmetic/measure.py). */
static double entropy(double digits)
{
    static const double bytes[] = { 65.4208518154286, 73.2849316520595, 82.1423511208365, 91.7575820823023 },
                        open[] = { 0.403441944492522, 0.503979414983582, 0.540909142125279, 0.559757932726794 };
    int most = (int)digits;
    if (most > (int)CG_LEN(bytes))
        return NAN;
    double of_divisor, number = bits_of_number(most, &of_divisor), sign = -0.4 * log2(0.4) - 0.6 * log2(0.6);
    double chain = number + 2 + 2.5 * (number + sign), division = 2 * number + of_divisor, letter = log2(19) - 2.0 / 19,
           equation = letter + 3 + 2 * number, sequence = 2 * number + 2,
           divisor = log2(9) + 2 * number - open[most - 1];
    double sort = 2.75; /* of eight of which two are alike */
    double bits = sort + (2 * chain + 2 * number + division + equation + sequence + divisor + 4 * number) / 8;
    return bits / bytes[most - 1];
}

CG_SYNTH(arithmetic, .doc = "worked exercises, of known entropy up to 4; the knob is the digits of the numbers, 1 to 6",
    .least = 1, .most = 6, .usual = 2, .unit = 1, .stream = 3, .document = arithmetic, .entropy = entropy)
