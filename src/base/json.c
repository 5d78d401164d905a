/* json.c - JSON in both directions.
 * Takes any bytes; gives a string that every reader of JSON accepts, or a value, on jansson. Must not trust that they
 * are UTF-8: paths are not always, and what is not becomes a question mark. */
#include "base/json.h"

#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

#include "base/fault.h"

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

/* Jansson does not look at every allocation of its own: a string may come out cut. So it is looked at here. */
static _Thread_local bool refused;

static void *allocate(size_t n)
{
    void *p = cg_fault_memory() ? NULL : malloc(n ? n : 1);
    refused |= !p;
    return p;
}

json_t *cg_json_load(const char *bytes, size_t n, size_t flags, json_error_t *why)
{
    json_set_alloc_funcs(allocate, free);
    refused = false;
    json_t *value = json_loadb(bytes, n, flags, why);
    if (!refused)
        return value;
    json_decref(value);
    *why = (json_error_t){ .text = "out of memory" };
    why->text[JSON_ERROR_TEXT_LENGTH - 1] = (char)json_error_out_of_memory; /* where json_error_code looks */
    return NULL;
}

bool cg_json_fault(CgErr *e, const char *path, const json_error_t *why, const char *format, ...)
{
    if (json_error_code(why) == json_error_out_of_memory)
        return cg_err(e, CG_ERR_MEMORY, "not enough memory to read '%s'", path);
    CgStrbuf b = { 0 };
    va_list args;
    va_start(args, format);
    cg_strbuf_vprintf(&b, format, args);
    va_end(args);
    cg_err(e, CG_ERR_INPUT, "%s", cg_strbuf_str(&b));
    cg_strbuf_deinit(&b);
    return false;
}
