/* text.c - graphs as text.
 * Takes graphs and gives text; takes text and gives graphs, or an error that names the line. The text of what was read
 * is the text that was read, up to spaces, comments and numbering. Of scopes only the recomputation regions are kept.
 * Must not change a graph. */
#include "graph/text.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "graph/registry.h"

#define MOST_NESTED 16 /* graphs within graphs */

/* ---- printing ---- */

static bool same_attr(const CgAttr *a, const CgAttr *b) { return cg_attrs(1, a) == cg_attrs(1, b); }

/* Attributes that differ from the signature's defaults: those come back by themselves when the text is read. */
static void print_node_attrs(const CgNode *n, CgStrbuf *out)
{
    const CgSig *sig = cg_op_sig(n->op);
    const char *before = " {";
    for (int i = 0; n->attrs && i < n->attrs->n; i++) {
        const CgAttr *a = &n->attrs->at[i];
        bool implied = false;
        for (int j = 0; j < sig->n; j++)
            implied |= sig->at[j].has_init && sig->at[j].name == a->name && same_attr(a, &sig->at[j].init);
        if (implied)
            continue;
        cg_strbuf_puts(out, before);
        cg_attrs_print(&(CgAttrs){ 1, a }, out);
        before = ", ";
    }
    if (before[0] == ',')
        cg_strbuf_putc(out, '}');
}

static bool is_in_header(const CgNode *n) { return n->op->traits & (CG_INPUT | CG_PARAM); }

static void pad_to(CgStrbuf *out, size_t line, size_t column)
{
    while (out->len - line < column)
        cg_strbuf_putc(out, ' ');
}

static void print_node(const CgGraph *g, CgRef r, const uint32_t *numbers, const CgSources *sources, CgStrbuf *out)
{
    const CgNode *n = cg_node(g, r);
    int region = g->scopes.at[n->scope].recompute;
    size_t line = out->len;
    cg_strbuf_printf(out, "  %%%u = %s", numbers[r], n->op->name);
    for (int i = 0; i < n->nin; i++)
        cg_strbuf_printf(out, " %%%u", numbers[n->in[i]]);
    print_node_attrs(n, out);
    if (n->bf16)
        cg_strbuf_puts(out, " in bf16");
    if (n->clone)
        cg_strbuf_printf(out, " again %d", n->clone);
    if (region)
        cg_strbuf_printf(out, " region %d", region);
    if (n->why != CG_NONE)
        cg_strbuf_printf(out, " for %%%u", numbers[n->why]);
    pad_to(out, line, 36);
    cg_strbuf_puts(out, " : ");
    for (int k = 0; k < n->nout; k++) {
        cg_strbuf_puts(out, k ? ", " : "");
        cg_type_print(cg_node_out_type(n, k), out);
    }
    if (sources && n->span.file) {
        int row, column;
        cg_sources_position(sources, n->span, &row, &column);
        pad_to(out, line, 60);
        cg_strbuf_printf(out, "   # %s:%d:%d", cg_sources_get(sources, n->span.file)->name, row, column);
    }
    cg_strbuf_putc(out, '\n');
}

/* A name is written bare where that reads back, else quoted. */
static void print_name(const char *s, CgStrbuf *out)
{
    size_t n = strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.");
    if (n && !s[n])
        cg_strbuf_puts(out, s);
    else
        cg_string_print(s, out);
}

void cg_graph_print(const CgGraph *g, const CgSources *sources, CgStrbuf *out)
{
    uint32_t *numbers = cg_calloc(g->nodes.len + 1, sizeof *numbers), next = 0;
    cg_strbuf_puts(out, "graph ");
    print_name(g->name, out);
    cg_strbuf_putc(out, '(');
    for (CgRef r = 0; r < g->nodes.len; r++) {
        const CgNode *n = cg_node(g, r);
        if (!is_in_header(n))
            continue;
        cg_strbuf_puts(out, next ? ", " : "");
        print_name(cg_node_name(g, r), out);
        cg_strbuf_puts(out, n->op->traits & CG_PARAM ? ": param " : ": ");
        cg_type_print(&n->type, out);
        numbers[r] = next++;
    }
    cg_strbuf_puts(out, ") {\n");
    for (CgRef r = 0; r < g->nodes.len; r++) {
        if (is_in_header(cg_node(g, r)))
            continue;
        numbers[r] = next++;
        print_node(g, r, numbers, sources, out);
    }
    for (size_t i = 0; i < g->outputs.len; i++) {
        cg_strbuf_puts(out, i ? ", " : "  return ");
        print_name(g->outputs.at[i].name, out);
        cg_strbuf_printf(out, " = %%%u", numbers[g->outputs.at[i].ref]);
    }
    cg_strbuf_puts(out, g->outputs.len ? "\n}\n" : "}\n");
    free(numbers);
}

