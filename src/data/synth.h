/* synth.h - text made by rule, for tests, for examples and for questions that need to know the answer.
 * Takes a kind, a size, a seed and one knob; gives a corpus of exactly `size` bytes, the same bytes on every machine.
 * The kinds are the files synth_*.c, each with its one line for `cg help`. Must not use floating point where a byte
 * depends on it. */
#ifndef CG_SYNTH_H
#define CG_SYNTH_H
#include "data/corpus.h"
#include "data/synth_kinds.h"

int cg_synth_count(void);
const CgSynthKind *cg_synth_kind(int i);
const CgSynthKind *cg_synth_find(const char *name); /* NULL: no such kind */

/* Bits a byte of a source of this kind, where that is known exactly; else NAN. */
double cg_synth_entropy(const CgSynthKind *kind, double knob);
/* knob: NAN = the usual one. *entropy (may be NULL): cg_synth_entropy. `opts` may be NULL; its fields and limit are not
 * used. */
CG_NODISCARD CgCorpus *cg_synth(
    const char *kind, uint64_t size, uint64_t seed, double knob, const CgCorpusOpts *opts, double *entropy, CgErr *e);
#endif
