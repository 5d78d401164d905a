/* functions.c - the lint of functions: what a signature promises holds (src/elab/signature.c, src/library/).
 * Takes every function of the language; gives each of its parameters a value of every kind there is. A value of a kind
 * that the signature does not name must be reported at that argument, once, and have no value; one that it names must
 * reach the function without harm. */
#include "base/diag_list.h"
#include "data/tensor_file.h"
#include "elab/signature.h"
#include "experiment/experiment.h"
#include "experiment/graph_arg.h"
#include "graph/registry.h"
#include "tap.h"

#include <ctype.h>
#include <stdlib.h>

static const char script[] =
    "graph net(ids: i32[B, T], size: int) -> f32[B, T, size] {\n"
    "    param w: f32[256, size] = normal(std = 0.29)\n"
    "    return take(w, ids)\n"
    "}\n"
    "def twice(x) = 2 * x\n"
    "text = synthetic(\"grammar\", size = 5003)\n"
    "data = windows(text.train, bytes(), length = 11)\n"
    "scores = evaluate net(size = 256) on data as m {\n"
    "    loss = mean(cross_entropy(m(batch.tokens), batch.next), axis = 1)\n"
    "    same = exact(batch.tokens, batch.next)\n"
    "}\n"
    "an_int, a_float, a_bool, a_str = 300, 0.375, true, \"grammar\"\n"
    "ints, strs, mixed, a_record = [3, 5], [\"a\", \"b\"], [2.5, \"a\"], { a: 7, b: \"c\" }\n"
    "a_split, a_tokenizer, a_model, an_op, a_function = text.valid, bytes(), net(size = 256), exp, bleu\n"
    "some_corpora, some_data, a_graph, a_dtype, nothing = [text, text], [data, data], net, f64, none\n"
    "a_table, columns = table(scores, columns = [mean(loss)]), [scores.loss, scores.same]\n"
    "a_figure, tables = plot.line(scores, x = loss, y = same), { one: scores }\n"
    "an_estimate, a_resampling = percent(interval(mean(scores.loss))), bootstrap()\n"
    "some_groups, a_field = group(scores, by = same), field(\"text\", bytes(), length = 5)\n"
    "some_labels, an_array = labels(read(\"t.csv\"), \"name\"), parameter(load(net(size = 256), \"w.npy\"), \"w\")\n"
    "later, written = mean(scores.loss), generate(net(size = 256), \"a\", bytes(), length = 5)\n";

/* Names of the script above; those of tensors are made below. */
static const char *const names[] = { "an_int", "a_float", "a_bool", "a_str", "ints", "strs", "mixed", "a_record",
    "text", "a_split", "data", "a_tokenizer", "a_model", "an_op", "a_function", "twice", "some_corpora", "some_data",
    "a_graph", "a_dtype", "nothing", "scores", "a_table", "columns", "a_figure", "tables", "later", "written",
    "an_estimate", "a_resampling", "some_groups", "a_field", "some_labels", "an_array" };

enum { MOST = 64 };

typedef struct Values {
    CgSession *x;
    CgValue *at[MOST];
    const char *name[MOST];
    int n;
    CgValue *matrix;
    CgFrame frame;
} Values;

static void add(Values *v, const char *name, CgValue *value)
{
    v->name[v->n] = name;
    v->at[v->n++] = value;
}

static void make_values(Values *v)
{
    CgElab *e = v->x->elab;
    for (size_t i = 0; i < CG_LEN(names); i++)
        add(v, names[i], cg_env_find(e, cg_elab_script(e), cg_intern(names[i])));
    CgValue *column = cg_value_new(e, CG_VALUE_COLUMN, (CgSpan){ 0 });
    column->s = cg_intern("loss");
    add(v, "column", column);
    add(v, "weights", cg_value_object(e, &cg_class_weights, "load", 0, (CgSpan){ 0 }));
    const CgDim *dim[2] = { cg_dim_symbol("batch"), cg_dim_int(11) };
    CgModelGraph *m = cg_model_begin(e, "lint", false);
    CgBuild *b = &m->build;
    add(v, "number", cg_value_tensor(e, cg_graph_input(b, "number", cg_type(CG_F32, 0, NULL)), (CgSpan){ 0 }));
    add(v, "matrix",
        v->matrix = cg_value_tensor(e, cg_graph_input(b, "matrix", cg_type(CG_F32, 2, dim)), (CgSpan){ 0 }));
    add(v, "tokens", cg_value_tensor(e, cg_graph_input(b, "tokens", cg_type(CG_I32, 2, dim)), (CgSpan){ 0 }));
    add(v, "size", cg_value_dim(e, cg_dim_symbol("T"), (CgSpan){ 0 }));
}

