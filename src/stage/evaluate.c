/* evaluate.c - carrying out an evaluation.
 * Takes a stage; gives a table with one row a window. Tensor columns come from the graph, the others from functions of
 * one row; texts are written (write.c) for a whole batch at a time. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "elab/signature.h"
#include "stage/session.h"

enum { ROWS = 32, VERSION = 2 }; /* ROWS a batch; VERSION: of what an evaluation means */

/* ---- columns of one row ---------------------------------------------------------------------------------------- */

typedef struct Written {
    const CgValue *call;
    CgMemory memory;
    CgWriter *writer;
    int32_t *ids;
    int64_t length;
} Written;

typedef struct Evaluation {
    CgSession *x;
    CgStage *s;
    CgMemory memory;
    CgPlan *plan;
    CgExec *exec;
    CgWindows *windows;
    int32_t *tokens, *next;
    CG_VEC(Written) written; /* one for each generator among the columns */
    const CgTokenizer *tokenizer;
} Evaluation;

static CgValue *tensor_of_row(Evaluation *v, const CgValue *tensor, int row)
{
    const CgStage *s = v->s;
    CgElab *e = v->x->elab;
    size_t base = s->columns_graph->outputs.len - (size_t)s->nwanted;
    for (int i = 0; i < s->nwanted; i++) {
        if (s->wanted[i]->tensor.ref != tensor->tensor.ref)
            continue;
        CgTensor t = cg_exec_output(v->exec, (int)base + i);
        if (t.rank == 1)
            return cg_value_float(e, (double)((const float *)t.data)[row * t.stride[0]], tensor->span);
        if (t.rank == 2 && t.dtype == CG_I32 && t.stride[1] == 1) {
            CgIdsRow *ids = CG_NEW(e->arena, CgIdsRow);
            *ids = (CgIdsRow){ (const int32_t *)t.data + row * t.stride[0], (size_t)t.dim[1], v->tokenizer };
            return cg_value_held(e, &cg_class_tokens, ids);
        }
    }
    return cg_value_poison(e);
}

static CgValue *value_of_row(Evaluation *v, CgValue *value, int row)
{
    CgElab *e = v->x->elab;
    if (value->kind == CG_VALUE_TENSOR)
        return tensor_of_row(v, value, row);
    if (value->kind != CG_VALUE_CALL)
        return value;
    for (size_t i = 0; i < v->written.len; i++)
        if (v->written.at[i].call == value) {
            CgIdsRow *ids = CG_NEW(e->arena, CgIdsRow);
            *ids = (CgIdsRow){ v->written.at[i].ids + row * v->written.at[i].length, (size_t)v->written.at[i].length,
                v->tokenizer };
            return cg_value_held(e, &cg_class_tokens, ids);
        }
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
        CgGenerator *g = value->stage;
        for (size_t i = 0; i < v->written.len; i++)
            if (v->written.at[i].call == value)
                return true;
        Written w = { .call = value, .length = g->length };
        if (!cg_memory_fill(v->x, g->model, NULL, 0, &w.memory))
            return false;
        w.ids = cg_calloc((size_t)(ROWS * g->length) + 1, sizeof *w.ids);
        w.writer = cg_writer_new(v->x, g, &w.memory, ROWS);
        cg_vec_push(&v->written, w);
        return w.writer != NULL;
    }
    for (int i = 0; i < value->n; i++)
        if (!collect(v, value->at[i]))
            return false;
    return true;
}

