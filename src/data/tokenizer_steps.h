/* tokenizer_steps.h - the steps of a tokenizer.json: what normalises a text, splits it, and puts tokens together.
 * Takes the description of a step; gives a chain of steps that can be carried out. A kind of step is a row of the table
 * at the end of its file; a type or an option that no row has is refused by name. */
#ifndef CG_TOKENIZER_STEPS_H
#define CG_TOKENIZER_STEPS_H
#include <jansson.h>

#include "base/err.h"
#include "base/strbuf.h"
#include "data/text.h"

typedef struct CgStepChain CgStepChain;
typedef void CgPieceFn(void *arg, CgText piece, bool first); /* `first`: the text begins with it */

typedef struct CgStepKind {
    const char *type;    /* in the file */
    const char *options; /* those it may have, with blanks between and around them */
    /* The options as data of its own; NULL: it has none. False after a mistake. */
    bool (*read)(const json_t *step, const char *path, void **data, CgErr *e);
    void (*free)(void *data);
    /* one of these */
    void (*normalize)(const void *data, CgText text, CgStrbuf *out); /* appends */
    void (*split)(const void *data, CgText text, bool first, CgPieceFn *emit, void *arg);
    void (*decode)(const void *data, bool first, CgStrbuf *token); /* first: a text begins with the token */
    uint32_t traits;
} CgStepKind;
enum {
    CG_STEP_BYTES = 1, /* what comes behind it are bytes, in the alphabet of GPT-2 */
    CG_STEP_FUSE = 2,  /* decode: those behind it see a text, not its tokens */
    CG_STEP_EACH = 4,  /* decode: before that, each token is a text to it */
};

/* The chains of a file. NULL or null: none, which is a chain of no steps. NULL after a mistake. */
CG_NODISCARD CgStepChain *cg_normalizer_read(const json_t *step, const char *path, CgErr *e);
CG_NODISCARD CgStepChain *cg_splitter_read(const json_t *step, const char *path, CgErr *e);
CG_NODISCARD CgStepChain *cg_joiner_read(const json_t *step, const char *path, CgErr *e);

/* What all three share (tokenizer_steps.c). `part`: the field of the file, `list`: that of a Sequence. */
CG_NODISCARD CgStepChain *cg_steps_read(const json_t *step, const char *part, const char *list, const CgStepKind *kinds,
    size_t n, const char *path, CgErr *e);
void cg_steps_free(CgStepChain *c);             /* NULL is fine */
uint32_t cg_steps_traits(const CgStepChain *c); /* of all of them */
uint32_t cg_steps_last(const CgStepChain *c);   /* of the last one */
/* A text by all steps. The result is `text` or lies in a buffer of the chain until the next call. */
CgText cg_steps_normalize(CgStepChain *c, CgText text);
void cg_steps_split(const CgStepChain *c, CgText text, bool first, CgPieceFn *emit, void *arg);
void cg_steps_decode(const CgStepChain *c, bool first, CgStrbuf *token);

/* For the files of kinds. */
bool cg_step_refuse(CgErr *e, const char *path, const char *what, const char *which); /* "X is not supported" */
const char *cg_step_text(const json_t *step, const char *option);                     /* "" when it is not there */
/* A truth value; false after a mistake when it is something else. */
/* A text, or "" where the option is not there or null. */
bool cg_step_string(const json_t *step, const char *option, const char *path, const char **out, CgErr *e);
bool cg_step_flag(const json_t *step, const char *option, bool otherwise, const char *path, bool *out, CgErr *e);
/* {"String": s} or {"Regex": s}. */
CG_NODISCARD struct CgPattern *cg_step_pattern(const json_t *step, const char *path, CgErr *e);

/* `Replace`, the same before and after (tokenizer_replace.c): matches of a pattern become a text. */
bool cg_replace_read(const json_t *step, const char *path, void **data, CgErr *e);
void cg_replace_free(void *data);
void cg_replace_apply(const void *data, CgText text, CgStrbuf *out); /* appends */

/* The alphabet in which byte-level tokenizers write bytes: the byte a character stands for, -1: none. */
void cg_byte_alphabet(int32_t byte_of[512]);
/* A token as written to its bytes at `out`, which has room for them; false: some character stands for no byte. */
bool cg_bytes_of_token(const int32_t byte_of[512], const char *token, char *out, size_t *len);
#endif
