/* tokenizer.c - the interface, and the tokenizer of bytes.
 * Takes text; gives ids, and back.
 * Must not know any other kind: those fill in a CgTokenizerKind of their own. */
#include "data/tokenizer.h"

#include <stdlib.h>
#include <string.h>

#include "base/vec.h"

static void bytes_encode(const CgTokenizer *t, const char *text, size_t len, CgTokens *out)
{
    (void)t;
    cg_vec_reserve(out, out->len + len);
    for (size_t i = 0; i < len; i++)
        out->at[out->len++] = (unsigned char)text[i];
}

static void bytes_decode(const CgTokenizer *t, const int32_t *ids, size_t n, CgStrbuf *out)
{
    (void)t;
    for (size_t i = 0; i < n; i++)
        cg_strbuf_putc(out, (char)(unsigned char)ids[i]);
}

static void bytes_free(CgTokenizer *t) { (void)t; }

static const CgTokenizerKind bytes_kind = { "bytes", bytes_encode, bytes_decode, bytes_free };

CgTokenizer *cg_tokenizer_bytes(void)
{
    CgTokenizer *t = cg_calloc(1, sizeof *t);
    *t = (CgTokenizer){ .kind = &bytes_kind, .size = 256, .end = 0, .mark = 1, .digest = cg_digest("bytes 1", 7) };
    return t;
}

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
