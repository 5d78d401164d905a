/* evaluate.c - carrying out an evaluation.
 * Takes a stage; gives a table with one row for each row of its data. Tensor columns come from the graph, the others
 * from functions of one row; texts are written (generate.c) for a whole batch at a time. The last batch has the rows
 * that are left; where a column looks across rows, all rows are one batch. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/stop.h"
#include "elab/signature.h"
#include "run/tensor.h"
#include "stage/lineage.h"
#include "stage/described.h"
#include "stage/watch.h"

typedef struct Evaluation {
    CgSession *x;
    CgStage *s;
    CgMemory memory;
    CgRunner runner; /* of as many rows as the batch at hand has */
    CgDataset *data;
    void **rows;                 /* fields of the batch at hand */
    CgWatch *watch;              /* what the bodies look at in it, with --debug */
    CG_VEC(CgWritten *) written; /* one for each call among the columns that writes text */
} Evaluation;

/* ---- columns of one row ---------------------------------------------------------------------------------------- */

/* The tokenizer of tokens that are no field: of the first field with a vocabulary of `size`, else of the first. */
static const CgTokenizer *tokenizer_below(const Evaluation *v, int64_t size)
{
    const CgTokenizer *first = NULL;
    for (int f = 0; f < v->data->nfields; f++) {
        const CgTokenizer *t = v->data->tokenizer[f];
        first = first ? first : t;
        if (t && t->size == size)
            return t;
    }
    return first;
}

/* Of a tensor: that of the field it is, else of the first field. */
static const CgTokenizer *tokenizer_of(const Evaluation *v, const CgValue *tensor)
{
    const CgGraph *g = v->s->model->graph;
    for (size_t i = 0; i < g->inputs.len; i++) {
        int f =
            g->inputs.at[i] == tensor->tensor->ref ? cg_dataset_find(v->data, cg_node_name(g, g->inputs.at[i])) : -1;
        if (f >= 0 && v->data->tokenizer[f])
            return v->data->tokenizer[f];
    }
    return tokenizer_below(v, 0);
}

static CgValue *tokens_value(Evaluation *v, const CgTokenizer *of, const int32_t *at, size_t n)
{
    CgIdsRow *ids = CG_NEW(v->x->elab->arena, CgIdsRow);
    *ids = (CgIdsRow){ .at = at, .n = n, .tokenizer = of };
    return cg_value_held(v->x->elab, &cg_class_tokens, ids);
}

static CgValue *numbers_value(Evaluation *v, const CgTensor *of, int64_t row)
{
    CgNumbers *numbers = CG_NEW(v->x->elab->arena, CgNumbers);
    numbers->n = (size_t)of->dim[1];
    numbers->at = CG_NEWN(v->x->elab->arena, double, numbers->n + 1);
    for (size_t i = 0; i < numbers->n; i++)
        numbers->at[i] = cg_tensor_number(of, row * of->dim[1] + (int64_t)i);
    return cg_value_held(v->x->elab, &cg_class_column, numbers);
}

/* The result of the graph that is tensor `tensor` among the arguments of calls; false: none is. */
static bool wanted(const Evaluation *v, const CgValue *tensor, CgTensor *out)
{
    const CgStage *s = v->s;
    size_t base = s->model->graph->outputs.len - (size_t)s->nwanted;
    for (int i = 0; i < s->nwanted; i++)
        if (s->wanted[i]->tensor->ref == tensor->tensor->ref) {
            *out = cg_exec_output(v->runner.exec, (int)base + i);
            return true;
        }
    return false;
}

static CgValue *tensor_of_row(Evaluation *v, const CgValue *tensor, int64_t row)
{
    CgTensor t;
    if (wanted(v, tensor, &t) && t.rank == 1)
        return cg_value_float(v->x->elab, cg_tensor_number(&t, row), tensor->span);
    if (wanted(v, tensor, &t) && t.rank == 2 && t.dtype == CG_I32 && t.stride[1] == 1)
        return tokens_value(v, tokenizer_of(v, tensor), (const int32_t *)t.data + row * t.stride[0], (size_t)t.dim[1]);
    if (wanted(v, tensor, &t) && t.rank == 2)
        return numbers_value(v, &t, row);
    return cg_value_poison(v->x->elab);
}

