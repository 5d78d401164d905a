/* upgrade.c - a script of the first edition as one of the second.
 * Takes a text that parses; gives the same text with the line `cg 2` and with what the second edition reads otherwise
 * written so that it means what it meant. Changes nothing else, and nothing in a script that has the line. */
#include <string.h>

#include "lang/cg_parse.h"
#include "lang/fmt.h"
#include "lang/parsing.h"

/* Where the line goes: behind the comments at the head of the file, before those of the first statement. */
static size_t head_end(const char *text, size_t len)
{
    size_t at = len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
    while (at < len && text[at] == '#' && !(at + 1 < len && text[at + 1] == '#')) {
        const char *end = memchr(text + at, '\n', len - at);
        at = end ? (size_t)(end - text) + 1 : len;
    }
    return at;
}

/* The string without its quotes, braces escaped. */
static void put_string(const char *s, size_t n, CgStrbuf *out)
{
    while (n > 0) {
        size_t brace = cg_scan_brace(s, n);
        cg_strbuf_write(out, s, brace);
        if (brace == n)
            return;
        cg_strbuf_puts(out, "\\{");
        s += brace + 1;
        n -= brace + 1;
    }
}

void cg_text_upgrade(const char *text, size_t len, CgStrbuf *out)
{
    CgArena *arena = cg_arena_new();
    CgParsing p = { .arena = arena, .text = text, .len = len, .edition = CG_EDITION };
    size_t copied = head_end(text, len);
    cg_strbuf_write(out, text, copied);
    if (copied > 0 && text[copied - 1] != '\n')
        cg_strbuf_putc(out, '\n');
    cg_strbuf_printf(out, "cg %d\n", CG_EDITION);
    cg_scan_open(&p);
    for (CgToken t; cg_scan_next(&p, &t) != T_END;) {
        if (t.kind != T_TEXT)
            continue;
        cg_strbuf_write(out, text + copied, t.span.start - copied);
        put_string(text + t.span.start, t.span.end - t.span.start, out);
        copied = t.span.end;
    }
    cg_strbuf_write(out, text + copied, len - copied);
    cg_scan_close(&p);
    cg_vec_free(&p.open);
    cg_vec_free(&p.comments);
    cg_arena_free(arena);
}
