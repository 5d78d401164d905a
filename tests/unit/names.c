/* names.c - is every unknown name reported where it stands? Takes srcdir: each name that is used in the scripts that
 * come with cg is replaced by one that nothing binds, one at a time, and looked for among the diagnostics; every 23rd
 * of them, all with CG_TEST_ALL in the environment. Prints TAP. Accuses src/lang/resolve.c, src/elab/names.c. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/diag_list.h"
#include "base/io.h"
#include "elab/elab.h"
#include "elab/signature.h"
#include "graph/registry.h"
#include "tap.h"

#define UNKNOWN "qzxunknown"
enum { SAMPLE = 23 };

typedef struct Uses {
    CG_VEC(CgSpan) at;
} Uses;

static void uses(Uses *u, const CgExpr *x);

/* Names of columns are known when there is a table, which takes an evaluation. */
static bool takes_columns(const CgExpr *callee)
{
    const CgFunction *f = callee->kind == CG_EXPR_NAME ? cg_function_find(callee->s) : NULL;
    bool any = callee->kind == CG_EXPR_FIELD && callee->a->kind == CG_EXPR_NAME && !strcmp(callee->a->s, "plot");
    any |= f && f->traits & CG_COLUMNS;
    return any;
}

static void call(Uses *u, const CgExpr *x)
{
    int n = x->args.n;
    uses(u, x->a);
    if (n && x->args.at[n - 1].value->kind == CG_EXPR_ARROW)
        n /= 2; /* patterns bind their names */
    else if (n && takes_columns(x->a))
        n = 1;
    for (int i = 0; i < n; i++)
        uses(u, x->args.at[i].value);
}

static void uses(Uses *u, const CgExpr *x)
{
    if (!x)
        return;
    if (x->kind == CG_EXPR_CALL) {
        call(u, x);
        return;
    }
    if (x->kind == CG_EXPR_FIELD && x->a->kind == CG_EXPR_NAME && !strcmp(x->a->s, "op"))
        return;
    if (x->kind == CG_EXPR_NAME)
        cg_vec_push(&u->at, x->span);
    uses(u, x->a);
    uses(u, x->b);
    uses(u, x->c);
    uses(u, x->d);
    for (int i = 0; i < x->args.n; i++)
        uses(u, x->args.at[i].value);
}

static void block(Uses *u, const CgBlock *b)
{
    for (int i = 0; i < b->n; i++) {
        const CgStmt *s = b->at[i];
        if (s->kind == CG_STMT_IMPORT) /* its alias is a name that it binds */
            continue;
        uses(u, s->a);
        uses(u, s->b);
        for (int k = 0; k < s->nexprs; k++)
            uses(u, s->exprs[k]);
        for (int k = 0; k < s->nparams; k++)
            uses(u, s->params[k].init);
        for (int k = 0; s->kind == CG_STMT_PARAM && s->type && k < s->type->ndims; k++)
            if (s->type->dims[k]->kind != CG_EXPR_ROW)
                uses(u, s->type->dims[k]);
        block(u, &s->body);
        block(u, &s->other);
    }
}

/* The diagnostics of a text: whether one stands at `at`; with `at` 0 whether there are none. */
static bool reported_at(const char *path, uint32_t at)
{
    CgSources *sources = cg_sources_new();
    CgDiags *diags = cg_diags_new(sources);
    CgProgram *p = cg_program_load(sources, path, diags);
    bool found = false;
    if (p && cg_diags_count(diags) == 0) {
        CgElab *e = cg_elab_new(sources, diags, p, NULL, 0);
        cg_names_check(e, NULL);
        for (const CgDiag *d = diags->first; d; d = d->next)
            found |= d->span.start == at && d->code == CG_E0301;
        found = at ? found : cg_diags_count(diags) == 0;
        cg_elab_free(e);
    }
    cg_program_free(p);
    cg_diags_free(diags);
    cg_sources_free(sources);
    return found;
}

/* Replaces each use of a name; counts those that are not reported. */
static void script(const char *path, const char *scratch, long every, long *tried, long *missed)
{
    CgErr err = { 0 };
    CgSources *sources = cg_sources_new();
    CgDiags *diags = cg_diags_new(sources);
    uint32_t file = 0;
    Uses u = { 0 };
    if (!tap_ok(cg_sources_load(sources, path, &file, &err), "%s is read", path))
        return;
    CgUnit *unit = cg_unit_parse(sources, file, diags);
    const CgSource *text = cg_sources_get(sources, file);
    block(&u, &unit->top);
    if (!cg_io_write(scratch, text->text, text->len, &err) || !reported_at(scratch, 0))
        tap_ok(false, "%s has no unknown name", path);
    for (size_t i = 0; i < u.at.len; i++) {
        if ((*tried)++ % every)
            continue;
        CgStrbuf mutant = { 0 };
        CgSpan s = u.at.at[i];
        cg_strbuf_printf(&mutant, "%.*s%s%s", (int)s.start, text->text, UNKNOWN, text->text + s.end);
        bool good = cg_io_write(scratch, cg_strbuf_str(&mutant), mutant.len, &err) && reported_at(scratch, s.start);
        cg_strbuf_deinit(&mutant);
        if (good)
            continue;
        ++*missed;
        printf("# %s: '%.*s' at byte %u is replaced and not reported\n", path, (int)(s.end - s.start),
            text->text + s.start, s.start);
    }
    cg_vec_free(&u.at);
    cg_unit_free(unit);
    cg_diags_free(diags);
    cg_sources_free(sources);
}

int main(void)
{
    static const char *const folders[] = { "examples", "graphs", "stdlib", "bench", "tests/lang" };
    const char *srcdir = getenv("srcdir");
    char scratch[64];
    long tried = 0, missed = 0, every = getenv("CG_TEST_ALL") ? 1 : SAMPLE;
    snprintf(scratch, sizeof scratch, "names-%ld.cg", (long)getpid());
    cg_registry_init();
    for (size_t i = 0; i < CG_LEN(folders); i++) {
        CgStrbuf glob = { 0 };
        CgErr err = { 0 };
        CgPaths paths = { 0 };
        cg_strbuf_printf(&glob, "%s/%s/*.cg", srcdir ? srcdir : ".", folders[i]);
        tap_ok(cg_io_glob(cg_strbuf_str(&glob), &paths, &err), "scripts of %s", folders[i]);
        for (size_t k = 0; k < paths.len; k++)
            script(paths.at[k], scratch, every, &tried, &missed);
        cg_paths_free(&paths);
        cg_strbuf_deinit(&glob);
    }
    unlink(scratch);
    tap_ok(tried > 1000, "%ld names stand in the scripts", tried);
    tap_ok(missed == 0, "every unknown name is reported, %ld of %ld are not", missed, (tried + every - 1) / every);
    return tap_done();
}
