/* lsp_answer.c - what an editor asks about a document.
 * Takes a document and a place; checks the script as the editor has it and gives what the check knows: mistakes with
 * their fixes, types and shapes, help, declarations and uses, names that fit. Runs nothing and reads no data. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "elab/signature.h"
#include "experiment/experiment.h"
#include "lang/fmt.h"
#include "report/help.h"
#include "tool/lsp.h"

/* ---- a check of the document ---- */

typedef struct Check {
    CgSession *x;
    CgNameUses uses;
    CgOpenText *texts;
} Check;

static void check(CgEditor *editor, const CgDocument *d, CgLook *look, Check *out)
{
    *out = (Check){ .texts = cg_calloc(editor->open.len + 1, sizeof *out->texts) };
    for (size_t i = 0; i < editor->open.len; i++)
        out->texts[i] =
            (CgOpenText){ editor->open.at[i].path, editor->open.at[i].text, strlen(editor->open.at[i].text) };
    const CgSessionOpts opts = {
        .quiet = true, .texts = out->texts, .ntexts = (int)editor->open.len, .uses = &out->uses, .look = look
    };
    out->x = cg_experiment_new(d->path, &opts);
}

static void end(Check *c)
{
    cg_experiment_free(c->x);
    cg_vec_free(&c->uses);
    free(c->texts);
}

/* The file of the document among the sources; 0: the script could not be read. */
static uint32_t file_of(const Check *c)
{
    return c->x->program && c->x->program->n ? c->x->program->at[c->x->program->n - 1].unit->file : 0;
}

static bool is_word(char c) { return isalnum((unsigned char)c) || c == '_'; }

static char *cut(const char *text, size_t n)
{
    CgStrbuf out = { 0 };
    cg_strbuf_write(&out, text, n);
    return cg_strbuf_take(&out);
}

/* The word at a place: where it begins, and its length. */
static size_t word_at(const char *text, uint32_t at, uint32_t *start)
{
    while (at > 0 && is_word(text[at - 1]))
        at--;
    *start = at;
    size_t n = 0;
    while (is_word(text[at + n]))
        n++;
    return n;
}

/* ---- mistakes ---- */

static uint32_t offset_in(json_t *mistake, const char *end)
{
    return (uint32_t)json_integer_value(json_object_get(json_object_get(mistake, end), "offset"));
}

/* Whether the place of a mistake, or of a part of it, is in the document. */
static bool is_in_document(const Check *c, json_t *item)
{
    const char *file = json_string_value(json_object_get(item, "file"));
    return file && file_of(c) && !strcmp(file, cg_sources_get(c->x->sources, file_of(c))->name);
}

/* The mistakes as cg check --json says them, a list. */
static json_t *mistakes_of(const Check *c)
{
    CgStrbuf lines = { 0 };
    json_t *all = json_array();
    cg_diags_json(c->x->diags, &lines);
    for (const char *at = cg_strbuf_str(&lines), *stop; (stop = strchr(at, '\n')); at = stop + 1)
        json_array_append_new(all, cg_json_load(at, (size_t)(stop - at), 0, NULL));
    cg_strbuf_deinit(&lines);
    return all;
}

static void add_related(const Check *c, const CgDocument *d, json_t *mistake, json_t *out)
{
    static const char *const kinds[] = { "labels", "notes" };
    json_t *related = json_array(), *item;
    size_t i;
    for (size_t k = 0; k < CG_LEN(kinds); k++)
        json_array_foreach(json_object_get(mistake, kinds[k]), i, item)
        {
            if (!is_in_document(c, item))
                continue;
            json_t *location = json_pack("{s:s, s:o}", "uri", d->uri, "range",
                cg_range_of(d->text, offset_in(item, "start"), offset_in(item, "end")));
            json_array_append_new(
                related, json_pack("{s:o, s:O}", "location", location, "message", json_object_get(item, "text")));
        }
    if (json_array_size(related))
        json_object_set(out, "relatedInformation", related);
    json_decref(related);
}

