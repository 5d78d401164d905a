/* synth_dyck.c - balanced brackets of four sorts.
 * Takes draws; gives documents, each of them balanced. Must not go deeper than the knob says. */
#include "data/synth_kinds.h"

static void dyck(CgSynthWork *w)
{
    char open[64];
    int depth = 0;
    while (w->out->len < CG_SYNTH_DOCUMENT || depth) {
        bool opens = depth == 0 || (depth < w->whole && w->out->len < CG_SYNTH_DOCUMENT && cg_synth_chance(w, 50));
        if (opens) {
            uint64_t sort = cg_draw_below(w->draw, 4);
            open[depth++] = ")]}>"[sort];
            cg_strbuf_putc(w->out, "([{<"[sort]);
        } else {
            cg_strbuf_putc(w->out, open[--depth]);
            if (!depth)
                cg_strbuf_putc(w->out, w->out->len % 64 < 32 ? ' ' : '\n');
        }
    }
}

/* From one outermost bracket to the next: it has a sort, and ends in itself and a blank; at each depth but the greatest
 * the walk is twice, opens or closes with equal chance, and gives what it opens a sort; at the greatest it is once. */
static double entropy(double depth) { return (4 * depth - 2) / (2 * depth + 1); }

CG_SYNTH(dyck, .doc = "balanced brackets of known entropy; the knob is the greatest depth, 1 to 64", .least = 1,
    .most = 64, .usual = 8, .unit = 1, .stream = 6, .document = dyck, .entropy = entropy)
