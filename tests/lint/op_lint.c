/* op_lint.c - is what the ops say of themselves true?
 * Takes [--op NAME] [--tell] [PLUGIN.so ...]: all ops known, or what the plugins have; gives TAP, a line a claim, with
 * --tell also what is tried next, and ends after some time (cg plugin check).
 * Knows no op: all it tries follows from CgOp and its samples. Accuses the op's file, named in each line. */
#include "lint.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/vec.h"
#include "data/reader.h"
#include "elab/signature.h"
#include "library/plugin.h"
#include "graph/registry.h"

enum { PATIENCE = 100 }; /* seconds */

/* ---- all claims of an op ---- */

static const struct {
    const char *name;
    ClaimFn *run;
    bool wide; /* integers too */
    void (*after)(const CgOp *op);
} claims[] = {
    { "shape rule", claim_shape, true, NULL },
    { "any order of shards", claim_shards, true, NULL },
    { "any layout of operands", claim_strided, true, NULL },
    { "in place", claim_inplace, true, NULL },
    { "notes what is not finite", claim_finite, false, NULL },
    { "results in any order of axes", claim_any_order, true, NULL },
    { "axis rules", claim_axis_rule, true, NULL },
    { "what indices are below", claim_below, true, NULL },
    { "algebra", claim_algebra, true, NULL },
    { "precision", claim_precision, true, NULL },
    { "numbers kept as bf16", claim_rounded, false, NULL },
    { "any number of threads", claim_threads, true, NULL },
    { "operands that are views", claim_views, true, NULL },
    { "means its expansion", claim_expand, false, claim_products },
    { "gives what merges into it", claim_merge, false, NULL },
    { "folding", claim_fold, true, NULL },
    { "folding of the op on itself", claim_nested, true, NULL },
    { "slices of the result", claim_slices, true, NULL },
    { "its incremental form", claim_incremental, false, NULL },
    { "derivative", claim_derivative, false, NULL },
    { "second derivative", claim_second_derivative, false, NULL },
    { "derivative along a direction", claim_jvp, false, NULL },
};

/* Whether the sample says something new for this dtype. */
static bool concerns(const CgOp *op, const CgSample *s, CgDtype d)
{
    bool generic = strchr(s->in, 'F') || (s->attrs && strstr(s->attrs, "=F"));
    if (d == CG_F32)
        return true;
    if (!generic)
        return false;
    return d == CG_F64 || ((op->vec[d] || op->kernel[d]) && strstr(op->sig, "T["));
}

static void lint(const CgOp *op)
{
    uint64_t seed = 0x2385; /* of its own, so that the numbers of one op do not hang on the ops before it */
    for (const char *c = op->name; *c; c++)
        seed = seed * 31 + (unsigned char)*c;
    draw_again(seed);
    claim_form(op);
    for (size_t i = 0; i < CG_LEN(claims); i++) {
        claim_begin(op, claims[i].name);
        for (const CgSample *s = op->samples; s->in; s++)
            for (int d = 0; d < CG_NDTYPE; d++) {
                Case c;
                CgInfer inf;
                if (d == CG_BOOL || !concerns(op, s, (CgDtype)d) || (!claims[i].wide && d > CG_F64))
                    continue;
                if (!case_make(&c, op, s, (CgDtype)d))
                    continue;
                bool fits = infer(&c, &inf);
                /* Integers may be refused where only floats will do. */
                check(fits || d > CG_F64, "the shape rule refuses the sample '%s': %s", s->in, inf.message);
                if (fits && case_fill(&c)) {
                    claims[i].run(&c);
                    case_free(&c);
                }
                free(c.attrs);
            }
        if (claims[i].after)
            claims[i].after(op);
        claim_end();
    }
}

/* ---- what a plugin adds ---- */

typedef CG_VEC(const void *) Known;

static bool knows(const Known *k, const void *thing)
{
    for (size_t i = 0; i < k->len; i++)
        if (k->at[i] == thing)
            return true;
    return false;
}

/* All there is now: ops, functions, readers. */
static void note_known(Known *k)
{
    for (size_t i = 0; i < cg_op_count(); i++)
        cg_vec_push(k, cg_op_at(i));
    for (size_t i = 0; cg_function_at(i); i++)
        cg_vec_push(k, cg_function_at(i));
    for (size_t i = 0; cg_reader_at(i); i++)
        cg_vec_push(k, cg_reader_at(i));
}

static void lint_added(const Known *known)
{
    for (size_t i = 0; cg_function_at(i); i++)
        if (!knows(known, cg_function_at(i)))
            lint_function(cg_function_at(i));
    for (size_t i = 0; cg_reader_at(i); i++)
        if (!knows(known, cg_reader_at(i)))
            lint_reader(cg_reader_at(i));
}

int main(int argc, char **argv)
{
    const char *only = NULL;
    Known known = { 0 }, none = { 0 };
    bool plugins = false;
    note_known(&known);
    for (int i = 1; i < argc; i++) {
        CgErr e = { 0 };
        if (!strcmp(argv[i], "--op") && i + 1 < argc)
            only = argv[++i];
        else if (!strcmp(argv[i], "--tell")) {
            claims_tell();
            alarm(PATIENCE);
        } else if (!cg_plugin_load(argv[i], &e)) {
            fprintf(stderr, "%s%s%s\n", e.text, e.hint[0] ? "\n  " : "", e.hint);
            return 2;
        } else
            plugins = true;
    }
    for (size_t i = 0; i < cg_op_count(); i++) {
        const CgOp *op = cg_op_at(i);
        if ((only && strcmp(only, op->name)) || knows(plugins ? &known : &none, op))
            continue;
        fflush(stdout);
        lint(op);
    }
    if (plugins && !only)
        lint_added(&known);
    pools_free();
    cg_vec_free(&known);
    return claims_done();
}
