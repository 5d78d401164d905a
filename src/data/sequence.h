/* sequence.h - the tokens of a split, one after the other.
 * Takes a part of a corpus, a split and a tokenizer; gives tokens by place. Documents stand in a row, each followed by
 * the tokenizer's `end`. Blocks of one file that follow each other in the split are one text again, and are encoded
 * together, about 4 MiB at a time.
 *
 * A small corpus lies in memory, 1, 2 or 4 bytes a token as the vocabulary needs. Of a large one (corpus.h) the tokens
 * lie in shards: files of some MiB, kept by the digest of the text and the tokenizer they were made from, so that a run
 * that was killed goes on with the first that is missing. A list of them, with a checksum of every 16 KiB and the place
 * of every text, is kept under the digest of the corpus: with it nothing else is read before the first token. Tokens
 * are read where they lie and checked by those sums; nothing of them is held. What is at a place does not depend on how
 * many shards there are. Shuffled and random tokens lie in memory. */
#ifndef CG_SEQUENCE_H
#define CG_SEQUENCE_H
#include "data/corpus.h"
#include "data/tokenizer.h"

/* A text that begins at a token: documents that go on where another stopped do not. */
typedef struct CgTextStart {
    uint64_t at;
    uint32_t file, line; /* of its document */
} CgTextStart;

typedef struct CgSequence CgSequence;
/* NULL after an error. The cache may be NULL. Borrows all. */
CG_NODISCARD CgSequence *cg_sequence_new(
    const CgCorpus *part, CgSplit s, const CgTokenizer *t, CgCache *cache, CgErr *e);
void cg_sequence_free(CgSequence *q); /* NULL is fine */
uint64_t cg_sequence_length(const CgSequence *q);
bool cg_sequence_in_files(const CgSequence *q);
/* out[0..n) = tokens from `at` on, around the end; zeros once a file cannot be read, which the cache then says. */
void cg_sequence_take(const CgSequence *q, uint64_t at, size_t n, int32_t *out);
const CgTextStart *cg_sequence_starts(const CgSequence *q, size_t *n); /* in order; none of random tokens */
#endif
