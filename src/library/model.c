/* model.c - functions of the language that take models: annotations and weights.
 * Takes models and what is said of them; gives copies with that said. Carries out no training. */
#include <string.h>

#include "library/library.h"
#include "stage/history.h"
#include "stage/merge.h"

/* The model with a word about its parameters or products. */
static CgValue *annotated(CgElab *e, const CgArguments *a, CgAnnotation annotation)
{
    annotation.span = a->call;
    annotation.pattern = a->at[1]->kind == CG_VALUE_STR ? a->at[1]->s : NULL;
    CgValue *v = cg_instance_copy(e, a->at[0], annotation.span);
    cg_annotation_add(e, v->instance, annotation);
    return v;
}

#define ANNOTATION(id, said, words)                                         \
    static CgValue *build_##id(CgElab *e, CgFrame *f, const CgArguments *a) \
    {                                                                       \
        (void)f;                                                            \
        return annotated(e, a, (CgAnnotation){ .what = said });             \
    }                                                                       \
    static const CgFunction fn_##id = { CG_FUNCTION_HERE, .name = #id,      \
        .sig = "(model: model, pattern: str | none = none) -> model", .build = build_##id, .doc = words };
ANNOTATION(freeze, CG_ANNOTATED_FROZEN,
    "The model with its parameters (or those whose path fits the pattern) kept from training.")
ANNOTATION(unfreeze, CG_ANNOTATED_TRAINED,
    "The model with its parameters (or those whose path fits the pattern) trained again.")
ANNOTATION(in_bf16, CG_ANNOTATED_BF16,
    "The model with its products (or those in parts, or by parameters, whose path fits the pattern) of numbers rounded "
    "to bf16, summed in f32.")
ANNOTATION(in_f32, CG_ANNOTATED_F32,
    "The model with its products (or those in parts, or by parameters, whose path fits the pattern) in f32, whatever "
    "the option precision says.")
ANNOTATION(recomputed, CG_ANNOTATED_RECOMPUTED,
    "The model with its parts whose path fits the pattern (or all of it) computed again in the backward pass instead "
    "of kept, as by recompute.")

/* The model with a graph put into it. */
static CgValue *edited(CgElab *e, const CgArguments *a, CgAnnotation annotation)
{
    CgValue *v = cg_instance_copy(e, a->at[0], a->call);
    annotation.span = a->call;
    annotation.weights = v->instance->weights;
    cg_annotation_add(e, v->instance, annotation);
    return v;
}

static CgValue *build_reparametrized(CgElab *e, CgFrame *f, const CgArguments *a)
{
    (void)f;
    const CgInstance *by = a->at[1]->instance;
    if (cg_graph_tensors(by->stmt) != 1) {
        CgDiag *d = cg_elab_error(e, CG_E0316, a->span[1], "'%s' takes %d tensors, not the one that is a parameter",
            by->stmt->names[0], cg_graph_tensors(by->stmt));
        cg_diag_help(d, "graph lora(w: f32[I, O], rank: int) -> f32[I, O] { .. }");
        return cg_value_poison(e);
    }
    return edited(e, a, (CgAnnotation){ .what = CG_ANNOTATED_REPARAMETRIZED, .pattern = a->at[2]->s, .by = a->at[1] });
}

static const CgFunction fn_reparametrized = { CG_FUNCTION_HERE, .name = "reparametrized",
    .sig = "(model: model, by: model, pattern: str) -> model", .build = build_reparametrized,
    .doc =
        "The model in which each parameter whose path fits the pattern is what the graph makes of it: "
        "reparametrized(freeze(lm), lora(rank = 4), \"blocks.*.attn.w*\") trains low-rank additions to frozen "
        "matrices. The graph takes the parameter and gives a tensor of its type; its own parameters have the path of "
        "the parameter, the graph's name and theirs, and what was said of the model before is not said of them." };

static CgValue *build_replace(CgElab *e, CgFrame *f, const CgArguments *a)
{
    (void)f;
    return edited(e, a, (CgAnnotation){ .what = CG_ANNOTATED_REPLACED, .pattern = a->at[1]->s, .by = a->at[2] });
}

static const CgFunction fn_replace = { CG_FUNCTION_HERE, .name = "replace",
    .sig = "(model: model, path: str, by: model) -> model", .build = build_replace,
    .doc =
        "The model with another graph in the place of its part or value at a path; all else keeps its weights. A part "
        "(replace(m, \"blocks.*.attn\", still)): the graph takes what the part takes. A tensor that the body of a "
        "part takes or binds to a name (replace(m, \"blocks.2.x\", doubled), each time it is bound): the graph takes "
        "that, and gives one of its type. Its own parameters have that path, the graph's name and theirs; between them "
        "stands a number from 2 where another graph of that name was put there before." };

