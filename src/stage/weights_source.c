/* weights_source.c - the tensors that weights stand for.
 * Takes what the parameters of a model start from: a training, a file, another model; gives tensors by the paths they
 * have in the model, and which of them are frozen. Compares nothing with a model: that is weights.c's. */
#include <stdlib.h>
#include <string.h>

#include "elab/signature.h"
#include "stage/merge.h"

#define MARKED "marked" /* of a frozen tensor of which nothing else is known */

/* What a file or a model was loaded from: its path, or the model. */
static CgValue *source_of(const CgValue *weights) { return cg_record_find(weights, cg_intern("path")); }

CgValue *cg_weights_origin(CgValue *weights)
{
    while (weights && weights->kind == CG_VALUE_OBJECT && source_of(weights)->kind == CG_VALUE_INSTANCE)
        weights = source_of(weights)->instance->weights;
    return weights;
}

CgStage *cg_weights_stage(CgValue *weights)
{
    const CgValue *origin = cg_weights_origin(weights);
    return origin && origin->kind == CG_VALUE_STAGE ? origin->stage : NULL;
}

CgAtom cg_model_frozen_paths(const CgTensors *t, void (*each)(void *arg, CgAtom path), void *arg)
{
    CgDigester *d = cg_digester_new();
    int n = 0;
    for (int i = 0; i < t->nmeta; i++) {
        if (strncmp(t->keys[i], CG_FROZEN_KEY, strlen(CG_FROZEN_KEY)) != 0)
            continue;
        const char *path = t->keys[i] + strlen(CG_FROZEN_KEY);
        cg_digester_add(d, path, strlen(path) + 1);
        if (each)
            each(arg, cg_intern(path));
        n++;
    }
    char hex[33];
    cg_digest_hex(cg_digester_free(d), hex);
    return n ? cg_intern(hex) : cg_intern("");
}

static const char *find_mark(const CgTensors *t, const char *path)
{
    for (int i = 0; i < t->nmeta; i++)
        if (!strncmp(t->keys[i], CG_FROZEN_KEY, strlen(CG_FROZEN_KEY))
            && !strcmp(t->keys[i] + strlen(CG_FROZEN_KEY), path))
            return t->values[i];
    return NULL;
}

static void put_mark(CgTensors *t, const char *path, const char *value)
{
    CgStrbuf key = { 0 };
    cg_strbuf_printf(&key, "%s%s", CG_FROZEN_KEY, path);
    t->keys[t->nmeta] = cg_strbuf_take(&key);
    t->values[t->nmeta++] = cg_strdup(value);
}

/* What was said of a frozen tensor's bits is not so of others. */
static void forget_bits(CgTensors *t)
{
    for (int i = 0; i < t->nmeta; i++) {
        free(t->values[i]);
        t->values[i] = cg_strdup(MARKED);
    }
}

static void make_room(CgTensors *t, int n)
{
    *t = (CgTensors){ .at = cg_calloc((size_t)n + 1, sizeof *t->at),
        .keys = cg_calloc((size_t)n + 1, sizeof *t->keys),
        .values = cg_calloc((size_t)n + 1, sizeof *t->values) };
}

/* The parameters of a training, without numbers. */
static void declare(const CgStage *s, CgTensors *out)
{
    make_room(out, (int)s->model->params.len);
    for (size_t i = 0; i < s->model->params.len; i++) {
        const CgParamInfo *p = &s->model->params.at[i];
        const CgType *type = cg_node_type(s->model->graph, p->ref);
        CgTensor t = { .dtype = type->dtype, .rank = type->rank };
        if (p->auxiliary)
            continue;
        for (int k = 0; k < type->rank; k++)
            cg_dim_is_int(type->dim[k], &t.dim[k]);
        out->at[out->n++] = (CgNamed){ cg_strdup(p->path), t };
        if (p->frozen)
            put_mark(out, p->path, MARKED);
    }
}

static bool read_weights(CgSession *x, CgValue *weights, bool declared, CgTensors *out);

