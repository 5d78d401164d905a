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

/* ---- formats ---------------------------------------------------------------------------------------------
 * Those of texts and integers alone are written here. A library below OpenBLAS registers conversions of its own, which
 * makes each printf of the process several times slower, and half of what a finished script does is making texts. */

static const char *const conversions[] = { "s", "c", "d", "lld", "llu", "zu", ".*s", "%" };
enum { TEXT, CHAR, INT, LONG, UNSIGNED, SIZE, PART, PERCENT, OTHER };

/* The conversion at `at`, behind its '%'. */
static int conversion(const char *at)
{
    for (int i = 0; i < OTHER; i++)
        if (!strncmp(at, conversions[i], strlen(conversions[i])))
            return i;
    return OTHER;
}

static bool is_simple(const char *format)
{
    for (const char *at = format; (at = strchr(at, '%')); at += strlen(conversions[conversion(at + 1)]) + 1)
        if (conversion(at + 1) == OTHER)
            return false;
    return true;
}

static void put_integer(CgStrbuf *b, bool minus, uint64_t n)
{
    char digits[24], *at = digits + sizeof digits;
    do
        *--at = (char)('0' + n % 10);
    while (n /= 10);
    if (minus)
        *--at = '-';
    cg_strbuf_write(b, at, (size_t)(digits + sizeof digits - at));
}

static void put_signed(CgStrbuf *b, int64_t n) { put_integer(b, n < 0, n < 0 ? -(uint64_t)n : (uint64_t)n); }

static void put_part(CgStrbuf *b, int most, const char *s)
{
    s = s ? s : "(null)";
    cg_strbuf_write(b, s, most < 0 ? strlen(s) : strnlen(s, (size_t)most));
}

static void put_simple(CgStrbuf *b, const char *format, va_list args)
{
    for (const char *at = format, *next; *at; at = next) {
        size_t n = strcspn(at, "%");
        int most, which = at[n] ? conversion(at + n + 1) : OTHER;
        cg_strbuf_write(b, at, n);
        next = at + n + (at[n] ? 1 + strlen(conversions[which]) : 0);
        switch (which) {
        case TEXT: put_part(b, -1, va_arg(args, const char *)); break;
        case CHAR: cg_strbuf_putc(b, (char)va_arg(args, int)); break;
        case INT: put_signed(b, va_arg(args, int)); break;
        case LONG: put_signed(b, va_arg(args, long long)); break;
        case UNSIGNED: put_integer(b, false, va_arg(args, unsigned long long)); break;
        case SIZE: put_integer(b, false, va_arg(args, size_t)); break;
        case PART:
            most = va_arg(args, int);
            put_part(b, most, va_arg(args, const char *));
            break;
        case PERCENT: cg_strbuf_putc(b, '%'); break;
        default: break;
        }
    }
}

void cg_strbuf_vprintf(CgStrbuf *b, const char *format, va_list args)
{
    va_list again;
    if (is_simple(format)) {
        reserve(b, 0);
        b->at[b->len] = 0;
        put_simple(b, format, args);
        return;
    }
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

void cg_strbuf_plain_vprintf(CgStrbuf *b, const char *format, va_list args)
{
    CgStrbuf text = { 0 };
    cg_strbuf_vprintf(&text, format, args);
    cg_strbuf_plain(b, cg_strbuf_str(&text));
    cg_strbuf_deinit(&text);
}
