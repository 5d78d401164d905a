/* parameter.c - parameters of models as values of a script.
 * Takes models that are trained or loaded; gives their tensors, to be shown and saved. Changes nothing. */
#include <string.h>

#include "library/library.h"
#include "report/figure.h"
#include "run/tensor.h"

static const CgInstance *with_weights(CgElab *e, const CgArguments *a)
{
    const CgInstance *m = a->at[0]->instance;
    if (m->weights)
        return m;
    CgDiag *d = cg_elab_error(e, CG_E0505, a->span[0], "this '%s' has no weights yet", m->stmt->names[0]);
    cg_diag_help(d, "train or load it first");
    return NULL;
}

static CgValue *build_parameter(CgElab *e, CgFrame *f, const CgArguments *a)
{
    (void)f;
    return with_weights(e, a) ? cg_function_later(e, a, 0) : cg_value_poison(e);
}

static CgValue *run_parameter(CgSession *x, const CgValue *call, CgValue **args)
{
    const CgInstance *m = args[0]->instance;
    const CgTensors *weights = cg_model_tensors(x, m);
    CgAtom path = cg_path_join(m->submodule_path ? m->submodule_path : "", args[1]->s);
    const CgTensor *t = weights ? cg_tensors_find(weights, path) : NULL;
    CgErr err = { 0 };
    if (t)
        return cg_value_held(x->elab, &cg_class_array, (void *)(uintptr_t)t);
    if (weights && !cg_tensors_missing(weights, "the model", path, &err))
        cg_session_err(x, call->span, &err);
    return NULL;
}

static CgValue *run_parameters(CgSession *x, const CgValue *call, CgValue **args)
{
    const CgTextCall *pass = call->stage;
    CgTable *t = cg_model_modules(x, args[0]->instance, pass ? pass->generator->model : NULL);
    return t ? cg_session_own(x, &cg_class_table, t) : NULL;
}

static CgValue *build_parameters(CgElab *e, CgFrame *f, const CgArguments *a)
{
    static const char *const names[] = { "part", "tensors", "parameters", "frozen", "bytes", "flops" };
    bool flops = a->at[1]->kind != CG_VALUE_NONE;
    CgSchema *columns = cg_schema_new(e);
    CgTextCall *pass = flops ? CG_NEW(e->arena, CgTextCall) : NULL;
    for (size_t i = 0; i < CG_LEN(names) - !flops; i++)
        cg_schema_add(e, columns, cg_intern(names[i]), i == 0);
    if (!with_weights(e, a) || (pass && !cg_pass_build(e, f, a, pass)))
        return cg_value_poison(e);
    CgValue *v = cg_table_later(e, a, columns);
    v->stage = pass;
    return v;
}

/* ---- arrays ---------------------------------------------------------------------------------------------- */

enum { EDGE = 3, FEW = 12 }; /* of an axis longer than FEW the first and last EDGE elements are shown */

static void show_axis(const CgTensor *t, int axis, int64_t at, CgStrbuf *out)
{
    if (axis == t->rank) {
        cg_tensor_print(t, at, out);
        return;
    }
    int64_t n = t->dim[axis], below = 1;
    for (int k = axis + 1; k < t->rank; k++)
        below *= t->dim[k];
    cg_strbuf_putc(out, '[');
    for (int64_t i = 0; i < n; i++) {
        if (i && axis + 1 < t->rank)
            cg_strbuf_printf(out, ",\n%*s", axis + 1, "");
        else if (i)
            cg_strbuf_puts(out, ", ");
        if (n > FEW && i == EDGE) {
            cg_strbuf_puts(out, "..");
            i = n - EDGE - 1;
        } else
            show_axis(t, axis + 1, at + i * below, out);
    }
    cg_strbuf_putc(out, ']');
}

static void show_array(const void *held, CgStrbuf *out)
{
    const CgTensor *t = held;
    cg_strbuf_puts(out, cg_dtype_name(t->dtype));
    for (int i = 0; i < t->rank; i++)
        cg_strbuf_printf(out, "%s%lld", i ? ", " : "[", (long long)t->dim[i]);
    cg_strbuf_puts(out, t->rank ? "]\n" : " ");
    show_axis(t, 0, 0, out);
    cg_strbuf_putc(out, '\n');
}

static bool save_array(const void *held, const char *path, CgErr *err)
{
    const char *end = strrchr(path, '.');
    if (!strcmp(end, ".png") || !strcmp(end, ".svg") || !strcmp(end, ".pdf"))
        return cg_matrix_save(held, path, err);
    char name[] = "array";
    CgNamed named = { name, *(const CgTensor *)held };
    return cg_tensors_write(path, &named, 1, NULL, NULL, 0, err);
}

static const char *const endings[] = { ".npy", ".safetensors", ".png", ".svg", ".pdf", NULL };

static const CgFunction fn_parameter = { CG_FUNCTION_HERE, .name = "parameter",
    .sig = "(model: model, path: str) -> array", .build = build_parameter, .run = run_parameter,
    .doc = "A parameter of a trained or loaded model by its path, to be shown or saved: parameter(m, \"out.w\"), of a "
           "trained one also m.out.w." };
static const CgFunction fn_parameters = { CG_FUNCTION_HERE, .name = "parameters",
    .sig = "(model: model, shape: int[] | record | none = none) -> table", .build = build_parameters,
    .run = run_parameters,
    .doc = "What a trained or loaded model is made of, a row a part: its tensors, parameters, how many of them are "
           "frozen, bytes; with the shape of an input also the flops of a pass: parameters(lm, shape = [1, 128])." };

CG_CLASS(array, .article = "a tensor",
    .doc = "Numbers that are known: a parameter of a trained or loaded model. They are shown, and saved.",
    .show = show_array, .save = save_array, .endings = endings,
    .saved_help = "tensors go to .npy or .safetensors, as heat maps of their last two axes to .png, .svg or .pdf")
CG_FUNCTIONS(parameter, &fn_parameter, &fn_parameters)