static bool write_texts(Evaluation *v)
{
    for (size_t i = 0; i < v->written.len; i++) {
        Written *w = &v->written.at[i];
        CgStage *s = v->s;
        size_t base = s->columns_graph->outputs.len - (size_t)s->nwanted;
        int32_t *context = NULL;
        for (int k = 0; k < s->nwanted; k++)
            if (s->wanted[k]->tensor.ref == w->call->at[0]->tensor.ref) {
                CgTensor t = cg_exec_output(v->exec, (int)base + k);
                context = cg_calloc((size_t)cg_tensor_count(&t) + 1, sizeof *context);
                for (int64_t r = 0; r < t.dim[0]; r++)
                    for (int64_t c = 0; c < t.dim[1]; c++)
                        context[r * t.dim[1] + c] = ((const int32_t *)t.data)[r * t.stride[0] + c * t.stride[1]];
            }
        memset(w->ids, 0, sizeof *w->ids * (size_t)(ROWS * w->length));
        bool good = cg_writer_run(w->writer, context, w->ids, 0, 0, 0, 0);
        free(context);
        if (!good)
            return false;
    }
    return true;
}

/* ---- the table in the store ------------------------------------------------------------------------------------ */

static void put_u64(CgStrbuf *b, uint64_t v) { cg_strbuf_write(b, (const char *)&v, sizeof v); }

static void table_write(const CgTable *t, CgStrbuf *b)
{
    put_u64(b, (uint64_t)t->ncolumns);
    put_u64(b, t->rows);
    for (int c = 0; c < t->ncolumns; c++) {
        put_u64(b, strlen(t->column[c].name));
        cg_strbuf_puts(b, t->column[c].name);
        put_u64(b, t->column[c].kind);
        for (size_t r = 0; r < t->rows; r++) {
            const CgCell *cell = &t->column[c].at[r];
            if (t->column[c].kind == CG_TEXT) {
                put_u64(b, cell->missing ? UINT64_MAX : strlen(cell->text));
                if (!cell->missing)
                    cg_strbuf_puts(b, cell->text);
            } else {
                double number = cell->missing ? NAN : cell->number;
                cg_strbuf_write(b, (const char *)&number, sizeof number);
            }
        }
    }
}

static bool take(const CgBytes *b, size_t *at, void *out, size_t n)
{
    if (n > b->len - *at)
        return false;
    memcpy(out, b->at + *at, n);
    *at += n;
    return true;
}

/* A name or a cell; NULL past the end. */
static char *take_text(const CgBytes *b, size_t *at, uint64_t n)
{
    if (n > b->len - *at)
        return NULL;
    char *text = cg_malloc((size_t)n + 1);
    memcpy(text, b->at + *at, (size_t)n);
    text[n] = 0;
    *at += (size_t)n;
    return text;
}

static CgTable *table_read(const CgBytes *b)
{
    CgTable *t = cg_table_new();
    size_t at = 0;
    uint64_t columns, rows, n, kind;
    bool good = take(b, &at, &columns, 8) && take(b, &at, &rows, 8) && columns < 10000 && rows <= b->len;
    for (uint64_t r = 0; good && r < rows; r++)
        cg_table_row(t);
    for (uint64_t c = 0; good && c < columns; c++) {
        char *name = take(b, &at, &n, 8) ? take_text(b, &at, n) : NULL;
        good = name && take(b, &at, &kind, 8) && (kind == CG_TEXT || kind == CG_NUMBER)
            && cg_table_find(t, name, NULL) < 0;
        int k = good ? cg_table_add(t, name, (CgCellKind)kind) : 0;
        free(name);
        for (uint64_t r = 0; good && r < rows; r++) {
            if (kind == CG_TEXT) {
                good = take(b, &at, &n, 8);
                if (good && n != UINT64_MAX) {
                    char *text = take_text(b, &at, n);
                    good = text;
                    if (good)
                        cg_table_set(t, r, k, cg_text(text));
                    free(text);
                }
            } else {
                double number;
                good = take(b, &at, &number, 8);
                if (good && !isnan(number))
                    cg_table_set(t, r, k, cg_number(number));
            }
        }
    }
    if (good)
        return t;
    cg_table_free(t);
    return NULL;
}

/* ---- the whole ------------------------------------------------------------------------------------------------- */

