/* plugin_value.c - what functions of plugins read of values, and give (cg/function.h).
 * Takes values that are found out; gives numbers, texts and columns. Must not show a plugin what a value is inside. */
#include <string.h>

#include "library/library.h"

static const CgIdsRow *tokens_of(const CgValue *v)
{
    return v->kind == CG_VALUE_OBJECT && v->cls == &cg_class_tokens ? v->held : NULL;
}

char *cg_value_text(const CgValue *v)
{
    const CgIdsRow *r = tokens_of(v);
    CgStrbuf text = { 0 };
    if (v->kind == CG_VALUE_STR)
        return cg_strdup(v->s);
    if (!r || !r->tokenizer)
        return NULL;
    cg_tokenizer_decode(r->tokenizer, r->at, r->n, CG_PLAIN, &text);
    return cg_strbuf_take(&text);
}

const int32_t *cg_value_tokens(const CgValue *v, size_t *n)
{
    const CgIdsRow *r = tokens_of(v);
    *n = r ? r->n : 0;
    return r ? r->at : NULL;
}

static const CgNumbers *column_of(const CgValue *v)
{
    bool column = v->kind == CG_VALUE_OBJECT && (v->cls == &cg_class_column || v->cls == &cg_class_labels);
    return column ? v->held : NULL;
}

const double *cg_value_numbers(const CgValue *v, size_t *n)
{
    const CgNumbers *c = column_of(v);
    *n = c && !c->text ? c->n : 0;
    return c && !c->text ? c->at : NULL;
}

const char *const *cg_value_labels(const CgValue *v, size_t *n)
{
    const CgNumbers *c = column_of(v);
    *n = c && c->text ? c->n : 0;
    return c ? c->text : NULL;
}

CgValue *cg_give_number(CgSession *x, const CgValue *call, double number)
{
    return cg_value_float(x->elab, number, call->span);
}

CgValue *cg_give_text(CgSession *x, const CgValue *call, const char *text)
{
    return cg_value_str(x->elab, cg_intern(text), call->span);
}

CgValue *cg_give_mistake(CgSession *x, const CgValue *call, const char *format, ...)
{
    CgErr e = { 0 };
    CgStrbuf text = { 0 };
    va_list args;
    va_start(args, format);
    cg_strbuf_vprintf(&text, format, args);
    va_end(args);
    cg_err(&e, CG_ERR_INPUT, "%s: %s", call->function->name, cg_strbuf_str(&text));
    cg_strbuf_deinit(&text);
    cg_session_err(x, call->span, &e);
    return NULL;
}