/* The tensors of a model with weights, where they lie. */
static bool read_model(CgSession *x, const CgInstance *m, bool declared, CgTensors *out)
{
    CgTensors own = { 0 };
    const CgTensors *all = &own;
    CgStage *s = m->weights->kind == CG_VALUE_STAGE ? m->weights->stage : NULL;
    if (s && declared)
        declare(s, &own);
    else if (s)
        all = &s->weights;
    else if (!declared)
        all = cg_weights_force(x, m->weights);
    else if (!read_weights(x, m->weights, true, &own))
        all = NULL;
    if (!all)
        return false;
    make_room(out, all->n);
    for (int i = 0; i < all->n; i++) {
        const char *name = cg_path_within(m->submodule_path, all->at[i].name), *mark = find_mark(all, all->at[i].name);
        if (!name)
            continue;
        int said = cg_annotations_frozen(m, name); /* of the model as it is now; else as it was trained */
        if (said > 0 || (said < 0 && mark))
            put_mark(out, name, mark ? mark : MARKED);
        out->at[out->n] = (CgNamed){ cg_strdup(name), all->at[i].tensor };
        if (declared)
            out->at[out->n].tensor.data = NULL;
        out->n++;
    }
    cg_tensors_free(&own);
    return true;
}

bool cg_model_read(CgSession *x, const CgInstance *m, CgTensors *out) { return read_model(x, m, false, out); }

bool cg_model_declared(CgSession *x, const CgInstance *m, CgTensors *out) { return read_model(x, m, true, out); }

/* declared: names and types, as far as they are known before anything runs; nothing is reported. */
static bool read_weights(CgSession *x, CgValue *weights, bool declared, CgTensors *out)
{
    const CgValue *from = source_of(weights), *dtype = cg_record_find(weights, cg_intern("dtype"));
    CgValue *merged = cg_record_find(weights, cg_intern("merged"));
    const char *name = from->kind == CG_VALUE_STR ? from->s : from->instance->stmt->names[0];
    CgErr err = { 0 };
    *out = (CgTensors){ 0 };
    if (from->kind == CG_VALUE_STR) {
        bool there = cg_io_exists(from->s);
        if ((declared && !there) || !cg_tensors_read(from->s, out, &err)) {
            if (!there) /* load(m, "bert-base") */
                cg_err_hint(&err, "weights are a file or a folder of this machine; nothing is downloaded");
            return !declared && cg_session_err(x, from->span, &err);
        }
    } else if (!read_model(x, from->instance, declared, out) || (merged && !cg_merge(x, merged, declared, out))) {
        cg_tensors_free(out);
        return false;
    } else if (merged || dtype) {
        forget_bits(out);
    }
    if (cg_weights_rename(weights, name, out, &err)
        && (declared || !dtype || cg_tensors_cast(out, name, (CgDtype)dtype->i, &err)))
        return true;
    cg_tensors_free(out);
    return !declared && cg_session_err(x, weights->span, &err);
}

bool cg_weights_declared(CgSession *x, CgValue *weights, CgTensors *out) { return read_weights(x, weights, true, out); }

/* What is frozen was read while the script was checked. */
static bool check_frozen(CgSession *x, const CgValue *weights, const CgTensors *t)
{
    const CgValue *from = source_of(weights), *said = cg_record_find(weights, cg_intern("frozen"));
    CgErr err = { 0 };
    if (from->kind != CG_VALUE_STR || cg_model_frozen_paths(t, NULL, NULL) == said->s)
        return true;
    cg_err(&err, CG_ERR_INPUT, "'%s' was written since the script was checked, and says that other tensors are frozen",
        from->s);
    cg_err_hint(&err, "run the script again");
    return cg_session_err(x, from->span, &err);
}

const CgTensors *cg_weights_force(CgSession *x, CgValue *weights)
{
    if (weights->kind == CG_VALUE_STAGE) {
        CgStage *s = weights->stage;
        CG_ASSERT(s->forced && !s->failed, "stages are found out before what is made of them");
        return &s->weights;
    }
    if (weights->held)
        return weights->held;
    CgTensors *t = CG_NEW(x->elab->arena, CgTensors);
    if (!read_weights(x, weights, false, t))
        return NULL;
    if (!check_frozen(x, weights, t)) {
        cg_tensors_free(t);
        return NULL;
    }
    return weights->held = cg_session_own(x, &cg_class_weights, t)->held;
}
