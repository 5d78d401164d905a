/* fit.c - what is made again so that a plan takes no more than a number of bytes.
 * Takes a graph with derivative nodes and what tells the bytes of its plan; gives the graph in which forward values are
 * made again for the derivative, at the least cost that is found, or the fewest bytes that would do. Values are taken
 * one after the other, the most bytes for the least time first, with a limit to how long chains of copies made of
 * copies may be: all of a chain is alive at once, so that of a deep network every few layers something must be kept.
 * Each limit is tried with more and more values, and plans are made to see what they take. */
#include <stdlib.h>
#include <string.h>
#include "graph/rematerialize.h"
#include "run/plan/inside.h"

#define STEPS 16   /* numbers of values that are tried with each limit, before the least of them is sought */
#define SMALL 1e-3 /* of the bytes that are too many: not worth an instruction */

typedef struct Fit {
    CgRemat *m;
    size_t budget, least;
    CgPlanBytes *bytes_of;
    void *of;
    CG_VEC(CgRef) taken; /* with the limit at hand, in order */
    size_t best;         /* the first so many of them fit ... */
    double price;        /* ... at so many seconds */
    CgGraph *graph;
} Fit;

/* The longest chain of copies of copies. */
static int longest(const CgRemat *m, uint8_t *chain)
{
    int most = 0;
    for (CgRef r = 0; r < m->g->nodes.len; r++) {
        chain[r] = 0;
        if (!m->chosen[r])
            continue;
        for (int i = 0; i < cg_node(m->g, r)->nin; i++) {
            CgRef x = cg_remat_operand(m, r, i);
            if (cg_remat_follows(m, x) && chain[x] > chain[r])
                chain[r] = chain[x];
        }
        if (chain[r] < 255)
            chain[r]++;
        if (chain[r] > most)
            most = chain[r];
    }
    return most;
}

/* Values in the order of their worth, but those with which a chain would be longer than the limit. */
static void take_all(Fit *f, const CgRematOffer *offer, size_t n, int limit)
{
    size_t nodes = f->m->g->nodes.len;
    bool *before = cg_malloc(nodes + 1);
    uint8_t *chain = cg_malloc(nodes + 1);
    f->taken.len = 0;
    memset(f->m->chosen, 0, nodes);
    for (size_t i = 0; i < n; i++) {
        memcpy(before, f->m->chosen, nodes);
        cg_remat_choose(f->m, offer[i].node);
        if (f->m->depth[offer[i].node] <= limit || longest(f->m, chain) <= limit)
            cg_vec_push(&f->taken, offer[i].node);
        else
            memcpy(f->m->chosen, before, nodes);
    }
    free(before);
    free(chain);
}

/* Whether the plan fits with the first n values made again; the cheapest graph that fits is kept. */
static bool fits(Fit *f, size_t n)
{
    double price = 0;
    memset(f->m->chosen, 0, f->m->g->nodes.len);
    for (size_t i = 0; i < n; i++) {
        price += f->m->chosen[f->taken.at[i]] ? 0 : cg_remat_price(f->m, f->taken.at[i]);
        cg_remat_choose(f->m, f->taken.at[i]);
    }
    CgGraph *g = cg_remat_graph(f->m);
    size_t bytes = f->bytes_of(f->of, g);
    if (bytes < f->least)
        f->least = bytes;
    if (bytes <= f->budget && (!f->graph || price < f->price)) {
        if (f->graph)
            cg_graph_free(f->graph);
        f->graph = g;
        f->price = price;
    } else {
        cg_graph_free(g);
    }
    return bytes <= f->budget;
}

static void try_limit(Fit *f)
{
    size_t n = f->taken.len, below = 0, at = 0;
    bool good = false;
    for (int i = 1; i <= STEPS && !good; i++) {
        size_t next = n * (size_t)i / STEPS;
        if (next == at)
            continue;
        below = at;
        at = next;
        good = fits(f, at);
    }
    while (good && at - below > 1) {
        size_t middle = below + (at - below) / 2;
        if (fits(f, middle))
            at = middle;
        else
            below = middle;
    }
}

CgGraph *cg_plan_fit(const CgGraph *g, CgBindings dims, size_t budget, CgPlanBytes *bytes_of, void *of, size_t *least)
{
    static const int limits[] = { 2, 4, 8, 16, 32, 255 };
    CgRematOffer *offer;
    Fit f = {
        .m = cg_remat_new(g, dims, false, 255), .budget = budget, .least = *least, .bytes_of = bytes_of, .of = of
    };
    size_t n = cg_remat_offers(f.m, SMALL * (double)(*least - budget), &offer), taken = SIZE_MAX;
    for (size_t i = 0; i < CG_LEN(limits) && n > 0 && taken != n; i++) {
        take_all(&f, offer, n, limits[i]);
        if (f.taken.len != taken)
            try_limit(&f);
        taken = f.taken.len;
    }
    *least = f.least;
    free(offer);
    cg_vec_free(&f.taken);
    cg_remat_free(f.m);
    return f.graph;
}
