/* tokenizer.h - text to numbers and back.
 * Takes bytes; gives ids in [0, size). Must not normalise, but for what a tokenizer.json asks: else
 * decode(encode(x)) == x for every x, valid UTF-8 or not. */
#ifndef CG_TOKENIZER_H
#define CG_TOKENIZER_H
#include "base/digest.h"
#include "base/err.h"
#include "base/strbuf.h"

/* a CG_VEC(int32_t); {0} is ready to use */
typedef struct CgTokens {
    int32_t *at;
    size_t len, cap;
} CgTokens;

typedef struct CgTokenizer CgTokenizer;

typedef struct CgTokenizerKind {
    const char *name;                                                                  /* "bytes", "bpe" */
    void (*encode)(const CgTokenizer *t, const char *text, size_t len, CgTokens *out); /* appends */
    /* appends; first: a text begins with ids[0] */
    void (*decode)(const CgTokenizer *t, const int32_t *ids, size_t n, bool first, CgStrbuf *out);
    /* its own data, not t itself */
    void (*free)(CgTokenizer *t);
    bool (*special)(const CgTokenizer *t, int32_t id); /* whether an id is no text; NULL: only end and mark are none */
} CgTokenizerKind;

struct CgTokenizer {
    const CgTokenizerKind *kind;
    int32_t size;   /* ids are below this: the `vocab` of a model */
    int32_t end;    /* the id between documents and after the last token of an answer */
    int32_t marker; /* an id that plain text does not use, free for models (a first token, a separator) */
    const int32_t *before, *after; /* what stands around a text that is whole */
    int nbefore, nafter;
    CgDigest digest;            /* of everything encode and decode depend on */
    const char *const *reached; /* of a file: what it says of the data that it was trained on (stage/lineage.c) */
    int nreached;
    void *data; /* of the kind */
};

/* One id a byte, size 256. `end` is byte 0 and `mark` byte 1, which text does not use; where it does (binary
 * data) they are data like any other. */
CgTokenizer *cg_tokenizer_bytes(void);
void cg_tokenizer_free(CgTokenizer *t); /* NULL is fine */

/* All append. What stands before a document is its beginning, what stands behind it ends with an `end`. */
void cg_tokenizer_encode(const CgTokenizer *t, const char *text, size_t len, CgTokens *out);
void cg_tokenizer_begin(const CgTokenizer *t, CgTokens *out);
void cg_tokenizer_end(const CgTokenizer *t, CgTokens *out);
/* Whether an id is no part of a text, but ends it, marks a place or stands around each. */
bool cg_tokenizer_frames(const CgTokenizer *t, int32_t id);
enum {
    CG_PLAIN = 1, /* without end, mark, and other ids that are no text */
    CG_WITHIN = 2 /* the ids go on with a text that began before them */
};
/* Ids outside [0, size) become U+FFFD. how: of these, 0 for none. */
void cg_tokenizer_decode(const CgTokenizer *t, const int32_t *ids, size_t n, int how, CgStrbuf *out);
#endif
