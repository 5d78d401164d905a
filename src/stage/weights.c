/* weights.c - the parameters of a graph, in memory.
 * Takes a graph's parameter list; gives their starting values: from the initialisers, from trained stages, from files.
 * Every tensor is checked against its declaration before it is used. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "run/tensor.h"
#include "stage/described.h"
#include "stage/merge.h"

static size_t bytes_of(const CgType *t)
{
    size_t n = cg_dtype_size(t->dtype);
    for (int i = 0; i < t->rank; i++) {
        int64_t d = 0;
        cg_dim_is_int(t->dim[i], &d);
        n *= (size_t)d;
    }
    return n;
}

size_t cg_model_bytes(const CgModelGraph *m)
{
    size_t sum = 0;
    for (size_t i = 0; i < m->params.len; i++)
        sum += bytes_of(cg_node_type(m->graph, m->params.at[i].ref));
    return sum;
}

void cg_memory_free(CgMemory *m)
{
    free(m->at);
    free(m->bytes);
    free(m->block);
    free(m->rest);
    memset(m, 0, sizeof *m);
}

CgTensor cg_memory_tensor(const CgModelGraph *m, const CgMemory *memory, int i)
{
    const CgType *type = cg_node_type(m->graph, m->params.at[i].ref);
    CgTensor at = { .data = memory->at[i], .dtype = type->dtype, .rank = type->rank };
    int64_t stride = 1;
    for (int k = type->rank; k-- > 0;) {
        cg_dim_is_int(type->dim[k], &at.dim[k]);
        at.stride[k] = stride;
        stride *= at.dim[k];
    }
    return at;
}

/* Numbers of another width are rounded, or taken as they are; numbers of another sort are none. */
static bool same_sort(CgDtype have, CgDtype want)
{
    return have == want || (cg_dtype_has_derivative(have) && cg_dtype_has_derivative(want))
        || (have == CG_I8 && (want == CG_I32 || want == CG_I64));
}

static bool same_shape(const CgTensor *have, const CgType *want)
{
    if (have->rank != want->rank)
        return false;
    for (int i = 0; i < want->rank; i++) {
        int64_t d = -1;
        if (!cg_dim_is_int(want->dim[i], &d) || d != have->dim[i])
            return false;
    }
    return true;
}

/* For messages: the file, or the graph of the model that they are of. */
static const char *name_of(const CgValue *weights)
{
    const CgValue *from = weights->kind == CG_VALUE_OBJECT ? cg_record_find(weights, cg_intern("path")) : NULL;
    const CgStage *s = from ? NULL : weights->stage;
    return s                         ? s->root->instance->stmt->names[0]
        : from->kind == CG_VALUE_STR ? from->s
                                     : from->instance->stmt->names[0];
}

/* Says once of each source that its numbers are not kept as they are. */
static void note_cast(CgSession *x, CgValue *weights, int n, CgDtype from, CgDtype to)
{
    uint64_t said;
    if (!n || cg_map_get(&x->noted_casts, cg_map_ptr(weights), &said))
        return;
    cg_map_put(&x->noted_casts, cg_map_ptr(weights), 1);
    cg_session_say(x, "%d tensor%s of %s are %s in the file and %s in the model: %s", n, n == 1 ? "" : "s",
        name_of(weights), cg_dtype_name(from), cg_dtype_name(to),
        cg_dtype_size(to) < cg_dtype_size(from) || cg_dtype_is_narrow(to) ? "rounded to nearest"
                                                                          : "every number is kept");
}

enum { MOST_LINES = 20 };

/* Whether a tensor is in a part of the weights that the graph has a model of, and no parameter of that. */
static bool is_extra(const CgModelGraph *m, const CgValue *weights, CgAtom name)
{
    bool within = false;
    for (size_t i = 0; i < m->params.len; i++) {
        const CgParamInfo *p = &m->params.at[i];
        if (p->weights != weights)
            continue;
        if (p->source == name)
            return false;
        within = within || cg_path_within(p->part, name);
    }
    return within;
}

/* Lists what is missing, misshapen, of another sort or too much, once for each source. `t`: what the weights are, or
 * will be. */
