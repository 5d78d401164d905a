/* report.c - an experiment as one page that opens anywhere.
 * Takes texts, numbers, tables, figures, models and matrices; gives HTML that asks for nothing from outside: figures
 * are in it, and so are where each part comes from and the rows it was computed from. Equal results give equal bytes.
 */
#include <stdlib.h>
#include <string.h>

#include "library/claim.h"
#include "library/library.h"
#include "report/dot.h"
#include "report/layout.h"
#include "report/figure.h"

enum { SHOWN = 60 };                /* rows of a table on the page; all of them are below it */
static const size_t ROOM = 1300000; /* bytes of a page up to which rows are put on it ... */
static const size_t MOST = 2000000; /* ... and beyond which it is said */

/* A stage whose settings stand on the page. */
typedef struct Written {
    const CgStage *stage;
    char *text;
} Written;

typedef struct Page {
    CgSession *x;
    CG_VEC(Written) written;
    CgStrbuf out;
    CG_VEC(CgStage *) all;  /* behind any part, each once */
    CgMap number;           /* of a stage in `all`, from 1 */
    CG_VEC(CgStage *) part; /* behind the part at hand */
    bool failed;
} Page;

static const char style[] =
    ":root{color-scheme:light dark}"
    "body{font:16px/1.5 sans-serif;max-width:60em;margin:2em auto;padding:0 1em;background:#fff;color:#1a1a1a}"
    "table{border-collapse:collapse;display:block;overflow-x:auto}td,th{padding:.2em .8em;border-bottom:1px solid #bbb;"
    "text-align:right}td.text,th.text{text-align:left}"
    "figure{margin:1em 0}figure svg{max-width:100%;height:auto;background:#fff;color:#000}"
    "figure.own svg{background:none}"
    "details{margin:.3em 0 1.5em;font-size:.9em}pre{overflow-x:auto;font-size:.9em}small{color:#555}"
    "@media(prefers-color-scheme:dark){body{background:#161616;color:#e6e6e6}small{color:#aaa}"
    "td,th{border-color:#555}figure svg{filter:invert(1) hue-rotate(180deg)}figure.own "
    "svg{filter:none}a{color:#8ab4f8}}";

/* What is no UTF-8, as a model may write it, is said as \\x1b. */
static void put_text(Page *p, const char *text)
{
    CgStrbuf plain = { 0 };
    cg_strbuf_plain(&plain, text);
    for (const char *s = cg_strbuf_str(&plain); *s; s++)
        switch (*s) {
        case '&': cg_strbuf_puts(&p->out, "&amp;"); break;
        case '<': cg_strbuf_puts(&p->out, "&lt;"); break;
        case '>': cg_strbuf_puts(&p->out, "&gt;"); break;
        case '"': cg_strbuf_puts(&p->out, "&quot;"); break;
        default: cg_strbuf_putc(&p->out, *s);
        }
    cg_strbuf_deinit(&plain);
}

static void put_within(Page *p, const char *tag, const char *text)
{
    cg_strbuf_printf(&p->out, "<%s>", tag);
    put_text(p, text);
    cg_strbuf_printf(&p->out, "</%.*s>\n", (int)strcspn(tag, " "), tag);
}

/* ---- where a part comes from ---------------------------------------------------------------------------- */

/* With all that it is made of, what stands first before the rest; then as one that a part is made of directly. */
static void add_stage(Page *p, CgStage *s, bool direct)
{
    uint64_t known;
    for (size_t i = 0; direct && i < p->part.len; i++)
        if (p->part.at[i] == s)
            return;
    if (direct)
        cg_vec_push(&p->part, s);
    if (cg_map_get(&p->number, cg_map_ptr(s), &known))
        return;
    for (int i = 0; i < s->ninputs; i++)
        add_stage(p, s->inputs[i], false);
    cg_vec_push(&p->all, s);
    cg_map_put(&p->number, cg_map_ptr(s), p->all.len);
}

static void add_stages(void *page, const CgValue *v)
{
    Page *p = page;
    if (v->kind == CG_VALUE_STAGE)
        add_stage(p, v->stage, true);
    else if (v->kind == CG_VALUE_INSTANCE && cg_weights_stage(v->instance->weights))
        add_stage(p, cg_weights_stage(v->instance->weights), true);
    bool several = v->kind == CG_VALUE_CALL || v->kind == CG_VALUE_LIST || v->kind == CG_VALUE_RECORD;
    for (int i = 0; several && i < v->n; i++)
        add_stages(p, v->at[i]);
    if (v->kind == CG_VALUE_CALL && !strcmp(v->function->name, "claims"))
        cg_claims_values(p->x, add_stages, p);
}

