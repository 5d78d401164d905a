/* expect.c - what `expect` and `show` look at, and whether what is expected holds.
 * Takes the statements of tests and of bodies of graphs; gives the tensors they look at, and once these have numbers
 * what does not hold, with both values. Numbers are compared exactly. Runs nothing. */
#include "stage/expect.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "stage/session.h"

enum { SHOWN = 24 }; /* elements of a tensor that a message shows */

/* ---- building ---- */

static bool comparable(const CgValue *v)
{
    double number;
    bool good = v->kind == CG_VALUE_TENSOR || v->kind == CG_VALUE_STR || v->kind == CG_VALUE_BOOL
        || v->kind == CG_VALUE_NONE || v->kind == CG_VALUE_DIM || cg_is_poison(v) || cg_value_number(v, &number);
    if (v->kind == CG_VALUE_LIST || v->kind == CG_VALUE_RECORD)
        good = true;
    for (int i = 0; good && i < v->n && (v->kind == CG_VALUE_LIST || v->kind == CG_VALUE_RECORD); i++)
        good = v->at[i]->kind != CG_VALUE_TENSOR && comparable(v->at[i]);
    return good;
}
static bool side(CgElab *e, CgFrame *f, const CgExpr *x, const char *does, CgExpects *to, CgSide *out)
{
    *out = (CgSide){ cg_value_laid_out(e, cg_eval(e, f, x)), -1, x->span };
    if (out->value->kind == CG_VALUE_DIM && !e->defining) /* a size that a batch or the data will say */
        out->value = cg_as_tensor(e, out->value, CG_F64);
    if (cg_is_poison(out->value) || out->value->kind == CG_VALUE_DIM)
        return false;
    if (!comparable(out->value)) {
        cg_elab_error(e, CG_E0313, x->span, "%s numbers, tensors, strings and lists of them, not %s", does,
            cg_value_kind_name(out->value));
        return false;
    }
    if (out->value->kind == CG_VALUE_TENSOR) {
        out->output = (int)to->tensors.len;
        cg_vec_push(&to->tensors, out->value->tensor->ref);
    }
    return true;
}

/* close(a, b, tolerance) of the library, so that both values can be shown. */
static bool is_close(CgElab *e, CgFrame *f, const CgExpr *x)
{
    if (x->kind != CG_EXPR_CALL || x->a->kind != CG_EXPR_NAME || strcmp(x->a->s, "close") != 0 || x->args.n < 2)
        return false;
    for (int i = 0; i < x->args.n; i++)
        if (x->args.at[i].name && (i < 2 || strcmp(x->args.at[i].name, "tolerance") != 0))
            return false;
    const CgValue *v = cg_env_find(e, f->env, x->a->s);
    const CgStmt *def = v && v->kind == CG_VALUE_DEF ? v->stmt : NULL;
    return x->args.n <= 3 && def && def->nparams == 3 && !strcmp(def->params[2].name, "tolerance");
}

/* A text is equal to texts only. */
static bool alike(CgElab *e, const CgSide *a, const CgSide *b)
{
    bool text[2] = { a->value->kind == CG_VALUE_STR, b->value->kind == CG_VALUE_STR };
    if (text[0] == text[1] || a->value->kind == CG_VALUE_NONE || b->value->kind == CG_VALUE_NONE)
        return true;
    cg_elab_error(e, CG_E0305, text[0] ? a->span : b->span, "a string is compared with %s",
        cg_value_kind_name(text[0] ? b->value : a->value));
    return false;
}

static bool compares(const CgExpr *x)
{
    return x->kind == CG_EXPR_BINARY
        && (!strcmp(x->op, "==") || !strcmp(x->op, "!=") || *x->op == '<' || *x->op == '>');
}