typedef struct Frozen {
    CgElab *e;
    CgInstance *to;
    CgSpan span;
} Frozen;

static void freeze_as_given(void *arg, CgAtom path)
{
    const Frozen *f = arg;
    cg_annotation_add(f->e, f->to,
        (CgAnnotation){ .what = CG_ANNOTATED_FROZEN, .pattern = path, .span = f->span, .given = true, .exact = true });
}

/* How tensors are taken, as it is told by name. */
enum { PATH = 1, PREFIX, RENAME, TRANSPOSE, IGNORE, DTYPE, COUNT };
static const char *const told[] = { [PATH] = "path",
    [PREFIX] = "prefix",
    [RENAME] = "rename",
    [TRANSPOSE] = "transpose",
    [IGNORE] = "ignore",
    [DTYPE] = "dtype" };

/* Names are those of strings, and a pattern has what its new name asks for. */
static bool check_names(CgElab *e, const CgArguments *a)
{
    const CgValue *r = a->at[RENAME];
    for (int i = 0; r->kind == CG_VALUE_RECORD && i < r->n; i++) {
        const char *to = r->at[i]->kind == CG_VALUE_STR ? r->at[i]->s : NULL;
        int stars = 0;
        for (const char *p = r->keys[i]; *p; p++)
            stars += *p == '*';
        for (const char *p = to; p && *p; p++)
            stars -= *p == '*';
        if (cg_is_poison(r->at[i]))
            return false;
        if (to && stars >= 0)
            continue;
        CgDiag *d = to ? cg_elab_error(e, CG_E0312, a->span[RENAME],
                        "'%s' has more stars than '%s', which it is the new name of", to, r->keys[i])
                       : cg_elab_error(e, CG_E0312, a->span[RENAME], "the new name of '%s' is %s, not a string",
                           r->keys[i], cg_value_kind_name(r->at[i]));
        cg_diag_help(d,
            "rename = {\"model.layers.*.mlp\": \"blocks.*.ffn\"}: a star of the new name is what stood for "
            "one of the old");
        return false;
    }
    return true;
}

static bool check_dtype(CgElab *e, const CgArguments *a)
{
    const CgValue *v = a->at[DTYPE];
    if (v->kind != CG_VALUE_DTYPE || cg_dtype_has_derivative((CgDtype)v->i))
        return true;
    CgDiag *d =
        cg_elab_error(e, CG_E0312, a->span[DTYPE], "weights are no numbers of %s", cg_dtype_name((CgDtype)v->i));
    cg_diag_help(d, "they are of f32, f64, f16 or bf16");
    return false;
}

/* What is loaded, with what was said of it: the description that weights are. */
static CgValue *weights_of(CgElab *e, const CgArguments *a, CgValue *merged)
{
    CgValue *w = cg_value_object(e, &cg_class_weights, "load", COUNT + 2, a->call);
    w->n = 0;
    for (int i = PATH; i < COUNT; i++) {
        if (i != PATH && (!a->written[i] || a->at[i]->kind == CG_VALUE_NONE))
            continue;
        w->keys[w->n] = cg_intern(told[i]);
        w->at[w->n++] = a->at[i];
    }
    if (merged) {
        w->keys[w->n] = cg_intern("merged");
        w->at[w->n++] = merged;
    }
    w->keys[w->n] = cg_intern("frozen");
    w->at[w->n++] = cg_value_str(e, "", a->call);
    return w;
}

static CgValue *build_load(CgElab *e, CgFrame *f, const CgArguments *a)
{
    (void)f;
    const CgInstance *from = a->at[PATH]->kind == CG_VALUE_INSTANCE ? a->at[PATH]->instance : NULL;
    if (from && !from->weights) {
        CgDiag *d = cg_elab_error(e, CG_E0505, a->span[PATH], "this '%s' has no weights yet", from->stmt->names[0]);
        cg_diag_help(d, "load takes a model that was trained or loaded, or the path of a safetensors file");
        return cg_value_poison(e);
    }
    CgValue *merged = from ? cg_merge_of(e, a->at[PATH], a->at[0], a->span[PATH]) : NULL;
    if ((merged && cg_is_poison(merged)) || !check_names(e, a) || !check_dtype(e, a))
        return cg_value_poison(e);
    CgValue *v = cg_instance_copy(e, a->at[0], a->call);
    CgInstance *to = v->instance;
    CgTensors t;
    Frozen frozen = { e, to, a->span[PATH] };
    to->weights = weights_of(e, a, merged);
    to->submodule_path = NULL;
    to->tokens = from ? from->tokens : NULL;
    if (cg_weights_declared(cg_session_of(e), to->weights, &t)) {
        to->weights->at[to->weights->n - 1] =
            cg_value_str(e, cg_model_frozen_paths(&t, freeze_as_given, &frozen), a->call);
        if (!from)
            to->tokens = cg_tokens_of_file(e, &t, a->span[PATH]);
        cg_tensors_free(&t);
    }
    return v;
}