static bool check_tensors(CgSession *x, const CgModelGraph *m, CgValue *weights, const CgTensors *t)
{
    CgStrbuf lines = { 0 }; /* one of each tensor that does not fit, up to MOST_LINES of them */
    int wrong = 0, cast = 0;
    CgDtype from = CG_F32, to = CG_F32;
    for (size_t i = 0; i < m->params.len; i++) {
        const CgParamInfo *p = &m->params.at[i];
        if (p->weights != weights)
            continue;
        const CgTensor *have = cg_tensors_find(t, p->source);
        const CgType *want = cg_node_type(m->graph, p->ref);
        bool shape = have && same_shape(have, want);
        if (shape && same_sort(have->dtype, want->dtype)) {
            if (have->dtype != want->dtype && !(cg_dtype_is_narrow(have->dtype) && !cg_dtype_is_narrow(want->dtype)))
                cast++, from = have->dtype, to = want->dtype;
            continue;
        }
        if (wrong++ >= MOST_LINES)
            continue;
        cg_strbuf_printf(&lines, "%s '%s' ", shape ? "of another type:" : have ? "misshapen" : "missing", p->source);
        cg_type_print(want, &lines);
        if (have) {
            cg_strbuf_printf(&lines, " is there as %s[", cg_dtype_name(have->dtype));
            for (int k = 0; k < have->rank; k++)
                cg_strbuf_printf(&lines, "%s%lld", k ? ", " : "", (long long)have->dim[k]);
            cg_strbuf_puts(&lines, "]");
        }
        cg_strbuf_puts(&lines, "\n");
    }
    for (int i = 0; weights->kind == CG_VALUE_OBJECT && i < t->n; i++)
        if (is_extra(m, weights, cg_intern(t->at[i].name)) && wrong++ < MOST_LINES)
            cg_strbuf_printf(&lines, "extra '%s'\n", t->at[i].name);
    if (wrong) {
        CgDiag *d = cg_diag(x->diags, CG_E0505, weights->span, "%d tensor%s of '%s' do%s not fit", wrong,
            wrong == 1 ? "" : "s", name_of(weights), wrong == 1 ? "es" : "");
        for (const char *at = cg_strbuf_str(&lines), *end; (end = strchr(at, '\n')); at = end + 1)
            cg_diag_note(d, (CgSpan){ 0 }, "%.*s", (int)(end - at), at);
        if (wrong > MOST_LINES)
            cg_diag_note(d, (CgSpan){ 0 }, "and %d more", wrong - MOST_LINES);
    }
    cg_strbuf_deinit(&lines);
    if (!wrong && t->n && t->at[0].tensor.data)
        note_cast(x, weights, cast, from, to);
    return !wrong;
}

static bool check_source(CgSession *x, const CgModelGraph *m, CgValue *weights)
{
    const CgTensors *t = cg_weights_force(x, weights);
    return t && check_tensors(x, m, weights, t);
}

/* Whether no parameter before this one has the same weights. */
static bool is_first(const CgModelGraph *m, size_t param)
{
    size_t k = 0;
    while (m->params.at[k].weights != m->params.at[param].weights)
        k++;
    return k == param;
}

bool cg_weights_check(CgSession *x, const CgModelGraph *m)
{
    bool good = true;
    for (size_t i = 0; i < m->params.len && good; i++) {
        CgValue *weights = m->params.at[i].weights;
        CgTensors t = { 0 };
        if (!weights || weights->kind != CG_VALUE_OBJECT || !cg_weights_stage(weights) || !is_first(m, i)
            || !cg_weights_declared(x, weights, &t))
            continue;
        good = check_tensors(x, m, weights, &t);
        cg_tensors_free(&t);
    }
    return good;
}

