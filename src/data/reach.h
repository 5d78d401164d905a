/* reach.h - what rows were made from, so that the same text is known again wherever it stands.
 * Takes documents, or keys of rows; gives sets that can be compared. A document is cut in chunks at places that its own
 * bytes choose (content-defined, by a rolling hash), so that a copy which begins elsewhere has the same chunks but at
 * its ends; a document is known again when half of its bytes are in chunks that are. A row without a text is one chunk.
 */
#ifndef CG_REACH_H
#define CG_REACH_H
#include "base/base.h"
#include "base/strbuf.h"
#include "base/vec.h"
#include "data/text.h"

/* Where a row comes from, for people: "qa.jsonl", line 17. */
typedef struct CgOrigin {
    const char *source; /* a file or what a corpus is called; NULL: not known */
    int64_t line;       /* a line there, from 1; 0: none */
    int64_t row;        /* its number among the rows that were read, from 0 */
} CgOrigin;

void cg_origin_print(CgOrigin o, CgStrbuf *out); /* "qa.jsonl:17", "row 3 of random tokens" */

typedef struct CgReached { /* a document or a row */
    size_t end;            /* of its chunks */
    CgOrigin origin;
} CgReached;

/* {0} is ready to use */
typedef struct CgReach {
    CG_VEC(uint64_t) chunks;
    CG_VEC(CgReached) units;
    uint64_t limit; /* only chunks up to it are all there; 0: all are */
} CgReach;

void cg_reach_text(CgReach *r, CgText text, CgOrigin origin);
void cg_reach_key(CgReach *r, uint64_t key, CgOrigin origin);
void cg_reach_copy(CgReach *r, const CgReach *from, size_t unit);
/* Units and chunks up to the limit of `from`, behind what is there: from here on that limit holds for all. */
void cg_reach_append(CgReach *r, const CgReach *from);
void cg_reach_drop(CgReach *r); /* the last unit */
void cg_reach_deinit(CgReach *r);

typedef struct CgOverlap {
    uint64_t known, of; /* units */
    CgOrigin first;     /* of the known ones */
} CgOverlap;
/* Which units of `here` stand in `there`, too. Units that have no chunk up to the limits of both cannot be judged and
 * do not count. */
CgOverlap cg_reach_overlap(const CgReach *here, const CgReach *there);
/* The `most` smallest chunks, each once, as a set without units; gives their limit. */
uint64_t cg_reach_sketch(const CgReach *r, size_t most, CgReach *out);
/* known[i] = unit i stands among those before it: all of it, or with `near` half of it. */
void cg_reach_repeats(const CgReach *r, bool near, bool *known);
#endif
