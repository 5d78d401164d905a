/* corpus.h - text to learn from, cut in documents, each of which belongs to one split.
 * Takes files, folders, globs (reader.h) or text in memory; gives documents and a digest.
 * Must not look inside documents: any bytes will do, valid UTF-8 or not, and nothing is normalised.
 *
 * Documents. A record of a format of records (JSON Lines, CSV) is one document. Any other file is cut in blocks, at
 * line ends that its own text chooses: a block has 512 bytes at least, 1536 on average (or what `block` says, and a
 * third of it), and ends in the same place wherever the text stands (content-defined chunks: Muthitacharoen, Chen and
 * Mazieres, SOSP 2001). A file met in a folder or by a glob is passed over when its first 4 KiB hold a NUL byte
 * (pictures, object files); one named outright never is.
 *
 * Splits. A document goes where the hash of its bytes says: 5% test, 5% valid, the rest train. So equal documents fall
 * in the same split in every corpus, whatever else it holds, and so do copies of a text that begin elsewhere, but for
 * the blocks at their ends. A small corpus may have an empty split: asking for windows of it is an error, loading is
 * not. Only synthetic text (`fill`) has all three: where one is empty, the distinct document with the smallest hash
 * becomes test, the next one valid.
 *
 * Large. Files of 256 MiB and more together stay where they are: each time documents are asked for they are read in
 * pieces (gzip, CSV and UTF-16 a file at a time), and documents, splits and digest are those of a corpus in memory.
 * What was counted of them is kept, and counts for as long as no file has another size, number or time. */
#ifndef CG_CORPUS_H
#define CG_CORPUS_H
#include "base/digest.h"
#include "base/err.h"
#include "data/cache.h"
#include "data/random_tokens.h"
#include "data/reach.h"
#include "data/text.h"

typedef enum CgSplit { CG_TRAIN, CG_VALID, CG_TEST, CG_ALL, CG_NSPLITS } CgSplit;

typedef struct CgDoc {
    CgText text;         /* borrowed from the corpus */
    CgSplit split;       /* never CG_ALL */
    uint32_t file, line; /* cg_corpus_file; 1-based line where it begins */
    bool joins;          /* goes on where the document before it stopped: no end mark between the two */
} CgDoc;

typedef struct CgCorpusOpts {
    /* of records: their texts are joined by a newline; none = "text" */
    const char *const *fields;
    int nfields;
    uint64_t limit; /* the first bytes only, in order of file names; 0 = all */
    /* shares of the documents, below 1 together; 0.05 each when no `shares` are said and both are 0 */
    double valid, test;
    bool shares;
    uint64_t block;                                                 /* bytes of a block on average; 0 = 1536 */
    bool fill;                                                      /* no split is left empty, see above */
    bool records;                                                   /* documents are lines of JSON Lines */
    enum { CG_UNIQUE_NOT, CG_UNIQUE_EXACT, CG_UNIQUE_NEAR } unique; /* which later documents are left out, see below */
} CgCorpusOpts;

/* EXACT: those whose bytes stood there before. NEAR: also those half of which, or more, stood in others before,
 * wherever they begin (fingerprints by winnowing: Schleimer, Wilkerson and Aiken, SIGMOD 2003). */

typedef struct CgCorpus CgCorpus;

/* With a cache (NULL: none, and all is held in memory) files can be larger than memory.
 * NULL and an error when a pattern matches nothing, a file cannot be read, a line has no such field
 * ("a.jsonl:17: ..."), gzip is damaged or swells beyond reason, or there is no text at all. `opts` may be
 * NULL. */
CG_NODISCARD CgCorpus *cg_corpus_load(
    const char *const *patterns, int n, const CgCorpusOpts *opts, const CgCache *cache, CgErr *e);
/* Documents in memory (copied). `name` is what messages call them. */
CG_NODISCARD CgCorpus *cg_corpus_from_texts(
    const char *name, const CgText *texts, size_t n, const CgCorpusOpts *opts, CgErr *e);
/* Parts by share of their tokens: shares are positive and are divided by their sum. Keeps the parts alive.
 * A mixture of mixtures is the mixture of their parts; a part that comes twice is one part with both shares. */
CG_NODISCARD CgCorpus *cg_corpus_mix(CgCorpus *const *components, const double *shares, int n, CgErr *e);
/* The same tokens in random order: the tokens of each split (of each part, for a mixture) are permuted as a
 * whole, once, when windows are made. */
CgCorpus *cg_corpus_shuffle_tokens(CgCorpus *c, uint64_t seed);
/* Tokens instead of text: no documents, and three splits of 90%, 5% and 5% whatever tokenizer they are read with. */
CG_NODISCARD CgCorpus *cg_corpus_random(const CgRandomTokens *of, CgErr *e);
const CgRandomTokens *cg_corpus_random_tokens(const CgCorpus *component); /* NULL: it is of text */
uint64_t cg_random_tokens_split(const CgRandomTokens *of, CgSplit s);     /* how many there are */
CgCorpus *cg_corpus_keep(CgCorpus *c);                                    /* one more owner */
void cg_corpus_free(CgCorpus *c);                                         /* one owner less; NULL is fine */

/* What it holds and how it is split, not where it came from: files may move. */
CgDigest cg_corpus_digest(const CgCorpus *c);
const char *cg_corpus_name(const CgCorpus *c);       /* the patterns, for messages */
size_t cg_corpus_docs(const CgCorpus *c, CgSplit s); /* of a mixture: the sum of the parts */
uint64_t cg_corpus_bytes(const CgCorpus *c, CgSplit s);
size_t cg_corpus_passed_over(const CgCorpus *c); /* binary files met in folders */
size_t cg_corpus_copies(const CgCorpus *c);      /* documents whose bytes stand there before; left out or not */

/* Plain corpora are mixtures of themselves alone: every corpus has parts, and documents belong to parts. */
int cg_corpus_nparts(const CgCorpus *c);
const CgCorpus *cg_corpus_component(const CgCorpus *c, int i);
double cg_corpus_share(const CgCorpus *c, int i); /* sums to 1 */
bool cg_corpus_shuffled(const CgCorpus *component, uint64_t *seed);
bool cg_corpus_large(const CgCorpus *component);      /* its documents stay in files: they can only be walked through */
bool cg_corpus_of_records(const CgCorpus *component); /* its documents are lines of JSON Lines, the last one cut off */
size_t cg_corpus_count(const CgCorpus *component);    /* all its documents, in order */
const CgDoc *cg_corpus_doc(const CgCorpus *component, size_t i);
size_t cg_corpus_nfiles(const CgCorpus *component);
const char *cg_corpus_file(const CgCorpus *component, uint32_t file);
/* Calls `each` for all documents in order, until it gives false; their texts are there during the call. False after an
 * error, which `each` may have made. */
typedef bool CgDocFn(void *arg, const CgDoc *doc, CgErr *e);
CG_NODISCARD bool cg_corpus_walk(const CgCorpus *component, CgDocFn *each, void *arg, CgErr *e);

/* Adds the documents of a split; random tokens are none. */
CG_NODISCARD bool cg_corpus_reach(const CgCorpus *c, CgSplit s, CgReach *out, CgErr *e);

/* What decides on the split of a document, or of a row of a dataset, that is made from these bytes; the split, with
 * shares as in CgCorpusOpts. */
uint64_t cg_split_hash(const void *bytes, size_t n);
CgSplit cg_split_of(uint64_t hash, double valid, double test);
const char *cg_split_name(CgSplit s); /* "train", "valid", "test", "all" */
#endif
