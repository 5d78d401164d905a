/* tokenizer.c - text to ids and back, by whatever tokenizer.
 * Takes a tokenizer and text or ids; gives the other. Must not know any kind. */
#include "data/tokenizer.h"

#include <stdlib.h>

#include "base/vec.h"

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

void cg_tokenizer_begin(const CgTokenizer *t, CgTokens *out)
{
    for (int i = 0; i < t->nbefore; i++)
        cg_vec_push(out, t->before[i]);
}

void cg_tokenizer_end(const CgTokenizer *t, CgTokens *out)
{
    for (int i = 0; i < t->nafter; i++)
        cg_vec_push(out, t->after[i]);
    if (!t->nafter || t->after[t->nafter - 1] != t->end)
        cg_vec_push(out, t->end);
}

bool cg_tokenizer_frames(const CgTokenizer *t, int32_t id)
{
    bool frames = id == t->end || id == t->marker;
    for (int i = 0; i < t->nbefore; i++)
        frames |= id == t->before[i];
    for (int i = 0; i < t->nafter; i++)
        frames |= id == t->after[i];
    return frames;
}

void cg_tokenizer_decode(const CgTokenizer *t, const int32_t *ids, size_t n, int how, CgStrbuf *out)
{
    size_t from = 0;
    bool first = !(how & CG_WITHIN);
    for (size_t i = 0; i <= n; i++) {
        bool outside = i < n && (ids[i] < 0 || ids[i] >= t->size);
        bool left_out = i < n && !outside && (how & CG_PLAIN)
            && (cg_tokenizer_frames(t, ids[i]) || (t->kind->special && t->kind->special(t, ids[i])));
        if (i < n && !outside && !left_out)
            continue;
        if (i > from) {
            t->kind->decode(t, ids + from, i - from, first, out);
            first = false;
        }
        if (outside)
            cg_strbuf_puts(out, "\xef\xbf\xbd");
        from = i + 1;
    }
}
