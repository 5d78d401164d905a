/* typing.c - declared types against tensors.
 * Takes the types an author wrote and the tensors that came; gives sizes bound to names, or both origins of a
 * difference. Guesses nothing: a size that does not follow is a mistake. */
#include <string.h>

#include "elab/define.h"
#include "lang/resolve.h"

/* The value of a dim expression, or NULL with *unknown set to the one name that is not bound (NULL if several). */
static const CgDim *dim_value(CgElab *e, CgFrame *f, const CgExpr *x, const CgExpr **unknown, int *unknowns)
{
    if (x->kind == CG_EXPR_INT)
        return cg_dim_int(x->i);
    if (x->kind == CG_EXPR_NAME) {
        CgSized *s = cg_frame_dim(f, x->s);
        if (s)
            return s->dim;
        for (CgFrame *at = f; at; at = at->outer) {
            const CgValue *v = cg_frame_name(at, x->s);
            const CgDim *d = v ? cg_value_as_dim(v) : NULL;
            if (v && !d && e->defining && cg_is_poison(v)) {
                cg_define_whole(e, v, x->span);
                d = cg_define_any_size(e);
            }
            if (d)
                return d;
        }
        if (f && !cg_frame_body(f)) { /* outside of graphs top-level names may be sizes */
            CgValue *v = cg_env_find(e, f->env, x->s);
            if (v && cg_value_as_dim(v))
                return cg_value_as_dim(v);
        }
        if (!*unknown || (*unknown)->s != x->s)
            ++*unknowns;
        *unknown = x;
        return cg_dim_symbol(x->s); /* as a placeholder to solve for */
    }
    if (x->kind == CG_EXPR_BINARY) {
        const CgDim *a = dim_value(e, f, x->a, unknown, unknowns), *b = dim_value(e, f, x->b, unknown, unknowns);
        const CgDim *d = cg_dim_combine(*x->op, a, b);
        bool may = !d && e->defining && (*x->op != '/' || *unknown || cg_define_divides(e, a, b, x->span));
        return may ? cg_define_any_size(e) : d;
    }
    if (x->kind == CG_EXPR_FIELD || x->kind == CG_EXPR_INDEX || x->kind == CG_EXPR_CALL) {
        CgValue *v = cg_eval(e, f, x);
        cg_define_whole(e, v, x->span);
        return cg_is_poison(v) && e->defining ? cg_define_any_size(e) : cg_value_as_dim(v);
    }
    return NULL;
}

/* Whether the name is an integer that is known and yet no size, which is reported: nothing else gives it one. */
static bool is_too_large(CgElab *e, CgFrame *f, const CgExpr *name)
{
    for (CgFrame *at = f; at && name; at = at->outer) {
        const CgValue *v = cg_frame_name(at, name->s);
        if (!v || v->kind != CG_VALUE_INT || cg_value_as_dim(v))
            continue;
        cg_elab_error(e, CG_E0403, cg_elab_literal(e, v, name->span),
            "the size '%s' is %lld, and a size is at most 2^48", name->s, (long long)v->i);
        return true;
    }
    return false;
}

const CgDim *cg_dim_of(CgElab *e, CgFrame *f, const CgExpr *x, bool report)
{
    const CgExpr *unknown = NULL;
    int unknowns = 0;
    const CgDim *d = dim_value(e, f, x, &unknown, &unknowns);
    if (d && !unknowns)
        return d;
    uint64_t reported;
    if (report && !(unknown && cg_map_get(&e->unresolved, cg_resolve_key(unknown->span), &reported))) {
        if (is_too_large(e, f, unknown))
            return NULL;
        if (unknown)
            cg_elab_error(e, CG_E0403, unknown->span, "the size '%s' is not known here", unknown->s);
        else
            cg_elab_error(e, CG_E0309, x->span, "this size is not a whole number");
    }
    return NULL;
}

static CgFrame *binder(CgFrame *f)
{
    CgFrame *body = cg_frame_body(f);
    return body ? body : f;
}

