/* strbuf.h - building strings.
 * Takes pieces; gives one NUL-terminated string. Invariant: at[len] == 0 once anything was added. */
#ifndef CG_STRBUF_H
#define CG_STRBUF_H
#include "base/base.h"

typedef struct CgStrbuf {
    char *at;
    size_t len, cap;
} CgStrbuf; /* {0} is ready to use */
void cg_strbuf_deinit(CgStrbuf *b);
void cg_strbuf_putc(CgStrbuf *b, char c);
void cg_strbuf_puts(CgStrbuf *b, const char *s);
void cg_strbuf_write(CgStrbuf *b, const char *s, size_t n);
void cg_strbuf_printf(CgStrbuf *b, const char *format, ...) CG_PRINTF(2, 3);
void cg_strbuf_vprintf(CgStrbuf *b, const char *format, va_list args) CG_PRINTF(2, 0);
/* Text as it may go to a terminal: control characters other than line ends and tabs, and what is no UTF-8, as \x1b. */
void cg_strbuf_plain(CgStrbuf *b, const char *text);
void cg_strbuf_plain_vprintf(CgStrbuf *b, const char *format, va_list args) CG_PRINTF(2, 0);
const char *cg_strbuf_str(const CgStrbuf *b); /* "" when empty */
char *cg_strbuf_take(CgStrbuf *b);            /* malloc'd; the buffer is empty again */
#endif
