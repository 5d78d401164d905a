/* corpus_inside.h - what corpus.c, corpus_load.c and corpus_split.c share.
 * Takes texts as they were read; gives the documents of a corpus. Private to these three. */
#ifndef CG_CORPUS_INSIDE_H
#define CG_CORPUS_INSIDE_H
#include "base/arena.h"
#include "base/io.h"
#include "base/vec.h"
#include "data/corpus.h"

/* a file, a record or a text, uncut */
typedef struct CgPiece {
    CgText text;
    uint32_t file, line;
    bool record;
} CgPiece;

struct CgCorpus {
    int owners;
    char *name;
    CgDigest digest;
    int nparts; /* of a mixture; 0: this is a plain one */
    CgCorpus **part;
    double *share;
    CgCorpus *of; /* of a shuffled one: the plain one whose documents these are */
    uint64_t seed;
    CgRandomTokens *random; /* NULL: text */
    CG_VEC(CgDoc) docs;
    CG_VEC(char *) files;
    CG_VEC(CgBytes) read; /* what the documents of text files point into */
    CgArena *texts;       /* the same, from records */
    size_t passed_over, copies;
    size_t ndocs[CG_NSPLITS];
    uint64_t nbytes[CG_NSPLITS];
};

/* corpus.c */
CgCorpus *cg_corpus_new(char *name);
/* corpus_split.c: c->docs and all that is counted of them */
void cg_corpus_cut(CgCorpus *c, const CgPiece *piece, size_t n, const CgCorpusOpts *opts);
#endif