static CgValue *value_of_row(Evaluation *v, CgValue *value, int64_t row)
{
    if (value->kind == CG_VALUE_TENSOR)
        return tensor_of_row(v, value, row);
    if (value->kind != CG_VALUE_CALL)
        return value;
    for (size_t i = 0; i < v->written.len; i++)
        if (cg_written_call(v->written.at[i]) == value)
            return cg_written_value(v->written.at[i], (int)row);
    CgValue *args[CG_MAX_ARGS];
    for (int i = 0; i < value->n && i < CG_MAX_ARGS; i++)
        if (!(args[i] = value_of_row(v, value->at[i], row)))
            return NULL;
    return value->function->run(v->x, value, args);
}

static bool collect(Evaluation *v, const CgValue *value)
{
    if (value->kind != CG_VALUE_CALL)
        return true;
    if (value->stage) {
        for (size_t i = 0; i < v->written.len; i++)
            if (cg_written_call(v->written.at[i]) == value)
                return true;
        CgWritten *w = cg_written_new(v->x, value);
        if (w)
            cg_vec_push(&v->written, w);
        return w;
    }
    for (int i = 0; i < value->n; i++)
        if (!collect(v, value->at[i]))
            return false;
    return true;
}

/* The tokenizer of what a call writes: that of the prompts, else of the first field with as many ids as the model. */
static const CgTokenizer *usual_of(const Evaluation *v, const CgTextCall *t)
{
    if (t->prompt && t->prompt->kind == CG_VALUE_TENSOR)
        return tokenizer_of(v, t->prompt);
    return tokenizer_below(v, t->generator->vocabulary);
}

static bool write_texts(Evaluation *v, int64_t first)
{
    for (size_t i = 0; i < v->written.len; i++) {
        CgWritten *w = v->written.at[i];
        const CgTextCall *t = cg_written_call(w)->stage;
        CgTensor prompt, context;
        bool prompts = t->prompt && t->prompt->kind == CG_VALUE_TENSOR && wanted(v, t->prompt, &prompt);
        bool contexts = t->context && wanted(v, t->context, &context);
        if (!cg_written_rows(w, (uint64_t)first, (int)v->runner.rows, prompts ? &prompt : NULL,
                contexts ? &context : NULL, usual_of(v, t)))
            return false;
    }
    return true;
}

/* ---- the whole ------------------------------------------------------------------------------------------------- */

/* Where rows were read is no part of what they are. */
static bool digest_origins(CgSession *x, const CgStage *s, CgDigester *d)
{
    CgDataset *of = x->opts.inputs ? NULL : cg_dataset_of(x, s->data);
    for (int64_t i = 0; of && i < of->rows; i++) {
        CgStrbuf text = { 0 };
        CgOrigin o = cg_dataset_origin(of, i);
        cg_origin_print(o, &text);
        cg_digester_add(d, &o.row, sizeof o.row);
        cg_digester_add(d, cg_strbuf_str(&text), text.len + 1);
        cg_strbuf_deinit(&text);
    }
    return of || x->opts.inputs;
}

static bool digest_call(CgSession *x, const CgStage *s, const CgValue *v, CgDigester *d)
{
    if (v->kind == CG_VALUE_TENSOR) {
        for (int i = 0; i < s->nwanted; i++)
            if (s->wanted[i]->tensor->ref == v->tensor->ref)
                cg_digester_add(d, &i, sizeof i);
        return true;
    }
    if (v->kind != CG_VALUE_CALL) {
        CgDigest one = cg_value_digest(v);
        cg_digester_add(d, &one, sizeof one);
        return true;
    }
    if (x->opts.inputs && cg_value_class(v) == &cg_class_tokenizer) {
        CgDigest described = cg_described_digest(x, v);
        cg_digester_add(d, &described, sizeof described);
        return true;
    }
    if (cg_value_class(v) == &cg_class_tokenizer) {
        const CgTokenizer *t = cg_tokenizer_of(x, (CgValue *)(uintptr_t)v);
        if (t)
            cg_digester_add(d, &t->digest, sizeof t->digest);
        return t;
    }
    cg_digester_add(d, v->function->name, strlen(v->function->name) + 1);
    cg_function_identify(v->function, d);
    if (!strcmp(v->function->name, "row_source") || !strcmp(v->function->name, "row_id"))
        return digest_origins(x, s, d);
    if (v->stage) {
        const CgGenerator *g = ((const CgTextCall *)v->stage)->generator;
        CgDigest graph = cg_graph_digest(g->model->graph);
        cg_digester_add(d, &graph, sizeof graph);
        if (!cg_model_digest(x, g->model, d))
            return false;
    }
    for (int i = 0; i < v->n; i++)
        if (!digest_call(x, s, v->at[i], d))
            return false;
    return true;
}