/* ---- reading ---- */

typedef struct Reader {
    const char *p;
    int line;
    CgErr *e;
    CgGraph *g;
    CG_VEC(CgRef) refs; /* by number in the text */
    int depth;          /* of graphs within graphs */
} Reader;

static bool fail(Reader *r, const char *what)
{
    int n = (int)strcspn(r->p, "\n");
    return cg_err(r->e, CG_ERR_INPUT, "graph text, line %d: %s at '%.*s'", r->line, what, n > 40 ? 40 : n, r->p);
}

static void skip(Reader *r)
{
    for (;; r->p++) {
        if (*r->p == '#')
            r->p += strcspn(r->p, "\n");
        if (*r->p == '\n')
            r->line++;
        if (!*r->p || !isspace((unsigned char)*r->p))
            return;
    }
}

static bool take(Reader *r, const char *token)
{
    skip(r);
    size_t n = strlen(token);
    if (strncmp(r->p, token, n))
        return false;
    if (isalpha((unsigned char)*token) && (isalnum((unsigned char)r->p[n]) || r->p[n] == '_'))
        return false;
    r->p += n;
    return true;
}

static bool need(Reader *r, const char *token)
{
    char what[48];
    if (take(r, token))
        return true;
    snprintf(what, sizeof what, "expected '%s'", token);
    return fail(r, what);
}

static bool read_string(Reader *r, CgAtom *out)
{
    CgStrbuf text = { 0 };
    r->p++;
    for (; *r->p && *r->p != '"' && *r->p != '\n'; r->p++) {
        if (*r->p == '\\' && r->p[1]) {
            r->p++;
            cg_strbuf_putc(&text, *r->p == 'n' ? '\n' : *r->p);
        } else {
            cg_strbuf_putc(&text, *r->p);
        }
    }
    *out = cg_intern(cg_strbuf_str(&text));
    cg_strbuf_deinit(&text);
    if (*r->p != '"')
        return fail(r, "the string does not end");
    r->p++;
    return true;
}

static bool read_name(Reader *r, CgAtom *out)
{
    skip(r);
    if (*r->p == '"')
        return read_string(r, out);
    size_t n = 0;
    while (isalnum((unsigned char)r->p[n]) || (r->p[n] && strchr("_.", r->p[n])))
        n++;
    if (!n)
        return fail(r, "expected a name");
    *out = cg_intern_n(r->p, n);
    r->p += n;
    return true;
}

static bool read_int(Reader *r, int64_t *out)
{
    char *end;
    skip(r);
    errno = 0;
    long long v = strtoll(r->p, &end, 10);
    if (end == r->p || errno)
        return fail(r, "expected a whole number");
    r->p = end;
    *out = v;
    return true;
}

static bool read_ref(Reader *r, CgRef *out)
{
    int64_t i = 0;
    if (!need(r, "%") || !read_int(r, &i))
        return false;
    if (i < 0 || (size_t)i >= r->refs.len)
        return fail(r, "no such node before");
    *out = r->refs.at[i];
    return true;
}

static bool read_type(Reader *r, CgType *t)
{
    skip(r);
    return cg_type_parse_prefix(&r->p, t) || fail(r, "expected a type");
}

static bool read_list(Reader *r, CgAttr *a, char close)
{
    char end[2] = { close, 0 };
    r->p++;
    a->kind = close == ')' ? CG_ATTR_INTS : CG_ATTR_DIMS;
    while (!take(r, end)) {
        if (a->n == CG_MAX_RANK)
            return fail(r, "too many numbers in a list");
        if (a->n && !need(r, ","))
            return false;
        skip(r);
        if (close == ')' ? !read_int(r, &a->ints[a->n]) : !(a->dims[a->n] = cg_dim_parse(&r->p)))
            return fail(r, "expected a size");
        a->n++;
    }
    return true;
}

static bool read_number(Reader *r, CgAttr *a)
{
    char *end_int, *end_float;
    long long i = strtoll(r->p, &end_int, 10);
    double f = strtod(r->p, &end_float);
    if (end_float == r->p)
        return fail(r, "expected a value");
    bool is_int = end_int == end_float;
    a->kind = is_int ? CG_ATTR_INT : CG_ATTR_FLOAT;
    if (is_int)
        a->i = i;
    else
        a->f = f;
    r->p = end_float;
    return true;
}

static CgGraph *parse(const char *text, int depth, CgErr *e);