/* One side of what is expected, or both. */
static bool sides(CgElab *e, CgFrame *f, const CgExpr *x, CgExpects *to, CgExpect *it)
{
    static const char does[] = "expect compares";
    bool good;
    if (compares(x)) {
        it->op = x->op;
        good = side(e, f, x->a, does, to, &it->left);
        return side(e, f, x->b, does, to, &it->right) && good && alike(e, &it->left, &it->right);
    }
    if (is_close(e, f, x)) {
        it->op = cg_intern("close");
        it->caret = x->a->span;
        good = side(e, f, x->args.at[0].value, does, to, &it->left);
        good = side(e, f, x->args.at[1].value, does, to, &it->right) && good && alike(e, &it->left, &it->right);
        CgValue *tolerance = x->args.n > 2 ? cg_eval(e, f, x->args.at[2].value) : NULL;
        if (tolerance && !cg_is_poison(tolerance) && !cg_value_number(tolerance, &it->tolerance)) {
            cg_elab_error(e, CG_E0312, x->args.at[2].value->span, "a tolerance is a number, not %s",
                cg_value_kind_name(tolerance));
            good = false;
        }
        return good && !(tolerance && cg_is_poison(tolerance));
    }
    good = side(e, f, x, does, to, &it->left);
    if (good && it->left.value->kind != CG_VALUE_BOOL
        && (it->left.value->kind != CG_VALUE_TENSOR || cg_value_type(e, it->left.value)->dtype != CG_BOOL)) {
        cg_elab_error(e, CG_E0314, x->span, "expect takes a comparison or something true, not %s",
            cg_value_kind_name(it->left.value));
        good = false;
    }
    return good;
}

/* The path of the part whose body it is, without the number of a model that has no name. */
static CgAtom part_of(const CgFrame *body)
{
    const char *path = body && body->instance && body->instance->path ? body->instance->path : "";
    if (cg_path_is_auxiliary(path)) {
        path += strcspn(path, ".");
        path += *path == '.';
    }
    return cg_intern(path);
}

void cg_expects_add(CgElab *e, CgFrame *f, const CgStmt *s, CgExpects *to)
{
    const CgFrame *body = cg_frame_body(f);
    CgAtom part = part_of(body);
    for (int i = 0; i < s->nexprs && s->kind == CG_STMT_SHOW; i++) {
        CgExpect it = { .stmt = s, .part = part, .span = s->exprs[i]->span, .shown = true };
        if (side(e, f, s->exprs[i], "in a body, show takes", to, &it.left))
            cg_vec_push(&to->at, it);
        else
            to->broken = true;
    }
    const CgExpr *x = s->a;
    if (s->kind != CG_STMT_EXPECT)
        return;
    CgExpect it = {
        .stmt = s, .part = part, .span = x->span, .caret = x->op_span.file ? x->op_span : x->span, .tolerance = 1e-5
    };
    if (sides(e, f, x, to, &it))
        cg_vec_push(&to->at, it);
    else
        to->broken = true;
}

void cg_expects_free(CgExpects *of)
{
    cg_vec_free(&of->at);
    cg_vec_free(&of->tensors);
}

/* ---- comparing ---- */

/* Numbers with a shape: a tensor, a number, or a list of lists of numbers. All integers and floats are exact in it. */
typedef long double Number;
typedef struct Numbers {
    Number *at;
    int64_t n;
    int rank;
    int64_t dim[CG_MAX_RANK];
    bool integers;
    bool brief; /* six digits of a number are shown */
    bool truth;
    bool ok;
} Numbers;

static bool flatten(const CgValue *v, int depth, Numbers *out)
{
    double number;
    bool whole = v->kind == CG_VALUE_BOOL || v->kind == CG_VALUE_INT;
    if (whole || cg_value_number(v, &number)) {
        out->at = cg_realloc(out->at, sizeof *out->at * (size_t)(out->n + 1));
        out->at[out->n++] = whole ? (Number)v->i : (Number)number;
        out->integers &= v->kind != CG_VALUE_FLOAT;
        return depth == out->rank;
    }
    if (v->kind != CG_VALUE_LIST || depth >= out->rank || out->dim[depth] != v->n)
        return false;
    for (int i = 0; i < v->n; i++)
        if (!flatten(v->at[i], depth + 1, out))
            return false;
    return true;
}

static Numbers numbers_of_value(const CgValue *v)
{
    Numbers out = { .integers = true };
    for (const CgValue *at = v; at->kind == CG_VALUE_LIST && out.rank < CG_MAX_RANK; at = at->at[0]) {
        out.dim[out.rank++] = at->n;
        if (!at->n)
            break;
    }
    out.ok = flatten(v, 0, &out);
    return out;
}