/* The message, with help and with notes of other files below it. */
static json_t *message_of(const Check *c, json_t *mistake)
{
    static const char *const kinds[] = { "notes", "help" };
    CgStrbuf text = { 0 };
    json_t *item;
    size_t i;
    const char *file = json_string_value(json_object_get(mistake, "file"));
    if (file && !is_in_document(c, mistake))
        cg_strbuf_printf(&text, "%s:%d: ", file,
            (int)json_integer_value(json_object_get(json_object_get(mistake, "start"), "line")));
    cg_strbuf_puts(&text, json_string_value(json_object_get(mistake, "message")));
    for (size_t k = 0; k < CG_LEN(kinds); k++)
        json_array_foreach(json_object_get(mistake, kinds[k]), i, item)
        {
            if (!is_in_document(c, item))
                cg_strbuf_printf(
                    &text, "\n%s: %s", k ? "help" : "note", json_string_value(json_object_get(item, "text")));
        }
    json_t *message = json_string(cg_strbuf_str(&text));
    cg_strbuf_deinit(&text);
    return message;
}

json_t *cg_answer_diagnostics(CgEditor *editor, const CgDocument *d)
{
    Check c;
    check(editor, d, NULL, &c);
    json_t *all = mistakes_of(&c), *out = json_array(), *mistake;
    size_t i;
    json_array_foreach(all, i, mistake)
    {
        bool here = is_in_document(&c, mistake);
        json_t *one = json_pack("{s:o, s:i, s:O, s:s, s:o}", "range",
            cg_range_of(d->text, here ? offset_in(mistake, "start") : 0, here ? offset_in(mistake, "end") : 0),
            "severity", strcmp(json_string_value(json_object_get(mistake, "severity")), "error") ? 2 : 1, "code",
            json_object_get(mistake, "code"), "source", "cg", "message", message_of(&c, mistake));
        add_related(&c, d, mistake, one);
        json_array_append_new(out, one);
    }
    json_decref(all);
    end(&c);
    return out;
}

json_t *cg_answer_actions(CgEditor *editor, const CgDocument *d, uint32_t from, uint32_t to)
{
    Check c;
    check(editor, d, NULL, &c);
    json_t *all = mistakes_of(&c), *out = json_array(), *mistake, *fix;
    size_t i, k;
    json_array_foreach(all, i, mistake)
    {
        if (!is_in_document(&c, mistake) || offset_in(mistake, "start") > to || offset_in(mistake, "end") < from)
            continue;
        json_array_foreach(json_object_get(mistake, "fixes"), k, fix)
        {
            json_t *text = json_object_get(fix, "text");
            json_t *edit = json_pack("{s:o, s:O}", "range",
                cg_range_of(d->text, offset_in(fix, "start"), offset_in(fix, "end")), "newText", text);
            json_array_append_new(out,
                json_pack("{s:o, s:s, s:{s:{s:[o]}}}", "title", json_sprintf("write %s", json_string_value(text)),
                    "kind", "quickfix", "edit", "changes", d->uri, edit));
        }
    }
    json_decref(all);
    end(&c);
    return out;
}

/* ---- names ---- */

/* The use at a place; NULL: no name is known there. */
static const CgNameUse *use_at(const Check *c, uint32_t at)
{
    for (size_t i = 0; i < c->uses.len; i++) {
        const CgNameUse *u = &c->uses.at[i];
        if (u->use.file == file_of(c) && u->use.start <= at && at <= u->use.end)
            return u;
    }
    return NULL;
}

/* NULL: the library inside the program, which has no file. */
static json_t *location_of(const Check *c, CgSpan span)
{
    const CgSource *s = cg_sources_get(c->x->sources, span.file);
    char *real = cg_io_real(s->name);
    if (!real)
        return NULL;
    char *uri = cg_uri_of(s->name);
    json_t *location = json_pack("{s:s, s:o}", "uri", uri, "range", cg_range_of(s->text, span.start, span.end));
    free(uri);
    free(real);
    return location;
}

json_t *cg_answer_definition(CgEditor *editor, const CgDocument *d, uint32_t at)
{
    Check c;
    check(editor, d, NULL, &c);
    const CgNameUse *u = use_at(&c, at);
    json_t *out = u ? location_of(&c, u->declared) : NULL;
    end(&c);
    return out ? out : json_null();
}

static bool same_span(CgSpan a, CgSpan b) { return a.file == b.file && a.start == b.start && a.end == b.end; }

/* Places of one declaration, each once, in the order of the text. */
static json_t *locations_of(const Check *c, CgSpan declared)
{
    json_t *out = json_array();
    for (size_t i = 0; i < c->uses.len; i++) {
        const CgNameUse *u = &c->uses.at[i];
        bool again = !same_span(u->declared, declared);
        for (size_t k = 0; k < i && !again; k++)
            again = same_span(c->uses.at[k].use, u->use);
        json_t *location = again ? NULL : location_of(c, u->use);
        if (location)
            json_array_append_new(out, location);
    }
    return out;
}

