/* synth_kinds.h - what a generator of synth.h is to synth.c.
 * Takes draws; gives one document. Private to src/data/synth*.c. */
#ifndef CG_SYNTH_KINDS_H
#define CG_SYNTH_KINDS_H
#include "base/strbuf.h"
#include "data/draw.h"

typedef struct CgSynthWork {
    CgDraw *draw;         /* of this document alone */
    CgStrbuf *out;        /* the document, so far empty */
    uint64_t seed;        /* of the whole corpus: what all documents share */
    uint64_t fixed;       /* the knob times 2^32 */
    int whole;            /* the knob as a whole number */
    const uint64_t *sums; /* markov, noise: running sums of weights ... */
    size_t nsums;         /* ... and their number */
} CgSynthWork;

typedef void CgSynthDoc(CgSynthWork *w);
CgSynthDoc cg_synth_grammar, cg_synth_code, cg_synth_json, cg_synth_arithmetic;

#define CG_SYNTH_PICK(w, list) ((list)[cg_draw_below((w)->draw, CG_LEN(list))])
static inline bool cg_synth_chance(CgSynthWork *w, unsigned percent) { return cg_draw_below(w->draw, 100) < percent; }
static inline int cg_synth_between(CgSynthWork *w, int least, int most)
{
    return least + (int)cg_draw_below(w->draw, (uint64_t)(most - least + 1));
}
#endif