/* An axis is a number or a size, or a list of numbers; names of axes are none of these values. */
static bool is_axis(const CgValue *value)
{
    bool numbers = value->kind == CG_VALUE_LIST && value->n;
    for (int i = 0; numbers && i < value->n; i++)
        numbers = value->at[i]->kind == CG_VALUE_INT;
    return numbers || value->kind == CG_VALUE_INT || value->kind == CG_VALUE_DIM || value->kind == CG_VALUE_NONE;
}

static bool fits(Values *v, const CgFunction *f, int param, CgValue *value)
{
    const CgKinds *k = &cg_function_signature(f)->param[param];
    if (cg_kinds_have(k, CG_KIND_AXIS, NULL))
        return is_axis(value);
    if (k->choice && value->kind == CG_VALUE_STR)
        return false; /* "grammar" is none of its strings */
    return cg_kinds_take(v->x->elab, k, value, cg_function_known(f));
}

/* The first value that a parameter takes; NULL: none of them. */
static CgValue *good_value(Values *v, const CgFunction *f, int param)
{
    const CgKinds *k = &cg_function_signature(f)->param[param];
    if (cg_kinds_have(k, CG_KIND_TENSOR, NULL))
        return v->matrix; /* which has axes */
    for (int i = 0; i < v->n; i++)
        if (fits(v, f, param, v->at[i]))
            return v->at[i];
    return k->choice ? cg_value_str(v->x->elab, k->choice->choices[0], (CgSpan){ 0 }) : NULL;
}

/* Calls f with n good values but for one; the span of argument i is the i-th byte of the script. */
static CgValue *call(Values *v, const CgFunction *f, int n, int param, CgValue *value)
{
    const CgSignature *s = cg_function_signature(f);
    CgElab *e = v->x->elab;
    CgValue *args[CG_MAX_ARGS], *fn = cg_value_new(e, CG_VALUE_FUNCTION, (CgSpan){ 1, 100, 101 });
    CgAtom keys[CG_MAX_ARGS];
    CgSpan spans[CG_MAX_ARGS];
    fn->function = f;
    for (int i = 0; i < n; i++) {
        args[i] = i == param ? value : good_value(v, f, i);
        CG_ASSERT(args[i], "the script above has a value for every parameter");
        keys[i] = s->stmt->params[i].name;
        spans[i] = (CgSpan){ 1, (uint32_t)i, (uint32_t)i + 1 };
    }
    CgExpr callee = { .kind = CG_EXPR_NAME, .span = { 1, 100, 101 }, .s = cg_intern(f->name) };
    CgExpr site = { .kind = CG_EXPR_CALL, .span = { 1, 100, 102 }, .a = &callee };
    cg_diags_clear(v->x->diags);
    return cg_call(e, &v->frame, fn, args, keys, spans, n, &site);
}

/* The code of a value of another kind: an axis that is none, a text that is none of the names, else the usual one. */
static bool is_wrong_kind(CgCode code, const CgKinds *kinds)
{
    if (cg_kinds_have(kinds, CG_KIND_AXIS, NULL))
        return code == CG_E0404;
    return code == CG_E0312 || (kinds->choice && code == CG_E0317);
}

static void wrong_kinds(Values *v, const CgFunction *f, int param)
{
    const char *name = cg_function_signature(f)->stmt->params[param].name;
    int wrong = 0, missed = 0;
    for (int i = 0; i < v->n; i++) {
        bool right = fits(v, f, param, v->at[i]);
        if (!right && param == 0 && v->at[i]->kind == CG_VALUE_TENSOR && cg_op_find(f->name))
            continue; /* that is the op of this name */
        CgValue *out = call(v, f, cg_function_signature(f)->n, param, v->at[i]);
        const CgDiag *d = v->x->diags->first;
        if (right) {
            if (!out || (cg_is_poison(out) && !d))
                tap_ok(false, "%s: '%s' with %s has a value or a message", f->name, name, v->name[i]);
            continue;
        }
        wrong++;
        if (out && cg_is_poison(out) && d && !d->next && is_wrong_kind(d->code, &cg_function_signature(f)->param[param])
            && d->span.start == (uint32_t)param && d->span.end == (uint32_t)param + 1)
            continue;
        missed++;
        printf("# %s: '%s' takes %s in silence or is reported elsewhere\n", f->name, name, v->name[i]);
    }
    tap_ok(!missed, "%s: '%s' refuses %d values of other kinds where they stand", f->name, name, wrong);
}

