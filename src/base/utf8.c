/* utf8.c - how a text is encoded, by its first bytes.
 * Takes bytes; gives an encoding. Guesses nothing: without a mark a text is UTF-8. */
#include "base/utf8.h"

#include <string.h>

CgEncoding cg_encoding_of(const char *at, size_t len)
{
    if (len >= 4 && (memcmp(at, "\xff\xfe\0\0", 4) == 0 || memcmp(at, "\0\0\xfe\xff", 4) == 0))
        return CG_UTF32; /* before UTF-16, whose mark is the beginning of one of these */
    if (len >= 2 && memcmp(at, "\xff\xfe", 2) == 0)
        return CG_UTF16_LITTLE;
    return len >= 2 && memcmp(at, "\xfe\xff", 2) == 0 ? CG_UTF16_BIG : CG_UTF8;
}

bool cg_utf8_begin(const char *path, const char **at, size_t *len, CgErr *e)
{
    CgEncoding encoding = cg_encoding_of(*at, *len);
    if (encoding != CG_UTF8) {
        cg_err(e, CG_ERR_INPUT, "'%s' is text in UTF-%d", path, encoding == CG_UTF32 ? 32 : 16);
        cg_err_hint(e, "save it as UTF-8");
        return false;
    }
    if (*len >= 3 && memcmp(*at, "\xef\xbb\xbf", 3) == 0) {
        *at += 3;
        *len -= 3;
    }
    return true;
}