json_t *cg_answer_references(CgEditor *editor, const CgDocument *d, uint32_t at)
{
    Check c;
    check(editor, d, NULL, &c);
    const CgNameUse *u = use_at(&c, at);
    json_t *out = u ? locations_of(&c, u->declared) : json_array();
    end(&c);
    return out;
}

/* Names of the library stay what they are. */
json_t *cg_answer_rename(CgEditor *editor, const CgDocument *d, uint32_t at, const char *name)
{
    Check c;
    check(editor, d, NULL, &c);
    const CgNameUse *u = use_at(&c, at);
    uint32_t start;
    json_t *declared = u && word_at(name, 0, &start) == strlen(name) && *name && !isdigit((unsigned char)*name)
        ? location_of(&c, u->declared)
        : NULL;
    json_t *changes = declared ? json_object() : NULL,
           *locations = declared ? locations_of(&c, u->declared) : json_array();
    json_t *location;
    size_t i;
    json_array_foreach(locations, i, location)
    {
        const char *uri = json_string_value(json_object_get(location, "uri"));
        if (!json_object_get(changes, uri))
            json_object_set_new(changes, uri, json_array());
        json_array_append_new(json_object_get(changes, uri),
            json_pack("{s:O, s:s}", "range", json_object_get(location, "range"), "newText", name));
    }
    json_decref(locations);
    json_decref(declared);
    end(&c);
    return changes ? json_pack("{s:o}", "changes", changes) : json_null();
}

/* ---- hover ---- */

/* The name with what stands before its points: plot of plot.line. */
static char *whole_name(const char *text, uint32_t start, size_t n)
{
    uint32_t from = start;
    while (from > 1 && text[from - 1] == '.' && is_word(text[from - 2])) {
        from--;
        while (from > 0 && is_word(text[from - 1]))
            from--;
    }
    return cut(text + from, start + n - from);
}

json_t *cg_answer_hover(CgEditor *editor, const CgDocument *d, uint32_t at)
{
    CgLook look = { .offset = at };
    Check c;
    check(editor, d, &look, &c);
    uint32_t start;
    size_t n = word_at(d->text, at, &start);
    CgStrbuf out = { 0 };
    if (look.n)
        cg_strbuf_printf(&out, "```\n%s\n```\n", cg_strbuf_str(&look.text));
    char *name = whole_name(d->text, start, n), *last = cut(d->text + start, n);
    const CgNameUse *u = use_at(&c, at);
    bool local = u && u->declared.file == file_of(&c) && look.n;
    CgSuggest near;
    CgStrbuf help = { 0 };
    cg_suggest_init(&near, name);
    if (n && !local
        && (cg_help(name, c.x->sources, c.x->program, &help, &near)
            || cg_help(last, c.x->sources, c.x->program, &help, &near)))
        cg_strbuf_printf(&out, "%s```\n%s```\n", out.len ? "\n" : "", cg_strbuf_str(&help));
    json_t *hover = out.len ? json_pack("{s:{s:s, s:s}, s:o}", "contents", "kind", "markdown", "value",
                        cg_strbuf_str(&out), "range", cg_range_of(d->text, start, start + (uint32_t)n))
                            : json_null();
    free(name);
    free(last);
    cg_strbuf_deinit(&help);
    cg_strbuf_deinit(&out);
    cg_strbuf_deinit(&look.text);
    end(&c);
    return hover;
}

/* ---- completion ---- */

enum { KIND_FUNCTION = 3, KIND_VARIABLE = 6, KIND_MODULE = 9, KIND_KEYWORD = 14 };

static void offer(json_t *out, const char *prefix, const char *name, int kind)
{
    size_t i;
    json_t *known;
    if (strncmp(name, prefix, strlen(prefix)) != 0)
        return;
    json_array_foreach(out, i, known)
    {
        if (!strcmp(json_string_value(json_object_get(known, "label")), name))
            return;
    }
    json_array_append_new(out, json_pack("{s:s, s:i}", "label", name, "kind", kind));
}

/* What a module gives to those that import it. */
static bool declares(const CgStmt *s) { return s->kind != CG_STMT_IMPORT && s->kind != CG_STMT_TEST; }