static void put_link(Page *p, const char *before, const CgStage *s)
{
    uint64_t number = 0;
    cg_map_get(&p->number, cg_map_ptr(s), &number);
    cg_strbuf_printf(&p->out, "%s<a href=\"#stage-%d\">", before, (int)number);
    put_text(p, s->label);
    cg_strbuf_puts(&p->out, "</a>");
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
    for (size_t i = 0; i < p->part.len; i++)
        put_link(p, i ? " &middot; " : "made of ", p->part.at[i]);
    cg_strbuf_puts(&p->out, "</details>\n");
}

static bool has_line(const char *text, const char *line, size_t n)
{
    for (const char *s = text; (s = strstr(s, line)); s++)
        if ((s == text || s[-1] == '\n') && (s[n] == '\n' || !s[n]))
            return true;
    return false;
}

/* The lines of `text` that `other` has not, each behind `sign`. */
static void add_lines(const char *sign, const char *text, const char *other, CgStrbuf *out)
{
    CgStrbuf line = { 0 };
    for (const char *s = text; *s;) {
        size_t n = strcspn(s, "\n");
        line.len = 0;
        cg_strbuf_write(&line, s, n);
        if (n && !has_line(other, cg_strbuf_str(&line), n))
            cg_strbuf_printf(out, "%s%s\n", sign, cg_strbuf_str(&line));
        s += n + (s[n] == '\n');
    }
    cg_strbuf_deinit(&line);
}

/* Of the last stages of one expression whose settings stand on the page, that from which `own` differs least; NULL:
 * there is none that says half of it. */
static const CgStage *nearest(const Page *p, const CgStage *s, const CgStrbuf *own, CgStrbuf *difference)
{
    enum { MOST_TRIED = 6 };
    const CgStage *best = NULL;
    int tried = 0;
    for (size_t i = p->written.len; i-- > 0 && tried < MOST_TRIED;) {
        const CgStage *t = p->written.at[i].stage;
        if (t->kind != s->kind || t->span.file != s->span.file || t->span.start != s->span.start)
            continue;
        CgStrbuf d = { 0 };
        add_lines("", cg_strbuf_str(own), p->written.at[i].text, &d);
        add_lines("not ", p->written.at[i].text, cg_strbuf_str(own), &d);
        tried++;
        if (d.len * 2 <= own->len && (!best || d.len < difference->len)) {
            cg_strbuf_deinit(difference);
            *difference = d;
            best = t;
        } else
            cg_strbuf_deinit(&d);
    }
    return best;
}

/* Where it is written and its settings; where they are nearly those of another stage, what differs. */
static void put_settings(Page *p, CgStage *s)
{
    CgStrbuf own = { 0 }, difference = { 0 };
    cg_stage_settings(s, &own);
    const CgStage *like = nearest(p, s, &own, &difference);
    if (!like) {
        put_place(p, s->span);
        put_within(p, "pre", cg_strbuf_str(&own));
        cg_vec_push(&p->written, (Written){ s, cg_strbuf_take(&own) });
    } else {
        put_link(p, "written and set as ", like);
        cg_strbuf_puts(&p->out, difference.len ? ", but " : "\n");
        if (difference.len)
            put_within(p, "pre", cg_strbuf_str(&difference));
    }
    cg_strbuf_deinit(&own);
    cg_strbuf_deinit(&difference);
}

