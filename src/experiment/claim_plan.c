/* claim_plan.c - how many seeds and windows the claims of a script take, and how long that is.
 * Takes a script whose results are in the store, the pilot; says for each expectation how many clusters of rows show an
 * effect with a chance of 80%, by the variances of the pilot and what its trainings and evaluations cost. Runs nothing.
 */
#include "experiment/claim_plan.h"

#include <math.h>
#include <string.h>

#include "experiment/cost.h"
#include "experiment/needs.h"
#include "library/claim.h"

/* Seconds of what the clusters share, of what each of them has for itself, and of that what goes with its rows. */
typedef struct Times {
    double shared, each, by_rows;
    bool known;
} Times;

static bool needs(const CgStage *s, const CgStage *what)
{
    bool any = s == what;
    for (int i = 0; i < s->ninputs && !any; i++)
        any = needs(s->inputs[i], what);
    return any;
}

/* Whether more than one evaluation of a side needs the stage: then the clusters share it. */
static bool is_shared(const CgNeeds side[2], const CgStage *what)
{
    bool shared = false;
    for (int k = 0; k < 2; k++) {
        int users = 0;
        for (size_t i = 0; i < side[k].stages.len; i++)
            users += side[k].stages.at[i]->kind == &cg_stage_kind_evaluate && needs(side[k].stages.at[i], what);
        shared |= users > 1;
    }
    return shared;
}

static Times times_of(CgSession *x, const CgPilot *p, CgPlanner *planner)
{
    CgNeeds side[2], all = { 0 };
    memset(side, 0, sizeof side);
    Times t = { .known = true };
    for (int k = 0; k < 2; k++) {
        cg_needs_add(&side[k], p->side[k]);
        cg_needs_add(&all, p->side[k]);
    }
    for (size_t i = 0; i < all.stages.len && t.known; i++) {
        CgStage *s = all.stages.at[i];
        CgCost c;
        t.known = planner && cg_stage_cost(x, s, planner, &c) && !c.err.kind;
        if (!t.known)
            break;
        if (is_shared(side, s))
            t.shared += c.seconds;
        else if (s->nturns)
            t.each += c.seconds / (double)p->clusters;
        else
            t.by_rows += c.seconds / (double)p->clusters;
    }
    t.known = t.known && all.stages.len;
    for (int k = 0; k < 2; k++)
        cg_needs_free(&side[k]);
    cg_needs_free(&all);
    return t;
}

static void print_line(const CgPilot *p, const CgDesign *d, const Times *t, double rows, FILE *out)
{
    char time[24];
    size_t n = cg_stats_clusters(d, rows);
    if (!n) {
        fprintf(out, "      of %.0f rows a million clusters are not enough\n", rows);
        return;
    }
    fprintf(out, "      %zu cluster%s of %.0f row%s", n, n == 1 ? "" : "s", rows, rows == 1 ? "" : "s");
    if (t->known)
        fprintf(out, ", about %s",
            cg_duration(t->shared + (double)n * (t->each + t->by_rows * rows / (p->rows > 0 ? p->rows : 1)), time));
    fputc('\n', out);
}

static void print_rows(const CgPilot *p, const CgDesign *d, const Times *t, FILE *out)
{
    char time[24];
    size_t n = cg_stats_clusters(d, 1);
    if (!n) {
        fputs("      a million rows are not enough\n", out);
        return;
    }
    fprintf(out, "      %zu rows", n);
    if (t->known)
        fprintf(
            out, ", about %s", cg_duration(t->shared + t->each * (double)p->clusters + t->by_rows * (double)n, time));
    fputc('\n', out);
}

static void print_pilot(const CgPilot *p, FILE *out)
{
    const CgDesign *d = &p->design;
    double by_rows = p->rows > 0 ? d->within / p->rows : 0;
    fprintf(out, "  %s\n    pilot: ", p->expected);
    if (p->rows > 0)
        fprintf(out,
            "%zu clusters of %.4g rows, difference %.3g; it deviates by %.3g from cluster to cluster, by %.3g "
            "because of the rows in them\n",
            p->clusters, p->rows, p->effect, sqrt(d->between + by_rows), sqrt(by_rows));
    else
        fprintf(out, "%zu rows, difference %.3g; it deviates by %.3g from row to row\n", p->clusters, p->effect,
            sqrt(d->between));
}

