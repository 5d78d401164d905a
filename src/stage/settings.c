/* settings.c - what a stage was asked for, setting by setting, for people who compare runs.
 * Takes the block of train or evaluate; gives lines NAME=VALUE in which every argument of every argument has a line of
 * its own: optimizer.rate.peak=0.001. What is computed on tensors stands there as it is written. Decides nothing: keys
 * of the store are made of graphs and numbers (force.c), not of this. */
#include <string.h>

#include "lang/fmt.h"
#include "stage/check.h"

enum { DEEPEST = 16, LONGEST = 1 << 14 };

static void add(CgValue *to, const char *name, CgValue *v)
{
    to->keys[to->n] = cg_intern(name);
    to->at[to->n++] = v;
}

static CgValue *as_written(CgElab *e, const CgExpr *x)
{
    CgStrbuf text = { 0 };
    cg_expr_format(x, &text);
    CgValue *v = cg_value_str(e, cg_strbuf_str(&text), x->span);
    cg_strbuf_deinit(&text);
    return v;
}

void cg_stage_ask(CgElab *e, CgFrame *f, const CgExpr *x, CgStage *s, CgValue *model)
{
    CgValue *all = s->asked = cg_value_record(e, x->args.n + 2, x->span);
    all->n = 0;
    add(all, "model", model);
    add(all, "data", s->data);
    for (int i = 0; i < x->args.n; i++) {
        CgAtom name = x->args.at[i].name;
        const CgExpr *value = x->args.at[i].value;
        if (x->kind == CG_EXPR_EVALUATE)
            add(all, cg_intern_printf("columns.%s", name), as_written(e, value));
        else if (!strcmp(name, "loss") || !strcmp(name, "weight") || !strcmp(name, "metrics"))
            add(all, name, as_written(e, value));
        else if (strcmp(name, "data") != 0)
            add(all, name, !strcmp(name, "validate") ? s->validate : cg_eval(e, f, value));
    }
}

static void put(const char *name, const CgValue *v, int depth, CgStrbuf *out);

static void line(const char *name, const char *text, CgStrbuf *out)
{
    cg_strbuf_printf(out, "%s=", name);
    for (; *text; text++)
        cg_strbuf_putc(out, (unsigned char)*text < ' ' ? ' ' : *text);
    cg_strbuf_putc(out, '\n');
}

static void put_below(const char *name, const char *key, int at, const CgValue *v, int depth, CgStrbuf *out)
{
    CgStrbuf path = { 0 };
    if (key)
        cg_strbuf_printf(&path, "%s.%s", name, key);
    else
        cg_strbuf_printf(&path, "%s.%d", name, at);
    put(cg_strbuf_str(&path), v, depth + 1, out);
    cg_strbuf_deinit(&path);
}

static void put_instance(const char *name, const CgInstance *m, int depth, CgStrbuf *out)
{
    line(name, m->stmt->names[0], out);
    for (int i = 0; i < m->stmt->nparams; i++)
        if (m->statics[i])
            put_below(name, m->stmt->params[i].name, i, m->statics[i], depth, out);
    if (m->weights)
        put_below(name, "weights", 0, m->weights, depth, out);
}

static bool is_plain(const CgValue *v)
{
    return v->kind == CG_VALUE_INT || v->kind == CG_VALUE_FLOAT || v->kind == CG_VALUE_BOOL || v->kind == CG_VALUE_STR;
}

/* A list of numbers and texts is one setting. */
static bool is_one(const CgValue *v)
{
    bool plain = v->kind == CG_VALUE_LIST;
    for (int i = 0; plain && i < v->n; i++)
        plain = is_plain(v->at[i]);
    return plain;
}

static void put(const char *name, const CgValue *v, int depth, CgStrbuf *out)
{
    CgStrbuf text = { 0 };
    bool call = v->kind == CG_VALUE_CALL,
         several = call || v->kind == CG_VALUE_OBJECT || v->kind == CG_VALUE_RECORD
        || (v->kind == CG_VALUE_LIST && !is_one(v));
    if (out->len > LONGEST || depth > DEEPEST)
        line(name, "..", out);
    else if (v->kind == CG_VALUE_INSTANCE)
        put_instance(name, v->instance, depth, out);
    else if (v->kind == CG_VALUE_STAGE)
        line(name, ((const CgStage *)v->stage)->label, out);
    else if (several) {
        if (call || v->kind == CG_VALUE_OBJECT)
            line(name, call ? v->function->name : v->s, out);
        for (int i = 0; i < v->n; i++)
            if (v->at[i])
                put_below(name, v->keys ? v->keys[i] : NULL, i, v->at[i], depth, out);
    } else {
        cg_value_print(v, &text);
        line(name, cg_strbuf_str(&text), out);
    }
    cg_strbuf_deinit(&text);
}

void cg_stage_settings(const CgStage *s, CgStrbuf *out)
{
    for (int i = 0; s->asked && i < s->asked->n; i++)
        put(s->asked->keys[i], s->asked->at[i], 0, out);
}
