/* diag.c - mistakes of the user, as values.
 * Takes codes, spans and words; gives a list with an exit code.
 * Must not print by itself, and must not know who complains. How a list looks is diag_text.c. */
#include "base/diag_list.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *name, *title, *explanation, *example;
} codes[] = {
#define X(code, title, explanation, example) { #code, title, explanation, example },
#include "base/diag.def"
#undef X
};

CgDiags *cg_diags_new(CgSources *sources)
{
    CgDiags *d = cg_calloc(1, sizeof *d);
    d->sources = sources;
    d->arena = cg_arena_new();
    return d;
}

void cg_diags_free(CgDiags *d)
{
    if (!d)
        return;
    cg_arena_free(d->arena);
    free(d);
}

void cg_diags_clear(CgDiags *d)
{
    cg_arena_free(d->arena);
    *d = (CgDiags){ .sources = d->sources, .arena = cg_arena_new() };
}

static const char *words(CgArena *arena, const char *format, va_list args)
{
    CgStrbuf b = { 0 };
    cg_strbuf_plain_vprintf(&b, format, args);
    const char *s = cg_arena_strdup(arena, cg_strbuf_str(&b));
    cg_strbuf_deinit(&b);
    return s;
}

static CgDiag *add(CgDiags *d, CgCode code, CgSpan span, const char *format, va_list args, int exit)
{
    CgDiag *x = CG_NEW(d->arena, CgDiag);
    *x = (CgDiag){ .list = d, .code = code, .span = span, .message = words(d->arena, format, args), .exit = exit };
    x->serial = d->count + d->warnings;
    if (exit)
        d->count++;
    else
        d->warnings++;
    if (d->last)
        d->last->next = x;
    else
        d->first = x;
    d->last = x;
    return x;
}

CgDiag *cg_diag(CgDiags *d, CgCode code, CgSpan span, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    CgDiag *x = add(d, code, span, format, args, 1);
    va_end(args);
    return x;
}

CgDiag *cg_diag_warn(CgDiags *d, CgCode code, CgSpan span, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    CgDiag *x = add(d, code, span, format, args, 0);
    va_end(args);
    return x;
}

static void add_item(CgDiag *x, CgDiagItemKind kind, CgSpan span, const char *format, va_list args)
{
    CgDiagItem *p = CG_NEW(x->list->arena, CgDiagItem);
    *p = (CgDiagItem){ .kind = kind, .span = span, .text = words(x->list->arena, format, args) };
    CgDiagItem **end = &x->items;
    while (*end)
        end = &(*end)->next;
    *end = p;
}

void cg_diag_label(CgDiag *x, CgSpan span, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    add_item(x, CG_ITEM_LABEL, span, format, args);
    va_end(args);
}

void cg_diag_note(CgDiag *x, CgSpan span, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    add_item(x, CG_ITEM_NOTE, span, format, args);
    va_end(args);
}

void cg_diag_help(CgDiag *x, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    add_item(x, CG_ITEM_HELP, (CgSpan){ 0 }, format, args);
    va_end(args);
}

void cg_diag_fix(CgDiag *x, CgSpan span, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    add_item(x, CG_ITEM_FIX, span, format, args);
    va_end(args);
}

/* Whether the text of the span is the word, plain or as a string. */
static bool is_word(const CgDiag *x, const char *word, const char **quote)
{
    const CgSource *s = x->span.file ? cg_sources_get(x->list->sources, x->span.file) : NULL;
    size_t n = strlen(word), length = x->span.end - x->span.start;
    *quote = s && s->text[x->span.start] == '"' ? "\"" : "";
    size_t q = strlen(*quote);
    return s && length == n + 2 * q && !memcmp(s->text + x->span.start + q, word, n);
}

void cg_diag_fix_word(CgDiag *x, const char *word, const char *instead)
{
    const char *quote;
    if (is_word(x, word, &quote))
        cg_diag_fix(x, x->span, "%s%s%s", quote, instead, quote);
}

