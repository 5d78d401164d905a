/* report.c - an experiment as one page that opens anywhere.
 * Takes texts, numbers, tables and figures; gives HTML that asks for nothing from outside: figures are in it, and so
 * are where each part comes from and the rows it was computed from. Equal results give equal bytes. */
#include <stdlib.h>
#include <string.h>

#include "library/claim.h"
#include "library/library.h"
#include "report/figure.h"

enum { SHOWN = 60 };                /* rows of a table on the page; all of them are below it */
static const size_t ROOM = 1500000; /* bytes of a page up to which rows are put on it ... */
static const size_t MOST = 2000000; /* ... and beyond which it is said */

typedef struct Page {
    CgSession *x;
    CgStrbuf out;
    CG_VEC(CgStage *) all;  /* behind any part, each once */
    CG_VEC(CgStage *) part; /* behind the part at hand */
    bool failed;
} Page;

static const char style[] =
    ":root{color-scheme:light dark}"
    "body{font:16px/1.5 sans-serif;max-width:60em;margin:2em auto;padding:0 1em;background:#fff;color:#1a1a1a}"
    "table{border-collapse:collapse;display:block;overflow-x:auto}td,th{padding:.2em .8em;border-bottom:1px solid #bbb;"
    "text-align:right}td.text,th.text{text-align:left}"
    "figure{margin:1em 0}figure svg{max-width:100%;height:auto;background:#fff;color:#000}"
    "details{margin:.3em 0 1.5em;font-size:.9em}pre{overflow-x:auto;font-size:.9em}small{color:#555}"
    "@media(prefers-color-scheme:dark){body{background:#161616;color:#e6e6e6}small{color:#aaa}"
    "td,th{border-color:#555}figure svg{filter:invert(1) hue-rotate(180deg)}a{color:#8ab4f8}}";

static void put_text(Page *p, const char *s)
{
    for (; *s; s++)
        switch (*s) {
        case '&': cg_strbuf_puts(&p->out, "&amp;"); break;
        case '<': cg_strbuf_puts(&p->out, "&lt;"); break;
        case '>': cg_strbuf_puts(&p->out, "&gt;"); break;
        case '"': cg_strbuf_puts(&p->out, "&quot;"); break;
        default: cg_strbuf_putc(&p->out, *s);
        }
}

static void put_within(Page *p, const char *tag, const char *text)
{
    cg_strbuf_printf(&p->out, "<%s>", tag);
    put_text(p, text);
    cg_strbuf_printf(&p->out, "</%.*s>\n", (int)strcspn(tag, " "), tag);
}

/* ---- where a part comes from ---------------------------------------------------------------------------- */

static void add_stage(Page *p, CgStage *s)
{
    for (size_t i = 0; i < p->part.len; i++)
        if (p->part.at[i] == s)
            return;
    for (int i = 0; i < s->ninputs; i++)
        add_stage(p, s->inputs[i]);
    cg_vec_push(&p->part, s);
    for (size_t i = 0; i < p->all.len; i++)
        if (p->all.at[i] == s)
            return;
    cg_vec_push(&p->all, s);
}

static void add_stages(void *page, const CgValue *v)
{
    Page *p = page;
    if (v->kind == CG_VALUE_STAGE)
        add_stage(p, v->stage);
    else if (v->kind == CG_VALUE_INSTANCE && v->instance->weights)
        add_stages(p, v->instance->weights);
    bool several = v->kind == CG_VALUE_CALL || v->kind == CG_VALUE_LIST || v->kind == CG_VALUE_RECORD;
    for (int i = 0; several && i < v->n; i++)
        add_stages(p, v->at[i]);
    if (v->kind == CG_VALUE_CALL && !strcmp(v->function->name, "claims"))
        cg_claims_values(p->x, add_stages, p);
}

static size_t number_of(const Page *p, const CgStage *s)
{
    size_t i = 0;
    while (p->all.at[i] != s)
        i++;
    return i + 1;
}

/* File, line, and the expression as it is written there. */
static void put_place(Page *p, CgSpan span)
{
    const CgSource *file = span.file ? cg_sources_get(p->x->sources, span.file) : NULL;
    if (!file)
        return;
    int line = 1;
    for (uint32_t i = 0; i < span.start; i++)
        line += file->text[i] == '\n';
    char *written = cg_calloc(span.end - span.start + 1, 1);
    memcpy(written, file->text + span.start, span.end - span.start);
    put_text(p, file->name);
    cg_strbuf_printf(&p->out, ":%d<pre>", line);
    put_text(p, written);
    cg_strbuf_puts(&p->out, "</pre>\n");
    free(written);
}

