/* dim.c - sizes as interned integer polynomials.
 * Takes numbers, symbols and other dims; gives dims equal exactly when their pointers are. A size whose numbers leave
 * +-2^48, or with absurdly many terms, is NULL, and NULL in gives NULL out, so that one check at the end is enough.
 * Must not decide what a size means, nor stop the program for one a user wrote. */
#include "graph/dim.h"

#include <ctype.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/digest.h"
#include "base/map.h"

#define DIM_LIMIT   (INT64_C(1) << 48)
#define MAX_TERMS   256
#define MAX_DEGREE  16
#define MAX_NESTING 64

/* Symbols are sorted by name, and repeated for powers. */
typedef struct Term {
    int64_t coef;
    int degree;
    CgAtom sym[MAX_DEGREE];
} Term;
/* Invariant: terms are sorted by `monomial_order`, no two have the same monomial, no coefficient is 0. */
struct CgDim {
    const CgDim *next;
    int n;
    Term at[];
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static CgMap interned;

/* A polynomial being made. */
typedef struct Poly {
    CG_VEC(Term) terms;
    bool bad;
} Poly;

/* Graded, then by name: an admissible order, so that division by leading terms is exact division. */
static int monomial_order(const Term *a, const Term *b)
{
    if (a->degree != b->degree)
        return a->degree > b->degree ? -1 : 1;
    for (int i = 0; i < a->degree; i++) {
        int c = a->sym[i] == b->sym[i] ? 0 : strcmp(a->sym[i], b->sym[i]);
        if (c)
            return c;
    }
    return 0;
}

static int term_order(const void *a, const void *b) { return monomial_order(a, b); }

static void put(Poly *p, Term t)
{
    if (p->terms.len > 16 * MAX_TERMS)
        p->bad = true;
    if (!p->bad)
        cg_vec_push(&p->terms, t);
}

static bool checked_mul(int64_t a, int64_t b, int64_t *out)
{
    return !__builtin_mul_overflow(a, b, out) && *out <= DIM_LIMIT && *out >= -DIM_LIMIT;
}

/* t = a b; false where it is beyond the limits. */
static bool multiply_term(const Term *a, const Term *b, Term *t)
{
    t->degree = 0;
    if (a->degree + b->degree > MAX_DEGREE || !checked_mul(a->coef, b->coef, &t->coef))
        return false;
    int i = 0, j = 0;
    while (i < a->degree || j < b->degree) {
        bool left = j == b->degree || (i < a->degree && strcmp(a->sym[i], b->sym[j]) <= 0);
        t->sym[t->degree++] = left ? a->sym[i++] : b->sym[j++];
    }
    return true;
}

static void put_product(Poly *p, const Term *a, const Term *b)
{
    Term t;
    if (multiply_term(a, b, &t))
        put(p, t);
    else
        p->bad = true;
}

static void put_all(Poly *p, const CgDim *d, int64_t times)
{
    const Term factor = { .coef = times };
    for (int i = 0; i < d->n; i++)
        put_product(p, &d->at[i], &factor);
}

static bool same_terms(const CgDim *d, const Term *t, size_t n)
{
    if ((size_t)d->n != n)
        return false;
    for (size_t i = 0; i < n; i++)
        if (d->at[i].coef != t[i].coef || monomial_order(&d->at[i], &t[i]))
            return false;
    return true;
}

static uint64_t hash_terms(const Term *t, size_t n)
{
    uint64_t h = 0x9e3779b97f4a7c15u;
    for (size_t i = 0; i < n; i++) {
        h = cg_hash64(&t[i].coef, sizeof t[i].coef, h); /* symbols are atoms: equal names, equal pointers */
        h = cg_hash64(t[i].sym, sizeof t[i].sym[0] * (size_t)t[i].degree, h);
    }
    return h;
}

static const CgDim *intern(const Term *t, size_t n)
{
    uint64_t h = hash_terms(t, n), found = 0;
    pthread_mutex_lock(&lock);
    const CgDim *first = cg_map_get(&interned, h, &found) ? (const CgDim *)(uintptr_t)found : NULL;
    const CgDim *d = first;
    while (d && !same_terms(d, t, n))
        d = d->next;
    if (!d) {
        CgDim *made = cg_malloc(sizeof *made + n * sizeof *t);
        made->next = first;
        made->n = (int)n;
        if (n)
            memcpy(made->at, t, n * sizeof *t);
        cg_map_put(&interned, h, cg_map_ptr(made));
        d = made;
    }
    pthread_mutex_unlock(&lock);
    return d;
}

/* Sorts, adds up equal monomials, interns. Empties p. */
static const CgDim *finish(Poly *p)
{
    const CgDim *d = NULL;
    if (!p->bad) {
        Term *t = p->terms.at;
        size_t n = 0;
        if (p->terms.len)
            qsort(t, p->terms.len, sizeof *t, term_order);
        for (size_t i = 0; i < p->terms.len; i++) {
            if (n && !monomial_order(&t[n - 1], &t[i])) {
                t[n - 1].coef += t[i].coef; /* both within 2^48: no overflow */
                if (t[n - 1].coef > DIM_LIMIT || t[n - 1].coef < -DIM_LIMIT)
                    p->bad = true;
            } else {
                if (n && !t[n - 1].coef)
                    n--;
                t[n++] = t[i];
            }
        }
        if (n && !t[n - 1].coef)
            n--;
        if (!p->bad && n <= MAX_TERMS)
            d = intern(t, n);
    }
    cg_vec_free(&p->terms);
    return d;
}

const CgDim *cg_dim_int(int64_t value)
{
    Term t = { .coef = value };
    return value > DIM_LIMIT || value < -DIM_LIMIT ? NULL : intern(&t, value ? 1 : 0);
}

const CgDim *cg_dim_symbol(const char *name)
{
    Term t = { .coef = 1, .degree = 1 };
    t.sym[0] = cg_intern(name);
    return intern(&t, 1);
}

const CgDim *cg_dim_add(const CgDim *a, const CgDim *b)
{
    Poly p = { 0 };
    int64_t m, n; /* both within 2^48: no overflow */
    if (!a || !b)
        return NULL;
    if (cg_dim_is_int(a, &m) && cg_dim_is_int(b, &n))
        return cg_dim_int(m + n);
    put_all(&p, a, 1);
    put_all(&p, b, 1);
    return finish(&p);
}

const CgDim *cg_dim_sub(const CgDim *a, const CgDim *b)
{
    Poly p = { 0 };
    int64_t m, n;
    if (!a || !b)
        return NULL;
    if (a == b || (cg_dim_is_int(a, &m) && cg_dim_is_int(b, &n)))
        return cg_dim_int(a == b ? 0 : m - n);
    put_all(&p, a, 1);
    put_all(&p, b, -1);
    return finish(&p);
}

const CgDim *cg_dim_mul(const CgDim *a, const CgDim *b)
{
    Poly p = { 0 };
    Term t;
    if (!a || !b)
        return NULL;
    if (a->n == 1 && b->n == 1) /* nearly always */
        return multiply_term(&a->at[0], &b->at[0], &t) ? intern(&t, 1) : NULL;
    for (int i = 0; i < a->n; i++)
        for (int j = 0; j < b->n; j++)
            put_product(&p, &a->at[i], &b->at[j]);
    return finish(&p);
}

bool cg_dim_at_most(const CgDim *a, const CgDim *b)
{
    const CgDim *left = cg_dim_sub(b, a);
    for (int i = 0; left && i < left->n; i++)
        if (left->at[i].coef < 0)
            return false; /* symbols are sizes, never negative */
    return left != NULL;
}

/* t = a / b as monomials with integer coefficients; false when that is not exact. */
static bool divide_term(const Term *a, const Term *b, Term *t)
{
    t->degree = 0;
    if (a->coef % b->coef)
        return false;
    t->coef = a->coef / b->coef;
    int j = 0;
    for (int i = 0; i < a->degree; i++) {
        if (j < b->degree && a->sym[i] == b->sym[j])
            j++;
        else
            t->sym[t->degree++] = a->sym[i];
    }
    return j == b->degree;
}

/* Long division; each step removes the leading term of what is left, which strictly falls in the monomial order. */
const CgDim *cg_dim_div(const CgDim *a, const CgDim *b)
{
    Term t;
    if (!a || !b || !b->n)
        return NULL;
    if (a->n == 1 && b->n == 1)
        return divide_term(&a->at[0], &b->at[0], &t) ? intern(&t, 1) : NULL;
    const CgDim *rest = a, *quotient = cg_dim_int(0);
    for (int steps = 0; rest && rest->n; steps++) {
        if (steps > MAX_TERMS || !divide_term(&rest->at[0], &b->at[0], &t))
            return NULL;
        const CgDim *q = intern(&t, 1);
        quotient = cg_dim_add(quotient, q);
        rest = cg_dim_sub(rest, cg_dim_mul(q, b));
    }
    return rest ? quotient : NULL;
}

const CgDim *cg_type_count(CgType t)
{
    const CgDim *n = cg_dim_int(1);
    for (int i = 0; i < t.rank; i++)
        n = cg_dim_mul(n, t.dim[i]);
    return n;
}

bool cg_dim_is_int(const CgDim *d, int64_t *value)
{
    if (!d || d->n > 1 || (d->n == 1 && d->at[0].degree))
        return false;
    if (value)
        *value = d->n ? d->at[0].coef : 0;
    return true;
}

bool cg_dim_is_symbol(const CgDim *d, CgAtom *name)
{
    if (!d || d->n != 1 || d->at[0].coef != 1 || d->at[0].degree != 1)
        return false;
    if (name)
        *name = d->at[0].sym[0];
    return true;
}

bool cg_dim_mentions(const CgDim *d, CgAtom symbol)
{
    for (int i = 0; d && i < d->n; i++)
        for (int j = 0; j < d->at[i].degree; j++)
            if (d->at[i].sym[j] == symbol)
                return true;
    return false;
}

bool cg_dim_any_symbol(const CgDim *d, bool (*is)(CgAtom symbol))
{
    for (int i = 0; d && i < d->n; i++)
        for (int j = 0; j < d->at[i].degree; j++)
            if (is(d->at[i].sym[j]))
                return true;
    return false;
}

bool cg_dim_eval(const CgDim *d, CgBindings with, int64_t *value, CgAtom *missing)
{
    int64_t sum = 0;
    if (missing)
        *missing = NULL;
    if (!d)
        return false;
    for (int i = 0; i < d->n; i++) {
        int64_t product = d->at[i].coef;
        for (int j = 0; j < d->at[i].degree; j++) {
            int k = 0;
            while (k < with.n && with.at[k].symbol != d->at[i].sym[j])
                k++;
            if (k == with.n) {
                if (missing)
                    *missing = d->at[i].sym[j];
                return false;
            }
            if (!checked_mul(product, with.at[k].value, &product))
                return false;
        }
        sum += product;
        if (sum > DIM_LIMIT || sum < -DIM_LIMIT)
            return false;
    }
    *value = sum;
    return true;
}

const CgDim *cg_dim_subst(const CgDim *d, CgAtom symbol, const CgDim *by)
{
    if (!cg_dim_mentions(d, symbol))
        return d;
    const CgDim *sum = cg_dim_int(0);
    for (int i = 0; i < d->n; i++) {
        Term left = { .coef = d->at[i].coef };
        int power = 0;
        for (int j = 0; j < d->at[i].degree; j++) {
            if (d->at[i].sym[j] == symbol)
                power++;
            else
                left.sym[left.degree++] = d->at[i].sym[j];
        }
        const CgDim *product = intern(&left, 1);
        while (power--)
            product = cg_dim_mul(product, by);
        sum = cg_dim_add(sum, product);
    }
    return sum;
}

const CgDim *cg_dim_solve(const CgDim *pattern, CgAtom u, const CgDim *d)
{
    Poly a = { 0 }, c = { 0 };
    if (!pattern || !d)
        return NULL;
    for (int i = 0; i < pattern->n; i++) {
        Term t = pattern->at[i], left = { .coef = t.coef };
        for (int j = 0; j < t.degree; j++)
            if (t.sym[j] != u)
                left.sym[left.degree++] = t.sym[j];
        if (t.degree - left.degree > 1)
            a.bad = true;
        put(left.degree == t.degree ? &c : &a, left);
    }
    const CgDim *slope = finish(&a), *rest = finish(&c);
    const CgDim *x = cg_dim_div(cg_dim_sub(d, rest), slope);
    return x && cg_dim_mentions(x, u) && !cg_dim_is_symbol(x, NULL) ? NULL : x;
}

static int64_t common_factor(int64_t a, int64_t b)
{
    while (b) { /* Euclid */
        int64_t r = a % b;
        a = b;
        b = r;
    }
    return a;
}

/* Without the number and the sizes that all terms are multiples of: 0 where d is, since a size is not. */
static const CgDim *without_common(const CgDim *d, int (*worth)(const void *of, CgAtom symbol), const void *of)
{
    const Term *first = &d->at[0];
    int64_t common = 0;
    for (int i = 0; i < d->n; i++)
        common = common_factor(common, d->at[i].coef);
    const CgDim *by = cg_dim_int(common < 0 ? -common : common), *rest = cg_dim_div(d, by);
    for (int j = 0; j < first->degree; j++) {
        const CgDim *left = worth(of, first->sym[j]) > 1 ? cg_dim_div(rest, cg_dim_symbol(first->sym[j])) : NULL;
        rest = left ? left : rest;
    }
    return rest;
}

/* Sums of sizes that are positive, or multiples of a number that does not divide the rest, are not 0. */
static bool never_zero(const CgDim *d, int (*worth)(const void *of, CgAtom symbol), const void *of)
{
    bool sizes = true, plus = true, minus = true;
    int64_t common = 0, rest = 0;
    for (int i = 0; i < d->n; i++) {
        const Term *t = &d->at[i];
        for (int j = 0; j < t->degree; j++)
            sizes &= worth(of, t->sym[j]) > 1;
        plus &= t->coef > 0;
        minus &= t->coef < 0;
        if (!t->degree)
            rest = t->coef;
        common = common_factor(common, t->degree ? t->coef : 0);
    }
    return (sizes && (plus || minus)) || (common ? rest % common != 0 : rest != 0);
}

/* The coefficient of term i where it is one symbol that occurs in no other term; 0 where it is not. */
static int64_t alone(const CgDim *d, int i)
{
    const Term *t = &d->at[i];
    if (t->degree != 1 || (t->coef != 1 && t->coef != -1))
        return 0;
    for (int k = 0; k < d->n; k++)
        for (int j = 0; k != i && j < d->at[k].degree; j++)
            if (d->at[k].sym[j] == t->sym[0])
                return 0;
    return t->coef;
}

static bool is_sum(const CgDim *d)
{
    bool sum = d->n > 0;
    for (int i = 0; i < d->n; i++)
        sum &= d->at[i].coef > 0;
    return sum;
}

CgEquation cg_dim_equation(const CgDim *a, const CgDim *b, int (*worth)(const void *of, CgAtom symbol), const void *of,
    CgAtom *symbol, const CgDim **value)
{
    const CgDim *d = cg_dim_sub(a, b);
    int best = 0;
    if (!d)
        return CG_EQUATION_OPEN;
    if (!d->n)
        return CG_EQUATION_HOLDS;
    for (int i = 0; i < d->n; i++)
        for (int j = 0; j < d->at[i].degree; j++)
            if (!worth(of, d->at[i].sym[j]))
                return CG_EQUATION_OPEN;
    d = without_common(d, worth, of);
    if (never_zero(d, worth, of))
        return CG_EQUATION_NEVER;
    for (int i = 0; i < d->n; i++) {
        int64_t coef = alone(d, i);
        const CgDim *s = coef ? cg_dim_symbol(d->at[i].sym[0]) : NULL;
        const CgDim *v = coef > 0 ? cg_dim_sub(s, d) : cg_dim_add(s, d);
        if (!s || !v)
            continue;
        int gladly = 2 * worth(of, d->at[i].sym[0]) + is_sum(v);
        if (gladly <= best)
            continue;
        best = gladly;
        *symbol = d->at[i].sym[0];
        *value = v;
    }
    int64_t n;
    if (best && cg_dim_is_int(*value, &n) && n < 1 && worth(of, *symbol) > 1)
        return CG_EQUATION_NEVER;
    return best ? CG_EQUATION_SOLVED : CG_EQUATION_OPEN;
}

static void print_term(const Term *t, bool first, CgStrbuf *out)
{
    int64_t size = t->coef < 0 ? -t->coef : t->coef;
    cg_strbuf_puts(out, first ? (t->coef < 0 ? "-" : "") : (t->coef < 0 ? " - " : " + "));
    if (size != 1 || !t->degree)
        cg_strbuf_printf(out, "%lld%s", (long long)size, t->degree ? "*" : "");
    for (int j = 0; j < t->degree; j++)
        cg_strbuf_printf(out, "%s%s", j ? "*" : "", t->sym[j]);
}

void cg_dim_print(const CgDim *d, CgStrbuf *out)
{
    if (!d)
        cg_strbuf_puts(out, "?");
    else if (!d->n)
        cg_strbuf_puts(out, "0");
    if (!d)
        return;
    bool first = true;
    /* What is added comes before what is taken away: "T - K", not "-K + T". */
    for (int sign = 1; sign >= -1; sign -= 2)
        for (int i = 0; i < d->n; i++)
            if ((d->at[i].coef > 0) == (sign > 0)) {
                print_term(&d->at[i], first, out);
                first = false;
            }
}

/* ---- reading ---- */

static const char *skip(const char *s)
{
    while (*s == ' ' || *s == '\t')
        s++;
    return s;
}

static const CgDim *parse_sum(const char **s, int nesting);

/* Symbols may carry marks that scripts cannot write, for symbols made by the compiler. */
static bool is_symbol_char(char c) { return c && (isalnum((unsigned char)c) || strchr("_.'#$?@", c)); }

static const CgDim *parse_atom(const char **s, int nesting)
{
    const char *p = skip(*s);
    const CgDim *d = NULL;
    if (nesting > MAX_NESTING)
        return NULL;
    if (*p == '(') {
        p++;
        d = parse_sum(&p, nesting + 1);
        p = skip(p);
        if (*p++ != ')')
            return NULL;
    } else if (*p == '-') {
        p++;
        d = cg_dim_sub(cg_dim_int(0), parse_atom(&p, nesting + 1));
    } else if (isdigit((unsigned char)*p)) {
        int64_t v = 0;
        for (; isdigit((unsigned char)*p); p++)
            if (v <= DIM_LIMIT)
                v = v * 10 + (*p - '0');
        if (is_symbol_char(*p))
            return NULL;
        d = cg_dim_int(v);
    } else if (is_symbol_char(*p)) {
        const char *start = p;
        while (is_symbol_char(*p))
            p++;
        d = cg_dim_symbol(cg_intern_n(start, (size_t)(p - start)));
    }
    *s = p;
    return d;
}

static const CgDim *parse_product(const char **s, int nesting)
{
    const CgDim *d = parse_atom(s, nesting);
    for (const char *p = skip(*s); d && (*p == '*' || *p == '/'); p = skip(*s)) {
        *s = p + 1;
        const CgDim *by = parse_atom(s, nesting);
        d = *p == '*' ? cg_dim_mul(d, by) : cg_dim_div(d, by);
    }
    return d;
}

static const CgDim *parse_sum(const char **s, int nesting)
{
    const CgDim *d = parse_product(s, nesting);
    for (const char *p = skip(*s); d && (*p == '+' || *p == '-'); p = skip(*s)) {
        *s = p + 1;
        const CgDim *by = parse_product(s, nesting);
        d = *p == '+' ? cg_dim_add(d, by) : cg_dim_sub(d, by);
    }
    return d;
}

const CgDim *cg_dim_parse(const char **text) { return parse_sum(text, 0); }

const CgDim *cg_dim_combine(char op, const CgDim *a, const CgDim *b)
{
    if (!a || !b)
        return NULL;
    switch (op) {
    case '+': return cg_dim_add(a, b);
    case '-': return cg_dim_sub(a, b);
    case '*': return cg_dim_mul(a, b);
    case '/': return cg_dim_div(a, b);
    default: return NULL;
    }
}
