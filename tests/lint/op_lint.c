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

/* ---- axes of length 1 and 0 ---- */

/* What is tried of a case with other lengths; those behind `real` of real numbers alone. */
static ClaimFn *const at_edges[] = { claim_shards, claim_strided, claim_inplace, claim_threads, claim_views,
    claim_expand, claim_derivative, claim_second_derivative, claim_jvp };
enum { REAL = 5 };

/* An operand of integers beside real numbers: indices, or ranges, which may be outside of what is shorter. */
static bool has_integers(const Case *c)
{
    bool any = false;
    for (int k = 0; k < c->nin; k++)
        any |= c->type[k].dtype == CG_I32 || c->type[k].dtype == CG_I64;
    return any && (c->dtype <= CG_F64 || c->op->indexing || c->sample->ids);
}

/* The case with each axis that has `length` of length `edge`. */
static void try_edge(const Case *c, int64_t length, int64_t edge)
{
    CgSample sample = *c->sample;
    Case e = *c;
    CgInfer inf;
    sample.ids = has_integers(c); /* below 1: the table may be the axis */
    e.sample = &sample;
    e.edge = true;
    for (int k = 0; k < e.nin; k++)
        for (int i = 0; i < e.type[k].rank; i++)
            if (size_of(e.type[k].dim[i]) == length)
                e.type[k].dim[i] = cg_dim_int(edge);
    if (!infer(&e, &inf)) {
        check(inf.message[0] != 0, "axes of length %lld are refused without a message", (long long)edge);
        return;
    }
    if (!case_fill(&e))
        return;
    for (size_t i = 0; i < (c->dtype <= CG_F64 ? CG_LEN(at_edges) : REAL); i++)
        if (edge == 0 || at_edges[i] != claim_expand) /* 0 but for rounding: one element less the mean of all */
            at_edges[i](&e);
    case_free(&e);
}

/* Each length that an axis has in turn, all axes of that length at once; larger samples are there for blocks. Integers
 * are tried where it is known that 0 is in the table. */
static void claim_edges(const Case *c)
{
    if (has_integers(c) && !c->op->indexing && !c->sample->ids)
        return;
    for (int k = 0; k < c->nin && case_is_small(c); k++)
        for (int i = 0; i < c->type[k].rank; i++) {
            int64_t length = size_of(c->type[k].dim[i]);
            bool before = length < 2;
            for (int o = 0; o <= k && !before; o++)
                for (int j = 0; j < (o == k ? i : c->type[o].rank) && !before; j++)
                    before = size_of(c->type[o].dim[j]) == length;
            if (before)
                continue;
            try_edge(c, length, 1);
            if (!has_integers(c))
                try_edge(c, length, 0); /* an index is in no table of nothing */
        }
}

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
    { "axes of length 1 and 0", claim_edges, true, NULL },
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