static void print_plan(const CgPilot *p, double effect, const Times *t, FILE *out)
{
    CgDesign d = p->design, worst;
    d.effect = effect;
    fprintf(out, "    to show %.3g with a chance of %.0f%% (", effect, 100 * d.power);
    if (p->look > 0)
        fprintf(out, "look %lld at these test rows, ", (long long)p->look);
    fprintf(out, "level %.3g):\n", d.level);
    if (p->rows == 0) {
        print_rows(p, &d, t, out);
    } else {
        for (int k = 0; k < 3; k++)
            print_line(p, &d, t, p->rows * (k ? 2 * k : 1), out);
        CgDesign least = d;
        least.within = 0;
        size_t n = cg_stats_clusters(&least, 1);
        if (n)
            fprintf(out, "      no number of rows makes it less than %zu clusters\n", n);
    }
    worst = d;
    worst.between = cg_stats_variance_above(d.between + (p->rows > 0 ? d.within / p->rows : 0), p->clusters);
    worst.within = 0;
    size_t n = isfinite(worst.between) ? cg_stats_clusters(&worst, 1) : 0;
    if (n)
        fprintf(out, "      %zu of what the pilot has, if it varies less than most by chance (1 in 5)\n", n);
    else
        fputs("      so few clusters say little of how much they vary\n", out);
}

/* The pilot is in the store. */
static bool there(CgSession *x, const CgNeeds *n)
{
    CgErr e = { 0 };
    for (size_t i = 0; i < n->stages.len; i++) {
        CgStage *s = n->stages.at[i];
        if (!cg_stage_key(x, s))
            return false;
        if (cg_stage_kept(x, s))
            continue;
        cg_err(&e, CG_ERR_INPUT, "'%s' was not built: there are no results to plan by", s->label);
        cg_err_hint(&e, "a run of the script with a few seeds is a pilot: cg run %s", x->path);
        return cg_session_err(x, s->span, &e);
    }
    return true;
}

static bool plan_each(CgSession *x, double effect, CgPlanner *planner, FILE *out)
{
    const char *claim = NULL;
    bool good = true;
    for (size_t i = 0; i < cg_claims_count(x) && good; i++) {
        CgPilot p;
        if (!(good = cg_claims_pilot(x, i, &p)))
            break;
        if (!claim || p.claim != claim)
            fprintf(out, "claim: %s\n", claim = p.claim);
        if (p.clusters < 2) {
            fprintf(out, "  %s\n    one cluster says nothing of how much they vary: a pilot has two at least\n",
                p.expected);
            continue;
        }
        print_pilot(&p, out);
        double wanted = isnan(effect) ? p.effect : effect;
        Times t = times_of(x, &p, planner);
        if (wanted > 0)
            print_plan(&p, wanted, &t, out);
        else
            fputs("    the difference of the pilot is not as claimed: --effect=E says which one is to be shown\n", out);
    }
    return good;
}

bool cg_claims_plan(CgSession *x, double effect, FILE *out)
{
    CgErr e = { 0 };
    CgNeeds all = { 0 };
    if (!cg_claims_any(x)) {
        cg_err(&e, CG_ERR_INPUT, "the script claims nothing");
        cg_err_hint(&e, "claim \"text\" { expect mean(a.f1) > mean(b.f1) over seed }");
        return cg_session_err(x, (CgSpan){ 0 }, &e);
    }
    if (!cg_session_open(x, &e))
        return cg_session_err(x, (CgSpan){ 0 }, &e);
    cg_claims_values(x, cg_needs_each, &all);
    CgPlanner *planner = all.stages.len ? cg_planner_new(x) : NULL;
    bool good = there(x, &all) && plan_each(x, effect, planner, out);
    cg_planner_free(planner);
    cg_needs_free(&all);
    return good;
}
