/* corpus_inside.h - what corpus.c, corpus_load.c, corpus_stream.c and corpus_split.c share.
 * Takes texts as they were read; gives the documents of a corpus. Private to these. */
#ifndef CG_CORPUS_INSIDE_H
#define CG_CORPUS_INSIDE_H
#include "base/arena.h"
#include "base/io.h"
#include "base/map.h"
#include "base/vec.h"
#include "data/corpus.h"

/* a file, a record or a text, uncut */
typedef struct CgSegment {
    CgText text;
    uint32_t file, line;
    bool record;
} CgSegment;

#define CG_CORPUS_RULE  "corpus 2" /* changes whenever the rule of cutting or splitting does */
#define CG_CORPUS_BLOCK 1536       /* bytes of a block on average; a third of it at least, five times it at most */
#define CG_CORPUS_LINE  4096       /* a longer line is taken for several */

typedef struct CgCorpusFile {
    char *path;
    bool named; /* outright, not met in a folder or by a glob */
    CgFileMark mark;
} CgCorpusFile;
typedef CG_VEC(CgCorpusFile) CgCorpusFiles;

struct CgStream; /* how the documents of a corpus are read from its files again (corpus_stream.c) */

struct CgCorpus {
    int owners;
    char *name;
    CgDigest digest;
    int ncomponents; /* of a mixture; 0: this is a plain one */
    CgCorpus **component;
    double *share;
    CgCorpus *of; /* of a shuffled one: the plain one whose documents these are */
    uint64_t seed;
    CgRandomTokens *random;  /* NULL: text */
    CG_VEC(CgDoc) docs;      /* empty where they stay in files */
    struct CgStream *stream; /* NULL: documents are in memory */
    CG_VEC(char *) files;
    CG_VEC(CgBytes) read; /* what the documents of text files point into */
    CgArena *texts;       /* the same, from records */
    bool records;         /* documents are lines of JSON Lines */
    size_t passed_over, copies;
    size_t ndocs[CG_NSPLITS];
    uint64_t nbytes[CG_NSPLITS];
};

/* corpus.c */
CgCorpus *cg_corpus_new(char *name);
/* corpus_split.c: the fields of a record, one under the other */
void cg_corpus_record(const CgText *value, int n, CgStrbuf *out);
bool cg_corpus_looks_like_utf16(CgText t);
/* Whether what is said of records, or of files of plain text, is said of some; else an error. */
bool cg_corpus_options_met(const CgCorpus *c, const CgCorpusOpts *opts, bool any_records, bool any_text, CgErr *e);
/* c->docs and all that is counted of them */
void cg_corpus_cut(CgCorpus *c, const CgSegment *segment, size_t n, const CgCorpusOpts *opts);
/* The length of the first block of a text of which `len` bytes are here: all, or five blocks and a line. */
size_t cg_corpus_block(const char *at, size_t len, size_t mean);
uint32_t cg_corpus_lines(const char *at, size_t len); /* line ends */
void cg_corpus_shares(const CgCorpusOpts *opts, double *valid, double *test);
/* Documents that stood there before. */
typedef struct CgCopies {
    CgMap texts, prints;
} CgCopies;
bool cg_corpus_copy(CgCopies *seen, CgText text, bool near); /* of an earlier one; else it is noted */
void cg_copies_deinit(CgCopies *seen);
void cg_corpus_count_doc(CgCorpus *c, const CgDoc *d, CgDigester *digest); /* into totals and the digest */
/* corpus_stream.c. Takes the files. */
CG_NODISCARD bool cg_corpus_stream(
    CgCorpus *c, CgCorpusFiles *files, const CgCorpusOpts *opts, const CgCache *cache, CgErr *e);
CG_NODISCARD bool cg_stream_walk(const CgCorpus *c, CgDocFn *each, void *arg, CgErr *e);
CG_NODISCARD bool cg_stream_reach(const CgCorpus *c, CgSplit s, CgReach *out, CgErr *e); /* a sample, which is kept */
void cg_stream_free(struct CgStream *s);
#endif
