/* force.c - values that only running can find out.
 * Takes calls, stages and columns; gives what they stand for: calls of what many share are made once a run. Owns
 * nothing itself: what is made is the session's. */
#include <stdlib.h>

#include "elab/signature.h"
#include "stage/described.h"

static CgValue *find_out(CgSession *x, CgValue *v, bool make);

static void *room_for(CgSession *x, size_t bytes)
{
    if (!x->sample)
        return cg_arena_alloc(x->elab->arena, bytes + 1);
    void *room = cg_malloc(bytes + 1);
    cg_vec_push(&x->scratch, room);
    return room;
}

void cg_scratch_clear(CgSession *x)
{
    for (size_t i = 0; i < x->scratch.len; i++)
        free(x->scratch.at[i]);
    x->scratch.len = 0;
}

CgNumbers *cg_numbers_new(CgSession *x, size_t n)
{
    CgNumbers *numbers = room_for(x, sizeof *numbers);
    *numbers = (CgNumbers){ .at = room_for(x, n * sizeof(double)), .n = n };
    return numbers;
}

CgValue *cg_column_force(CgSession *x, CgAtom name, CgSpan span)
{
    CgErr err = { 0 };
    const CgTable *t = x->table;
    if (!t)
        cg_err(&err, CG_ERR_INPUT, "column '%s' is of no table here", name);
    int c = t ? cg_table_find(t, name, &err) : -1;
    if (c < 0) {
        cg_session_err(x, span, &err);
        return NULL;
    }
    bool sampled = x->sample && x->sample->of == t, text = t->column[c].kind == CG_TEXT;
    CgNumbers *numbers = cg_numbers_new(x, sampled ? x->sample->n : t->rows);
    if (text)
        numbers->text = room_for(x, numbers->n * sizeof *numbers->text);
    numbers->truth = t->column[c].kind == CG_TRUTH;
    for (size_t i = 0; i < numbers->n; i++) {
        size_t row = sampled ? x->sample->rows[i] : i;
        if (text)
            numbers->text[i] = t->column[c].at[row].missing ? NULL : t->column[c].at[row].text;
        else
            numbers->at[i] = cg_table_number(t, row, c);
    }
    return cg_value_held(x->elab, text ? &cg_class_labels : &cg_class_column, numbers);
}

static CgValue *run_call(CgSession *x, CgValue *v)
{
    const CgClass *cls = cg_value_class(v);
    uint64_t known;
    CgDigest key = { 0 };
    if (cls && cls->shared) {
        key = cg_value_digest(v);
        if (cg_map_get(&x->made, key.low, &known))
            return (CgValue *)(uintptr_t)known;
    }
    bool table =
        cls == &cg_class_table && !x->table; /* a name for a table is one table, however often it is looked at */
    if (table && cg_map_get(&x->tables, cg_map_ptr(v), &known))
        return (CgValue *)(uintptr_t)known;
    CgValue *args[CG_MAX_ARGS];
    bool by_itself = v->function->traits & (CG_COLUMNS | CG_LAZY);
    for (int i = 0; !by_itself && i < v->n && i < CG_MAX_ARGS; i++)
        if (!(args[i] = find_out(x, v->at[i], true)))
            return NULL;
    CgValue *out = v->function->run(x, v, by_itself ? NULL : args);
    if (out && cls && cls->shared)
        cg_map_put(&x->made, key.low, (uint64_t)(uintptr_t)out);
    if (out && table)
        cg_map_put(&x->tables, cg_map_ptr(v), cg_map_ptr(out));
    return out;
}

static CgValue *find_out(CgSession *x, CgValue *v, bool make)
{
    CgElab *e = x->elab;
    switch (v->kind) {
    case CG_VALUE_LIST:
    case CG_VALUE_RECORD: {
        CgValue *out = cg_value_record(e, v->n, v->span);
        bool good = true;
        out->kind = v->kind;
        for (int i = 0; i < v->n && !cg_session_stopped(x); i++) { /* one that fails does not keep the others from it */
            if (v->keys)
                out->keys[i] = v->keys[i];
            good &= (out->at[i] = find_out(x, v->at[i], make)) != NULL;
        }
        return good && !cg_session_stopped(x) ? out : NULL;
    }
    case CG_VALUE_STAGE: {
        CgStage *s = v->stage;
        if (!cg_stage_force(x, s))
            return NULL;
        return s->table ? cg_value_held(e, &cg_class_table, s->table) : v;
    }
    case CG_VALUE_INSTANCE:
        return !cg_weights_stage(v->instance->weights) || cg_stage_force(x, cg_weights_stage(v->instance->weights))
            ? v
            : NULL;
    case CG_VALUE_COLUMN: return cg_column_force(x, v->s, v->span);
    case CG_VALUE_CALL: return make || !cg_value_class(v) || !cg_value_class(v)->shared ? run_call(x, v) : v;
    default: return v;
    }
}

CgValue *cg_force(CgSession *x, CgValue *v) { return find_out(x, v, false); }

CgValue *cg_make(CgSession *x, CgValue *v) { return find_out(x, v, true); }

CgDataset *cg_dataset_of(CgSession *x, CgValue *data)
{
    CgValue *made = cg_make(x, data);
    CgDataset *d = made ? made->held : NULL;
    if (!d || d->rows)
        return d;
    CgErr err = { 0 };
    cg_err(&err, CG_ERR_INPUT, "there are no rows");
    cg_err_hint(
        &err, "a split of few rows may be empty; it has more with shares = [0.6, 0.2, 0.2] where the data are read");
    cg_session_err(x, data->span, &err);
    return NULL;
}

bool cg_data_digest(CgSession *x, CgValue *data, CgDigest *out)
{
    if (x->opts.inputs) {
        *out = cg_described_digest(x, data);
        return true;
    }
    if (cg_value_by_rule(data)) { /* a finished script makes none of its data again */
        *out = cg_value_digest(data);
        return true;
    }
    if (data->kind == CG_VALUE_CALL && data->function->digest) {
        CgValue *args[CG_MAX_ARGS];
        for (int i = 0; i < data->n && i < CG_MAX_ARGS; i++)
            if (!(args[i] = cg_make(x, data->at[i])))
                return false;
        return data->function->digest(x, data, args, out);
    }
    CgDataset *d = cg_dataset_of(x, data);
    if (d)
        *out = d->digest;
    return d;
}

const CgTokenizer *cg_tokenizer_of(CgSession *x, CgValue *v)
{
    if (!v && !x->bytes)
        x->bytes = cg_session_own(x, &cg_class_tokenizer, cg_tokenizer_bytes());
    CgValue *made = v ? cg_make(x, v) : x->bytes; /* data that names no tokenizer is of bytes */
    return made ? made->held : NULL;
}