bool cg_diag_meant(CgDiag *x, const CgSuggest *near)
{
    const char *best = cg_suggest_best(near), *quote = "";
    if (!best || !x)
        return best != NULL;
    is_word(x, near->word, &quote);
    cg_diag_help(x, *quote ? "did you mean \"%s\"?" : "did you mean '%s'?", best);
    cg_diag_fix_word(x, near->word, best);
    return true;
}

bool cg_diag_meant_or_all(CgDiag *x, const CgSuggest *near, const char *are)
{
    CgStrbuf all = { 0 };
    bool said = cg_diag_meant(x, near) || cg_suggest_list(near, &all);
    if (all.len && x)
        cg_diag_help(x, "%s %s", are, cg_strbuf_str(&all));
    cg_strbuf_deinit(&all);
    return said;
}

CgDiag *cg_diag_err(CgDiags *d, CgSpan span, const CgErr *e)
{
    static const struct {
        CgCode code;
        int exit;
    } by_kind[] = {
        [CG_ERR_NONE] = { CG_E0901, 1 },
        [CG_ERR_INPUT] = { CG_E0901, 1 },
        [CG_ERR_IO] = { CG_E0902, 3 },
        [CG_ERR_MEMORY] = { CG_E0903, 3 },
        [CG_ERR_INTERRUPTED] = { CG_E0904, 130 },
    };
    CG_ASSERT(e->kind != CG_ERR_NONE, "a diagnostic of no error");
    CgDiag *x = cg_diag(d, by_kind[e->kind].code, span, "%s", e->text);
    x->exit = by_kind[e->kind].exit;
    if (e->hint[0])
        cg_diag_help(x, "%s", e->hint);
    return x;
}

static bool has(const CgDiags *list, const CgDiag *like)
{
    const CgDiag *d = list->first;
    while (d && (d->code != like->code || d->span.file != like->span.file || d->span.start != like->span.start))
        d = d->next;
    return d != NULL;
}

void cg_diags_common(CgDiags *to, CgDiags *const *lists, int n)
{
    for (const CgDiag *d = lists[0]->first; d; d = d->next) {
        bool everywhere = !has(to, d);
        for (int i = 1; i < n; i++)
            everywhere = everywhere && has(lists[i], d);
        if (!everywhere)
            continue;
        CgDiag *x = cg_diag(to, d->code, d->span, "%s", d->message);
        x->exit = d->exit;
        CgDiagItem **end = &x->items;
        for (const CgDiagItem *p = d->items; p; p = p->next, end = &(*end)->next) {
            *end = CG_NEW(to->arena, CgDiagItem);
            **end = (CgDiagItem){ .kind = p->kind, .span = p->span, .text = cg_arena_strdup(to->arena, p->text) };
        }
    }
}

size_t cg_diags_count(const CgDiags *d) { return d->count; }

const char *cg_diags_last(const CgDiags *d) { return d->last ? d->last->message : ""; }

int cg_diags_exit_code(const CgDiags *d)
{
    int gravest = 0;
    for (const CgDiag *x = d->first; x; x = x->next)
        gravest = x->exit > gravest ? x->exit : gravest;
    return gravest;
}

const char *cg_code_name(CgCode code) { return codes[code].name; }

const char *cg_code_title(CgCode code) { return codes[code].title; }

const char *cg_code_explanation(CgCode code) { return codes[code].explanation; }
const char *cg_code_example(CgCode code) { return codes[code].example; }

void cg_diags_fixes(const CgDiags *d, void (*each)(void *of, CgSpan span, const char *text), void *of)
{
    for (const CgDiag *x = d->first; x; x = x->next)
        for (const CgDiagItem *p = x->items; p; p = p->next)
            if (p->kind == CG_ITEM_FIX)
                each(of, p->span, p->text);
}
