/* corpus.h - text to learn from, cut in documents, each of which belongs to one split.
 * Takes files, folders, globs (plain text, JSON Lines, gzip of both) or text in memory; gives documents and
 * a digest.
 * Must not look inside documents: any bytes will do, valid UTF-8 or not, and nothing is normalised.
 *
 * Documents. A line of a .jsonl (.ndjson) file is one document. Any other file is one, unless it is longer
 * than a block (64 KiB): then it is cut at the first line end at or after each block, or inside a line that
 * goes on for two blocks (never inside a character). A corpus of files with fewer than 64 documents so is
 * cut finer: a block is then 1/128 of its bytes, at least 512, so that one file of a few hundred KB still
 * has a fair valid and test part. A file met in a folder or by a glob is passed over when its first 4 KiB
 * hold a NUL byte (pictures, object files); one named outright never is.
 *
 * Splits. A document goes where the hash of its bytes says: 5% test, 5% valid, the rest train. So equal
 * documents fall in the same split, splits never overlap, and a document stays in its split whatever else
 * the corpus holds. When one of the three is left empty, the distinct document with the smallest hash
 * becomes test, the next one valid; a corpus with fewer than three distinct documents is cut finer first
 * (down to single lines, then 1/8 of its bytes, JSON too). Only what is still one repeated document has
 * empty splits: then asking for windows is an error, not loading. */
#ifndef CG_CORPUS_H
#define CG_CORPUS_H
#include "base/digest.h"
#include "base/err.h"

typedef enum CgSplit { CG_TRAIN, CG_VALID, CG_TEST, CG_ALL, CG_NSPLITS } CgSplit;

typedef struct CgText {
    const char *at;
    size_t len;
} CgText; /* borrowed from the corpus */

typedef struct CgDoc {
    CgText text;
    CgSplit split;       /* never CG_ALL */
    uint32_t file, line; /* cg_corpus_file; 1-based line where it begins */
    bool joins;          /* goes on where the document before it stopped: no end mark between the two */
} CgDoc;

typedef struct CgCorpusOpts {
    /* of JSON Lines: their texts are joined by a newline; none = "text" */
    const char *const *fields;
    int nfields;
    uint64_t limit; /* the first bytes only, in order of file names; 0 = all */
    /* shares of the documents; both 0 = 0.05 each; their sum is below 1 */
    double valid, test;
} CgCorpusOpts;

typedef struct CgCorpus CgCorpus;

/* NULL and an error when a pattern matches nothing, a file cannot be read, a line has no such field
 * ("a.jsonl:17: ..."), gzip is damaged or swells beyond reason, or there is no text at all. `opts` may be
 * NULL. */
CG_NODISCARD CgCorpus *cg_corpus_load(const char *const *patterns, int n, const CgCorpusOpts *opts, CgErr *e);
/* Documents in memory (copied). `name` is what messages call them. */
CG_NODISCARD CgCorpus *cg_corpus_from_texts(
    const char *name, const CgText *texts, size_t n, const CgCorpusOpts *opts, CgErr *e);
/* Parts by share of their tokens: shares are positive and are divided by their sum. Keeps the parts alive.
 * A mixture of mixtures is the mixture of their parts. */
CG_NODISCARD CgCorpus *cg_corpus_mix(CgCorpus *const *parts, const double *shares, int n, CgErr *e);
/* The same tokens in random order: the tokens of each split (of each part, for a mixture) are permuted as a
 * whole, once, when windows are made. */
CgCorpus *cg_corpus_shuffle_tokens(CgCorpus *c, uint64_t seed);
CgCorpus *cg_corpus_keep(CgCorpus *c); /* one more owner */
void cg_corpus_free(CgCorpus *c);      /* one owner less; NULL is fine */

/* What it holds and how it is split, not where it came from: files may move. */
CgDigest cg_corpus_digest(const CgCorpus *c);
const char *cg_corpus_name(const CgCorpus *c);       /* the patterns, for messages */
size_t cg_corpus_docs(const CgCorpus *c, CgSplit s); /* of a mixture: the sum of the parts */
uint64_t cg_corpus_bytes(const CgCorpus *c, CgSplit s);
size_t cg_corpus_passed_over(const CgCorpus *c); /* binary files met in folders */

/* Plain corpora are mixtures of themselves alone: every corpus has parts, and documents belong to parts. */
int cg_corpus_nparts(const CgCorpus *c);
const CgCorpus *cg_corpus_part(const CgCorpus *c, int i);
double cg_corpus_share(const CgCorpus *c, int i); /* sums to 1 */
bool cg_corpus_shuffled(const CgCorpus *part, uint64_t *seed);
size_t cg_corpus_count(const CgCorpus *part); /* all its documents, in order */
const CgDoc *cg_corpus_doc(const CgCorpus *part, size_t i);
const char *cg_corpus_file(const CgCorpus *part, uint32_t file);

const char *cg_split_name(CgSplit s); /* "train", "valid", "test", "all" */
#endif