/* A graph within a graph: up to the brace that closes it. */
static bool read_subgraph(Reader *r, CgAttr *a)
{
    int open = 0;
    bool quoted = false;
    const char *end = r->p;
    for (; *end && (quoted || *end != '}' || open > 1); end++) {
        quoted ^= *end == '"' && end[-1] != '\\';
        open += quoted ? 0 : *end == '{' ? 1 : *end == '}' ? -1 : 0;
    }
    if (!*end || r->depth == MOST_NESTED)
        return fail(r, *end ? "graphs are nested too deep" : "the graph does not end");
    CgAtom name = a->name, text = cg_intern_n(r->p, (size_t)(end + 1 - r->p));
    CgGraph *g = parse(text, r->depth + 1, r->e);
    if (!g)
        return false;
    *a = cg_a_graph(name, g);
    for (; r->p <= end; r->p++)
        r->line += *r->p == '\n';
    return true;
}

static bool read_attr(Reader *r, CgAttr *a)
{
    *a = (CgAttr){ 0 };
    if (!read_name(r, &a->name) || !need(r, "="))
        return false;
    skip(r);
    if (*r->p == '(')
        return read_list(r, a, ')');
    if (*r->p == '[')
        return read_list(r, a, ']');
    if (*r->p == '"') {
        a->kind = CG_ATTR_STR;
        return read_string(r, &a->s);
    }
    if (!strncmp(r->p, "graph ", 6))
        return read_subgraph(r, a);
    if (cg_type_parse_prefix(&r->p, &a->type)) {
        a->kind = CG_ATTR_TYPE;
        return true;
    }
    return read_number(r, a);
}

/* Attributes up to (not with) `close`, which is 0 at the end of a text. */
static bool read_attrs(Reader *r, char close, const CgAttrs **out)
{
    CG_VEC(CgAttr) list = { 0 };
    bool ok = true;
    for (skip(r); ok && *r->p && *r->p != close; skip(r)) {
        CgAttr a;
        ok = (!list.len || need(r, ",")) && read_attr(r, &a);
        for (size_t i = 0; ok && i < list.len; i++)
            if (list.at[i].name == a.name)
                ok = fail(r, "attribute given twice");
        if (ok)
            cg_vec_push(&list, a);
    }
    if (ok)
        *out = cg_attrs((int)list.len, list.at);
    cg_vec_free(&list);
    return ok;
}

bool cg_attrs_parse(const char *text, const CgAttrs **out, CgErr *e)
{
    Reader r = { .p = text, .line = 1, .e = e };
    return read_attrs(&r, 0, out);
}

static bool read_leaf(Reader *r, CgBuild *b)
{
    CgAtom name;
    CgType type;
    if (!read_name(r, &name) || !need(r, ":"))
        return false;
    bool param = take(r, "param");
    if (!read_type(r, &type))
        return false;
    for (size_t i = 0; i < r->refs.len; i++)
        if (cg_node_name(r->g, r->refs.at[i]) == name)
            return fail(r, "a leaf of that name is already there");
    CgAttr at[2] = { cg_a_str("name", name), cg_a_type("type", type) };
    CgInfer inf;
    CgRef ref = cg_build_checked(b, cg_op_get(param ? "param" : "input"), 0, NULL, cg_attrs(2, at), &inf);
    if (ref == CG_NONE)
        return cg_err(r->e, CG_ERR_INPUT, "graph text, line %d: %s: %s", r->line, name, inf.message);
    cg_vec_push(&r->refs, ref);
    return true;
}

static bool check_types(Reader *r, CgRef ref)
{
    const CgNode *n = cg_node(r->g, ref);
    for (int k = 0; k < n->nout; k++) {
        CgType t;
        if ((k && !need(r, ",")) || !read_type(r, &t))
            return false;
        if (!cg_type_equal(&t, cg_node_out_type(n, k))) {
            CgStrbuf text = { 0 };
            cg_type_print(cg_node_out_type(n, k), &text);
            cg_err(r->e, CG_ERR_INPUT, "graph text, line %d: the result of %s is %s, not what is written", r->line,
                n->op->name, cg_strbuf_str(&text));
            cg_strbuf_deinit(&text);
            return false;
        }
    }
    return true;
}

static CgRef make_node(Reader *r, CgBuild *b, const CgOp *op, int nin, const CgRef *in, const CgAttrs *attrs)
{
    CgInfer inf;
    if (op->traits & CG_RESULT) {
        int64_t k = cg_attr_int(attrs, "k", 0);
        if (nin != 1 || k < 1 || k >= cg_node(r->g, in[0])->nout) {
            fail(r, "result of nothing");
            return CG_NONE;
        }
        return cg_build_result(b, in[0], (int)k);
    }
    if (op->traits & (CG_INPUT | CG_PARAM)) {
        fail(r, "inputs and params belong in the header");
        return CG_NONE;
    }
    CgRef ref = cg_build_checked(b, op, nin, in, attrs, &inf);
    if (ref == CG_NONE)
        cg_err(r->e, CG_ERR_INPUT, "graph text, line %d: %s: %s", r->line, op->name, inf.message);
    return ref;
}

