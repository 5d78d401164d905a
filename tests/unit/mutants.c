/* mutants.c - is one wrong size, name or kind of value reported where it stands? Takes srcdir: in the scripts that come
 * with cg one size is exchanged for another one of the graph, one name for an unknown one, or one argument or operand
 * for a text, one at a time. 93% are reported with the changed word inside the place that is shown, or in a sample as
 * many as are in 99 of 100; one that is accepted does not fail for a wrong size, name or kind when it runs. Fifty
 * mutants; 500 with CG_TEST_ALL in the environment, all of them with CG_TEST_ALL=every. Prints TAP. Accuses
 * src/elab/define.c and the rule that should have reported. */
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/diag_list.h"
#include "base/io.h"
#include "experiment/experiment.h"
#include "graph/registry.h"
#include "tap.h"

typedef struct Mutant {
    const char *path;
    CgSpan span;
    const char *word; /* what stands there instead */
    const char *kind;
} Mutant;

typedef struct Mutants {
    CG_VEC(Mutant) at;
    const char *path;
    CG_VEC(CgAtom) sizes; /* of the graph at hand */
} Mutants;

enum { INSIDE, ELSEWHERE, ACCEPTED, FAILED, SECONDS = 20 };

static void add(Mutants *m, CgSpan span, const char *word, const char *kind)
{
    cg_vec_push(&m->at, (Mutant){ m->path, span, word, kind });
}

/* ---- places ---- */

static void expr(Mutants *m, const CgExpr *x);

static bool takes_columns(const CgExpr *callee)
{
    return (callee->kind == CG_EXPR_FIELD && callee->a->kind == CG_EXPR_NAME && !strcmp(callee->a->s, "plot"))
        || (callee->kind == CG_EXPR_NAME && (!strcmp(callee->s, "table") || !strcmp(callee->s, "correlation")));
}

static void call(Mutants *m, const CgExpr *x)
{
    int n = x->args.n;
    expr(m, x->a);
    if (n && x->args.at[n - 1].value->kind == CG_EXPR_ARROW)
        n /= 2;
    else if (n && takes_columns(x->a))
        n = 1;
    for (int i = 0; i < n; i++) {
        const CgExpr *arg = x->args.at[i].value;
        if (arg->kind == CG_EXPR_INT || arg->kind == CG_EXPR_FLOAT)
            add(m, arg->span, "\"text\"", "kind");
        expr(m, arg);
    }
}

static void expr(Mutants *m, const CgExpr *x)
{
    if (!x)
        return;
    if (x->kind == CG_EXPR_CALL) {
        call(m, x);
        return;
    }
    if (x->kind == CG_EXPR_FIELD && x->a->kind == CG_EXPR_NAME && !strcmp(x->a->s, "op"))
        return;
    if (x->kind == CG_EXPR_NAME)
        add(m, x->span, "qzxunknown", "name");
    if (x->kind == CG_EXPR_BINARY && strchr("+-*/@", *x->op) && x->b->kind == CG_EXPR_NAME)
        add(m, x->b->span, "\"text\"", "kind");
    expr(m, x->a);
    expr(m, x->b);
    expr(m, x->c);
    expr(m, x->d);
    for (int i = 0; i < x->args.n; i++)
        expr(m, x->args.at[i].value);
}

static void collect_sizes(Mutants *m, const CgTypeExpr *t)
{
    for (int i = 0; t && t->kind == CG_TYPE_TENSOR && i < t->ndims; i++) {
        bool known = t->dims[i]->kind != CG_EXPR_NAME;
        for (size_t k = 0; k < m->sizes.len; k++)
            known |= m->sizes.at[k] == t->dims[i]->s;
        if (!known)
            cg_vec_push(&m->sizes, t->dims[i]->s);
    }
}

