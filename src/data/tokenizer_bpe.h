/* tokenizer_bpe.h - byte-pair tokenizers: trained here, or read from a tokenizer.json.
 * Takes text or a file; gives a CgTokenizer. Must not need Unicode to be valid: the alphabet is the 256
 * bytes.
 *
 * Trained: ids 0 .. 255 are the bytes, each further id the pair that was most frequent in its turn (ties:
 * the smaller ids), pairs counted inside pieces of the GPT-2 pattern (in training these are cut at 64 bytes; bytes 0
 * and 1, which are `end` and `mark`, stand alone: no merge has one). */
#ifndef CG_BPE_H
#define CG_BPE_H
#include "base/strbuf.h"
#include "data/corpus.h"
#include "data/tokenizer_kinds.h"

/* From the train splits only: at most 16 MiB of them, the same share of each corpus and evenly spread over
 * it. size: 256 .. 65536; the result is smaller when the text has not so many pairs that occur twice. */
CG_NODISCARD CgTokenizer *cg_bpe_train(CgCorpus *const *corpora, int n, int size, CgErr *e);
/* The tokenizer of a file whose model is BPE, of bytes or of characters. */
CG_NODISCARD CgTokenizer *cg_bpe_load(const CgTokenizerFile *file, CgErr *e);
/* A trained one as a tokenizer.json that gives the same ids. */
bool cg_bpe_write(const CgTokenizer *t, const char *reached, CgStrbuf *out);
CgText cg_bpe_token(const CgTokenizer *t, int32_t id);             /* the bytes of a token of a trained one */
size_t cg_bpe_merges(const CgTokenizer *t, const int32_t **pairs); /* of a trained one: left, right, left, .. */
/* A trained one as text and back, the same bytes for the same tokenizer. */
void cg_bpe_pack(const CgTokenizer *t, CgStrbuf *out);
CG_NODISCARD CgTokenizer *cg_bpe_unpack(const char *bytes, size_t n, CgErr *e);
bool cg_bpe_is(const CgTokenizer *t); /* a trained one */
#endif