static bool key(CgSession *x, CgStage *s, CgDigester *d)
{
    cg_digester_add(d, &x->opts.seed, sizeof x->opts.seed); /* of parameters that nothing trained */
    CgDigest graph = cg_graph_digest(s->model->graph), data;
    cg_digester_add(d, &graph, sizeof graph);
    bool good = cg_data_digest(x, s->data, &data) && cg_model_digest(x, s->model, d);
    if (good)
        cg_digester_add(d, &data, sizeof data);
    for (int i = 0; good && i < s->ncolumns; i++) {
        cg_digester_add(d, s->columns[i].name, strlen(s->columns[i].name) + 1);
        if (s->columns[i].value->kind != CG_VALUE_TENSOR)
            good = digest_call(x, s, s->columns[i].value, d);
    }
    return good;
}

static void cell_of(CgTable *t, size_t row, int column, const CgValue *v)
{
    double number;
    if (v->kind == CG_VALUE_BOOL || cg_value_number(v, &number)) {
        cg_table_set(t, row, column, cg_number(v->kind == CG_VALUE_BOOL ? (double)v->i : number));
    } else if (v->kind == CG_VALUE_STR) {
        cg_table_set(t, row, column, cg_text(v->s));
    } else if (v->kind == CG_VALUE_OBJECT && v->cls == &cg_class_tokens) {
        const CgIdsRow *ids = v->held;
        CgStrbuf text = { 0 };
        if (ids->tokenizer)
            cg_tokenizer_decode(ids->tokenizer, ids->at, ids->n, CG_PLAIN, &text);
        cg_table_set(t, row, column, cg_text(cg_strbuf_str(&text)));
        cg_strbuf_deinit(&text);
    }
}

/* Plans and memory for batches of so many rows. */
static bool prepare(Evaluation *v, int64_t rows)
{
    CgStage *s = v->s;
    if (v->runner.rows == rows)
        return true;
    cg_runner_free(&v->runner);
    if (!cg_runner_new(v->x, cg_stage_columns_graph(s), rows, (CgPlanOptions){ 0 }, s->span, &v->runner))
        return false;
    cg_runner_bind_params(&v->runner, &v->memory);
    cg_batch_free(v->data, v->rows);
    CgErr err = { 0 };
    if (!cg_batch_room(v->data, cg_stage_columns_graph(s), rows, &v->rows, &err))
        return cg_session_err(v->x, s->span, &err);
    cg_runner_bind_batch(&v->runner, v->data, v->rows, 0);
    cg_watch_free(v->watch);
    if (!cg_watch_new(v->x, s->model, rows, s->span, &v->watch))
        return false;
    if (v->watch) {
        cg_runner_bind_params(&v->watch->runner, &v->memory);
        cg_runner_bind_batch(&v->watch->runner, v->data, v->rows, 0);
    }
    return true;
}

static bool fill_row(Evaluation *v, int64_t row)
{
    CgStage *s = v->s;
    size_t at = cg_table_row(s->table);
    for (int i = 0; i < s->ncolumns; i++) {
        CgValue *value = s->columns[i].value;
        if (value->kind == CG_VALUE_TENSOR) {
            CgTensor t = cg_exec_output(v->runner.exec, s->columns[i].output);
            cg_table_set(s->table, at, i,
                t.dtype == CG_I64 ? cg_whole(cg_tensor_whole(&t, row)) : cg_number(cg_tensor_number(&t, row)));
            continue;
        }
        CgValue *cell = value_of_row(v, value, row);
        if (!cell)
            return false;
        cell_of(s->table, at, i, cell);
    }
    return true;
}

