/* charsmap.h - the table of characters by which SentencePiece normalises text (Kudo and Richardson 2018).
 * Takes the table as a tokenizer.json holds it, in base 64; gives texts in which it was looked up. */
#ifndef CG_CHARSMAP_H
#define CG_CHARSMAP_H
#include "base/err.h"
#include "base/strbuf.h"
#include "data/text.h"

typedef struct CgCharsmap CgCharsmap;
CG_NODISCARD CgCharsmap *cg_charsmap_read(const char *base64, const char *path, CgErr *e); /* NULL after a mistake */
void cg_charsmap_apply(const CgCharsmap *m, CgText text, CgStrbuf *out);                   /* appends */
void cg_charsmap_free(CgCharsmap *m);
#endif