static void sizes_differ(CgElab *e, const CgDim *a, CgSpan from_a, const CgDim *b, CgSpan from_b, CgSpan at,
    const char *what, const char *name)
{
    if (cg_define_equal(e, a, b, at)) {
        cg_define_from(e, a, from_a);
        cg_define_from(e, b, from_b);
        return;
    }
    CgStrbuf ta = { 0 }, tb = { 0 };
    cg_dim_print(a, &ta);
    cg_dim_print(b, &tb);
    CgDiag *d = name
        ? cg_elab_error(e, CG_E0402, at, "%s: '%s' is %s and %s", what, name, cg_strbuf_str(&ta), cg_strbuf_str(&tb))
        : cg_elab_error(e, CG_E0402, at, "%s: sizes differ: %s and %s", what, cg_strbuf_str(&ta), cg_strbuf_str(&tb));
    cg_note_origin(e, d, a, from_a);
    cg_note_origin(e, d, b, from_b);
    if (e->returned.file && e->returned.start != at.start
        && (e->returned.start != from_b.start || e->returned.file != from_b.file))
        cg_diag_note(d, e->returned, "this is returned");
    cg_define_explain(e, d, a, b);
    cg_strbuf_deinit(&ta);
    cg_strbuf_deinit(&tb);
}

/* Where the size a name stands for was said: the call that gave it, or the tensor it was taken from. */
CgSpan cg_origin_of(CgFrame *f, const CgExpr *x)
{
    if (x->kind != CG_EXPR_NAME)
        return x->span;
    CgSized *s = cg_frame_dim(f, x->s);
    if (s)
        return s->span;
    for (CgFrame *at = f; at; at = at->outer) {
        const CgValue *v = cg_frame_name(at, x->s);
        if (v && v->span.file)
            return v->span;
    }
    return x->span;
}

/* What a tensor with one axis more than another is without it; nothing where the others differ, too. */
static bool help_axis_more(CgDiag *d, int n, const CgDim *const *more, const CgDim *const *less)
{
    int at = 0;
    while (at + 1 < n && more[at] == less[at])
        at++;
    for (int k = at + 1; k < n; k++)
        if (more[k] != less[k - 1])
            return false;
    if (more[at] == cg_dim_int(1) && at + 1 == n)
        cg_diag_help(d, "the last axis, of size 1, is dropped by x[.., 0]");
    else
        cg_diag_help(d,
            "axis %d is one too many: mean(x, axis = %d) draws it together, x[..] with an index there takes one of it",
            at, at);
    return true;
}

static void print_axes(const CgDim *const *dim, int n, CgStrbuf *out)
{
    for (int i = 0; i < n; i++) {
        cg_strbuf_puts(out, i ? ", " : "[");
        cg_dim_print(dim[i], out);
    }
    cg_strbuf_puts(out, n ? "]" : "[]");
}

/* The axes of a row `..s`: n of them from `axis` on, as wherever else the row is written. */
static bool bind_row(CgElab *e, CgFrame *f, const CgExpr *x, int n, const CgType *type, int axis, CgTensorValue *tensor,
    CgSpan at, const char *what)
{
    bool good = true;
    CgRows *row = cg_frame_rows(f, x->s);
    if (!row) {
        CgRows r = { .name = x->s, .n = n };
        for (int k = 0; k < n; k++) {
            r.dim[k] = type->dim[axis + k];
            r.span[k] = tensor ? tensor->origin[axis + k] : at;
            r.label[k] = tensor ? tensor->label[axis + k] : NULL;
        }
        cg_vec_push(&binder(f)->rows, r);
    } else if (row->n != n) {
        CgStrbuf a = { 0 }, b = { 0 };
        print_axes(row->dim, row->n, &a);
        print_axes(type->dim + axis, n, &b);
        CgDiag *d = cg_elab_error(e, CG_E0401, at, "%s: '..%s' is %s here and %s before: an axis too %s", what, x->s,
            cg_strbuf_str(&b), cg_strbuf_str(&a), n < row->n ? "few" : "many");
        if (n + 1 == row->n)
            help_axis_more(d, row->n, row->dim, type->dim + axis);
        else if (n == row->n + 1)
            help_axis_more(d, n, type->dim + axis, row->dim);
        cg_strbuf_deinit(&a);
        cg_strbuf_deinit(&b);
        good = false;
    } else {
        for (int k = 0; k < n; k++)
            if (row->dim[k] != type->dim[axis + k]) {
                sizes_differ(e, row->dim[k], row->span[k], type->dim[axis + k], tensor ? tensor->origin[axis + k] : at,
                    at, what, NULL);
                good = false;
            }
    }
    return good;
}

