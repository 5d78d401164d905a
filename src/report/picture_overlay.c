/* picture_overlay.c - numbers on what is drawn.
 * Takes numbers by place of the script and by parameter; gives each box and frame what lies in it, as a text, and a box
 * its share of the largest. A number whose expression is not drawn for itself counts for the instance around it. */
#include "report/picture_inside.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct Sums {
    double *box, *frame, all; /* frame: by draft scope */
} Sums;

static uint64_t place_key(int scope, CgSpan span)
{
    return ((uint64_t)(uint32_t)scope << 44) ^ ((uint64_t)span.file << 36) ^ ((uint64_t)span.start << 18) ^ span.end;
}

/* The scopes of a graph and what was written there -> a drawn node of it. */
static CgMap drawn_places(const CgDraft *d)
{
    CgMap map = { 0 };
    for (size_t r = d->g->nodes.len; r-- > 0;) {
        const CgNode *n = cg_node(d->g, (CgRef)r);
        if (d->item[r].drawn && !d->item[r].input)
            cg_map_put(&map, place_key(n->scope, n->span), r + 1);
    }
    return map;
}

static void add(const CgDraft *d, Sums *sums, int scope, int box, double value)
{
    int closed = d->scope.at[scope].closed;
    if (box < 0 && closed >= 0)
        box = d->scope.at[closed].box;
    if (box >= 0)
        sums->box[box] += value;
    for (int s = scope; s >= 0; s = d->scope.at[s].up)
        sums->frame[s] += value;
    sums->all += value;
}

/* The sibling that is drawn for a folded one. */
static int shown_scope(const CgDraft *d, int scope)
{
    int hidden = d->scope.at[scope].hidden;
    if (hidden < 0)
        return scope;
    for (size_t s = 1; s < d->scope.len; s++)
        if (d->scope.at[s].group == d->scope.at[hidden].group && d->scope.at[s].hidden < 0)
            return (int)s;
    return scope;
}

static void add_items(const CgDraft *d, Sums *sums)
{
    const CgOverlay *o = d->o->overlay;
    CgMap places = drawn_places(d);
    for (size_t i = 0; i < o->n; i++) {
        const CgOverlayItem *item = &o->item[i];
        uint64_t found;
        if (item->scope < 0 || item->scope >= (int)d->g->scopes.len) {
            sums->all += item->value;
            continue;
        }
        if (cg_map_get(&places, place_key(item->scope, item->span), &found)) {
            CgRef r = cg_draft_stands(d, (CgRef)(found - 1));
            add(d, sums, d->item[r].instance, d->item[r].box, item->value);
        } else {
            add(d, sums, shown_scope(d, d->of_scope[item->scope]), -1, item->value);
        }
    }
    cg_map_deinit(&places);
}

static void add_params(const CgDraft *d, Sums *sums)
{
    const CgGraph *g = d->g;
    const double *of = d->o->overlay->of_param;
    bool *counted = cg_calloc(g->params.len + 1, sizeof *counted); /* a shared one counts where it is used first */
    CgMap number = { 0 };
    for (size_t i = 0; i < g->params.len; i++)
        cg_map_put(&number, g->params.at[i], i);
    for (CgRef r = 0; r < g->nodes.len; r++) {
        const CgDraftItem *it = &d->item[r];
        for (int k = 0; it->drawn && k < it->nrows + it->param; k++) {
            uint64_t i;
            if (!cg_map_get(&number, k < it->nrows ? it->rows[k] : r, &i) || counted[i])
                continue;
            counted[i] = true;
            CgRef stands = cg_draft_stands(d, r);
            add(d, sums, d->item[stands].instance, d->item[stands].box, of[i]);
        }
    }
    cg_map_deinit(&number);
    free(counted);
}

/* "12.3 Mflop", "4.56 ms", "1,234 trained". */
static const char *amount(const CgDraft *d, double value)
{
    static const char *const large[] = { "", "k", "M", "G", "T" }, *const small[] = { "", "m", "u", "n" };
    const char *prefix = "", *unit = d->o->overlay->unit;
    int k = 0;
    if (d->o->overlay->of_param && !d->o->overlay->n)
        return cg_arena_printf(d->arena, "%s %s", cg_draft_number(d, llround(value)), unit);
    for (; value >= 1000 && k < 4; k++)
        prefix = large[k + 1], value /= 1000;
    for (; !k && value > 0 && value < 1 && *unit == 's' && prefix != small[3];)
        prefix = prefix == small[1] ? small[2] : prefix == small[2] ? small[3] : small[1], value *= 1000;
    return cg_arena_printf(d->arena, "%.3g %s%s", value, prefix, unit);
}

static const char *said(const CgDraft *d, const Sums *sums, double value)
{
    if (d->o->overlay->root)
        return cg_arena_printf(d->arena, "%.3g%s", sqrt(value), d->o->overlay->unit);
    return sums->all > 0 ? cg_arena_printf(d->arena, "%s \xc2\xb7 %.1f%%", amount(d, value), 100 * value / sums->all)
                         : amount(d, value);
}

void cg_draft_measure(CgDraft *d)
{
    CgPicture *p = d->p;
    Sums sums = { CG_NEWN(d->arena, double, p->boxes.len + 1), CG_NEWN(d->arena, double, d->scope.len + 1), 0 };
    double most = 0;
    add_items(d, &sums);
    if (d->o->overlay->of_param)
        add_params(d, &sums);
    p->unmeasured = !(sums.all > 0);
    for (size_t i = 0; i < p->boxes.len; i++)
        most = sums.box[i] > most ? sums.box[i] : most;
    for (size_t i = 0; i < p->boxes.len; i++)
        if (sums.box[i] > 0) {
            p->boxes.at[i].measure = said(d, &sums, sums.box[i]);
            const char *type = p->boxes.at[i].type; /* "123 parameters" is said once */
            if (strncmp(p->boxes.at[i].measure, type, strlen(type)) == 0)
                p->boxes.at[i].type = "";
            p->boxes.at[i].heat = d->o->overlay->root ? sqrt(sums.box[i] / most) : sums.box[i] / most;
        }
    for (size_t s = 1; s < d->scope.len; s++) {
        int c = d->scope.at[s].cluster;
        if (sums.frame[s] > 0 && c >= 0 && (d->scope.at[s].up < 0 || d->scope.at[d->scope.at[s].up].cluster != c))
            p->clusters.at[c].measure = said(d, &sums, sums.frame[s]);
    }
}
