/* words.h - texts as sequences of numbered words.
 * Takes UTF-8 and the name of a way to split it; gives ids that are equal exactly when words are, within one CgWords.
 * A byte that is no UTF-8 is a character of its own. */
#ifndef CG_WORDS_H
#define CG_WORDS_H
#include "base/strbuf.h"
#include "table/sequence.h"

typedef struct CgWords CgWords;
CgWords *cg_words_new(void);
void cg_words_free(CgWords *w);

/* A way to split a text: words.c has the table of them. */
typedef struct CgWordSplit {
    const char *name, *doc;
    void (*prepare)(const char *text, size_t len, CgStrbuf *out); /* words between white space; NULL: the text itself */
    enum { CG_SPLIT_SPACE, CG_SPLIT_WORDS, CG_SPLIT_CHARACTERS, CG_SPLIT_BYTES } at;
} CgWordSplit;
const CgWordSplit *cg_word_split_find(const char *name);
const CgWordSplit *cg_word_split_at(size_t i); /* NULL past the end */

CgIds cg_words_split(CgWords *w, const CgWordSplit *split, const char *text, size_t len); /* valid until w is freed */

/* What the splits are made of. */
void cg_text_lower(const char *text, size_t len, CgStrbuf *out); /* as Python's str.lower, final sigma included */
size_t cg_stem(char *word, size_t len);                          /* stem.c: in place; the new length */
/* One character at text[0..len), len > 0: its bytes, and *c, which is 0x110000 + byte where there is no UTF-8. */
size_t cg_character(const char *text, size_t len, int32_t *c);
bool cg_is_space(int32_t c); /* white space as Python's str.split has it */
#endif