/* A tensor with other axes than are declared. */
static void help_rank(const CgElab *e, CgDiag *d, const CgType *type, int fixed, bool rows)
{
    int more = type->rank - fixed;
    bool result = e->returned.file != 0;
    if (more == 1 && !rows && !result && type->dim[0] == cg_dim_symbol("batch"))
        cg_diag_help(d, "a batch has its rows as first axis: name it in the type, x: f32[B, ..]");
    else if (more == 1 && type->dim[type->rank - 1] == cg_dim_int(1))
        cg_diag_help(d, "the last axis, of size 1, is dropped by x[.., 0]");
    else if (more > 0 && !rows)
        cg_diag_help(d,
            "%s too many: mean(x, axis = k) or max draws axes together, rearrange(x, [B, T, D] -> [B, T*D]) makes one "
            "of two",
            more == 1 ? "one axis" : "axes");
    else if (more < 0 && result)
        cg_diag_help(d, "either what is returned lacks an axis, or the type of the result has one too many");
    else if (more < 0)
        cg_diag_help(d, "%s too few: reshape(x, [1, N]) is a batch of one row, reshape(x, [N, 1]) one number a row",
            more == -1 ? "one axis" : "axes");
}

/* Two axes that stand where the other one is wanted, whatever sizes they have; reports them. */
static bool axes_swapped(
    CgElab *e, CgFrame *f, CgExpr *const *dims, int n, const CgType *type, CgSpan at, CgSpan pattern, const char *what)
{
    const CgDim *want[CG_MAX_RANK];
    int a = -1, b = -1, differ = 0;
    for (int i = 0; i < n; i++) {
        const CgExpr *unknown = NULL;
        int unknowns = 0;
        want[i] = dims[i]->kind == CG_EXPR_NAME ? dim_value(e, f, dims[i], &unknown, &unknowns) : NULL;
        want[i] = unknowns ? NULL : want[i];
        if (want[i] && want[i] != type->dim[i]) {
            differ++;
            b = a < 0 ? b : i;
            a = a < 0 ? i : a;
        }
    }
    if (!e->defining || differ != 2 || want[a] != type->dim[b] || want[b] != type->dim[a])
        return false;
    CgStrbuf text = { 0 };
    print_axes(type->dim, n, &text);
    CgDiag *d = cg_elab_error(
        e, CG_E0402, at, "%s: axes %d and %d are the other way round: they are %s", what, a, b, cg_strbuf_str(&text));
    if (pattern.file && (pattern.start != at.start || pattern.file != at.file))
        cg_diag_note(d, pattern, "this order is asked for");
    cg_diag_help(d, "write the axes in the order in which they lie; rearrange(x, [A, B] -> [B, A]) gives them another");
    cg_strbuf_deinit(&text);
    return true;
}

/* The size of an axis is written with names whose sizes are not known, and do not follow from it. */
static void not_known(CgElab *e, const CgExpr *x, const char *what, const CgExpr *unknown, int unknowns)
{
    CgDiag *d =
        cg_elab_error(e, CG_E0403, x->span, "%s: the sizes in this expression do not follow from anything", what);
    if (x->kind == CG_EXPR_BINARY && *x->op == '-' && x->a->kind == CG_EXPR_NAME && x->b->kind == CG_EXPR_NAME)
        cg_diag_help(d, "a size with a name of its own is %s_%s", x->a->s, x->b->s);
    else if (unknowns > 1)
        cg_diag_help(d,
            "one unknown size follows from an expression, and here are %d: '%s' or another is to be a parameter, or a "
            "size that is known before",
            unknowns, unknown->s);
}

