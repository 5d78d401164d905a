/* utf8.h - how a text is encoded, by its first bytes.
 * Takes bytes; gives what follows a byte order mark of UTF-8, or an error for a text of another encoding that says so
 * by its own mark. Reads no more than four bytes, and changes none. */
#ifndef CG_UTF8_H
#define CG_UTF8_H
#include "base/err.h"

typedef enum CgEncoding { CG_UTF8, CG_UTF16_LITTLE, CG_UTF16_BIG, CG_UTF32 } CgEncoding;

CgEncoding cg_encoding_of(const char *at, size_t len); /* CG_UTF8 where there is no other mark */
/* Passes over the mark of UTF-8. False: the text is UTF-16 or UTF-32; `path` is for the message. */
CG_NODISCARD bool cg_utf8_begin(const char *path, const char **at, size_t *len, CgErr *e);
#endif
