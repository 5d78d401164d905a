/* infer.c - what shape rules share.
 * Takes a rule's view of a node; gives axes and complaints in one wording. Must not know any op. */
#include <stdio.h>
#include <string.h>

#include "graph/dim.h"

/* Whoever shows a message puts the op's name before it: one that begins with it loses it. */
static void drop_name(CgInfer *inf)
{
    size_t n = inf->op ? strlen(inf->op->name) : 0;
    char *m = inf->message;
    if (n == 0 || strncmp(m, inf->op->name, n) != 0 || (m[n] != ' ' && m[n] != ':'))
        return;
    n += strspn(m + n, ": ");
    memmove(m, m + n, strlen(m + n) + 1);
}

bool cg_infer_fail(CgInfer *inf, int operand, int axis, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(inf->message, sizeof inf->message, format, args);
    va_end(args);
    drop_name(inf);
    inf->operand[0] = operand;
    inf->axis[0] = axis;
    inf->operand[1] = inf->axis[1] = -1;
    inf->size[0] = inf->size[1] = NULL;
    inf->at_most = false;
    return false;
}

bool cg_infer_unequal(CgInfer *inf, int operand, const CgDim *a, const CgDim *b, const char *what)
{
    CgStrbuf text = { 0 };
    cg_dim_print(a, &text);
    cg_strbuf_puts(&text, " and ");
    cg_dim_print(b, &text);
    cg_infer_fail(inf, operand, -1, "%s differ: %s", what, cg_strbuf_str(&text));
    inf->size[0] = a;
    inf->size[1] = b;
    cg_strbuf_deinit(&text);
    return false;
}

bool cg_infer_at_most(CgInfer *inf, int axis, const char *low, const CgDim *a, const char *high, const CgDim *b)
{
    if (!a || !b || !cg_dim_at_most(cg_dim_add(b, cg_dim_int(1)), a))
        return true;
    CgStrbuf from = { 0 }, to = { 0 };
    cg_dim_print(a, &from);
    cg_dim_print(b, &to);
    cg_infer_fail(inf, 0, axis, "%s %s is after %s %s", low, cg_strbuf_str(&from), high, cg_strbuf_str(&to));
    inf->size[0] = a;
    inf->size[1] = b;
    inf->at_most = true;
    cg_strbuf_deinit(&from);
    cg_strbuf_deinit(&to);
    return false;
}

bool cg_infer_differ(CgInfer *inf, int operand_a, int axis_a, int operand_b, int axis_b, const char *what)
{
    cg_infer_unequal(inf, operand_a, inf->in[operand_a].dim[axis_a], inf->in[operand_b].dim[axis_b], what);
    inf->axis[0] = axis_a;
    inf->operand[1] = operand_b;
    inf->axis[1] = axis_b;
    return false;
}

bool cg_infer_axis(CgInfer *inf, const char *name, int operand, int *axis)
{
    int rank = inf->in[operand].rank;
    int64_t given = cg_attr_int(inf->attrs, name, -1), a = given < 0 ? given + rank : given;
    if (a < 0 || a >= rank) {
        CgStrbuf text = { 0 };
        cg_type_print(&inf->in[operand], &text);
        cg_infer_fail(inf, operand, -1, "%s = %lld is out of range for %s, which has %d ax%ss", name, (long long)given,
            cg_strbuf_str(&text), rank, rank == 1 ? "i" : "e");
        cg_strbuf_deinit(&text);
        return false;
    }
    *axis = (int)a;
    return true;
}

bool cg_shape_same(CgInfer *inf)
{
    const CgType *x = &inf->in[0];
    for (int k = 1; k < inf->nin; k++) {
        const CgType *y = &inf->in[k];
        if (x->dtype != y->dtype || x->rank != y->rank) {
            CgStrbuf text = { 0 };
            cg_type_print(x, &text);
            cg_strbuf_puts(&text, " and ");
            cg_type_print(y, &text);
            cg_infer_fail(inf, 0, -1, "operand types differ: %s", cg_strbuf_str(&text));
            inf->operand[1] = k;
            cg_strbuf_deinit(&text);
            return false;
        }
        for (int i = 0; i < x->rank; i++)
            if (x->dim[i] != y->dim[i])
                return cg_infer_differ(inf, 0, i, k, i, "dims");
    }
    inf->out[0] = *x;
    return true;
}
