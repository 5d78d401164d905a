/* tokenizer_bytes.c - the tokenizer of bytes.
 * Takes text; gives one id a byte, and back. */
#include <stdlib.h>

#include "base/vec.h"
#include "data/tokenizer_kinds.h"

static void bytes_encode(const CgTokenizer *t, const char *text, size_t len, CgTokens *out)
{
    (void)t;
    cg_vec_reserve(out, out->len + len);
    for (size_t i = 0; i < len; i++)
        out->at[out->len++] = (unsigned char)text[i];
}

static void bytes_decode(const CgTokenizer *t, const int32_t *ids, size_t n, bool first, CgStrbuf *out)
{
    (void)t;
    (void)first;
    for (size_t i = 0; i < n; i++)
        cg_strbuf_putc(out, (char)(unsigned char)ids[i]);
}

static void bytes_free(CgTokenizer *t) { (void)t; }

static const CgTokenizerKind kind = { "bytes", bytes_encode, bytes_decode, bytes_free, NULL };

CgTokenizer *cg_tokenizer_bytes(void)
{
    CgTokenizer *t = cg_calloc(1, sizeof *t);
    *t = (CgTokenizer){ .kind = &kind, .size = 256, .end = 0, .marker = 1, .digest = cg_digest("bytes 1", 7) };
    return t;
}

CG_TOKENIZER(bytes, .version = 1, .make = cg_tokenizer_bytes,
    .doc = "The tokenizer with one id a byte: size 256, end 0, mark 1.")
