/* tokenizer_bpe_inside.h - what tokenizer_bpe.c, tokenizer_train.c and tokenizer_bpe_json.c share.
 * Takes pieces and merges; gives a tokenizer. Private to src/data/tokenizer_*.c. */
#ifndef CG_BPE_INSIDE_H
#define CG_BPE_INSIDE_H
#include "data/tokenizer_bpe.h"

#define CG_BPE_LONGEST 64 /* bytes of a piece in training */

typedef struct CgPair {
    int32_t left, right;
} CgPair;

typedef struct CgBpeModel {
    int32_t size;
    const CgText *piece;   /* (size): of each id, its text; copied */
    const CgPair *merge;   /* (nmerges), in order of rank */
    const int32_t *result; /* (nmerges): the id a merge makes */
    size_t nmerges;
    bool characters;       /* a piece begins as its characters, not as its bytes */
    int32_t fallback[256]; /* of a character that is no token, its bytes: ids; -1: none */
    int32_t unknown;       /* what it becomes otherwise; -1: it is left out */
    bool fuse_unknown;     /* several are one */
    bool whole_first;      /* a piece that is a token is that token, whatever the merges say */
} CgBpeModel;

typedef struct CgBpe CgBpe;
/* A byte that has no token is left out. */
CgBpe *cg_bpe_new(const CgBpeModel *model);
void cg_bpe_free(CgBpe *b);
/* Of text that was split. `room`: so many bytes can be read from the piece on, at least its own. Short pieces wait for
 * each other, so that memory is read while others come; the flush appends those that still do. */
void cg_bpe_piece_encode(CgBpe *b, CgText piece, size_t room, CgTokens *out);
void cg_bpe_flush(CgBpe *b, CgTokens *out);

/* Merges as in training: id 256 + i is merge[i]. */
CG_NODISCARD CgTokenizer *cg_bpe_from_merges(const CgPair *merge, size_t n);
#endif
