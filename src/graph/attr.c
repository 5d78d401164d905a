/* attr.c - lists of static arguments.
 * Takes attributes in any order; gives sorted lists that are equal exactly when their pointers are, and their text.
 * Process wide, append only, thread safe. Must not know which attributes an op has. */
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/digest.h"
#include "base/map.h"
#include "graph/dim.h"

typedef struct List {
    CgAttrs attrs;
    struct List *next;
    CgAttr at[];
} List;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static CgMap interned;

static int by_name(const void *a, const void *b)
{
    return strcmp(((const CgAttr *)a)->name, ((const CgAttr *)b)->name);
}

/* Keeps what the kind uses and zeroes the rest, so that equal attributes have equal fields. */
static CgAttr canonical(const CgAttr *a)
{
    CgAttr c = { .name = cg_intern(a->name), .kind = a->kind };
    switch (a->kind) {
    case CG_ATTR_INT: c.i = a->i; break;
    case CG_ATTR_FLOAT: c.f = a->f; break;
    case CG_ATTR_STR: c.s = cg_intern(a->s); break;
    case CG_ATTR_INTS:
        c.n = a->n;
        memcpy(c.ints, a->ints, sizeof a->ints[0] * (size_t)a->n);
        break;
    case CG_ATTR_DIMS:
        c.n = a->n;
        memcpy(c.dims, a->dims, sizeof a->dims[0] * (size_t)a->n);
        break;
    case CG_ATTR_GRAPH:
        c.s = a->s;
        c.graph = a->graph;
        break;
    case CG_ATTR_TYPE: c.type = cg_type(a->type.dtype, a->type.rank, a->type.dim); break;
    }
    return c;
}

static bool attr_equal(const CgAttr *a, const CgAttr *b)
{
    return a->name == b->name && a->kind == b->kind && a->i == b->i && !memcmp(&a->f, &b->f, sizeof a->f)
        && a->s == b->s && a->n == b->n && !memcmp(a->ints, b->ints, sizeof a->ints)
        && !memcmp(a->dims, b->dims, sizeof a->dims) && cg_type_equal(&a->type, &b->type);
}

static uint64_t attr_hash(const CgAttr *a, uint64_t h)
{
    uint64_t head[6] = { cg_map_ptr(a->name), (uint64_t)a->kind, (uint64_t)a->i, cg_map_ptr(a->s), (uint64_t)a->n,
        (uint64_t)a->type.dtype << 8 | (uint64_t)a->type.rank };
    h = cg_hash64(head, sizeof head, h);
    h = cg_hash64(&a->f, sizeof a->f, h);
    h = cg_hash64(a->ints, sizeof a->ints, h);
    h = cg_hash64(a->dims, sizeof a->dims, h);
    return cg_hash64(a->type.dim, sizeof a->type.dim, h);
}

static bool list_equal(const List *l, const CgAttr *at, int n)
{
    if (l->attrs.n != n)
        return false;
    for (int i = 0; i < n; i++)
        if (!attr_equal(&l->at[i], &at[i]))
            return false;
    return true;
}

const CgAttrs *cg_attrs(int n, const CgAttr *at)
{
    if (n <= 0)
        return NULL;
    List *made = cg_malloc(sizeof *made + sizeof *at * (size_t)n);
    uint64_t h = 0, found = 0;
    for (int i = 0; i < n; i++)
        made->at[i] = canonical(&at[i]);
    qsort(made->at, (size_t)n, sizeof *at, by_name);
    for (int i = 0; i < n; i++)
        h = attr_hash(&made->at[i], h);
    for (int i = 1; i < n; i++)
        if (made->at[i].name == made->at[i - 1].name)
            CG_BUG("attribute '%s' twice", made->at[i].name);

    pthread_mutex_lock(&lock);
    List *first = cg_map_get(&interned, h, &found) ? (List *)(uintptr_t)found : NULL, *l = first;
    while (l && !list_equal(l, made->at, n))
        l = l->next;
    if (l) {
        free(made);
    } else {
        made->attrs = (CgAttrs){ .n = n, .at = made->at };
        made->next = first;
        cg_map_put(&interned, h, cg_map_ptr(made));
        l = made;
    }
    pthread_mutex_unlock(&lock);
    return &l->attrs;
}

const CgAttr *cg_attr_find(const CgAttrs *attrs, const char *name)
{
    for (int i = 0; attrs && i < attrs->n; i++)
        if (!strcmp(attrs->at[i].name, name))
            return &attrs->at[i];
    return NULL;
}