static Numbers numbers_of_tensor(const CgTensor *t)
{
    Numbers out = { .n = cg_tensor_count(t), .rank = t->rank, .integers = !cg_dtype_is_float(t->dtype), .ok = true };
    memcpy(out.dim, t->dim, sizeof *t->dim * (size_t)t->rank);
    out.at = cg_calloc((size_t)out.n + 1, sizeof *out.at);
    for (int64_t i = 0; i < out.n; i++)
        out.at[i] = out.integers ? (Number)cg_tensor_whole(t, i) : (Number)cg_tensor_number(t, i);
    return out;
}

static bool holds(const CgExpect *x, Number a, Number b)
{
    if (!x->op)
        return a != 0;
    if (!strcmp(x->op, "close"))
        return fabsl(a - b) <= (Number)x->tolerance * fmaxl(1, fmaxl(fabsl(a), fabsl(b))) || a == b;
    if (*x->op == '=')
        return a == b;
    if (*x->op == '!')
        return a != b;
    bool equal = x->op[1] == '=' && a == b;
    return *x->op == '<' ? a < b || equal : a > b || equal;
}

static void print_one(const Numbers *v, int64_t at, CgStrbuf *out)
{
    if (v->brief && v->truth)
        cg_strbuf_puts(out, v->at[at] != 0 ? "true" : "false");
    else if (v->integers)
        cg_strbuf_printf(out, "%lld", (long long)v->at[at]);
    else if (v->brief)
        cg_strbuf_printf(out, "%.6Lg", v->at[at]);
    else
        cg_number_print((double)v->at[at], out);
}

static void print_numbers(const Numbers *v, int depth, int64_t *at, CgStrbuf *out)
{
    if (depth == v->rank) {
        print_one(v, (*at)++, out);
        return;
    }
    cg_strbuf_putc(out, '[');
    for (int64_t i = 0; i < v->dim[depth]; i++) {
        cg_strbuf_puts(out, i ? ", " : "");
        print_numbers(v, depth + 1, at, out);
    }
    cg_strbuf_putc(out, ']');
}

/* All of a small one, the type and the place `where` of a large one. */
static void describe(const Numbers *v, int64_t where, CgStrbuf *out)
{
    int64_t at = 0, rest = where;
    if (v->n <= SHOWN) {
        print_numbers(v, 0, &at, out);
        return;
    }
    int64_t index[CG_MAX_RANK];
    for (int k = v->rank; k-- > 0; rest /= v->dim[k])
        index[k] = rest % v->dim[k];
    cg_strbuf_puts(out, "at ");
    for (int k = 0; k < v->rank; k++)
        cg_strbuf_printf(out, "%s%lld", k ? ", " : "[", (long long)index[k]);
    cg_strbuf_puts(out, "]: ");
    print_one(v, where, out);
}

static void label(CgDiag *d, const CgSide *s, const Numbers *v, int64_t where)
{
    CgStrbuf text = { 0 };
    if (v->ok)
        describe(v, v->n == 1 ? 0 : where, &text);
    else
        cg_value_print(s->value, &text);
    cg_diag_label(d, s->span, "%s", cg_strbuf_str(&text));
    cg_strbuf_deinit(&text);
}

static bool same_shape(const Numbers *a, const Numbers *b)
{
    if (!a->rank || !b->rank)
        return true; /* one number against all */
    bool same = a->rank == b->rank;
    for (int k = 0; same && k < a->rank; k++)
        same = a->dim[k] == b->dim[k];
    return same;
}

static void shape_text(const Numbers *v, CgStrbuf *out)
{
    for (int k = 0; k < v->rank; k++)
        cg_strbuf_printf(out, "%s%lld", k ? ", " : "[", (long long)v->dim[k]);
    cg_strbuf_puts(out, v->rank ? "]" : "[]");
}

static bool same_value(const CgValue *a, const CgValue *b);