/* Functions of patterns look at what is written, behind "it = ": each name of the script in place of the tensor. */
static void wrong_tensors(Values *v, const char *form)
{
    int wrong = 0, missed = 0;
    for (size_t i = 0; i < CG_LEN(names); i++, wrong++) {
        char text[96];
        CgTarget target = { 0 };
        cg_diags_clear(v->x->diags);
        snprintf(text, sizeof text, form, names[i]);
        CgValue *out = cg_target_value(v->x, text, &target);
        const CgDiag *d = v->x->diags->first;
        cg_target_free(&target);
        if (!out && d && !d->next && d->span.start == (uint32_t)(strchr(form, '%') - form + 5)
            && d->span.end == d->span.start + strlen(names[i]))
            continue;
        missed++;
        printf("# %s is taken in silence or reported elsewhere\n", text);
    }
    tap_ok(!missed, "%s refuses %d values that are no tensors where they stand", form, wrong);
}

/* Every class has a value above, but for what only a step of a training has. */
static void all_classes(const Values *v)
{
    const CgClass *cls;
    for (size_t k = 0; (cls = cg_class_at(k)); k++) {
        bool found = cls == &cg_class_batch;
        for (int i = 0; i < v->n; i++)
            found |= cg_value_class(v->at[i]) == cls;
        tap_ok(found, "there is a value of class %s", cls->name);
    }
}

static bool is_sentence(const char *s)
{
    size_t n = strlen(s);
    while (n && isspace((unsigned char)s[n - 1]))
        n--;
    return n && s[n - 1] == '.';
}

/* A name is that of one function. It may be that of an op, too, where the kind of the first argument decides, a tensor
 * being the op's alone; or where the function makes nothing but this op, of tensors and sizes. */
static bool one_meaning(Values *v, const CgFunction *f)
{
    const CgFunction *other;
    const CgOp *op = cg_op_find(f->name);
    int named = 0;
    for (size_t i = 0; (other = cg_function_at(i)); i++)
        named += !strcmp(other->name, f->name);
    if (!op || named != 1)
        return named == 1;
    const CgSignature *s = cg_function_signature(f);
    if (!s->n)
        return false;
    if (!cg_kinds_have(&s->param[0], CG_KIND_TENSOR, NULL)
        && (cg_op_sig(op)->ntensors > 0 || cg_op_sig(op)->any_number))
        return true;
    const CgValue *out = call(v, f, 1, 0, good_value(v, f, 0));
    return out->kind == CG_VALUE_TENSOR && cg_node(v->x->elab->model->graph, out->tensor->ref)->op == op;
}

/* What a function says of itself. */
static void description(Values *v, const CgFunction *f)
{
    tap_ok((f->build || f->run) && f->version > 0 && f->file && is_sentence(f->doc), "%s is described", f->name);
    tap_ok(one_meaning(v, f), "'%s' means one thing, or the kind of the first argument says which", f->name);
}

int main(void)
{
    CgErr err = { 0 };
    CgSessionOpts opts = { .quiet = true };
    CgNamed w = { "w", { .dtype = CG_F32, .rank = 2, .dim = { 256, 256 } } };
    w.tensor.data = cg_calloc(256 * 256, sizeof(float));
    w.tensor.stride[0] = 256, w.tensor.stride[1] = 1;
    if (!cg_io_write("functions.cg", script, sizeof script - 1, &err) || !cg_io_write("t.csv", "name\na\n", 7, &err)
        || !cg_tensors_write("w.npy", &w, 1, NULL, NULL, 0, &err))
        return 1;
    free(w.tensor.data);
    Values v = { .x = cg_experiment_new("functions.cg", &opts) };
    if (!tap_ok(cg_diags_count(v.x->diags) == 0, "the script with a value of each kind has no mistakes"))
        cg_diags_print(v.x->diags, stdout, false);
    make_values(&v);
    CgElab *e = v.x->elab;
    cg_frame_begin(e, &v.frame, NULL, cg_elab_script(e));
    all_classes(&v);
    int any = 0;
    const CgFunction *f;
    for (size_t i = 0; (f = cg_function_at(i)); i++) {
        description(&v, f);
        const CgSignature *s = cg_function_signature(f);
        for (int k = 0; k < s->n; k++) {
            any += cg_kinds_have(&s->param[k], CG_KIND_ANY, NULL);
            if (!(f->traits & CG_PATTERN))
                wrong_kinds(&v, f, k);
        }
    }
    wrong_tensors(&v, "rearrange(%s, [A, B] -> [B, A])");
    wrong_tensors(&v, "einsum(%s, [A, B] -> [B])");
    tap_ok(any <= 10, "at most ten parameters take any value: %d", any);
    cg_frame_end(e, &v.frame);
    CgModelGraph *m = e->model;
    cg_model_end(e);
    cg_model_free(m);
    cg_experiment_free(v.x);
    return tap_done();
}
