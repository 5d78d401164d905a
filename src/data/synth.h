/* synth.h - text made by rule, for tests, for examples and for questions that need to know the answer.
 * Takes a kind, a size, a seed and one knob; gives a corpus of exactly `size` bytes, the same bytes on every
 * machine.
 * Must not use floating point where a byte depends on it.
 *
 *   markov      order-2 chain over a-z and space; knob r in [0, 1]: after any two letters the chances of the
 *               next letter are 1 : r : r^2 : ... (in an order that depends on the two and on the seed); the
 *               entropy rate is exact
 *   grammar     simple English sentences with agreement and relative clauses, a handful of topics a
 *               document; knob: chance of a clause inside a clause, in [0, 0.5], 0.2
 *   arithmetic  worked exercises: sums, chains, products, division, equations, sequences, common divisors,
 *               comparisons; knob: digits of the numbers, 1 .. 6, 2
 *   code        functions of a C-like language with scopes; knob: depth of nesting, 1 .. 5, 3
 *   json        records, a schema a document, values by Zipf's law; knob: distinct values a field, 2 ..
 *               1000, 20
 *   dyck        balanced brackets of four sorts; knob: greatest depth, 1 .. 64, 8
 *   noise       independent characters, 64 of them; knob: exponent of Zipf's law, a multiple of 0.5 up to 3,
 *               0 = uniform; entropy is exact */
#ifndef CG_SYNTH_H
#define CG_SYNTH_H
#include "data/corpus.h"

typedef struct CgSynthKind {
    const char *name;
    const char *doc;                 /* one line for `cg help` */
    double least, most, usual, unit; /* of the knob; a multiple of `unit`, 0 = any */
} CgSynthKind;

int cg_synth_count(void);
const CgSynthKind *cg_synth_kind(int i);
const CgSynthKind *cg_synth_find(const char *name); /* NULL: no such kind */

/* knob: NAN = the usual one. *entropy (may be NULL): bits a byte of the source where that is known exactly,
 * else NAN. `opts` may be NULL; its fields and limit are not used. */
CG_NODISCARD CgCorpus *cg_synth(
    const char *kind, uint64_t size, uint64_t seed, double knob, const CgCorpusOpts *opts, double *entropy, CgErr *e);
#endif