/* `lent`: what already has a value. */
static bool run_init(CgSession *x, const CgModelGraph *m, int64_t seed, const bool *lent, CgMemory *out)
{
    if (!m->init->outputs.len)
        return true;
    CgErr err = { 0 };
    CgPlan *plan = cg_plan_build(m->init, (CgBindings){ 0 }, (CgPlanOptions){ .sources = x->sources }, &err);
    CgExec *exec = plan ? cg_exec_new(plan, x->pool, &err) : NULL;
    if (!exec) {
        cg_plan_free(plan);
        return cg_session_err(x, x->at, &err);
    }
    cg_exec_random(exec, cg_session_seed(x, seed), 0, 0);
    bool good = cg_session_run(x, exec, x->at);
    for (size_t i = 0; good && i < m->init->outputs.len; i++) {
        uint64_t k = 0;
        cg_map_get(&m->by_path, cg_map_ptr(m->init->outputs.at[i].name), &k);
        if (lent[k])
            continue;
        CgTensor t = cg_exec_output(exec, (int)i);
        size_t size = cg_dtype_size(t.dtype), n = out->bytes[k] / size;
        char *to = out->at[k];
        for (size_t at = 0; at < n; at++) { /* initial values may be strided: a fill is one number */
            size_t rest = at;
            int64_t from = 0;
            for (int a = t.rank; a-- > 0;) {
                from += (int64_t)(rest % (size_t)t.dim[a]) * t.stride[a];
                rest /= (size_t)t.dim[a];
            }
            memcpy(to + at * size, (const char *)t.data + (size_t)from * size, size);
        }
    }
    cg_exec_free(exec);
    cg_plan_free(plan);
    return good;
}

/* Where the parameter lies already, in the memory of another graph, or NULL: own ones are told by their path, those of
 * other models by their weights, too. */
static void *lies_at(const CgParamInfo *p, const CgModelGraph *other, const CgMemory *memory)
{
    uint64_t k;
    if (!other || !cg_map_get(&other->by_path, cg_map_ptr(p->path), &k))
        return NULL;
    const CgParamInfo *q = &other->params.at[k];
    bool same = p->auxiliary == q->auxiliary && p->weights == q->weights && p->source == q->source;
    return same && (!p->auxiliary || p->weights) ? memory->at[k] : NULL;
}

static bool fill(
    CgSession *x, const CgModelGraph *m, const CgStage *trained, const bool *lent, int64_t seed, CgMemory *out)
{
    if (!cg_tokens_settle(x, m)) {
        cg_memory_free(out);
        return false;
    }
    size_t rest = 64;
    for (int i = 0; i < out->n; i++) {
        out->bytes[i] = bytes_of(cg_node_type(m->graph, m->params.at[i].ref));
        if (!lent[i])
            rest += (out->bytes[i] + 63) / 64 * 64;
    }
    out->rest = cg_try_alloc(rest);
    out->block = trained ? cg_try_alloc((size_t)trained->total * sizeof(float) + 64) : NULL;
    if (!out->rest || (trained && !out->block)) {
        CgErr err = { 0 };
        cg_err(&err, CG_ERR_MEMORY, "no room for the %zu MiB of parameters", rest >> 20);
        cg_memory_free(out);
        return cg_session_err(x, trained ? trained->span : x->at, &err);
    }
    size_t at = 0;
    for (int i = 0; i < out->n; i++) {
        if (lent[i])
            continue;
        out->at[i] = (char *)out->rest + at;
        at += (out->bytes[i] + 63) / 64 * 64;
    }
    if (trained) {
        memset(out->block, 0, (size_t)trained->total * sizeof(float));
        for (int i = 0; i < trained->ntrained; i++)
            out->at[trained->trained[i].param] = out->block + trained->trained[i].offset;
    }
    for (size_t i = 0; i < m->params.len; i++) {
        CgValue *weights = m->params.at[i].weights;
        if (weights && is_first(m, i) && !check_source(x, m, weights)) {
            cg_memory_free(out);
            return false;
        }
    }
    for (size_t i = 0; i < m->params.len; i++) {
        const CgParamInfo *p = &m->params.at[i];
        if (p->weights && !lent[i])
            cg_tensor_pack_as(cg_tensors_find(cg_weights_force(x, p->weights), p->source),
                cg_node_type(m->graph, p->ref)->dtype, out->at[i]);
    }
    if (!run_init(x, m, seed, lent, out)) {
        cg_memory_free(out);
        return false;
    }
    return true;
}