static bool digest_call(CgSession *x, const CgStage *s, const CgValue *v, CgDigester *d)
{
    if (v->kind == CG_VALUE_TENSOR) {
        for (int i = 0; i < s->nwanted; i++)
            if (s->wanted[i]->tensor.ref == v->tensor.ref)
                cg_digester_add(d, &i, sizeof i);
        return true;
    }
    if (v->kind != CG_VALUE_CALL) {
        CgDigest one = cg_value_digest(v);
        cg_digester_add(d, &one, sizeof one);
        return true;
    }
    cg_digester_add(d, v->function->name, strlen(v->function->name) + 1);
    cg_digester_add(d, &v->function->version, sizeof v->function->version);
    if (v->stage) {
        const CgGenerator *g = v->stage;
        CgDigest graph = cg_graph_digest(g->graph);
        cg_digester_add(d, &graph, sizeof graph);
        if (!cg_model_digest(x, g->model, d))
            return false;
    }
    for (int i = 0; i < v->n; i++)
        if (!digest_call(x, s, v->at[i], d))
            return false;
    return true;
}

static bool make_key(CgSession *x, CgStage *s)
{
    CgDigester *d = cg_digester_new();
    int64_t numbers[] = { VERSION, x->opts.seed }; /* the seed: of parameters that nothing trained */
    cg_digester_add(d, "evaluate", 8);
    cg_digester_add(d, numbers, sizeof numbers);
    CgDigest graph = cg_graph_digest(s->columns_graph), data;
    cg_digester_add(d, &graph, sizeof graph);
    bool good = cg_data_digest(x, s->data, &data) && cg_model_digest(x, s->model, d);
    if (good)
        cg_digester_add(d, &data, sizeof data);
    for (int i = 0; good && i < s->ncolumns; i++) {
        cg_digester_add(d, s->columns[i].name, strlen(s->columns[i].name) + 1);
        if (s->columns[i].value->kind != CG_VALUE_TENSOR)
            good = digest_call(x, s, s->columns[i].value, d);
    }
    s->key = cg_digester_free(d);
    return good;
}

static void cell_of(CgTable *t, size_t row, int column, const CgValue *v)
{
    double number;
    if (cg_value_number(v, &number)) {
        cg_table_set(t, row, column, cg_number(number));
    } else if (v->kind == CG_VALUE_STR) {
        cg_table_set(t, row, column, cg_text(v->s));
    } else if (v->kind == CG_VALUE_OBJECT && v->cls == &cg_class_tokens) {
        const CgIdsRow *ids = v->held;
        CgStrbuf text = { 0 };
        if (ids->tokenizer)
            cg_tokenizer_decode(ids->tokenizer, ids->at, ids->n, true, &text);
        cg_table_set(t, row, column, cg_text(cg_strbuf_str(&text)));
        cg_strbuf_deinit(&text);
    }
}

static int64_t rows_of(const Evaluation *v)
{
    int64_t count = cg_windows_count(v->windows);
    const CgValue *most = cg_record_find(v->s->data, cg_intern("count"));
    return most && most->i > 0 && most->i < count ? most->i : count;
}

static bool fill_rows(Evaluation *v, CgProgress *progress)
{
    CgStage *s = v->s;
    int64_t count = rows_of(v);
    for (int i = 0; i < s->ncolumns; i++)
        cg_table_add(s->table, s->columns[i].name, cg_column_is_text(s->columns[i].value) ? CG_TEXT : CG_NUMBER);
    for (int64_t first = 0; first < count; first += ROWS) {
        int rows = cg_windows_at(v->windows, first, count, ROWS, v->tokens, v->next);
        if (rows > count - first)
            rows = (int)(count - first);
        cg_exec_run(v->exec);
        if (!write_texts(v))
            return false;
        for (int r = 0; r < rows; r++) {
            size_t row = cg_table_row(s->table);
            for (int i = 0; i < s->ncolumns; i++) {
                CgValue *value = s->columns[i].value;
                if (value->kind == CG_VALUE_TENSOR) {
                    CgTensor t = cg_exec_output(v->exec, s->columns[i].output);
                    double number = t.dtype == CG_F32 ? (double)((const float *)t.data)[r * t.stride[0]]
                        : t.dtype == CG_I32           ? (double)((const int32_t *)t.data)[r * t.stride[0]]
                                                      : NAN;
                    cg_table_set(s->table, row, i, cg_number(number));
                } else {
                    cell_of(s->table, row, i, value_of_row(v, value, r));
                }
            }
        }
        cg_progress_step(progress, first + rows);
    }
    return true;
}

