/* tokenizer_nibbles.c - half bytes.
 * Takes text; gives two ids a byte, the upper half first, and back. */
#include <stdlib.h>

#include "base/vec.h"
#include "data/tokenizer_kinds.h"

static void encode(const CgTokenizer *t, const char *text, size_t len, CgTokens *out)
{
    (void)t;
    for (size_t i = 0; i < len; i++) {
        cg_vec_push(out, (unsigned char)text[i] >> 4);
        cg_vec_push(out, text[i] & 15);
    }
}

static void decode(const CgTokenizer *t, const int32_t *ids, size_t n, bool first, CgStrbuf *out)
{
    (void)t;
    (void)first;
    for (size_t i = 0; i + 1 < n; i += 2)
        cg_strbuf_putc(out, (char)(unsigned char)(ids[i] << 4 | (ids[i + 1] & 15)));
}

static void nothing(CgTokenizer *t) { (void)t; }

static const CgTokenizerKind kind = { "nibbles", encode, decode, nothing, NULL };

static CgTokenizer *make(void)
{
    CgTokenizer *t = cg_calloc(1, sizeof *t);
    *t = (CgTokenizer){ .kind = &kind, .size = 18, .end = 16, .marker = 17, .digest = cg_digest("nibbles", 7) };
    return t;
}

CG_TOKENIZER(nibbles, .version = 1, .make = make, .doc = "Half bytes: size 18, end 16, mark 17.")