static void put_origin(Page *p, const CgValue *v)
{
    p->part.len = 0;
    add_stages(p, v);
    cg_strbuf_puts(&p->out, "<details><summary>where this comes from</summary>\n");
    put_place(p, v->span);
    for (size_t i = 0; i < p->part.len; i++) {
        const CgStage *s = p->part.at[i];
        cg_strbuf_printf(&p->out, "%s<a href=\"#stage-%zu\">", i ? " &middot; " : "made of ", number_of(p, s));
        put_text(p, s->label);
        cg_strbuf_puts(&p->out, "</a>");
    }
    cg_strbuf_puts(&p->out, "</details>\n");
}

static void put_stage(Page *p, CgStage *s)
{
    CgStrbuf settings = { 0 }, rows = { 0 };
    char hex[33] = "";
    if (s->keyed)
        cg_digest_hex(s->key, hex);
    cg_strbuf_printf(&p->out, "<details id=\"stage-%zu\"><summary>", number_of(p, s));
    put_text(p, s->kind->name);
    cg_strbuf_putc(&p->out, ' ');
    put_text(p, s->label);
    cg_strbuf_printf(&p->out, " <small>%s, version %d</small></summary>\n", hex, s->kind->version);
    put_place(p, s->span);
    cg_stage_settings(s, &settings);
    put_within(p, "pre", cg_strbuf_str(&settings));
    if (s->table)
        cg_table_csv(s->table, &rows);
    if (s->table && p->out.len + rows.len <= ROOM)
        put_within(p, "pre", cg_strbuf_str(&rows));
    else if (s->table)
        cg_strbuf_printf(&p->out, "<p>Its %zu rows (%zu bytes) are left out: the page would be too large.</p>\n",
            s->table->rows, rows.len);
    cg_strbuf_puts(&p->out, "</details>\n");
    cg_strbuf_deinit(&settings);
    cg_strbuf_deinit(&rows);
}

/* ---- parts ---------------------------------------------------------------------------------------------- */

static void put_table(Page *p, const CgTable *t)
{
    cg_strbuf_puts(&p->out, "<table><tr>");
    for (int c = 0; c < t->ncolumns; c++)
        put_within(p, t->column[c].kind == CG_TEXT ? "th class=text" : "th", t->column[c].name);
    cg_strbuf_puts(&p->out, "</tr>\n");
    for (size_t r = 0; r < t->rows && r < SHOWN; r++) {
        cg_strbuf_puts(&p->out, "<tr>");
        for (int c = 0; c < t->ncolumns; c++) {
            CgStrbuf cell = { 0 };
            bool text = t->column[c].kind == CG_TEXT && !t->column[c].at[r].missing;
            if (!text)
                cg_table_cell(t, r, c, &cell);
            put_within(p, t->column[c].kind == CG_TEXT ? "td class=text" : "td",
                text ? t->column[c].at[r].text : cg_strbuf_str(&cell));
            cg_strbuf_deinit(&cell);
        }
        cg_strbuf_puts(&p->out, "</tr>\n");
    }
    cg_strbuf_puts(&p->out, "</table>\n");
    if (t->rows > SHOWN)
        cg_strbuf_printf(&p->out, "<p>The first %d of %zu rows.</p>\n", SHOWN, t->rows);
    for (int c = 0; c < t->ncolumns; c++)
        if (t->column[c].signature) {
            cg_strbuf_puts(&p->out, "<small>");
            put_text(p, t->column[c].name);
            cg_strbuf_puts(&p->out, ": ");
            put_text(p, t->column[c].signature);
            cg_strbuf_puts(&p->out, "</small><br>\n");
        }
}

/* All rows, as numbers that read back to the same bits. */
static void put_rows(Page *p, const CgTable *t)
{
    CgStrbuf rows = { 0 };
    cg_table_csv(t, &rows);
    if (p->out.len + rows.len <= ROOM) {
        cg_strbuf_puts(&p->out, "<details><summary>its rows</summary>\n");
        put_within(p, "pre", cg_strbuf_str(&rows));
        cg_strbuf_puts(&p->out, "</details>\n");
    } else
        cg_strbuf_printf(&p->out, "<p>Its %zu rows are left out: the page would be too large.</p>\n", t->rows);
    cg_strbuf_deinit(&rows);
}

static void put_figure(Page *p, const CgFigure *f, CgSpan span)
{
    CgStrbuf script = { 0 }, picture = { 0 };
    CgErr err = { 0 };
    bool absent = false;
    cg_figure_script(f, "svg", &script);
    if (!cg_gnuplot_run(&script, &picture, &absent, &err)) {
        cg_session_err(p->x, span, &err);
        p->failed = true;
    }
    const char *svg = absent ? NULL : strstr(cg_strbuf_str(&picture), "<svg");
    if (svg) {
        cg_strbuf_puts(&p->out, "<figure>");
        cg_strbuf_puts(&p->out, svg);
        cg_strbuf_puts(&p->out, "</figure>\n");
    } else {
        cg_strbuf_puts(&p->out, "<p>The figure is not drawn: there was no gnuplot. Its numbers:</p>\n");
        put_table(p, f->data);
    }
    put_rows(p, f->data);
    cg_strbuf_deinit(&script);
    cg_strbuf_deinit(&picture);
}

