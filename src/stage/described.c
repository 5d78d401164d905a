/* described.c - digests of values by their descriptions.
 * Takes values; gives digests of all that they are made of: by the functions and numbers that describe them, or for
 * what is read by the digest of its content, where that is known already. Finds nothing out. */
#include "stage/described.h"

#include <string.h>

#include "elab/signature.h"

static void add_text(CgDigester *d, const char *s) { cg_digester_add(d, s ? s : "", s ? strlen(s) + 1 : 1); }

static void add_value(CgDigester *d, const CgValue *v)
{
    add_text(d, cg_value_kind_name(v));
    switch (v->kind) {
    case CG_VALUE_INT:
    case CG_VALUE_BOOL:
    case CG_VALUE_DTYPE: cg_digester_add(d, &v->i, sizeof v->i); return;
    case CG_VALUE_FLOAT: cg_digester_add(d, &v->f, sizeof v->f); return;
    case CG_VALUE_STR:
    case CG_VALUE_COLUMN: add_text(d, v->s); return;
    case CG_VALUE_OBJECT:
        add_text(d, v->cls->name);
        if (v->held && v->cls->digest) {
            CgDigest held = v->cls->digest(v->held);
            cg_digester_add(d, &held, sizeof held);
            return;
        }
        add_text(d, v->s);
        break;
    case CG_VALUE_CALL:
        add_text(d, v->function->name);
        cg_function_identify(v->function, d);
        break;
    case CG_VALUE_LIST:
    case CG_VALUE_RECORD: break;
    default: { /* what its text says all of */
        CgStrbuf text = { 0 };
        cg_value_print(v, &text);
        add_text(d, cg_strbuf_str(&text));
        cg_strbuf_deinit(&text);
        return;
    }
    }
    cg_digester_add(d, &v->n, sizeof v->n);
    for (int i = 0; i < v->n; i++) {
        add_text(d, v->keys ? v->keys[i] : NULL);
        add_value(d, v->at[i]);
    }
}

CgDigest cg_value_digest(const CgValue *v)
{
    CgDigester *d = cg_digester_new();
    add_value(d, v);
    return cg_digester_free(d);
}

bool cg_value_by_rule(const CgValue *v)
{
    bool good = true;
    switch (v->kind) {
    case CG_VALUE_NONE:
    case CG_VALUE_INT:
    case CG_VALUE_FLOAT:
    case CG_VALUE_BOOL:
    case CG_VALUE_STR: return true;
    case CG_VALUE_CALL:
        if (!(v->function->traits & CG_BY_RULE))
            return false;
        break;
    case CG_VALUE_LIST:
    case CG_VALUE_RECORD: break;
    default: return false;
    }
    for (int i = 0; i < v->n && good; i++)
        good = cg_value_by_rule(v->at[i]);
    return good;
}

bool cg_value_is_read(const CgValue *v)
{
    const CgClass *cls = v->kind == CG_VALUE_CALL ? cg_value_class(v) : NULL;
    bool is = cls && cls->shared && cls->digest && !cg_value_by_rule(v);
    for (int i = 0; is && i < v->n; i++)
        is = cg_value_by_rule(v->at[i]); /* else what it is made of is read, or trained */
    return is;
}

CgAtom cg_weights_path(CgValue *weights)
{
    const CgValue *origin = cg_weights_origin(weights), *path = cg_record_find(origin, cg_intern("path"));
    return path && path->kind == CG_VALUE_STR ? path->s : cg_intern("");
}

/* ---- keys without data ---- */

static bool known(const CgSession *x, CgDigest call, CgDigest *content)
{
    for (int i = 0; i < x->opts.inputs->n; i++)
        if (!memcmp(&x->opts.inputs->at[i].call, &call, sizeof call)) {
            *content = x->opts.inputs->at[i].content;
            return true;
        }
    return false;
}

static void describe(const CgSession *x, const CgValue *v, CgDigester *d)
{
    bool call = v->kind == CG_VALUE_CALL, holds = call || v->kind == CG_VALUE_LIST || v->kind == CG_VALUE_RECORD;
    CgDigest content;
    if (v->kind == CG_VALUE_STAGE) {
        cg_digester_add(d, &((const CgStage *)v->stage)->key, sizeof content);
        return;
    }
    if (!holds || (call && cg_value_is_read(v) && known(x, cg_value_digest(v), &content))) {
        content = holds ? content : cg_value_digest(v);
        cg_digester_add(d, &content, sizeof content);
        return;
    }
    if (call) {
        cg_digester_add(d, v->function->name, strlen(v->function->name) + 1);
        cg_function_identify(v->function, d);
    }
    cg_digester_add(d, &v->n, sizeof v->n);
    for (int i = 0; i < v->n; i++) {
        if (v->keys)
            cg_digester_add(d, v->keys[i] ? v->keys[i] : "", v->keys[i] ? strlen(v->keys[i]) + 1 : 1);
        describe(x, v->at[i], d);
    }
}

CgDigest cg_described_digest(const CgSession *x, const CgValue *v)
{
    CgDigester *d = cg_digester_new();
    describe(x, v, d);
    return cg_digester_free(d);
}

CgDigest cg_described_weights(const CgSession *x, CgValue *weights)
{
    CgAtom path = cg_weights_path(weights);
    CgDigest named = cg_digest(path, strlen(path)), content;
    return known(x, named, &content) ? content : named;
}