static void put_stage(Page *p, CgStage *s)
{
    CgStrbuf rows = { 0 };
    char hex[33] = "";
    uint64_t number = 0;
    if (s->keyed)
        cg_digest_hex(s->key, hex);
    cg_map_get(&p->number, cg_map_ptr(s), &number);
    cg_strbuf_printf(&p->out, "<details id=\"stage-%d\"><summary>", (int)number);
    put_text(p, s->kind->name);
    cg_strbuf_putc(&p->out, ' ');
    put_text(p, s->label);
    cg_strbuf_printf(&p->out, " <small>%s, version %d</small></summary>\n", hex, s->kind->version);
    put_settings(p, s);
    for (int i = 0; i < s->ninputs; i++)
        put_link(p, i ? " &middot; " : "made of ", s->inputs[i]);
    if (s->table)
        cg_table_csv(s->table, &rows);
    if (s->table && p->out.len + rows.len <= ROOM)
        put_within(p, "pre", cg_strbuf_str(&rows));
    else if (s->table)
        cg_strbuf_printf(&p->out, "<p>%zu rows: left out.</p>\n", s->table->rows);
    cg_strbuf_puts(&p->out, "</details>\n");
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

static void put_drawn(Page *p, const char *kind, const CgStrbuf *picture)
{
    const char *svg = strstr(cg_strbuf_str(picture), "<svg");
    CgStrbuf plain = { 0 };
    cg_strbuf_plain(&plain, svg ? svg : "");
    cg_strbuf_printf(&p->out, "<figure%s>", kind);
    cg_strbuf_puts(&p->out, cg_strbuf_str(&plain));
    cg_strbuf_puts(&p->out, "</figure>\n");
    cg_strbuf_deinit(&plain);
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
    if (!absent && strstr(cg_strbuf_str(&picture), "<svg")) {
        put_drawn(p, "", &picture);
    } else {
        cg_strbuf_puts(&p->out, "<p>The figure is not drawn: there was no gnuplot. Its numbers:</p>\n");
        put_table(p, f->data);
    }
    put_rows(p, f->data);
    cg_strbuf_deinit(&script);
    cg_strbuf_deinit(&picture);
}

/* ---- pictures ---- */

static bool is_frozen(void *model, const char *path)
{
    const CgParamInfo *param = cg_model_param(model, cg_intern(path));
    return param && (param->frozen || param->auxiliary);
}

/* A trained model as cg dot draws it; false where there is none, or nobody who draws. */
static bool put_model(Page *p, const CgValue *v)
{
    const CgValue *weights = v->kind == CG_VALUE_INSTANCE ? v->instance->weights : NULL;
    if (!weights || weights->kind != CG_VALUE_STAGE || v->instance->submodule_path)
        return false;
    const CgStage *trained = weights->stage;
    CgModelGraph *m = trained->model;
    CgGraph forward = *m->graph; /* read only */
    size_t n = 0;
    while (n < forward.outputs.len && strncmp(forward.outputs.at[n].name, "grad.", 5) != 0)
        n++;
    forward.outputs.len = n;
    CgPictureOptions o = {
        .clusters = true, .fold = true, .sources = p->x->sources, .frozen = is_frozen, .context = m
    };
    CgPicture *picture = cg_picture_build(&forward, &o);
    cg_layout_depth(picture, false);
    CgDrawing how = { .name = "model", .legend = picture->legend, .format = "svg" };
    CgStrbuf svg = { 0 };
    CgErr err = { 0 };
    bool good = cg_dot_write(picture, &how, &svg, &err);
    if (good)
        put_drawn(p, " class=own", &svg);
    cg_picture_free(picture);
    cg_strbuf_deinit(&svg);
    return good;
}

/* Numbers as a heat map, where they are not too many; false else. */
static bool put_array(Page *p, const CgTensor *t)
{
    CgStrbuf script = { 0 }, svg = { 0 };
    CgErr err = { 0 };
    bool absent = false;
    bool good = t->rank > 1 && cg_tensor_count(t) <= 20000 && cg_matrix_script(t, "svg", &script, &err)
        && cg_gnuplot_run(&script, &svg, &absent, &err) && !absent;
    if (good)
        put_drawn(p, "", &svg);
    cg_strbuf_deinit(&script);
    cg_strbuf_deinit(&svg);
    return good;
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
    } else if (cls != &cg_class_array || !put_array(p, found->held)) {
        put_model(p, found);
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
    for (size_t i = 0; i < p.written.len; i++)
        free(p.written.at[i].text);
    cg_vec_free(&p.written);
    cg_map_deinit(&p.number);
    cg_vec_free(&p.all);
    cg_vec_free(&p.part);
    return out;
}

static const CgFunction fn_report = { CG_FUNCTION_HERE, .name = "report", .sig = "(title: str, parts: list) -> str",
    .traits = CG_LATER, .run = run_report,
    .doc = "An experiment as one page of HTML: save report(\"Title\", [\"text\", table, figure, model, matrix, "
           "claims()]) as "
           "\"x.html\". A trained model is drawn as cg dot draws it, a matrix as a heat map. "
           "It opens without a network, light or dark; behind each part are the line it comes from, the trainings and "
           "evaluations it is made of with settings, seeds and digests, and the rows it was computed from." };

CG_FUNCTIONS(report, &fn_report)