/* Element by element; of records with the same keys in the same order. */
static bool same_list(const CgValue *a, const CgValue *b)
{
    if (a->kind != b->kind || a->n != b->n)
        return false;
    for (int i = 0; i < a->n; i++)
        if ((a->kind == CG_VALUE_RECORD && a->keys[i] != b->keys[i]) || !same_value(a->at[i], b->at[i]))
            return false;
    return true;
}

/* Values that are not all numbers: a text is the same as texts only, whatever it looks like when it is printed. */
static bool same_value(const CgValue *a, const CgValue *b)
{
    double number[2];
    bool whole = a->kind == CG_VALUE_INT && b->kind == CG_VALUE_INT;
    if (whole || a->kind == CG_VALUE_BOOL || b->kind == CG_VALUE_BOOL)
        return a->kind == b->kind && a->i == b->i;
    if (cg_value_number(a, &number[0]) && cg_value_number(b, &number[1]))
        return number[0] == number[1];
    if (a->kind == CG_VALUE_LIST || a->kind == CG_VALUE_RECORD)
        return same_list(a, b);
    CgStrbuf x = { 0 }, y = { 0 };
    cg_value_print(a, &x);
    cg_value_print(b, &y);
    bool same = a->kind == b->kind && !strcmp(cg_strbuf_str(&x), cg_strbuf_str(&y));
    cg_strbuf_deinit(&x);
    cg_strbuf_deinit(&y);
    return same;
}

/* What holds of two values that are not all numbers: which are the same, and which of two texts is in front. */
static bool values_hold(const char *op, const CgValue *a, const CgValue *b)
{
    if (!strcmp(op, "==") || !strcmp(op, "!="))
        return same_value(a, b) == (*op == '=');
    if (a->kind != CG_VALUE_STR || b->kind != CG_VALUE_STR || !strcmp(op, "close"))
        return false;
    int order = strcmp(a->s, b->s);
    return (op[1] == '=' && !order) || (*op == '<' ? order < 0 : order > 0);
}

/* " in blocks.3, step 7": where and when, as far as that is known. */
static void print_occasion(const CgExpect *it, const char *when, const char *in, CgStrbuf *out)
{
    if (*it->part)
        cg_strbuf_printf(out, "%s%s", in, it->part);
    if (*when)
        cg_strbuf_printf(out, "%s%s", *it->part ? ", " : in, when);
}

static CgDiag *does_not_hold(CgSession *x, const CgExpect *it, const char *when, const char *how)
{
    CgStrbuf occasion = { 0 };
    print_occasion(it, when, " in ", &occasion);
    CgDiag *d = cg_diag(x->diags, CG_E0603, it->caret, "%s%s", how, cg_strbuf_str(&occasion));
    cg_strbuf_deinit(&occasion);
    return d;
}

static bool failed(
    CgSession *x, const CgExpect *it, const char *when, const Numbers *a, const Numbers *b, int64_t where)
{
    CgDiag *d = does_not_hold(x, it, when, "this does not hold");
    label(d, &it->left, a, where);
    if (it->op)
        label(d, &it->right, b, where);
    if (it->op && !strcmp(it->op, "close"))
        cg_diag_help(d, "the tolerance is %g, relative for numbers above 1", it->tolerance);
    Number x1 = a->ok ? a->at[a->rank ? where : 0] : 0, x2 = it->op && b->ok ? b->at[b->rank ? where : 0] : 0;
    bool near = fabsl(x1 - x2) <= 0.01L * fmaxl(fabsl(x1), fabsl(x2)) && x1 != x2;
    if (it->op && !strcmp(it->op, "==") && near && !(a->integers && b->integers))
        cg_diag_help(d, "numbers that are computed are compared by close(a, b), or close(a, b, 1e-3)");
    return false;
}