static const CgFunction fn_load = { CG_FUNCTION_HERE, .name = "load",
    .sig =
        "(model: model, path: str | model, prefix: str = \"\", rename: record | none = none, transpose: str | str[] = "
        "[], ignore: str | str[] = [], dtype: dtype | none = none) -> model",
    .build = build_load,
    .doc = "The model with the weights of another model or of a file: .safetensors, .npz, model.safetensors.index.json "
           "with its shards, or the folder with one of these. Every missing, extra and misshapen tensor is a mistake. "
           "`prefix` takes the tensors below that path alone; `ignore` leaves out those whose names fit; `rename = "
           "{\"layers.*.mlp\": \"blocks.*.ffn\"}` gives other names, each by the first pattern that fits; of matrices "
           "in `transpose`, by their names in the model, rows are columns. `dtype = bf16` rounds them to such numbers, "
           "which are saved as they are. f16 and bf16 become f32; numbers of f64 are rounded to f32, which is said. Of "
           "a model whose parameters go through graphs (`reparametrized`) one without these gets what they make." };

static void free_weights(void *held) { cg_tensors_free(held); }

/* ---- models as values ------------------------------------------------------------------------------------------- */

/* The last row of a history without the time, which is not that of the same script elsewhere. */
static void show_last(const CgTable *history, CgStrbuf *out)
{
    const char **names = cg_calloc((size_t)history->ncolumns, sizeof *names);
    CgErr err = { 0 };
    int n = 0;
    for (int c = 0; c < history->ncolumns; c++)
        if (strcmp(history->column[c].name, "seconds") != 0)
            names[n++] = history->column[c].name;
    CgTable *row = cg_table_take(history, &(size_t){ history->rows - 1 }, 1),
            *last = cg_table_select(row, names, n, &err);
    cg_table_print(last, 0, 0, out);
    cg_table_free(row);
    cg_table_free(last);
    free(names);
}

/* What a model is, its parameters by part, and the last figures of its training. */
static void show_model(CgSession *x, const CgValue *v, CgStrbuf *out)
{
    const CgInstance *m = v->instance;
    CgStage *s = m->weights && m->weights->kind == CG_VALUE_STAGE ? m->weights->stage : NULL;
    char hex[33] = "no weights yet";
    if (s)
        cg_digest_hex(s->key, hex);
    else if (m->weights)
        snprintf(hex, sizeof hex, "loaded");
    CgTable *modules = cg_model_modules(x, m, NULL);
    if (!modules && m->weights) /* they could not be read, which was said */
        return;
    cg_strbuf_printf(out, "%s(..)%s%s: %s\n", m->stmt->names[0], m->submodule_path ? ", part " : "",
        m->submodule_path ? m->submodule_path : "", hex);
    if (!modules)
        return;
    cg_table_print(modules, 0, 0, out);
    cg_table_free(modules);
    if (s && !m->submodule_path && (s->history || cg_history_load(x, s)) && s->history->rows)
        show_last(s->history, out);
}

static bool save_model(CgSession *x, const CgValue *v, const char *path, CgErr *err)
{
    const CgValue *weights = v->instance->weights;
    if (weights)
        return cg_model_save(x, v->instance, path, err);
    cg_err(err, CG_ERR_INPUT, "a model that is not trained has no weights");
    cg_err_hint(
        err, "what a training gives is saved: fit = train net() as m { .. }, then save fit as \"net.safetensors\"");
    return false;
}

static const char *const endings[] = { ".safetensors", NULL };

CG_CLASS(model, .article = "a model",
    .doc = "A graph with its static arguments and, once it was trained or loaded, its weights.",
    .show_value = show_model, .save_value = save_model, .endings = endings, .saved_help = "models go to .safetensors")
CG_CLASS(weights, .article = "weights", .doc = "The tensors of a file, by path.", .free = free_weights)
CG_FUNCTIONS(
    model, &fn_freeze, &fn_unfreeze, &fn_in_bf16, &fn_in_f32, &fn_recomputed, &fn_reparametrized, &fn_replace, &fn_load)
