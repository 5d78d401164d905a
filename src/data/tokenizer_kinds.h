/* tokenizer_kinds.h - kinds of tokenizers: how each is made, kept and read from a file.
 * Takes nothing, corpora, or a tokenizer.json; gives a CgTokenizer. One file a kind, which ends in its entry,
 * CG_TOKENIZER; that makes it a function of the language, too: of `make` NAME(), of `train` NAME(corpora, size). What
 * only reads a file is found by tokenizer(path). */
#ifndef CG_TOKENIZER_KINDS_H
#define CG_TOKENIZER_KINDS_H
#include <jansson.h>

#include "data/corpus.h"
#include "data/tokenizer.h"

/* A tokenizer.json, parsed. */
typedef struct CgTokenizerFile {
    const char *path;
    json_t *root, *model; /* model: root.model, an object */
    CgDigest digest;      /* of its bytes */
    const char *end;      /* the token that is asked for as an end; NULL: none is */
    int64_t end_id;       /* its id; below 0: none is asked for */
} CgTokenizerFile;

typedef struct CgTokenizerMaker {
    const char *name, *doc; /* doc may be NULL without `make` and `train` */
    int version;            /* raised when other ids come out of the same text */
    CgTokenizer *(*make)(void);
    /* From the train splits; least <= size <= most, which are 0 where the text alone says how many there are. */
    CgTokenizer *(*train)(CgCorpus *const *corpora, int n, int size, CgErr *e);
    int least, usual, most;
    int32_t end, marker; /* of trained ones, which are known before they are trained */
    /* What `train` made, as bytes and back: the same bytes for the same tokenizer. */
    void (*pack)(const CgTokenizer *t, CgStrbuf *out);
    CgTokenizer *(*unpack)(const char *bytes, size_t n, CgErr *e);
    /* The same as a tokenizer.json, which says by a JSON list of texts what data it was trained on. False: t is none
     * that it made. */
    bool (*write)(const CgTokenizer *t, const char *reached, CgStrbuf *out);
    const char *model; /* the `type` of models in tokenizer.json that `load` reads; NULL: none */
    CgTokenizer *(*load)(const CgTokenizerFile *file, CgErr *e);
    const char *file;
    int line;
} CgTokenizerMaker;

/* The last line of the file of a kind. */
#define CG_TOKENIZER(kind, ...)                                        \
    extern const CgTokenizerMaker cg_tokenizer_entry_##kind;           \
    const CgTokenizerMaker cg_tokenizer_entry_##kind = {               \
        .name = #kind, .file = __FILE__, .line = __LINE__, __VA_ARGS__ \
    };

const CgTokenizerMaker *cg_tokenizer_at(size_t i); /* NULL past the last; by name */
/* By the type of its model; NULL after a mistake. `end`, or an `end_id` of 0 or more, says which token is the end; else
 * that is the first added one that is named like it. */
CG_NODISCARD CgTokenizer *cg_tokenizer_load(const char *path, const char *end, int64_t end_id, CgErr *e);
#endif