/* Each size of a type as the next one of the graph's. */
static void exchange(Mutants *m, const CgTypeExpr *t)
{
    for (int i = 0; t && t->kind == CG_TYPE_TENSOR && i < t->ndims && m->sizes.len > 1; i++)
        for (size_t k = 0; k < m->sizes.len && t->dims[i]->kind == CG_EXPR_NAME; k++)
            if (m->sizes.at[k] == t->dims[i]->s)
                add(m, t->dims[i]->span, m->sizes.at[(k + 1) % m->sizes.len], "size");
}

static void block(Mutants *m, const CgBlock *b)
{
    for (int i = 0; i < b->n; i++) {
        const CgStmt *s = b->at[i];
        if (s->kind == CG_STMT_GRAPH) {
            m->sizes.len = 0;
            for (int k = 0; k < s->nparams; k++)
                collect_sizes(m, s->params[k].type);
            for (int k = 0; k < s->nresults; k++)
                exchange(m, s->results[k]);
        }
        if (s->kind == CG_STMT_PARAM)
            exchange(m, s->type);
        expr(m, s->a);
        expr(m, s->b);
        for (int k = 0; k < s->nexprs; k++)
            expr(m, s->exprs[k]);
        for (int k = 0; k < s->nparams; k++)
            expr(m, s->params[k].init);
        block(m, &s->body);
        block(m, &s->other);
    }
}

/* What mutants point into, until the end. */
static CG_VEC(void *) kept;

static void script(Mutants *m, const char *path)
{
    CgErr err = { 0 };
    CgSources *sources = cg_sources_new();
    CgDiags *diags = cg_diags_new(sources);
    uint32_t file = 0;
    m->path = path;
    cg_vec_push(&kept, sources);
    cg_vec_push(&kept, diags);
    if (!cg_sources_load(sources, path, &file, &err))
        return;
    CgUnit *unit = cg_unit_parse(sources, file, diags);
    cg_vec_push(&kept, unit);
    block(m, &unit->top);
}

/* ---- trying ---- */

static bool write_mutant(const Mutant *m, const char *to)
{
    CgErr err = { 0 };
    CgBytes text;
    CgStrbuf out = { 0 };
    if (!cg_io_map(m->path, &text, &err))
        return false;
    cg_strbuf_printf(&out, "%.*s%s", (int)m->span.start, (const char *)text.at, m->word);
    cg_strbuf_printf(&out, "%.*s", (int)(text.len - m->span.end), (const char *)text.at + m->span.end);
    bool good = cg_io_write(to, cg_strbuf_str(&out), out.len, &err);
    cg_io_release(&text);
    cg_strbuf_deinit(&out);
    return good;
}

/* Whether a diagnostic is about a size, a name or a kind. */
static bool is_ours(CgCode code)
{
    const char *name = cg_code_name(code);
    return !strncmp(name, "E03", 3) || !strncmp(name, "E04", 3) || !strncmp(name, "E06", 3) || code == CG_E0901;
}

static int judge(const Mutant *m, const char *to)
{
    CgSessionOpts opts = { .quiet = true };
    CgSession *x = cg_experiment_new(to, &opts);
    uint32_t end = m->span.start + (uint32_t)strlen(m->word);
    int out = cg_diags_count(x->diags) ? ELSEWHERE : ACCEPTED;
    for (const CgDiag *d = x->diags->first; d; d = d->next)
        if (d->span.start <= m->span.start && d->span.end >= end
            && !strcmp(cg_sources_get(x->sources, d->span.file)->name, to))
            out = INSIDE;
    if (out == ACCEPTED && getenv("CG_TEST_ALL")) {
        FILE *nowhere = fopen("/dev/null", "w");
        cg_experiment_run(x, nowhere);
        for (const CgDiag *d = x->diags->first; d; d = d->next)
            if (is_ours(d->code))
                out = FAILED;
    }
    if (out != INSIDE && getenv("CG_TEST_ALL")) {
        printf("# %s: %s '%s' at byte %u: %s\n", m->path, m->kind, m->word, m->span.start,
            out == ACCEPTED     ? "accepted"
                : out == FAILED ? "accepted, and fails"
                                : x->diags->first->message);
        fflush(stdout);
    }
    return out;
}