/* The scope that stands for a recomputation region. */
static int region_scope(CgGraph *g, int region)
{
    char name[24];
    for (size_t i = 0; i < g->scopes.len; i++)
        if (g->scopes.at[i].recompute == region)
            return (int)i;
    snprintf(name, sizeof name, "region.%d", region);
    int scope = cg_scope_add(g, 0, name, "");
    g->scopes.at[scope].recompute = region;
    return scope;
}

/* "in bf16 again 2 region 1 for %3": its precision, which evaluation it is, where, and the node it is a derivative of
 * (maybe itself). */
static bool read_marks(Reader *r, CgBuild *b, int64_t number)
{
    int64_t clone = 0, region = 0, why = -1;
    b->precision = CG_IN_F32;
    if (take(r, "in")) {
        if (!need(r, "bf16"))
            return false;
        b->precision = CG_IN_BF16;
    }
    if (take(r, "again") && !read_int(r, &clone))
        return false;
    if (take(r, "region") && !read_int(r, &region))
        return false;
    if (take(r, "for") && !(need(r, "%") && read_int(r, &why)))
        return false;
    if (clone < 0 || clone > 1000000 || region < 0 || region > 1000000 || why > number)
        return fail(r, "out of range");
    b->clone = (int)clone;
    b->scope = region_scope(r->g, (int)region);
    b->why = why < 0 ? CG_NONE : why == number ? (CgRef)r->g->nodes.len : r->refs.at[why];
    return true;
}

static bool read_node(Reader *r, CgBuild *b)
{
    int64_t number = 0;
    CgAtom name;
    CgRef in[CG_MAX_IN], ref;
    const CgAttrs *attrs = NULL;
    int nin = 0;
    if (!read_int(r, &number))
        return false;
    if (number != (int64_t)r->refs.len)
        return fail(r, "nodes are numbered in order, after the leaves");
    if (!need(r, "=") || !read_name(r, &name))
        return false;
    const CgOp *op = cg_op_find_was(name);
    if (!op)
        return cg_err(r->e, CG_ERR_INPUT, "graph text, line %d: no op is named '%s'", r->line, name);
    for (;;) { /* on this line: the next one begins with % too */
        r->p += strspn(r->p, " \t");
        if (*r->p != '%')
            break;
        if (nin == CG_MAX_IN)
            return fail(r, "too many operands");
        if (!read_ref(r, &in[nin++]))
            return false;
    }
    if (take(r, "{") && !(read_attrs(r, '}', &attrs) && need(r, "}")))
        return false;
    if (!read_marks(r, b, number))
        return false;
    ref = make_node(r, b, op, nin, in, attrs);
    if (ref == CG_NONE)
        return false;
    if (b->precision == CG_IN_BF16 && !cg_node(r->g, ref)->bf16)
        return fail(r, "only products of f32 are in bf16, before");
    cg_vec_push(&r->refs, ref);
    return take(r, ":") ? check_types(r, ref) : true;
}

static bool read_outputs(Reader *r)
{
    do {
        CgAtom name;
        CgRef ref;
        if (!read_name(r, &name) || !need(r, "=") || !read_ref(r, &ref))
            return false;
        cg_graph_output(r->g, name, ref);
    } while (take(r, ","));
    return true;
}

static bool read_graph(Reader *r)
{
    CgAtom name;
    if (!need(r, "graph") || !read_name(r, &name) || !need(r, "("))
        return false;
    r->g = cg_graph_new(name);
    CgBuild b = cg_build_at(r->g);
    b.no_fold = true;
    while (!take(r, ")"))
        if ((r->refs.len && !need(r, ",")) || !read_leaf(r, &b))
            return false;
    if (!need(r, "{"))
        return false;
    while (take(r, "%"))
        if (!read_node(r, &b))
            return false;
    if (take(r, "return") && !read_outputs(r))
        return false;
    if (!need(r, "}"))
        return false;
    skip(r);
    return !*r->p || fail(r, "text after the graph");
}

static CgGraph *parse(const char *text, int depth, CgErr *e)
{
    Reader r = { .p = text, .line = 1, .e = e, .depth = depth };
    if (!read_graph(&r)) {
        cg_graph_free(r.g);
        r.g = NULL;
    }
    cg_vec_free(&r.refs);
    return r.g;
}

CgGraph *cg_graph_parse(const char *text, CgErr *e) { return parse(text, 0, e); }
