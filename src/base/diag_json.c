/* diag_json.c - mistakes as data.
 * Takes a list; gives a line of JSON for each of them, in the order of their places. What is not there is left out. */
#include <stdlib.h>

#include "base/diag_list.h"
#include "base/json.h"

static void put_position(const CgDiags *d, CgSpan span, CgStrbuf *out)
{
    if (!span.file)
        return;
    cg_strbuf_puts(out, "\"file\":");
    cg_json_string(out, cg_sources_get(d->sources, span.file)->name);
    for (int end = 0; end < 2; end++) {
        CgSpan at = { span.file, end ? span.end : span.start, span.end };
        int line, column;
        cg_sources_position(d->sources, at, &line, &column);
        cg_strbuf_printf(
            out, ",\"%s\":{\"line\":%d,\"column\":%d,\"offset\":%u}", end ? "end" : "start", line, column, at.start);
    }
    cg_strbuf_putc(out, ',');
}

static void put_items(const CgDiags *d, const CgDiag *x, CgDiagItemKind kind, const char *name, CgStrbuf *out)
{
    int found = 0;
    for (const CgDiagItem *p = x->items; p; p = p->next) {
        if (p->kind != kind)
            continue;
        if (found++)
            cg_strbuf_putc(out, ',');
        else
            cg_strbuf_printf(out, ",\"%s\":[", name);
        cg_strbuf_putc(out, '{');
        put_position(d, p->span, out);
        cg_strbuf_puts(out, "\"text\":");
        cg_json_string(out, p->text);
        cg_strbuf_putc(out, '}');
    }
    if (found)
        cg_strbuf_putc(out, ']');
}

void cg_diags_json(const CgDiags *d, CgStrbuf *out)
{
    size_t n;
    const CgDiag **all = cg_diags_sorted(d, &n);
    for (size_t i = 0; i < n; i++) {
        cg_strbuf_putc(out, '{');
        put_position(d, all[i]->span, out);
        cg_strbuf_printf(out, "\"severity\":\"%s\",\"code\":\"%s\",\"message\":", all[i]->exit ? "error" : "warning",
            cg_code_name(all[i]->code));
        cg_json_string(out, all[i]->message);
        put_items(d, all[i], CG_ITEM_LABEL, "labels", out);
        put_items(d, all[i], CG_ITEM_NOTE, "notes", out);
        put_items(d, all[i], CG_ITEM_HELP, "help", out);
        put_items(d, all[i], CG_ITEM_FIX, "fixes", out);
        cg_strbuf_puts(out, "}\n");
    }
    free(all);
}
