/* picture_turns.c - the turns of a loop.
 * Takes the draft of a picture; gives each turn of what was written once and carried out several times in a row an
 * instance of its own, `turn.0`, `turn.1` .., which are folded as any siblings are. Whether they are alike is decided
 * there; those that are not are no instances any more in the end. */
#include "report/picture_inside.h"

#include <stdlib.h>

#include "base/intern.h"

/* What lies in an instance: a node, or all of an instance in it. */
typedef struct Unit {
    CgAtom key; /* the place where it was written, and what it is */
    CgRef node; /* CG_NONE: it is an instance */
    int scope;
    int next; /* the next unit of this key; 0 = none */
} Unit;
typedef CG_VEC(Unit) Units;

/* Units of each instance in order, by instance. */
static Units *units_of(const CgDraft *d)
{
    Units *units = cg_calloc(d->scope.len + 1, sizeof *units);
    bool *seen = cg_calloc(d->scope.len + 1, sizeof *seen);
    for (CgRef r = 0; r < d->g->nodes.len; r++) {
        const CgNode *n = cg_node(d->g, r);
        const CgDraftItem *it = &d->item[r];
        if (!it->drawn || it->input || it->param)
            continue;
        CgAtom key = cg_intern_printf("%u %u %u %s", n->span.file, n->span.start, n->span.end, n->op->name);
        cg_vec_push(&units[it->instance], ((Unit){ key, r, it->instance, 0 }));
        for (int s = it->instance; s > 0 && !seen[s]; s = d->scope.at[s].up) {
            const CgDraftScope *in = &d->scope.at[s];
            key = cg_intern_printf(
                "%u %u %u %s %s", in->span.file, in->span.start, in->span.end, in->name, in->graph ? in->graph : "");
            cg_vec_push(&units[in->up], ((Unit){ key, CG_NONE, s, 0 }));
            seen[s] = true;
        }
    }
    free(seen);
    return units;
}

static void link_units(Units *units)
{
    CgMap last = { 0 };
    for (size_t i = units->len; i-- > 0;) {
        uint64_t next = 0;
        cg_map_get(&last, cg_map_ptr(units->at[i].key), &next);
        units->at[i].next = (int)next;
        cg_map_put(&last, cg_map_ptr(units->at[i].key), i);
    }
    cg_map_deinit(&last);
}

/* `times` turns of `len` units from `first` on. */
typedef struct Loop {
    size_t first, len, times;
} Loop;

/* The loop from unit `first` on that covers most. */
static Loop loop_at(const Units *u, size_t first)
{
    enum { TRIES = 8 };
    Loop best = { first, 0, 0 };
    size_t next = (size_t)u->at[first].next;
    for (int tries = 0; next && tries < TRIES; tries++, next = (size_t)u->at[next].next) {
        size_t len = next - first, same = 0;
        while (next + same < u->len && u->at[first + same].key == u->at[next + same].key)
            same++;
        Loop loop = { first, len, same / len + 1 };
        if (loop.times > 1 && loop.len * loop.times > best.len * best.times)
            best = loop;
    }
    return best;
}

static void add_turns(CgDraft *d, const Units *u, const Loop *loop, int up)
{
    for (size_t t = 0; t < loop->times; t++) {
        CgDraftScope turn = { .path = d->scope.at[up].path, .owner = d->scope.at[up].owner, .up = up, .times = 1 };
        turn.name = cg_intern_printf("turn.%zu", t);
        turn.hidden = turn.cluster = turn.closed = turn.box = -1;
        turn.turn = true;
        turn.backward = d->scope.at[up].backward;
        for (size_t i = 0; i < loop->len; i++) {
            const Unit *unit = &u->at[loop->first + t * loop->len + i];
            if (unit->node == CG_NONE)
                d->scope.at[unit->scope].up = (int)d->scope.len;
            else
                d->item[unit->node].instance = (int)d->scope.len;
        }
        cg_vec_push(&d->scope, turn);
    }
}

/* The number that an instance gets when each stands behind the one it lies in. */
static void number_scope(const CgDraft *d, int s, int *to, int *next)
{
    if (s < 0 || to[s] >= 0)
        return;
    number_scope(d, d->scope.at[s].up, to, next);
    to[s] = (*next)++;
}

static void renumber(CgDraft *d)
{
    int n = (int)d->scope.len, next = 0;
    int *to = cg_malloc(sizeof *to * (size_t)n);
    CgDraftScope *old = cg_malloc(sizeof *old * (size_t)n);
    for (int s = 0; s < n; s++)
        to[s] = -1, old[s] = d->scope.at[s];
    for (int s = 0; s < n; s++)
        number_scope(d, s, to, &next);
    for (int s = 0; s < n; s++) {
        d->scope.at[to[s]] = old[s];
        d->scope.at[to[s]].up = old[s].up < 0 ? -1 : to[old[s].up];
        d->scope.at[to[s]].twin = to[old[s].twin];
    }
    for (CgRef r = 0; r < d->g->nodes.len; r++)
        d->item[r].instance = to[d->item[r].instance];
    for (size_t s = 0; s < d->g->scopes.len; s++)
        d->of_scope[s] = to[d->of_scope[s]];
    free(to);
    free(old);
}

void cg_draft_turns(CgDraft *d)
{
    Units *units = units_of(d);
    int n = (int)d->scope.len;
    for (int s = 0; s < n; s++) {
        Units *u = &units[s];
        link_units(u);
        for (size_t i = 0; i < u->len;) {
            Loop loop = loop_at(u, i);
            /* what was before the first turn may look like the end of one: the last beginning that covers as much */
            for (size_t k = 1; k < loop.len; k++) {
                Loop later = loop_at(u, i + k);
                if (later.len == loop.len && later.times >= loop.times)
                    loop = later;
            }
            if (loop.times)
                add_turns(d, u, &loop, s);
            i = loop.times ? loop.first + loop.len * loop.times : i + 1;
        }
        cg_vec_free(u);
    }
    free(units);
    if ((int)d->scope.len > n)
        renumber(d);
}

void cg_draft_turns_end(CgDraft *d)
{
    for (size_t s = 1; s < d->scope.len; s++) {
        CgDraftScope *in = &d->scope.at[d->scope.at[s].up];
        if (in->turn && !in->group)
            d->scope.at[s].up = in->up;
    }
    for (CgRef r = 0; r < d->g->nodes.len; r++) {
        const CgDraftScope *in = &d->scope.at[d->item[r].instance];
        if (in->turn && !in->group)
            d->item[r].instance = in->up;
    }
}
