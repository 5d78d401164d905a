/* batch.c - what `batch` is in the blocks of train and evaluate: a batch of rows of a dataset.
 * Takes the fields of a dataset, which are known before it is read; gives an input of the graph for each that is asked
 * for, with the rows as its first axis. Must not know any dataset. */
#include <string.h>

#include "elab/signature.h"
#include "stage/check.h"

typedef struct Batch {
    const CgDataFields *fields;
    CgSpan data;
    bool named; /* rows have an id and a source */
} Batch;

CgDataFields *cg_data_fields_new(CgElab *e, CgValue *data, const CgField *field, int n)
{
    CgDataFields *fields = CG_NEW(e->arena, CgDataFields);
    *fields = (CgDataFields){ .n = n, .field = CG_NEWN(e->arena, CgField, n + 1), .origin = data->span };
    fields->tokenizer = CG_NEWN(e->arena, CgValue *, n + 1);
    for (int i = 0; i < n; i++) {
        fields->field[i] = field[i];
        fields->field[i].name = cg_intern(field[i].name);
        fields->tokenizer[i] = NULL;
    }
    data->stage = fields;
    return fields;
}

const CgDataFields *cg_data_fields(const CgValue *data)
{
    return cg_value_class(data) == &cg_class_dataset ? data->stage : NULL;
}

int64_t cg_data_tokens(const CgValue *data)
{
    const CgDataFields *fields = cg_data_fields(data);
    for (int i = 0; fields && i < fields->n; i++)
        if (fields->tokenizer[i] && fields->field[i].rank)
            return fields->field[i].dim[0];
    return 0;
}

/* The same input, whoever asks for it again. */
static CgValue *make(CgElab *e, const Batch *b, int i)
{
    const CgField *f = &b->fields->field[i];
    const CgDim *dim[CG_MAX_RANK + 1] = { cg_dim_symbol("batch") };
    for (int k = 0; k < f->rank; k++)
        dim[k + 1] = cg_dim_int(f->dim[k]);
    CgType type = cg_type(f->dtype, f->rank + 1, dim);
    CgValue *t = cg_value_tensor(e, cg_graph_input(&e->model->build, f->name, type), b->data);
    CgValue *tok = b->fields->tokenizer[i];
    const CgValue *size = tok && tok->keys ? cg_record_find(tok, cg_intern("size")) : NULL;
    int64_t below = f->below > 0 ? f->below : size && size->kind == CG_VALUE_INT ? size->i : 0;
    if (below > 0 || tok)
        cg_below_set(e->model, t->tensor->ref,
            (CgBelow){ below > 0 ? cg_dim_int(below) : NULL, b->data, tok, f->mask ? f[f->mask].name : NULL });
    t->tensor->label[0] = cg_intern("batch");
    if (b->fields->tokenizer[i])
        t->tensor->label[1] = cg_intern("length");
    for (int k = 0; k < f->rank; k++)
        t->tensor->origin[k + 1] = b->fields->origin;
    return t;
}

static CgValue *field_of_batch(CgElab *e, CgValue *of, const char *name, CgSpan span, CgSuggest *s)
{
    const Batch *b = of->held;
    for (int i = 0; i < b->fields->n; i++) {
        cg_suggest_offer(s, b->fields->field[i].name);
        if (!strcmp(b->fields->field[i].name, name))
            return make(e, b, i);
    }
    static const char *const more[] = { "id", "source" };
    for (int i = 0; b->named && i < 2; i++) {
        cg_suggest_offer(s, more[i]);
        if (strcmp(more[i], name) != 0)
            continue;
        CgArguments a = { .function = cg_function_find(i ? "row_source" : "row_id"), .call = span };
        return cg_function_later(e, &a, 0);
    }
    return NULL;
}

CG_CLASS(batch, .article = "a batch of rows",
    .doc = "The rows a step reads: batch.tokens and the other fields of its dataset, each with the rows as first axis.",
    .field = field_of_batch)

void cg_check_row(CgElab *e, CgFrame *inner, CgFrame *f, CgValue *data, CgSpan span)
{
    Batch *b = CG_NEW(e->arena, Batch);
    *b = (Batch){ cg_data_fields(data), data->span, false };
    cg_frame_begin(e, inner, f, f->env);
    inner->is_columns = true;
    for (int i = 0; i < b->fields->n; i++) {
        CgValue *v = make(e, b, i);
        v->span = span;
        cg_frame_bind(inner, b->fields->field[i].name, v);
    }
}

void cg_help_rows(const CgElab *e, CgDiag *d, const CgValue *found, CgSpan span)
{
    const char *text = cg_sources_get(e->sources, span.file)->text + span.start;
    int n = (int)(span.end - span.start);
    if (cg_value_class(found) == &cg_class_table) {
        cg_diag_help(d,
            "rows of a file are examples(\"x.csv\", { x: \"x\", y: \"y\" }), rows of numbers arrays({ x: .., y: .. })");
        return;
    }
    bool quoted = cg_value_class(found) == &cg_class_split && n <= 40 && !memchr(text, '\n', (size_t)n);
    cg_diag_help(
        d, "rows of a text are windows(%.*s, tok, length = 128)", quoted ? n : 10, quoted ? text : "text.train");
}

CgValue *cg_check_batch(CgElab *e, CgValue *data, bool named, CgSpan span)
{
    const CgDataFields *fields = cg_data_fields(data);
    if (!fields) {
        CgDiag *d = cg_elab_error(e, CG_E0607, span,
            "data are rows, as windows(...) or examples(...) gives them, not %s", cg_value_kind_name(data));
        cg_help_rows(e, d, data, span);
        return NULL;
    }
    Batch *b = CG_NEW(e->arena, Batch);
    *b = (Batch){ fields, data->span, named };
    CgValue *v = cg_value_held(e, &cg_class_batch, b);
    v->span = span;
    return v;
}
