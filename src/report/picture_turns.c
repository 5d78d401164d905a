/* picture_turns.c - the turns of a loop.
 * Takes the draft of a picture; gives each turn of what was written once and carried out several times in a row an
 * instance of its own, `turn.0`, `turn.1` .., with its derivatives in a twin, which are folded as any siblings are.
 * Whether they are alike is decided there; those that are not are no instances any more in the end. */
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

/* Units of each instance in order, by instance; derivatives are none, they go by what they belong to. */
static Units *units_of(const CgDraft *d)
{
    Units *units = cg_calloc(d->scope.len + 1, sizeof *units);
    bool *seen = cg_calloc(d->scope.len + 1, sizeof *seen);
    for (CgRef r = 0; r < d->g->nodes.len; r++) {
        const CgNode *n = cg_node(d->g, r);
        const CgDraftItem *it = &d->item[r];
        if (!it->drawn || it->input || it->param || d->scope.at[it->instance].backward)
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

/* The loop from unit `first` on, of those before `end`, that covers most. */
static Loop loop_at(const Units *u, size_t first, size_t end)
{
    enum { TRIES = 8 };
    Loop best = { first, 0, 0 };
    size_t next = (size_t)u->at[first].next;
    for (int tries = 0; next && next < end && tries < TRIES; tries++, next = (size_t)u->at[next].next) {
        size_t len = next - first, same = 0;
        while (next + same < end && u->at[first + same].key == u->at[next + same].key)
            same++;
        Loop loop = { first, len, same / len + 1 };
        if (loop.times > 1 && loop.len * loop.times > best.len * best.times)
            best = loop;
    }
    return best;
}

static int add_turn(CgDraft *d, int up, size_t number)
{
    CgDraftScope turn = { .path = d->scope.at[up].path, .owner = d->scope.at[up].owner, .up = up, .times = 1 };
    turn.name = cg_intern_printf("turn.%zu", number);
    turn.hidden = turn.cluster = turn.closed = turn.box = -1;
    turn.turn = true;
    turn.backward = d->scope.at[up].backward;
    cg_vec_push(&d->scope, turn);
    return (int)d->scope.len - 1;
}

/* Turns of a loop in instance `up`, in the scopes from `turn` on, which are made where there are none yet. */
static void add_turns(CgDraft *d, const Units *u, const Loop *loop, int up, int turn)
{
    for (size_t t = 0; t < loop->times; t++) {
        int twin = d->scope.at[up].twin;
        if (turn == (int)d->scope.len) {
            add_turn(d, up, t);
            twin = twin ? add_turn(d, twin, t) : 0;
            d->scope.at[turn].twin = twin;
        }
        twin = d->scope.at[turn].twin;
        for (size_t i = 0; i < loop->len; i++) {
            const Unit *unit = &u->at[loop->first + t * loop->len + i];
            if (unit->node != CG_NONE) {
                d->item[unit->node].instance = turn;
                continue;
            }
            d->scope.at[unit->scope].up = turn;
            if (d->scope.at[unit->scope].twin)
                d->scope.at[d->scope.at[unit->scope].twin].up = twin;
        }
        turn += twin ? 2 : 1;
    }
}

/* The turn, of a loop in instance `up` or of its derivatives, that node r lies in; 0 = none. */
static int turn_around(const CgDraft *d, CgRef r, int up)
{
    int s = d->item[r].instance;
    while (s > 0 && d->scope.at[s].up != up && d->scope.at[s].up != d->scope.at[up].twin)
        s = d->scope.at[s].up;
    return s > 0 && d->scope.at[s].turn ? s : 0;
}

/* Whether a unit takes from what lies in a turn of a loop in `up`. */
static bool takes_from(const CgDraft *d, const Unit *unit, int turn, int up)
{
    CgRef first = unit->node == CG_NONE ? 0 : unit->node,
          last = unit->node == CG_NONE ? (CgRef)d->g->nodes.len : first + 1;
    for (CgRef r = first; r < last; r++) {
        const CgDraftItem *it = &d->item[r];
        bool in = it->drawn && (unit->node == r || cg_draft_lies_in(d, it->instance, unit->scope));
        for (int k = 0; in && k < it->nlinks; k++)
            if (turn_around(d, it->links[k].from, up) == turn)
                return true;
    }
    return false;
}

/* Whether the turns of a loop go on with those of the one before it, in the scopes from `turn` on: an op that does the
 * work of two may stand behind all turns of what it takes. */
static bool goes_on_with(const CgDraft *d, const Units *u, const Loop *loop, const Loop *before, int turn, int up)
{
    bool goes_on = false;
    for (size_t i = 0; before->times == loop->times && i < loop->len && !goes_on; i++)
        goes_on = takes_from(d, &u->at[loop->first + i], turn, up);
    return goes_on;
}

/* The turn whose derivative node r is, of a loop in `up`: that of its forward node; where that is gone, the last whose
 * results it takes, or the first whose derivatives. 0 = none. */
static int turn_of_derivative(const CgDraft *d, CgRef r, int up)
{
    CgRef why = cg_node(d->g, r)->why;
    int last = 0, first = 0;
    for (int k = 0; why == r && k < d->item[r].nlinks; k++) {
        int turn = turn_around(d, d->item[r].links[k].from, up);
        if (turn && !d->scope.at[turn].backward && turn > last)
            last = turn;
        if (turn && d->scope.at[turn].backward && (!first || turn < first))
            first = turn;
    }
    int turn = why != r ? turn_around(d, why, up) : last ? last : first;
    return turn && !d->scope.at[turn].backward ? d->scope.at[turn].twin : turn;
}

static void add_derivatives(CgDraft *d)
{
    int *forward = cg_calloc(d->scope.len + 1, sizeof *forward);
    for (size_t s = 0; s < d->scope.len; s++)
        if (d->scope.at[s].twin)
            forward[d->scope.at[s].twin] = (int)s;
    for (CgRef r = 0; r < d->g->nodes.len; r++) {
        CgDraftItem *it = &d->item[r];
        while (it->drawn && d->scope.at[it->instance].backward) {
            int turn = turn_of_derivative(d, r, forward[it->instance]);
            if (!turn)
                break;
            it->instance = turn;
        }
    }
    free(forward);
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

/* Loops in instance s, of its units from `begin` on, and in each of their turns. */
static void find_loops(CgDraft *d, const Units *u, size_t begin, size_t end, int s)
{
    Loop before = { 0 };
    int turn = 0;
    for (size_t i = begin; i < end;) {
        Loop loop = loop_at(u, i, end);
        /* what was before the first turn may look like the end of one: the last beginning that covers as much */
        for (size_t k = 1; k < loop.len; k++) {
            Loop later = loop_at(u, i + k, end);
            if (later.len == loop.len && later.times >= loop.times)
                loop = later;
        }
        if (!loop.times) {
            i++;
            continue;
        }
        if (!goes_on_with(d, u, &loop, &before, turn, s))
            turn = (int)d->scope.len;
        add_turns(d, u, &loop, s, turn);
        for (size_t t = 0; t < loop.times; t++) {
            size_t first = loop.first + t * loop.len;
            find_loops(d, u, first, first + loop.len, turn + (int)t * (d->scope.at[turn].twin ? 2 : 1));
        }
        i = loop.first + loop.len * loop.times;
        before = loop;
    }
}

void cg_draft_turns(CgDraft *d)
{
    Units *units = units_of(d);
    int n = (int)d->scope.len;
    for (int s = 0; s < n; s++) {
        link_units(&units[s]);
        find_loops(d, &units[s], 0, units[s].len, s);
        cg_vec_free(&units[s]);
    }
    free(units);
    if ((int)d->scope.len == n)
        return;
    add_derivatives(d);
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
