/* tokenizer_model.h - models of a tokenizer.json: what makes tokens of a piece of text.
 * Takes a vocabulary and the options of a model; gives ids of pieces. One file a kind of model (BPE, Unigram,
 * WordPiece), whose entry has the function that reads a file with it. */
#ifndef CG_TOKENIZER_MODEL_H
#define CG_TOKENIZER_MODEL_H
#include "base/arena.h"
#include "base/map.h"
#include "data/text.h"
#include "data/tokenizer_kinds.h"

/* The tokens of a model, without those that were added. */
typedef struct CgVocabulary {
    const char *path;
    int32_t size; /* ids are below this, those of added tokens, too */
    CgText *
        piece; /* (size): what each is in a text; bytes, where it is written in bytes; at NULL: no token of the model */
    CgText *token; /* (size): as written in the file; added ones, too */
    bool bytes;    /* tokens are written in the alphabet of bytes */
    CgMap by_hash; /* of a piece -> id */
    CgArena *arena;
} CgVocabulary;
int32_t cg_vocabulary_find(const CgVocabulary *v, const char *at, size_t len); /* -1: none */
/* By the name it has in the file, such as that of an option; -1: none. */
int32_t cg_vocabulary_named(const CgVocabulary *v, const char *token);

typedef struct CgTokenModel {
    const char *name;    /* of tokenizers that have it */
    const char *options; /* of a file's model, but for its type and vocabulary, with blanks around them */
    /* The tokens with their ids: each is given to `add`. */
    bool (*tokens)(const json_t *model, const char *path, bool (*add)(void *arg, const char *token, int64_t id),
        void *arg, CgErr *e);
    /* The vocabulary outlives what is made of it. NULL after a mistake. */
    void *(*read)(const CgVocabulary *v, const json_t *model, CgErr *e);
    /* Appends, now or in `flush`. `room`: so many bytes can be read from the piece on, at least its own. */
    void (*encode)(void *data, CgText piece, size_t room, CgTokens *out);
    void (*flush)(void *data, CgTokens *out); /* NULL: nothing waits */
    void (*free)(void *data);
} CgTokenModel;

/* The tokenizer of a file whose model is of that kind. NULL after a mistake. */
CG_NODISCARD CgTokenizer *cg_tokenizer_of_file(const CgTokenizerFile *file, const CgTokenModel *model, CgErr *e);
/* {"vocab": {token: id}}: the `tokens` of models that have it so. */
bool cg_vocabulary_tokens(
    const json_t *model, const char *path, bool (*add)(void *arg, const char *token, int64_t id), void *arg, CgErr *e);
#endif
