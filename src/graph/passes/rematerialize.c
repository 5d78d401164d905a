/* rematerialize.c - values that one sweep makes again are not kept for the derivative.
 * Takes a graph with derivative nodes; gives one in which they use second copies of forward values that are cheap to
 * make from what is kept anyway: a normalised row, an activation, a product of two gates. The most bytes for the least
 * time, until BUDGET of the graph's whole time is spent. Must not change any value, and must not make a product a
 * second time. */
#include <stdlib.h>

#include "graph/pass.h"
#include "graph/rematerialize.h"

#define BUDGET  0.02
#define DEEPEST 3    /* copies made of copies: all of them are alive at once */
#define SMALL   0.03 /* of the largest that is kept: not worth an instruction, however many there are */

static void choose_all(CgRemat *m)
{
    double spent = 0, largest = 0;
    CgRematOffer *offers;
    for (CgRef r = 0; r < m->g->nodes.len; r++)
        largest = m->kept[r] && m->bytes[r] > largest ? m->bytes[r] : largest;
    size_t n = cg_remat_offers(m, SMALL * largest, &offers);
    for (size_t i = 0; i < n; i++) {
        double now = cg_remat_price(m, offers[i].node);
        if (spent + now > BUDGET * m->total)
            continue;
        spent += now;
        cg_remat_choose(m, offers[i].node);
    }
    free(offers);
}

CgGraph *cg_pass_rematerialize(const CgGraph *g)
{
    CgRemat *m = cg_remat_new(g, (CgBindings){ 0 }, true, DEEPEST);
    choose_all(m);
    CgGraph *to = cg_remat_graph(m);
    cg_remat_free(m);
    return to;
}

CG_PASS(rematerialize, .order = 70, .was = "forget",
    .summary = "makes cheap values again for the derivative instead of keeping them", .run = cg_pass_rematerialize)