bool cg_bind_dims(CgElab *e, CgFrame *f, CgExpr *const *dims, int ndims, const CgType *type, CgTensorValue *tensor,
    CgSpan at, CgSpan pattern, const char *what)
{
    CgFrame *body = binder(f);
    int rows = 0;
    for (int i = 0; i < ndims; i++)
        rows += dims[i]->kind == CG_EXPR_ROW;
    int fixed = ndims - rows;
    if (rows > 1 || (rows ? type->rank < fixed : type->rank != fixed)) {
        CgStrbuf text = { 0 };
        cg_type_print(type, &text);
        CgDiag *d = cg_elab_error(e, CG_E0401, at, "%s has %d axes, not %s%d: %s", what, type->rank,
            rows ? "at least " : "", fixed, cg_strbuf_str(&text));
        if (pattern.file)
            cg_diag_note(d, pattern, "declared here");
        help_rank(e, d, type, fixed, rows > 0);
        cg_strbuf_deinit(&text);
        return false;
    }
    if (!rows && axes_swapped(e, f, dims, ndims, type, at, pattern, what))
        return false;
    bool good = true;
    int axis = 0;
    for (int i = 0; i < ndims; i++) {
        const CgExpr *x = dims[i];
        if (x->kind == CG_EXPR_ROW) {
            int n = type->rank - fixed;
            good &= bind_row(e, f, x, n, type, axis, tensor, at, what);
            axis += n;
            continue;
        }
        const CgDim *have = type->dim[axis];
        CgSpan from = tensor ? tensor->origin[axis] : at;
        const CgExpr *unknown = NULL;
        int unknowns = 0;
        const CgDim *want = dim_value(e, f, x, &unknown, &unknowns);
        if (unknowns && is_too_large(e, f, unknown)) {
            good = false;
        } else if (want && unknowns == 1) {
            const CgDim *solved = cg_dim_solve(want, unknown->s, have);
            const CgDim *size = solved || !e->defining ? solved : cg_define_size(e, unknown->s);
            const CgDim *filled = solved || !size ? have : cg_dim_subst(want, unknown->s, size);
            if (size)
                cg_vec_push(&body->dims, (CgSized){ unknown->s, size, from });
            if (size && filled != have) {
                good = false; /* unknown until the condition is put in */
                size = cg_define_equal(e, have, filled, x->span) ? size : NULL;
            }
            if (!size) {
                CgStrbuf ta = { 0 };
                cg_dim_print(have, &ta);
                CgDiag *d = cg_elab_error(
                    e, CG_E0403, x->span, "%s: no whole '%s' makes this %s", what, unknown->s, cg_strbuf_str(&ta));
                cg_note_origin(e, d, have, from);
                cg_strbuf_deinit(&ta);
                good = false;
            }
        } else if (!want && !unknowns) {
            cg_elab_error(e, CG_E0309, x->span, "%s: this size is not a whole number", what);
            good = false;
        } else if (!want || unknowns) {
            not_known(e, x, what, unknown, unknowns);
            good = false;
        } else if (want != have) {
            /* a number is what the author wants; a name may be the wrong one as well as what is returned */
            bool result = e->returned.file != 0;
            sizes_differ(e, want, cg_origin_of(f, x), have, from, result && x->kind != CG_EXPR_INT ? x->span : at, what,
                x->kind == CG_EXPR_NAME ? x->s : NULL);
            good = false;
        } else if (tensor && x->kind == CG_EXPR_NAME) {
            tensor->origin[axis] = cg_origin_of(f, x);
        }
        axis++;
    }
    return good;
}

/* Names of the axes as the declaration writes them. */
static void take_labels(CgFrame *f, const CgTypeExpr *declared, int rank, CgTensorValue *t)
{
    int rows = 0;
    for (int i = 0; i < declared->ndims; i++)
        rows += declared->dims[i]->kind == CG_EXPR_ROW;
    int axis = 0;
    for (int i = 0; i < declared->ndims && axis < rank; i++) {
        const CgExpr *x = declared->dims[i];
        if (x->kind == CG_EXPR_ROW) {
            axis += rank - (declared->ndims - rows);
            continue;
        }
        if (x->kind == CG_EXPR_NAME)
            t->label[axis] = x->s;
        axis++;
    }
    (void)f;
}

bool cg_match_type(CgElab *e, CgFrame *body, const CgTypeExpr *declared, CgValue *tensor, CgSpan at, const char *what)
{
    const CgType *t = cg_value_type(e, tensor);
    const char *name = declared->name;
    if (declared->kind != CG_TYPE_TENSOR)
        return true;
    bool dtype = (!strcmp(name, "F") && cg_dtype_is_float(t->dtype))
        || (!strcmp(name, "I") && (t->dtype == CG_I32 || t->dtype == CG_I64)) || !strcmp(name, "T")
        || !strcmp(name, cg_dtype_name(t->dtype));
    if (!dtype) {
        CgStrbuf text = { 0 };
        cg_type_print(t, &text);
        CgDiag *d = cg_elab_error(e, CG_E0401, at, "%s has elements of type %s, not %s: %s", what,
            cg_dtype_name(t->dtype), name, cg_strbuf_str(&text));
        cg_diag_note(d, declared->span, "declared here");
        bool ids = (t->dtype == CG_I32 || t->dtype == CG_I64) && cg_below_of(e, tensor).size;
        if (cg_dtype_is_float(t->dtype) != (declared->name[0] == 'f') || t->dtype == CG_BOOL)
            cg_diag_help(d, "%scast(x, %s) converts them",
                ids ? "numbers of classes are the target of cross_entropy(logits, ids); as amounts, " : "",
                strlen(name) > 1   ? name
                    : *name == 'I' ? "i32"
                                   : "f32");
        cg_strbuf_deinit(&text);
        return false;
    }
    if (!cg_bind_dims(e, body, declared->dims, declared->ndims < 0 ? 0 : declared->ndims, t, tensor->tensor, at,
            declared->span, what))
        return false;
    take_labels(body, declared, t->rank, tensor->tensor);
    return true;
}