int64_t cg_attr_int(const CgAttrs *attrs, const char *name, int64_t otherwise)
{
    const CgAttr *a = cg_attr_find(attrs, name);
    return a && a->kind == CG_ATTR_INT ? a->i : otherwise;
}

double cg_attr_float(const CgAttrs *attrs, const char *name, double otherwise)
{
    const CgAttr *a = cg_attr_find(attrs, name);
    if (!a)
        return otherwise;
    return a->kind == CG_ATTR_FLOAT ? a->f : a->kind == CG_ATTR_INT ? (double)a->i : otherwise;
}

const char *cg_attr_str(const CgAttrs *attrs, const char *name, const char *otherwise)
{
    const CgAttr *a = cg_attr_find(attrs, name);
    return a && a->kind == CG_ATTR_STR ? a->s : otherwise;
}

CgAttr cg_a_ints(const char *name, int n, const int64_t *ints)
{
    CgAttr a = { .name = name, .kind = CG_ATTR_INTS, .n = n };
    if (n < 0 || n > CG_MAX_RANK)
        CG_BUG("attribute '%s' with %d numbers", name, n);
    for (int i = 0; i < n; i++)
        a.ints[i] = ints[i];
    return a;
}

CgAttr cg_a_dims(const char *name, int n, const CgDim *const *dims)
{
    CgAttr a = { .name = name, .kind = CG_ATTR_DIMS, .n = n };
    if (n < 0 || n > CG_MAX_RANK)
        CG_BUG("attribute '%s' with %d dims", name, n);
    for (int i = 0; i < n; i++)
        a.dims[i] = dims[i];
    return a;
}

/* ---- as text ---- */

void cg_string_print(const char *s, CgStrbuf *out)
{
    cg_strbuf_putc(out, '"');
    for (; *s; s++) {
        if (*s == '"' || *s == '\\')
            cg_strbuf_printf(out, "\\%c", *s);
        else if (*s == '\n')
            cg_strbuf_puts(out, "\\n");
        else
            cg_strbuf_putc(out, *s);
    }
    cg_strbuf_putc(out, '"');
}

/* The shortest digits that read back to the same number; always with a point, an exponent or a word. */
static void print_float(double f, CgStrbuf *out)
{
    char text[40];
    if (!isfinite(f)) {
        cg_strbuf_puts(out, isnan(f) ? "nan" : f < 0 ? "-inf" : "inf");
        return;
    }
    for (int digits = 1; digits <= 17; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, f);
        if (strtod(text, NULL) == f)
            break;
    }
    cg_strbuf_puts(out, text);
    if (!strpbrk(text, ".e"))
        cg_strbuf_puts(out, ".0");
}

/* The text of a graph within a line of another one: without the line end behind it. */
static void print_subgraph(const char *text, CgStrbuf *out)
{
    size_t n = strlen(text);
    while (n && text[n - 1] == '\n')
        n--;
    cg_strbuf_printf(out, "%.*s", (int)n, text);
}

static void print_attr(const CgAttr *a, CgStrbuf *out)
{
    cg_strbuf_printf(out, "%s=", a->name);
    switch (a->kind) {
    case CG_ATTR_INT: cg_strbuf_printf(out, "%lld", (long long)a->i); break;
    case CG_ATTR_FLOAT: print_float(a->f, out); break;
    case CG_ATTR_STR: cg_string_print(a->s, out); break;
    case CG_ATTR_INTS:
        cg_strbuf_putc(out, '(');
        for (int i = 0; i < a->n; i++)
            cg_strbuf_printf(out, "%s%lld", i ? ", " : "", (long long)a->ints[i]);
        cg_strbuf_putc(out, ')');
        break;
    case CG_ATTR_DIMS:
        cg_strbuf_putc(out, '[');
        for (int i = 0; i < a->n; i++) {
            cg_strbuf_puts(out, i ? ", " : "");
            cg_dim_print(a->dims[i], out);
        }
        cg_strbuf_putc(out, ']');
        break;
    case CG_ATTR_TYPE: cg_type_print(&a->type, out); break;
    case CG_ATTR_GRAPH: print_subgraph(a->s, out); break;
    }
}

void cg_attrs_print(const CgAttrs *a, CgStrbuf *out)
{
    for (int i = 0; a && i < a->n; i++) {
        cg_strbuf_puts(out, i ? ", " : "");
        print_attr(&a->at[i], out);
    }
}
