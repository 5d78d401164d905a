/* lsp_document.c - the documents of an editor.
 * Takes addresses, texts and places of the protocol; gives paths and offsets in bytes. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tool/lsp.h"

/* file:///a/b%20c is the path /a/b c; NULL for other addresses. */
static char *path_of(const char *uri)
{
    if (strncmp(uri, "file://", 7) != 0)
        return NULL;
    CgStrbuf path = { 0 };
    for (const char *c = uri + 7; *c; c++) {
        unsigned byte;
        if (*c == '%' && isxdigit((unsigned char)c[1]) && isxdigit((unsigned char)c[2])
            && sscanf(c + 1, "%2x", &byte)) {
            cg_strbuf_putc(&path, (char)byte);
            c += 2;
        } else {
            cg_strbuf_putc(&path, *c);
        }
    }
    return cg_strbuf_take(&path);
}

char *cg_uri_of(const char *path)
{
    CgStrbuf uri = { 0 };
    char *real = cg_io_real(path);
    cg_strbuf_puts(&uri, "file://");
    for (const char *c = real ? real : path; *c; c++)
        if (isalnum((unsigned char)*c) || strchr("/-._~", *c))
            cg_strbuf_putc(&uri, *c);
        else
            cg_strbuf_printf(&uri, "%%%02X", (unsigned char)*c);
    free(real);
    return cg_strbuf_take(&uri);
}

CgDocument *cg_editor_find(CgEditor *editor, const char *uri)
{
    for (size_t i = 0; i < editor->open.len; i++)
        if (!strcmp(editor->open.at[i].uri, uri))
            return &editor->open.at[i];
    return NULL;
}

CgDocument *cg_editor_put(CgEditor *editor, const char *uri, const char *text)
{
    CgDocument *d = cg_editor_find(editor, uri);
    if (!d) {
        char *path = path_of(uri);
        if (!path)
            return NULL;
        cg_vec_push(&editor->open, ((CgDocument){ .uri = cg_strdup(uri), .path = path }));
        d = &editor->open.at[editor->open.len - 1];
    }
    free(d->text);
    d->text = cg_strdup(text);
    return d;
}

static void release(CgDocument *d)
{
    free(d->uri);
    free(d->path);
    free(d->text);
}

void cg_editor_close(CgEditor *editor, const char *uri)
{
    CgDocument *d = cg_editor_find(editor, uri);
    if (!d)
        return;
    release(d);
    *d = editor->open.at[--editor->open.len];
}

void cg_editor_free(CgEditor *editor)
{
    for (size_t i = 0; i < editor->open.len; i++)
        release(&editor->open.at[i]);
    cg_vec_free(&editor->open);
}

/* ---- places ---- */

/* UTF-16 code units of the character that begins here: none for the bytes that go on with one. */
static int units(char c)
{
    unsigned char byte = (unsigned char)c;
    return (byte & 0xc0) == 0x80 ? 0 : byte >= 0xf0 ? 2 : 1;
}

json_t *cg_position_of(const char *text, uint32_t offset)
{
    json_int_t line = 0, character = 0;
    for (uint32_t i = 0; i < offset && text[i]; i++) {
        character += units(text[i]);
        if (text[i] == '\n') {
            line++;
            character = 0;
        }
    }
    json_t *position = json_object();
    json_object_set_new(position, "line", json_integer(line));
    json_object_set_new(position, "character", json_integer(character));
    return position;
}

uint32_t cg_offset_of(const char *text, json_t *position)
{
    json_int_t line = json_integer_value(json_object_get(position, "line"));
    json_int_t character = json_integer_value(json_object_get(position, "character"));
    const char *at = text, *next;
    for (; line > 0 && (next = strchr(at, '\n')); line--)
        at = next + 1;
    if (line > 0)
        return (uint32_t)strlen(text);
    while (*at && *at != '\n' && (character > 0 || units(*at) == 0))
        character -= units(*at++);
    return (uint32_t)(at - text);
}

json_t *cg_range_of(const char *text, uint32_t start, uint32_t end)
{
    json_t *range = json_object();
    json_object_set_new(range, "start", cg_position_of(text, start));
    json_object_set_new(range, "end", cg_position_of(text, end));
    return range;
}