bool cg_type_of(CgElab *e, CgFrame *f, const CgTypeExpr *declared, CgType *out, CgTensorValue *labels)
{
    memset(out, 0, sizeof *out);
    int d = 0;
    while (d < CG_NDTYPE && (!declared->name || strcmp(cg_dtype_name((CgDtype)d), declared->name)))
        d++;
    if (declared->kind != CG_TYPE_TENSOR || d == CG_NDTYPE) {
        cg_elab_error(e, CG_E0305, declared->span, "this is not the type of a tensor");
        return false;
    }
    out->dtype = (CgDtype)d;
    for (int i = 0; i < declared->ndims; i++) {
        const CgExpr *x = declared->dims[i];
        if (x->kind == CG_EXPR_ROW) {
            CgRows *r = cg_frame_rows(f, x->s);
            if (!r) {
                cg_elab_error(e, CG_E0403, x->span, "the axes '..%s' are not known here", x->s);
                return false;
            }
            if (out->rank + r->n > CG_MAX_RANK) {
                cg_elab_error(e, CG_E0401, declared->span, "a tensor has at most %d axes", CG_MAX_RANK);
                return false;
            }
            for (int k = 0; k < r->n; k++, out->rank++) {
                out->dim[out->rank] = r->dim[k];
                if (labels)
                    labels->origin[out->rank] = r->span[k], labels->label[out->rank] = r->label[k];
            }
            continue;
        }
        const CgDim *dim = cg_dim_of(e, f, x, true);
        if (!dim)
            return false;
        int64_t number;
        if (cg_dim_is_int(dim, &number) && number < 0) {
            cg_elab_error(e, CG_E0309, x->span, "a size of %lld", (long long)number);
            return false;
        }
        if (out->rank == CG_MAX_RANK) {
            cg_elab_error(e, CG_E0401, declared->span, "a tensor has at most %d axes", CG_MAX_RANK);
            return false;
        }
        if (labels) {
            labels->origin[out->rank] = cg_origin_of(f, x);
            labels->label[out->rank] = x->kind == CG_EXPR_NAME ? x->s : NULL;
            labels->written |= (uint16_t)((x->kind == CG_EXPR_INT && x->i == 1) << out->rank);
        }
        out->dim[out->rank++] = dim;
    }
    return true;
}

bool cg_below_match(
    CgElab *e, CgFrame *body, const CgTypeExpr *declared, const CgValue *tensor, CgSpan at, const char *what)
{
    if (!declared->below)
        return true;
    CgBelow have = cg_below_of(e, tensor);
    const CgExpr *x = declared->below;
    const CgDim *want = cg_dim_of(e, body, x, false);
    if (!want && x->kind == CG_EXPR_NAME && is_too_large(e, body, x))
        return false;
    if (!want && have.size && x->kind == CG_EXPR_NAME) {
        cg_vec_push(&body->dims, (CgSized){ x->s, have.size, have.from });
        return true;
    }
    if (!want && x->kind == CG_EXPR_NAME) {
        CgDiag *d = cg_elab_error(e, CG_E0403, at, "%s: what these indices are below is not known", what);
        cg_diag_note(d, x->span, "'%s' is asked for here", x->s);
        cg_diag_help(d,
            "give the size by name, or take them from data or an op that knows it: batch.tokens, argmax, iota, x %% n");
        return false;
    }
    if (!want)
        return cg_dim_of(e, body, x, true) != NULL;
    if (!have.size)
        cg_below_set(e->model, tensor->tensor->ref, (CgBelow){ want, x->span, NULL, NULL });
    if (cg_below_fits(have.size, want))
        return true;
    CgStrbuf a = { 0 }, b = { 0 };
    cg_dim_print(have.size, &a);
    cg_dim_print(want, &b);
    CgDiag *d = cg_elab_error(
        e, CG_E0409, at, "%s is below %s, and wanted are indices below %s", what, cg_strbuf_str(&a), cg_strbuf_str(&b));
    cg_below_note(d, have.size, have.from, "the bound");
    cg_below_note(d, want, cg_origin_of(body, x), "the size");
    cg_diag_note(d, declared->span, "declared here");
    if (have.tokenizer && x->kind == CG_EXPR_NAME)
        cg_diag_help(d, "how many tokens there are says the tokenizer: %s = tok.size", x->s);
    cg_strbuf_deinit(&a);
    cg_strbuf_deinit(&b);
    return false;
}