/* `v` is the value as it is described, `found` as it was found out. */
static void put_part(Page *p, const CgValue *v, const CgValue *found)
{
    if (found->kind == CG_VALUE_LIST || found->kind == CG_VALUE_RECORD) {
        for (int i = 0; i < found->n; i++) {
            if (found->kind == CG_VALUE_RECORD)
                put_within(p, "h3", found->keys[i]);
            put_part(p, v->kind == found->kind && v->n == found->n ? v->at[i] : v, found->at[i]);
        }
        return;
    }
    const CgClass *cls = found->kind == CG_VALUE_OBJECT ? found->cls : NULL;
    if (found->kind == CG_VALUE_STR && v->kind == CG_VALUE_STR) {
        put_within(p, "p", found->s);
        return;
    }
    if (cls == &cg_class_table) {
        const CgTable *t = found->held;
        put_table(p, t);
        put_rows(p, t);
    } else if (cls == &cg_class_figure) {
        put_figure(p, found->held, v->span);
    } else {
        CgStrbuf text = { 0 };
        if (cls && cls->show)
            cls->show(found->held, &text);
        else if (cg_value_class(found) && cg_value_class(found)->show_value)
            cg_value_class(found)->show_value(p->x, found, &text);
        else
            cg_value_print(found, &text);
        put_within(p, "pre", cg_strbuf_str(&text));
        cg_strbuf_deinit(&text);
    }
    put_origin(p, v);
}

/* The script, what was set from outside, and which cg it was. */
static void put_run(Page *p)
{
    CgSession *x = p->x;
    char hex[33];
    cg_digest_hex(cg_session_script_digest(x), hex);
    cg_strbuf_puts(&p->out, "<p>");
    put_text(p, x->path);
    cg_strbuf_printf(&p->out, " <small>%s</small>, cg %s, seed +%lld", hex, PACKAGE_VERSION, (long long)x->opts.seed);
    for (int i = 0; i < x->opts.nsettings; i++) {
        cg_strbuf_puts(&p->out, "<br>--set ");
        put_text(p, x->opts.settings[i].name);
        cg_strbuf_putc(&p->out, '=');
        put_text(p, x->opts.settings[i].text);
    }
    cg_strbuf_puts(&p->out, "</p>\n<details><summary>the script</summary>\n");
    put_within(p, "pre", cg_sources_get(x->sources, cg_env_module(cg_elab_script(x->elab))->unit->file)->text);
    cg_strbuf_puts(&p->out, "</details>\n");
}

static CgValue *run_report(CgSession *x, const CgValue *call, CgValue **args)
{
    Page p = { .x = x };
    cg_strbuf_puts(&p.out,
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
        "<meta name=\"viewport\" content=\"width=device-width\">\n");
    put_within(&p, "title", args[0]->s);
    cg_strbuf_printf(&p.out, "<style>%s</style></head><body>\n", style);
    put_within(&p, "h1", args[0]->s);
    for (int i = 0; i < args[1]->n && !cg_session_stopped(x); i++)
        put_part(&p, call->at[1]->at[i], args[1]->at[i]);
    cg_strbuf_puts(&p.out, "<h2>Where it comes from</h2>\n");
    put_run(&p);
    for (size_t i = 0; i < p.all.len; i++)
        put_stage(&p, p.all.at[i]);
    cg_strbuf_puts(&p.out, "</body></html>\n");
    if (p.out.len > MOST)
        cg_session_say(
            x, "warning: the page has %.1f MB; figures of fewer points would make it smaller", (double)p.out.len / 1e6);
    CgValue *out =
        p.failed || cg_session_stopped(x) ? NULL : cg_value_str(x->elab, cg_intern(cg_strbuf_str(&p.out)), call->span);
    cg_strbuf_deinit(&p.out);
    cg_vec_free(&p.all);
    cg_vec_free(&p.part);
    return out;
}

static const CgFunction fn_report = { CG_FUNCTION_HERE, .name = "report", .sig = "(title: str, parts: list) -> str",
    .traits = CG_LATER, .run = run_report,
    .doc =
        "An experiment as one page of HTML: save report(\"Title\", [\"text\", table, figure, claims()]) as \"x.html\". "
        "It opens without a network, light or dark; behind each part are the line it comes from, the trainings and "
        "evaluations it is made of with settings, seeds and digests, and the rows it was computed from." };

CG_FUNCTIONS(report, &fn_report)
