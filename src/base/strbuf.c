/* strbuf.c - building strings.
 * Takes pieces; gives one NUL-terminated string.
 * Must not be used for binary files that never end in memory (base/io.h has streams). */
#include "base/strbuf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

/* Room for n more bytes and the NUL. */
static void reserve(CgStrbuf *b, size_t n)
{
    size_t need = b->len + n + 1;
    if (need <= b->cap)
        return;
    size_t cap = 2 * b->cap > need ? 2 * b->cap : need;
    if (cap < 32)
        cap = 32;
    b->at = cg_realloc(b->at, cap);
    b->cap = cap;
}

void cg_strbuf_deinit(CgStrbuf *b)
{
    free(b->at);
    b->at = NULL;
    b->len = b->cap = 0;
}

void cg_strbuf_write(CgStrbuf *b, const char *s, size_t n)
{
    reserve(b, n);
    if (n)
        memcpy(b->at + b->len, s, n);
    b->len += n;
    b->at[b->len] = 0;
}

void cg_strbuf_putc(CgStrbuf *b, char c) { cg_strbuf_write(b, &c, 1); }

void cg_strbuf_puts(CgStrbuf *b, const char *s) { cg_strbuf_write(b, s, strlen(s)); }

void cg_strbuf_vprintf(CgStrbuf *b, const char *format, va_list args)
{
    va_list again;
    va_copy(again, args);
    int n = vsnprintf(NULL, 0, format, args);
    CG_ASSERT(n >= 0, "a format that printf refuses");
    reserve(b, (size_t)n);
    vsnprintf(b->at + b->len, (size_t)n + 1, format, again);
    va_end(again);
    b->len += (size_t)n;
}

void cg_strbuf_printf(CgStrbuf *b, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    cg_strbuf_vprintf(b, format, args);
    va_end(args);
}

const char *cg_strbuf_str(const CgStrbuf *b) { return b->at ? b->at : ""; }

char *cg_strbuf_take(CgStrbuf *b)
{
    char *s = b->at ? b->at : cg_strdup("");
    b->at = NULL;
    b->len = b->cap = 0;
    return s;
}

void cg_strbuf_plain(CgStrbuf *b, const char *text)
{
    for (size_t left = strlen(text), n; left; text += n, left -= n) {
        utf8proc_int32_t point;
        utf8proc_ssize_t k = utf8proc_iterate((const utf8proc_uint8_t *)text, (utf8proc_ssize_t)left, &point);
        bool control = k > 0 && (point < ' ' || (point >= 0x7f && point < 0xa0)) && point != '\n' && point != '\t';
        n = k > 0 ? (size_t)k : 1;
        for (size_t i = 0; i < n && (k <= 0 || control); i++)
            cg_strbuf_printf(b, "\\x%02x", (unsigned)(unsigned char)text[i]);
        if (k > 0 && !control)
            cg_strbuf_write(b, text, n);
    }
}
