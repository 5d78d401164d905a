/* dataset_sources.c - sources of data as functions of the language.
 * Takes their entries; gives functions. Must not know any source. */
#include "library/dataset.h"

#define X(source) extern const CgDatasetSource cg_dataset_entry_##source;
#include "entries/dataset.def"
#undef X
static const CgDatasetSource *const sources[] = {
#define X(source) &cg_dataset_entry_##source,
#include "entries/dataset.def"
#undef X
};

/* Which parameter says how rows are split; -1: none. */
static int shares_of(const CgFunction *f)
{
    const CgSignature *s = cg_function_signature(f);
    CgAtom shares = cg_intern("shares");
    for (int i = 0; i < s->n; i++)
        if (s->stmt->params[i].name == shares)
            return i;
    return -1;
}

static CgValue *build(CgElab *e, CgFrame *f, const CgArguments *a)
{
    const CgDatasetSource *source = a->function->of;
    int shares = shares_of(a->function);
    double valid, test;
    (void)f;
    if (shares >= 0 && !cg_split_shares(a->at[shares], &valid, &test)) {
        cg_elab_error(e, CG_E0316, a->span[shares], CG_SHARES_HELP);
        return cg_value_poison(e);
    }
    CgValue *v = cg_function_later(e, a, 0);
    return source->check(e, a, v) ? v : cg_value_poison(e);
}

static CgValue *run(CgSession *x, const CgValue *call, CgValue **args)
{
    const CgDatasetSource *source = call->function->of;
    int shares = shares_of(call->function);
    CgErr err = { 0 };
    CgDataset *d = source->open(x, call, args, &err);
    if (d && shares >= 0 && !cg_split_shares(args[shares], &d->valid, &d->test))
        CG_BUG("shares that were checked");
    return cg_dataset_owned(x, call, d, &err);
}

static bool digest(CgSession *x, const CgValue *call, CgValue **args, CgDigest *out)
{
    (void)x;
    *out = ((const CgDatasetSource *)call->function->of)->digest(args);
    return true;
}

static bool source(size_t i, CgFunction *out)
{
    if (i >= CG_LEN(sources))
        return false;
    const CgDatasetSource *s = sources[i];
    *out = (CgFunction){ .name = s->name,
        .sig = s->sig,
        .doc = s->doc,
        .build = build,
        .run = run,
        .digest = s->digest ? digest : NULL,
        .traits = s->by_rule ? CG_BY_RULE : 0,
        .version = s->version,
        .file = s->file,
        .line = s->line,
        .of = s };
    return true;
}

static const CgFunction fn_sources = { .each = source };

CG_FUNCTIONS(dataset_sources, &fn_sources)
