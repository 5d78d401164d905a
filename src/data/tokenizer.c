/* tokenizer.c - text to ids and back, by whatever tokenizer.
 * Takes a tokenizer and text or ids; gives the other. Must not know any kind. */
#include "data/tokenizer.h"

#include <stdlib.h>
void cg_tokenizer_free(CgTokenizer *t)
{
    if (!t)
        return;
    t->kind->free(t);
    free(t);
}

void cg_tokenizer_encode(const CgTokenizer *t, const char *text, size_t len, CgTokens *out)
{
    t->kind->encode(t, text, len, out);
}

void cg_tokenizer_decode(const CgTokenizer *t, const int32_t *ids, size_t n, bool plain, CgStrbuf *out)
{
    size_t from = 0;
    for (size_t i = 0; i <= n; i++) {
        bool outside = i < n && (ids[i] < 0 || ids[i] >= t->size);
        bool left_out = i < n && plain && (ids[i] == t->end || ids[i] == t->mark);
        if (i < n && !outside && !left_out)
            continue;
        if (i > from)
            t->kind->decode(t, ids + from, i - from, out);
        if (outside)
            cg_strbuf_puts(out, "\xef\xbf\xbd");
        from = i + 1;
    }
}