/* After a point: functions of the family, or names of the module with that alias. */
static void offer_members(const Check *c, const char *before, const char *prefix, json_t *out)
{
    const CgFunction *f;
    size_t n = strlen(before);
    for (size_t i = 0; (f = cg_function_at(i)); i++)
        if (!strncmp(f->name, before, n) && f->name[n] == '.')
            offer(out, prefix, f->name + n + 1, KIND_FUNCTION);
    for (int m = 0; c->x->program && m < c->x->program->n; m++) {
        const CgModule *module = &c->x->program->at[m];
        for (int i = 0; m == c->x->program->n - 1 && i < module->nimports; i++)
            if (module->imports[i].stmt->a && !strcmp(module->imports[i].stmt->a->s, before)) {
                const CgBlock *top = &c->x->program->at[module->imports[i].module].unit->top;
                for (int k = 0; k < top->n; k++)
                    for (int j = 0; j < top->at[k]->nnames && declares(top->at[k]); j++)
                        offer(out, prefix, top->at[k]->names[j], KIND_VARIABLE);
            }
    }
}

/* Rows of a list of `cg help`: the names. */
static void offer_list(const char *list, const char *prefix, int kind, json_t *out)
{
    CgStrbuf text = { 0 };
    CgSuggest near;
    cg_suggest_init(&near, list);
    cg_help(list, NULL, NULL, &text, &near);
    for (const char *at = cg_strbuf_str(&text); (at = strstr(at, "  ")) != NULL;) {
        char name[64];
        size_t n = strcspn(at += 2, " \n");
        snprintf(name, sizeof name, "%.*s", (int)n, at);
        if (n && n < sizeof name)
            offer(out, prefix, name, kind);
        at += strcspn(at, "\n");
    }
    cg_strbuf_deinit(&text);
}

json_t *cg_answer_completion(CgEditor *editor, const CgDocument *d, uint32_t at)
{
    Check c;
    check(editor, d, NULL, &c);
    uint32_t start, from;
    word_at(d->text, at, &start);
    char *prefix = cut(d->text + start, at - start);
    json_t *out = json_array();
    if (start > 0 && d->text[start - 1] == '.') {
        size_t n = word_at(d->text, start - 1, &from);
        char *before = cut(d->text + from, n);
        offer_members(&c, before, prefix, out);
        free(before);
    } else {
        for (size_t i = 0; i < c.uses.len; i++)
            if (c.uses.at[i].use.file == file_of(&c) && c.uses.at[i].name[0] != '.')
                offer(out, prefix, c.uses.at[i].name, KIND_VARIABLE);
        offer_list("keywords", prefix, KIND_KEYWORD, out);
        offer_list("fields", prefix, KIND_VARIABLE, out);
        offer_list("functions", prefix, KIND_FUNCTION, out);
        offer_list("ops", prefix, KIND_FUNCTION, out);
        for (const CgModule *m = c.x->program ? c.x->program->at : NULL; m && m < c.x->program->at + c.x->program->n;
             m++)
            for (int k = 0; k < m->unit->top.n; k++)
                for (int j = 0; j < m->unit->top.at[k]->nnames; j++)
                    if (m->unit->top.at[k]->kind == CG_STMT_GRAPH || m->unit->top.at[k]->kind == CG_STMT_DEF)
                        offer(out, prefix, m->unit->top.at[k]->names[j], KIND_FUNCTION);
    }
    free(prefix);
    end(&c);
    return out;
}

/* ---- formatting ---- */

/* One edit of the whole text; none where it is canonical, or does not parse. */
json_t *cg_answer_formatting(const CgDocument *d)
{
    CgSources *sources = cg_sources_new();
    CgDiags *diags = cg_diags_new(sources);
    uint32_t file = cg_sources_add(sources, d->path, d->text, strlen(d->text));
    CgUnit *unit = cg_unit_parse(sources, file, diags);
    CgStrbuf text = { 0 };
    json_t *out = json_array();
    if (cg_diags_count(diags) == 0)
        cg_unit_format(unit, sources, &text);
    if (text.len && strcmp(cg_strbuf_str(&text), d->text) != 0)
        json_array_append_new(out,
            json_pack("{s:o, s:s}", "range", cg_range_of(d->text, 0, (uint32_t)strlen(d->text)), "newText",
                cg_strbuf_str(&text)));
    cg_strbuf_deinit(&text);
    cg_unit_free(unit);
    cg_diags_free(diags);
    cg_sources_free(sources);
    return out;
}
