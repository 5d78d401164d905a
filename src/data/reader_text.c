/* reader_text.c - plain text: what every other file is taken for.
 * Takes bytes; gives the text among them: a byte order mark is dropped, UTF-16 with one becomes UTF-8. Must not touch
 * anything else: any bytes are a text. */
#include <stdlib.h>
#include <utf8proc.h>

#include "base/strbuf.h"
#include "base/utf8.h"
#include "data/reader.h"

/* Half a surrogate pair, or half a character, is no text. */
static bool from_utf16(const char *path, CgBytes *bytes, bool big, CgText *out, CgErr *e)
{
    const unsigned char *at = (const unsigned char *)bytes->at;
    CgStrbuf text = { 0 };
    bool ok = bytes->len % 2 == 0;
    for (size_t i = 2; ok && i + 1 < bytes->len; i += 2) {
        utf8proc_int32_t c = big ? at[i] << 8 | at[i + 1] : at[i + 1] << 8 | at[i];
        if (c >= 0xd800 && c < 0xe000) {
            utf8proc_int32_t low = i + 3 >= bytes->len ? 0
                : big                                  ? at[i + 2] << 8 | at[i + 3]
                                                       : at[i + 3] << 8 | at[i + 2];
            ok = c < 0xdc00 && low >= 0xdc00 && low < 0xe000;
            c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
            i += 2;
        }
        utf8proc_uint8_t utf8[4];
        if (ok)
            cg_strbuf_write(&text, (const char *)utf8, (size_t)utf8proc_encode_char(c, utf8));
    }
    if (!ok) {
        cg_strbuf_deinit(&text);
        return cg_err(e, CG_ERR_INPUT, "'%s' begins like UTF-16 and is damaged: half a character", path);
    }
    cg_io_release(bytes);
    size_t n = text.len;
    *bytes = (CgBytes){ .at = cg_strbuf_take(&text), .len = n };
    *out = (CgText){ bytes->at, n };
    return true;
}

static bool text(const char *path, CgBytes *bytes, CgText *out, CgErr *e)
{
    CgEncoding encoding = cg_encoding_of(bytes->at, bytes->len);
    if (encoding == CG_UTF16_LITTLE || encoding == CG_UTF16_BIG)
        return from_utf16(path, bytes, encoding == CG_UTF16_BIG, out, e);
    *out = (CgText){ bytes->at, bytes->len };
    return cg_utf8_begin(path, &out->at, &out->len, e);
}

CG_READER(text, .endings = (const char *const[]){ ".txt", NULL },
    .doc = "plain text, and every name that no other takes", .text = text)