static bool compare(CgSession *x, const CgExpect *it, const char *when, const Numbers *a, const Numbers *b)
{
    if (!a->ok || !b->ok) {
        return (it->op && values_hold(it->op, it->left.value, it->right.value)) || failed(x, it, when, a, b, 0);
    }
    if (!same_shape(a, b)) {
        CgStrbuf how = { 0 };
        cg_strbuf_puts(&how, "the shapes differ: ");
        shape_text(a, &how);
        cg_strbuf_puts(&how, " and ");
        shape_text(b, &how);
        CgDiag *d = does_not_hold(x, it, when, cg_strbuf_str(&how));
        label(d, &it->left, a, 0);
        label(d, &it->right, b, 0);
        cg_strbuf_deinit(&how);
        return false;
    }
    int64_t n = a->rank ? a->n : b->n;
    bool any = !it->op || *it->op != '!'; /* != is about the whole: one difference is enough */
    for (int64_t i = 0; i < n; i++)
        if (holds(it, a->at[a->rank ? i : 0], b->at[b->rank ? i : 0]) != any)
            return any ? failed(x, it, when, a, b, i) : true;
    return any || failed(x, it, when, a, b, 0);
}

/* ---- running ---- */ /* ---- showing ---- */

static void print_text(CgSession *x, CgSpan span, CgStrbuf *out)
{
    const CgSource *text = cg_sources_get(x->sources, span.file);
    cg_strbuf_printf(out, "%.*s", (int)(span.end - span.start), text->text + span.start);
}

/* What can be said of many numbers in one line. */
static void print_summary(const Numbers *v, CgStrbuf *out)
{
    Number least = INFINITY, most = -INFINITY, sum = 0, squares = 0;
    int64_t odd = 0;
    for (int64_t i = 0; i < v->n; i++) {
        if (!isfinite((double)v->at[i])) {
            odd++;
            continue;
        }
        least = fminl(least, v->at[i]);
        most = fmaxl(most, v->at[i]);
        sum += v->at[i];
        squares += v->at[i] * v->at[i];
    }
    Number n = (Number)(v->n - odd), mean = sum / n;
    if (n > 0)
        cg_strbuf_printf(out, "from %.6Lg to %.6Lg, mean %.6Lg, deviation %.6Lg", least, most, mean,
            sqrtl(fmaxl(0, squares / n - mean * mean)));
    if (odd)
        cg_strbuf_printf(out, "%s%lld of %lld are not finite", n > 0 ? "; " : "", (long long)odd, (long long)v->n);
}

static void show(CgSession *x, const CgExpect *it, const char *when, const CgTensor *t, const Numbers *v)
{
    CgStrbuf out = { 0 };
    int64_t at = 0;
    int line, column;
    cg_sources_position(x->sources, it->span, &line, &column);
    cg_strbuf_printf(&out, "%s:%d: ", cg_sources_get(x->sources, it->span.file)->name, line);
    print_occasion(it, when, "", &out);
    cg_strbuf_puts(&out, *it->part || *when ? ": " : "");
    print_text(x, it->span, &out);
    if (t && t->rank) {
        cg_strbuf_printf(&out, " %s", cg_dtype_name(t->dtype));
        shape_text(v, &out);
    }
    cg_strbuf_puts(&out, " = ");
    if (!v->ok)
        cg_value_print(it->left.value, &out);
    else if (v->n > SHOWN)
        print_summary(v, &out);
    else
        print_numbers(v, 0, &at, &out);
    fprintf(stderr, "%s\n", cg_strbuf_str(&out));
    cg_strbuf_deinit(&out);
}

bool cg_expects_hold(CgSession *x, const CgExpects *of, const CgExec *exec, const char *when)
{
    bool good = true;
    for (size_t i = 0; i < of->at.len; i++) {
        const CgExpect *it = &of->at.at[i];
        const CgSide *both[2] = { &it->left, it->op ? &it->right : &it->left };
        Numbers v[2];
        CgTensor tensor[2];
        for (int k = 0; k < 2; k++)
            if (both[k]->output >= 0) {
                tensor[k] = cg_exec_output(exec, both[k]->output);
                v[k] = numbers_of_tensor(&tensor[k]);
            } else {
                v[k] = numbers_of_value(both[k]->value);
            }
        v[0].brief = it->shown && it->left.output >= 0;
        v[0].truth = v[0].brief && tensor[0].dtype == CG_BOOL;
        if (it->shown)
            show(x, it, when, it->left.output >= 0 ? &tensor[0] : NULL, &v[0]);
        else
            good = compare(x, it, when, &v[0], &v[1]) && good;
        free(v[0].at);
        free(v[1].at);
    }
    return good;
}