/* What the bodies of the model look at. */
static bool debug(Evaluation *v, int64_t first, int64_t rows)
{
    char when[160];
    if (!v->watch)
        return true;
    snprintf(
        when, sizeof when, "rows %lld to %lld of '%s'", (long long)first + 1, (long long)(first + rows), v->s->label);
    cg_exec_random(v->watch->runner.exec, (uint64_t)v->x->opts.seed, 0, (uint64_t)first);
    return cg_watch_run(v->watch, v->s->span, when);
}

static bool fill_rows(Evaluation *v, CgProgress *progress)
{
    CgStage *s = v->s;
    int64_t most = s->whole || v->data->rows < CG_EVALUATE_ROWS ? v->data->rows : CG_EVALUATE_ROWS,
            last = v->data->rows % most;
    if (!cg_session_settle(v->x, s->model, "batch", most, s->data->span)
        || (last && !cg_session_settle(v->x, s->model, "batch", last, s->data->span)))
        return false;
    for (int i = 0; i < s->ncolumns; i++) {
        const CgValue *c = s->columns[i].value;
        bool wide = c->kind == CG_VALUE_TENSOR
            && cg_node_type(s->model->graph, s->model->graph->outputs.at[s->columns[i].output].ref)->dtype == CG_I64;
        cg_table_add(s->table, s->columns[i].name, cg_column_is_text(c) ? CG_TEXT : wide ? CG_INT : CG_NUMBER);
    }
    for (int64_t first = 0, rows; first < v->data->rows; first += rows) {
        rows = v->data->rows - first < most ? v->data->rows - first : most;
        if (cg_session_stopped(v->x)) {
            CgErr err = { 0 };
            cg_err(&err, CG_ERR_INTERRUPTED, "stopped in evaluation '%s'; the same command begins it again", s->label);
            return cg_session_err(v->x, s->span, &err);
        }
        if (!prepare(v, rows))
            return false;
        cg_dataset_read(v->data, first, rows, v->rows);
        cg_exec_random(v->runner.exec, (uint64_t)v->x->opts.seed, 0, (uint64_t)first);
        if (!cg_session_read_well(v->x, s->data->span) || !debug(v, first, rows)
            || !cg_session_run(v->x, v->runner.exec, s->span) || !write_texts(v, first))
            return false;
        bool good = true;
        for (int64_t r = 0; good && r < rows; r++) {
            v->x->rows = v->data;
            v->x->row = first + r;
            good = fill_row(v, r);
        }
        v->x->rows = NULL;
        if (!good)
            return false;
        cg_progress_step(progress, first + rows);
    }
    return true;
}

static bool fill_table(Evaluation *v)
{
    CgStage *s = v->s;
    bool good = true;
    char name[160];
    for (int i = 0; good && i < s->ncolumns; i++)
        good = collect(v, s->columns[i].value);
    if (!good)
        return false;
    snprintf(name, sizeof name, "evaluate %s", s->label);
    CgProgress *progress = cg_progress_new(&(CgProgressOpts){
        .name = name, .total = v->data->rows, .quiet = v->x->opts.quiet, .listener = v->x->opts.listener });
    s->table = cg_table_new();
    cg_stop_listen();
    good = fill_rows(v, progress);
    cg_stop_deafen();
    cg_progress_free(progress, good ? NULL : cg_session_stopped(v->x) ? "interrupted" : "failed");
    return good;
}

static bool compute(CgSession *x, CgStage *s)
{
    Evaluation v = { .x = x, .s = s };
    bool good = (v.data = cg_dataset_of(x, s->data)) != NULL && cg_memory_fill(x, s->model, NULL, 0, &v.memory)
        && fill_table(&v);
    for (size_t i = 0; i < v.written.len; i++)
        cg_written_free(v.written.at[i]);
    cg_vec_free(&v.written);
    cg_watch_free(v.watch);
    cg_runner_free(&v.runner);
    cg_batch_free(v.data, v.rows);
    cg_memory_free(&v.memory);
    return good;
}