static bool compute(CgSession *x, CgStage *s)
{
    Evaluation v = { .x = x, .s = s };
    CgErr err = { 0 };
    CgBinding b = { cg_intern("batch"), ROWS };
    bool good = (v.windows = cg_windows_of(x, s->data)) != NULL && cg_memory_fill(x, s->model, NULL, 0, &v.memory);
    if (good) {
        v.tokenizer = cg_tokenizer_of(x, cg_record_find(s->data, cg_intern("tokenizer")));
        v.plan = cg_plan_build(s->columns_graph, (CgBindings){ &b, 1 }, (CgPlanOptions){ .sources = x->sources }, &err);
        v.exec = v.plan ? cg_exec_new(v.plan, x->pool, &err) : NULL;
        good = v.exec || cg_session_err(x, s->span, &err);
        if (good)
            cg_session_note_precision(x, s->columns_graph);
    }
    if (good) {
        v.tokens = cg_calloc((size_t)(ROWS * s->length) + 1, sizeof *v.tokens);
        v.next = cg_calloc((size_t)(ROWS * s->length) + 1, sizeof *v.next);
        for (int i = 0; i < v.memory.n; i++)
            cg_exec_bind_param(v.exec, i, v.memory.at[i]);
        for (size_t i = 0; i < s->columns_graph->inputs.len; i++)
            cg_exec_bind_input(v.exec, (int)i,
                strcmp(cg_node_name(s->columns_graph, s->columns_graph->inputs.at[i]), "next") ? v.tokens : v.next);
        for (int i = 0; good && i < s->ncolumns; i++)
            good = collect(&v, s->columns[i].value);
    }
    if (good) {
        char name[160];
        snprintf(name, sizeof name, "evaluate %s", s->label);
        CgProgress *progress =
            cg_progress_new(&(CgProgressOpts){ .name = name, .total = rows_of(&v), .quiet = x->opts.quiet });
        s->table = cg_table_new();
        good = fill_rows(&v, progress);
        cg_progress_free(progress, good ? NULL : "failed");
    }
    for (size_t i = 0; i < v.written.len; i++) {
        cg_writer_free(v.written.at[i].writer);
        cg_memory_free(&v.written.at[i].memory);
        free(v.written.at[i].ids);
    }
    cg_vec_free(&v.written);
    if (v.exec)
        cg_exec_free(v.exec);
    if (v.plan)
        cg_plan_free(v.plan);
    free(v.tokens);
    free(v.next);
    cg_memory_free(&v.memory);
    return good;
}

bool cg_evaluate_run(CgSession *x, CgStage *s)
{
    if (!make_key(x, s))
        return false;
    CgBytes bytes;
    if (cg_store_get(x->store, s->key, &bytes)) {
        s->table = table_read(&bytes);
        cg_io_release(&bytes);
        if (s->table)
            return true;
    }
    if (!compute(x, s))
        return false;
    CgStrbuf text = { 0 };
    CgErr err = { 0 };
    table_write(s->table, &text);
    bool good = cg_store_put(x->store, s->key, text.at, text.len, &err);
    cg_strbuf_deinit(&text);
    return good || cg_session_err(x, s->span, &err);
}
