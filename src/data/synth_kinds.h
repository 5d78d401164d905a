/* synth_kinds.h - what a generator of synthetic text is.
 * Takes draws; gives one document. One file a kind, which ends in its entry, CG_SYNTH. */
#ifndef CG_SYNTH_KINDS_H
#define CG_SYNTH_KINDS_H
#include <string.h>

#include "base/strbuf.h"
#include "data/draw.h"

#define CG_SYNTH_DOCUMENT 4096 /* bytes of a document of kinds without an end of their own */
#define CG_SYNTH_SUMS     64

typedef struct CgSynthWork {
    CgDraw *draw;                 /* of this document alone */
    CgStrbuf *out;                /* the document, so far empty */
    uint64_t seed;                /* of the whole corpus: what all documents share */
    uint64_t fixed;               /* the knob times 2^32 */
    int whole;                    /* the knob as a whole number */
    uint64_t sums[CG_SYNTH_SUMS]; /* of kinds with `weigh`: running sums of weights ... */
    size_t nsums;                 /* ... and their number */
} CgSynthWork;

typedef void CgSynthDoc(CgSynthWork *w);

typedef struct CgSynthKind {
    const char *name;
    const char *doc;                 /* one line for `cg help` */
    double least, most, usual, unit; /* of the knob; a multiple of `unit`, 0 = any */
    uint64_t stream;                 /* of its draws: no two kinds share one */
    CgSynthDoc *document;
    bool records; /* a document is a record: a line of JSON Lines */
    /* NULL, or: fills sums for a source each of whose bytes is drawn by them, so that their entropy is the rate. */
    void (*fill_weights)(CgSynthWork *w, double knob);
    double (*entropy)(double knob); /* NULL, or: bits a byte of the endless source, in closed form */
} CgSynthKind;

/* The last line of the file of a kind. */
#define CG_SYNTH(kind, ...)                        \
    extern const CgSynthKind cg_synth_kind_##kind; \
    const CgSynthKind cg_synth_kind_##kind = { .name = #kind, __VA_ARGS__ };

#define CG_SYNTH_PICK(w, list) ((list)[cg_draw_below((w)->draw, CG_LEN(list))])
static inline bool cg_synth_chance(CgSynthWork *w, unsigned percent) { return cg_draw_below(w->draw, 100) < percent; }
static inline int cg_synth_between(CgSynthWork *w, int least, int most)
{
    return least + (int)cg_draw_below(w->draw, (uint64_t)(most - least + 1));
}
#endif