/* Room for what is where, and which parameters are lent by `memory`, of the graph `other`. */
static bool *begin(const CgModelGraph *m, const CgModelGraph *other, const CgMemory *memory, CgMemory *out)
{
    bool *lent = cg_calloc(m->params.len + 1, sizeof *lent);
    *out = (CgMemory){ .n = (int)m->params.len,
        .at = cg_calloc(m->params.len + 1, sizeof *out->at),
        .bytes = cg_calloc(m->params.len + 1, sizeof *out->bytes) };
    for (int i = 0; i < out->n; i++)
        lent[i] = (out->at[i] = lies_at(&m->params.at[i], other, memory)) != NULL;
    return lent;
}

bool cg_memory_fill(CgSession *x, const CgModelGraph *m, const CgStage *trained, int64_t seed, CgMemory *out)
{
    bool *lent = begin(m, NULL, NULL, out), good = fill(x, m, trained, lent, seed, out);
    free(lent);
    return good;
}

bool cg_memory_fill_beside(
    CgSession *x, const CgModelGraph *m, const CgModelGraph *other, const CgMemory *memory, int64_t seed, CgMemory *out)
{
    bool *lent = begin(m, other, memory, out), good = fill(x, m, NULL, lent, seed, out);
    free(lent);
    return good;
}

/* What graphs make of the parameters of a model that was loaded. */
static bool identify_merged(CgSession *x, CgValue *merged, CgDigester *d)
{
    CgTensors t;
    if (!cg_model_declared(x, merged->instance, &t))
        return true; /* what is not there is said when the weights are needed */
    bool good = cg_merge_identify(x, merged, &t, d);
    cg_tensors_free(&t);
    return good;
}

bool cg_weights_identify(CgSession *x, const CgValue *weights, CgDigester *d)
{
    while (weights->kind == CG_VALUE_OBJECT) {
        for (int i = 0; i < weights->n; i++) {
            const char *key = weights->keys[i];
            if (!strcmp(key, "path") || !strcmp(key, "frozen"))
                continue;
            cg_digester_add(d, key, strlen(key) + 1);
            if (!strcmp(key, "merged")) {
                if (!identify_merged(x, weights->at[i], d))
                    return false;
                continue;
            }
            CgDigest told = cg_value_digest(weights->at[i]);
            cg_digester_add(d, &told, sizeof told);
        }
        const CgValue *from = cg_record_find(weights, cg_intern("path"));
        if (from->kind != CG_VALUE_INSTANCE)
            return true;
        const char *part = from->instance->submodule_path;
        if (part)
            cg_digester_add(d, part, strlen(part) + 1);
        weights = from->instance->weights;
    }
    return true;
}

/* What a tensor of weights is, wherever they come from: a training is told by its key, a file by the numbers. */
static bool source_digest(CgSession *x, const CgParamInfo *p, CgDigester *d)
{
    CgStage *s = cg_weights_stage(p->weights);
    cg_digester_add(d, p->source, strlen(p->source) + 1);
    if (s || x->opts.inputs) {
        CgDigest named = s ? s->key : cg_described_weights(x, p->weights);
        cg_digester_add(d, &named, sizeof named);
        return true;
    }
    const CgTensors *t = cg_weights_force(x, p->weights);
    const CgTensor *at = t ? cg_tensors_find(t, p->source) : NULL;
    if (at) {
        CgDigest bytes = cg_digest(at->data, (size_t)cg_tensor_count(at) * cg_dtype_size(at->dtype));
        cg_digester_add(d, &bytes, sizeof bytes);
        if (!cg_tensor_contiguous(at)) /* the same bytes, transposed */
            cg_digester_add(d, "t", 1);
    }
    return t != NULL;
}

bool cg_model_digest(CgSession *x, const CgModelGraph *m, CgDigester *d)
{
    CgDigest init = cg_graph_digest(m->init);
    cg_digester_add(d, &init, sizeof init);
    for (size_t i = 0; i < m->params.len; i++) {
        const CgParamInfo *p = &m->params.at[i];
        cg_digester_add(d, p->path, strlen(p->path) + 1);
        cg_digester_add(d, p->frozen ? "f" : "t", 1);
        if (!p->weights)
            continue;
        bool by_name = cg_weights_stage(p->weights) || x->opts.inputs;
        if (by_name && is_first(m, i) && !cg_weights_identify(x, p->weights, d))
            return false;
        if (!source_digest(x, p, d))
            return false;
    }
    return true;
}