/* In a process of its own, so that one that ends or hangs is one result. */
static int try(const Mutant *m, const char *to)
{
    fflush(stdout);
    if (!write_mutant(m, to))
        return FAILED;
    pid_t child = fork();
    if (child == 0) {
        alarm(tap_seconds(SECONDS));
        _exit(judge(m, to));
    }
    int status = 0;
    if (child < 0 || waitpid(child, &status, 0) < 0)
        return FAILED;
    if (WIFEXITED(status))
        return WEXITSTATUS(status);
    if (WTERMSIG(status) == SIGALRM)
        return ACCEPTED; /* it trains */
    printf("# %s: %s '%s' at byte %u: ends by signal %d\n", m->path, m->kind, m->word, m->span.start, WTERMSIG(status));
    return FAILED;
}

/* How many of n are shown in 99 samples of 100 at least, where this share of all is. */
static int least(int n, double shown)
{
    double chance = n * log(1 - shown), below = exp(chance); /* the logarithm of the chance of k; of k or fewer */
    int k = 0;
    while (below < 0.01) {
        k++;
        chance += log(shown / (1 - shown)) + log((double)(n - k + 1) / k);
        below += exp(chance);
    }
    return k;
}

int main(void)
{
    static const char *const folders[] = { "examples", "graphs", "stdlib", "tests/lang" };
    const char *srcdir = getenv("srcdir"), *all = getenv("CG_TEST_ALL");
    static Mutants m;
    static CgPaths paths[CG_LEN(folders)];
    char to[64];
    int count[4] = { 0 }, tried = 0;
    snprintf(to, sizeof to, "mutant-%ld.cg", (long)getpid());
    CgStrbuf modules = { 0 };
    cg_strbuf_printf(&modules, "%s/tests/modules", srcdir ? srcdir : ".");
    setenv("CG_PATH", cg_strbuf_str(&modules), 1);
    cg_strbuf_deinit(&modules);
    for (size_t i = 0; i < CG_LEN(folders); i++) {
        CgStrbuf glob = { 0 };
        CgErr err = { 0 };
        cg_strbuf_printf(&glob, "%s/%s/*.cg", srcdir ? srcdir : ".", folders[i]);
        tap_ok(cg_io_glob(cg_strbuf_str(&glob), &paths[i], &err), "scripts of %s", folders[i]);
        for (size_t k = 0; k < paths[i].len; k++)
            script(&m, paths[i].at[k]);
        cg_strbuf_deinit(&glob);
    }
    /* as many of each kind, spread over all scripts */
    static const char *const kinds[] = { "size", "name", "kind" };
    size_t wanted = all && !strcmp(all, "every") ? m.at.len : all ? 167 : 17;
    for (size_t k = 0; k < CG_LEN(kinds); k++) {
        size_t n = 0, at = 0;
        for (size_t i = 0; i < m.at.len; i++)
            n += m.at.at[i].kind == kinds[k] || !strcmp(m.at.at[i].kind, kinds[k]);
        size_t step = n > wanted ? n / wanted : 1;
        for (size_t i = 0; i < m.at.len; i++)
            if (!strcmp(m.at.at[i].kind, kinds[k]) && at++ % step == 0) {
                count[try(&m.at.at[i], to)]++;
                tried++;
            }
    }
    unlink(to);
    tap_ok(tried > 4, "%d mutants of %zu", tried, m.at.len);
    tap_ok(count[INSIDE] >= least(tried, 0.93),
        "%d of %d are reported where they stand (%d at least), %d elsewhere, "
        "%d accepted",
        count[INSIDE], tried, least(tried, 0.93), count[ELSEWHERE], count[ACCEPTED]);
    tap_ok(!count[FAILED], "%d are accepted and fail for a size, a name or a kind", count[FAILED]);
    return tap_done();
}
