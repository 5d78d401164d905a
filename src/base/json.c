/* json.c - JSON in both directions.
 * Takes any bytes; gives a string that every reader of JSON accepts, or a value, on jansson. Must not trust that they
 * are UTF-8: paths are not always, and what is not becomes a question mark. */
#include "base/json.h"

#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

void cg_json_string(CgStrbuf *out, const char *text)
{
    const utf8proc_uint8_t *at = (const utf8proc_uint8_t *)text;
    utf8proc_ssize_t left = (utf8proc_ssize_t)strlen(text);
    cg_strbuf_putc(out, '"');
    while (left > 0) {
        utf8proc_int32_t code;
        utf8proc_ssize_t n = utf8proc_iterate(at, left, &code);
        if (n <= 0) {
            cg_strbuf_putc(out, '?');
            n = 1;
        } else if (code == '"' || code == '\\') {
            cg_strbuf_printf(out, "\\%c", (int)code);
        } else if (code < ' ') {
            cg_strbuf_printf(out, "\\u%04x", (unsigned)code);
        } else {
            cg_strbuf_write(out, (const char *)at, (size_t)n);
        }
        at += n;
        left -= n;
    }
    cg_strbuf_putc(out, '"');
}

json_t *cg_json_load(const char *bytes, size_t n, size_t flags, json_error_t *why)
{
    json_set_alloc_funcs(cg_malloc, free);
    json_t *v = json_loadb(bytes, n, flags, why);
    if (!v && n >= 3 && memcmp(bytes, "\xef\xbb\xbf", 3) == 0)
        snprintf(why->text, sizeof why->text, "JSON has no byte order mark before it; save it as UTF-8 without one");
    return v;
}