/* Another signature behind those of a column, unless it is there. */
static void add_signature(const char *one, CgStrbuf *all)
{
    size_t n = one ? strlen(one) : 0;
    for (const char *at = cg_strbuf_str(all); n && *at; at += strcspn(at, ";"), at += *at ? 2 : 0)
        if (!strncmp(at, one, n) && (!at[n] || at[n] == ';'))
            return;
    if (n)
        cg_strbuf_printf(all, "%s%s", all->len ? "; " : "", one);
}

/* Of the nodes that the result is computed of, those nearest to it first. */
static void sign_tensor(const CgModelGraph *m, CgRef result, CgStrbuf *all)
{
    uint64_t signature;
    if (!m->signatures.len)
        return;
    bool *reached = cg_calloc((size_t)result + 1, sizeof *reached);
    reached[result] = true;
    for (CgRef r = result + 1; r-- > 0;) {
        const CgNode *n = cg_node(m->graph, r);
        if (reached[r] && cg_map_get(&m->signatures, r, &signature))
            add_signature((const char *)(uintptr_t)signature, all);
        for (int i = 0; reached[r] && i < n->nin; i++)
            reached[n->in[i]] = true;
    }
    free(reached);
}

/* What stands below the table for a column: the signatures of the metrics that it is, or is computed of. */
static void sign_value(const CgStage *s, const CgValue *v, CgStrbuf *all)
{
    if (v->kind == CG_VALUE_CALL && v->function->sign)
        add_signature(v->function->sign(v), all);
    for (int i = 0; v->kind == CG_VALUE_CALL && i < v->n; i++)
        sign_value(s, v->at[i], all);
    if (v->kind == CG_VALUE_TENSOR)
        sign_tensor(s->model, v->tensor->ref, all);
}

static void sign(CgSession *x, CgStage *s)
{
    cg_lineage_check(x, s);
    for (int i = 0; i < s->ncolumns; i++) {
        CgStrbuf all = { 0 };
        sign_value(s, s->columns[i].value, &all);
        add_signature(s->leak, &all);
        cg_table_sign(s->table, i, cg_strbuf_str(&all));
        cg_strbuf_deinit(&all);
    }
}

/* Numbers that are none are said: a mean of the column would be none, too. */
static void warn_of_odd(const CgSession *x, const CgStage *s)
{
    const CgTable *t = s->table;
    for (int c = 0; c < t->ncolumns; c++) {
        size_t odd = 0;
        for (size_t r = 0; r < t->rows && t->column[c].kind == CG_NUMBER; r++)
            odd += cg_cell_absent(&t->column[c], r) || isinf(t->column[c].at[r].number);
        if (odd)
            cg_session_say(x, "warning: evaluation '%s': column '%s' is not a number in %zu of %zu rows", s->label,
                t->column[c].name, odd, t->rows);
    }
}

static bool load(CgSession *x, CgStage *s)
{
    CgBytes bytes;
    if (!cg_store_get(x->store, s->key, &bytes))
        return false;
    s->table = cg_table_unpack(&bytes);
    cg_io_release(&bytes);
    if (!s->table)
        return false;
    sign(x, s);
    warn_of_odd(x, s);
    return true;
}

static bool run(CgSession *x, CgStage *s)
{
    if (!compute(x, s))
        return false;
    sign(x, s);
    warn_of_odd(x, s);
    CgStrbuf text = { 0 };
    CgErr err = { 0 };
    cg_table_pack(s->table, &text);
    bool good = cg_store_put(x->store, s->key, text.at, text.len, &err);
    cg_strbuf_deinit(&text);
    return good || cg_session_err(x, s->span, &err);
}

const CgStageKind cg_stage_kind_evaluate = {
    .name = "evaluate", .doing = "evaluation", .version = 5, .key = key, .load = load, .run = run
};
