/* reader_jsonl.c - JSON Lines: one object a line.
 * Takes lines; gives the fields asked for. Must not accept what is no JSON: duplicate keys are refused. */
#include <stdlib.h>

#include "base/json.h"
#include "base/strbuf.h"
#include "base/utf8.h"
#include "data/reader.h"

static bool no_field(const char *path, uint32_t line, const char *field, json_t *object, CgErr *e)
{
    size_t n = json_object_size(object), i = 0;
    const char **has = cg_calloc(n + 1, sizeof *has), *key;
    json_t *value;
    json_object_foreach(object, key, value) has[i++] = key;
    cg_reader_no_field(path, line, field, has, n, e);
    free(has);
    return false;
}

/* A string is its characters, everything else what JSON writes for it; *owned is to be freed. */
static bool text_of(json_t *value, CgText *out, char **owned)
{
    if (json_is_string(value)) {
        *out = (CgText){ json_string_value(value), json_string_length(value) };
        return true;
    }
    *owned = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);
    *out = (CgText){ *owned, *owned ? strlen(*owned) : 0 };
    return *owned && !json_is_object(value) && !json_is_null(value);
}

/* ---- what others write ----------------------------------------------------------------------------------- */

static int hex4(const char *at, const char *end)
{
    int x = 0;
    for (int i = 0; i < 4; i++) {
        char c = at + i < end ? at[i] : 'x';
        int digit = c >= '0' && c <= '9' ? c - '0' : (c | 32) >= 'a' && (c | 32) <= 'f' ? (c | 32) - 'a' + 10 : -1;
        if (digit < 0)
            return -1;
        x = 16 * x + digit;
    }
    return x;
}

/* A string, to behind its closing quote; half a surrogate pair becomes U+FFFD, as decoders of text have it. */
static const char *copy_string(const char *at, const char *end, CgStrbuf *out)
{
    cg_strbuf_putc(out, *at++);
    while (at < end && *at != '"') {
        int code = *at == '\\' && at + 1 < end && at[1] == 'u' ? hex4(at + 2, end) : -1;
        int low =
            code >= 0xd800 && code < 0xdc00 && at + 7 < end && at[6] == '\\' && at[7] == 'u' ? hex4(at + 8, end) : -1;
        size_t n = low >= 0xdc00 && low < 0xe000 ? 12 : code >= 0 ? 6 : *at == '\\' && at + 1 < end ? 2 : 1;
        if (n == 6 && code >= 0xd800 && code < 0xe000)
            cg_strbuf_puts(out, "\\ufffd");
        else
            cg_strbuf_write(out, at, n);
        at += n;
    }
    if (at < end)
        cg_strbuf_putc(out, *at++);
    return at;
}

/* Numbers that no integer or double holds become strings of their digits: a record has fields that nobody asks for. */
static void soften(CgText text, CgStrbuf *out)
{
    const char *at = text.at, *end = at + text.len;
    while (at < end) {
        if (*at == '"') {
            at = copy_string(at, end, out);
            continue;
        }
        size_t n = 0;
        while (at + n < end && (strchr("+-.eE", at[n]) ? at[n] != 0 : at[n] >= '0' && at[n] <= '9'))
            n++;
        bool digits = n && (*at == '-' || (*at >= '0' && *at <= '9'));
        bool large = digits && (n > 17 || memchr(at, 'e', n) || memchr(at, 'E', n));
        if (large)
            cg_strbuf_putc(out, '"');
        cg_strbuf_write(out, at, n ? n : 1);
        if (large)
            cg_strbuf_putc(out, '"');
        at += n ? n : 1;
    }
}

static json_t *parse(CgText text, json_error_t *why)
{
    json_t *object = cg_json_load(text.at, text.len, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, why);
    if (object)
        return object;
    json_error_t again;
    CgStrbuf soft = { 0 };
    soften(text, &soft);
    object = cg_json_load(soft.at ? soft.at : "", soft.len, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &again);
    cg_strbuf_deinit(&soft);
    return object;
}

static bool read_record(
    const char *path, uint32_t line, CgText text, CgFields fields, CgRecordFn *each, void *arg, CgErr *e)
{
    json_error_t why;
    json_t *object = parse(text, &why);
    if (!object)
        return cg_err(e, CG_ERR_INPUT, "%s:%u: not a JSON value: %s", path, line, why.text);
    bool ok = json_is_object(object) || cg_err(e, CG_ERR_INPUT, "%s:%u: not a JSON object", path, line);
    CgText *value = cg_calloc((size_t)fields.n + 1, sizeof *value);
    char **owned = cg_calloc((size_t)fields.n + 1, sizeof *owned);
    for (int i = 0; ok && i < fields.n; i++) {
        json_t *of = json_object_get(object, fields.name[i]);
        if (!of)
            ok = no_field(path, line, fields.name[i], object, e);
        else if (!text_of(of, &value[i], &owned[i]))
            ok = cg_err(e, CG_ERR_INPUT, "%s:%u: field '%s' is %s", path, line, fields.name[i],
                json_is_null(of) ? "null" : "an object");
    }
    ok = ok && each(arg, line, value, e);
    for (int i = 0; i < fields.n; i++)
        free(owned[i]);
    free(owned);
    free(value);
    json_decref(object);
    return ok;
}

static bool records(const char *path, CgText text, CgFields fields, CgRecordFn *each, void *arg, CgErr *e)
{
    const char *at = text.at, *end = at + text.len;
    if (!fields.before && !cg_utf8_begin(path, &at, &text.len, e))
        return false;
    for (uint32_t line = fields.before + 1; at < end; line++) {
        const char *stop = memchr(at, '\n', (size_t)(end - at));
        size_t n = stop ? (size_t)(stop - at) : (size_t)(end - at);
        bool blank = true;
        for (size_t i = 0; i < n && blank; i++)
            blank = at[i] == ' ' || at[i] == '\t' || at[i] == '\r';
        if (!blank && !read_record(path, line, (CgText){ at, n }, fields, each, arg, e))
            return false;
        at += n + (stop != NULL);
    }
    return true;
}

CG_READER(jsonl, .endings = (const char *const[]){ ".jsonl", ".ndjson", NULL }, .doc = "JSON Lines: one object a line",
    .records = records, .by_line = true)
