/* tokens.c - the tokenizers of models: of those that are trained, in files, and compared when a script runs.
 * Takes the data of a training; gives the tokenizers its model knows from then on, and their names in files. Decides
 * what elab/tokens.c could not before tokenizers were made. */
#include <string.h>

#include "stage/session.h"

static const char key[] = "tokenizer."; /* of the metadata: this and a number from 0 */

CgValue *cg_tokens_of_data(CgElab *e, const CgStage *s)
{
    const CgDataFields *data = cg_data_fields(s->data);
    const CgGraph *g = s->model->graph;
    CgValue *out = cg_value_list(e, data->n, s->data->span);
    out->n = 0;
    for (int i = 0; i < data->n; i++) {
        CgValue *t = data->tokenizer[i];
        bool used = false;
        for (size_t k = 0; t && k < g->inputs.len; k++)
            used |= !strcmp(cg_node_name(g, g->inputs.at[k]), data->field[i].name);
        for (int k = 0; k < out->n; k++)
            used &= out->at[k] != t;
        if (used)
            out->at[out->n++] = t;
    }
    return out->n ? out : NULL;
}

/* Once it is made: everything is known of it. */
static bool name_of(CgSession *x, CgValue *v, CgTokenizerName *out)
{
    *out = cg_tokenizer_name(v);
    if (out->digest)
        return true;
    const CgTokenizer *t = cg_tokenizer_of(x, v);
    char hex[33];
    if (!t)
        return false;
    cg_digest_hex(t->digest, hex);
    *out = (CgTokenizerName){ t->kind->name, cg_intern(hex), t->size };
    return true;
}

bool cg_tokens_names(CgSession *x, const CgInstance *model, const char **keys, const char **values, int *n)
{
    const CgValue *own = cg_tokens_of(model);
    for (int i = 0; own && i < own->n; i++) {
        CgTokenizerName t;
        if (!name_of(x, own->at[i], &t))
            return false;
        keys[*n] = cg_intern_printf("%s%d", key, i);
        values[(*n)++] = cg_intern_printf("%s %lld %s", t.kind, (long long)t.size, t.digest);
    }
    return true;
}

CgValue *cg_tokens_of_file(CgElab *e, const CgTensors *t, CgSpan span)
{
    CgValue *out = cg_value_list(e, t->nmeta, span);
    out->n = 0;
    for (int i = 0; i < t->nmeta; i++) {
        CgValue *v = cg_value_str(e, cg_intern(t->values[i]), span);
        if (!strncmp(t->keys[i], key, strlen(key)) && cg_tokenizer_name(v).digest)
            out->at[out->n++] = v;
    }
    return out->n ? out : NULL;
}

bool cg_tokens_settle(CgSession *x, const CgModelGraph *m)
{
    for (size_t i = 0; i < m->tokens.len; i++) {
        const CgTokensGiven *given = &m->tokens.at[i];
        const CgValue *own = cg_tokens_of(given->to);
        CgTokenizerName *names = CG_NEWN(x->elab->arena, CgTokenizerName, own->n + 1), name;
        bool same = false;
        if (!name_of(x, given->tokenizer, &name))
            return false;
        for (int k = 0; k < own->n && !same; k++) {
            if (!name_of(x, own->at[k], &names[k]))
                return false;
            same = !strcmp(names[k].digest, name.digest);
        }
        if (!same) {
            cg_tokens_refuse(x->elab, given, names, own->n);
            return false;
        }
    }
    return true;
}
