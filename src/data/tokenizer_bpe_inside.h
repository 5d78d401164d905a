/* tokenizer_bpe_inside.h - what bpe.c, bpe_train.c and bpe_json.c share.
 * Takes pieces and merges; gives a tokenizer. Private to src/data/bpe*.c. */
#ifndef CG_BPE_INSIDE_H
#define CG_BPE_INSIDE_H
#include "data/tokenizer_bpe.h"

#define CG_BPE_PIECE 64 /* bytes of a piece in training */

typedef struct CgPair {
    int32_t left, right;
} CgPair;

/* the length of the first piece, at least 1 */
typedef size_t CgSplitFn(void *arg, const char *text, size_t len);

typedef struct CgBpeParts {
    int32_t size;
    CgText *piece;         /* (size): bytes of each id; copied */
    const CgPair *merge;   /* (nmerges), in order of rank */
    const int32_t *result; /* (nmerges): the id a merge makes */
    size_t nmerges;
    int32_t end, mark;
    CgSplitFn *split; /* NULL: the one of training */
    void *split_arg;
    void (*split_free)(void *);
    bool nfc, blank_first; /* what a text becomes first: NFC; with a blank before it, where it begins with none */
    bool some_bytes;       /* a byte without a token is left out, as others do */
    const CgText *added;   /* (nadded): of text, found before it is split: what stands there is that token */
    const int32_t *added_id;
    size_t nadded;
    bool whole_first; /* a piece that is a token is that token, whatever the merges say */
    CgDigest digest;
} CgBpeParts;

/* Every byte must be the piece of some id. */
CG_NODISCARD CgTokenizer *cg_bpe_build(const CgBpeParts *parts, CgErr *e);
/* The pieces of training. */
size_t cg_bpe_next_piece(const char *text, size_t len);
/* Merges as in training: id 256 + i is merge[i]. */
CG_NODISCARD CgTokenizer *cg_bpe_from_merges(const CgPair *merge, size_t n, CgErr *e);
#endif
