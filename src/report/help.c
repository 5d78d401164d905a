/* help.c - what is known of a name.
 * Takes a name; asks each registry for it, in the order in which the language finds names: the script's own, the
 * library's, functions, ops; then words, types, fields and codes. A name that several have is told of each. */
#include <ctype.h>
#include <math.h>
#include <string.h>

#include "data/reader.h"
#include "data/synth.h"
#include "data/synth_kinds.h"
#include "elab/signature.h"
#include "graph/pass.h"
#include "graph/registry.h"
#include "lang/embedded.h"
#include "report/help.h"
#include "stage/stage.h"

typedef struct Word {
    const char *word, *form, *doc;
} Word;

static const Word keywords[] = {
#define WORD(word, token, form, doc) { word, form, doc },
#include "../grammar/words.def"
}, types[] = {
#define TYPE(name, doc) { name, "", doc },
#include "../grammar/words.def"
};

typedef struct Search {
    const char *name;
    CgStrbuf *out;
    CgSuggest *near;
    int found;
} Search;

/* Whether this is what is looked for; what is told of several is apart by a line. */
static bool is(Search *s, const char *candidate)
{
    cg_suggest_offer(s->near, candidate);
    if (strcmp(s->name, candidate) != 0)
        return false;
    if (s->found++)
        cg_strbuf_puts(s->out, "\n");
    return true;
}

static size_t length_of(const char *doc)
{
    size_t n = strlen(doc);
    while (n && doc[n - 1] == '\n')
        n--;
    return n;
}

/* The first sentence, on one line. */
static void print_row(CgStrbuf *out, const char *name, const char *doc)
{
    size_t n = length_of(doc ? doc : ""), end = n;
    for (size_t i = 0; i < n && end == n; i++)
        if (doc[i] == '.'
            && (i + 1 == n || doc[i + 1] == '\n'
                || (doc[i + 1] == ' ' && i + 2 < n && isupper((unsigned char)doc[i + 2]))))
            end = i + 1;
    cg_strbuf_printf(out, "  %-18s ", name);
    for (size_t i = 0; i < end; i++)
        cg_strbuf_putc(out, doc[i] == '\n' ? ' ' : doc[i]);
    cg_strbuf_puts(out, "\n");
}

static void print_entry(CgStrbuf *out, const char *name, const char *form, const char *kind, const char *doc)
{
    size_t n = doc ? length_of(doc) : 0;
    cg_strbuf_printf(out, "%s%s   (%s)\n", name, form, kind);
    if (n)
        cg_strbuf_printf(out, "\n%.*s\n", (int)n, doc);
}

/* ---- words, types, fields, codes ------------------------------------------------------------------------------- */

/* The blocks that have fields of the language's own. */
static const struct {
    const char *keyword, *heading;
    const CgBlockField *(*field)(size_t i);
} blocks[] = {
    { "train", "Its fields", cg_train_field },
    { "evaluate", "Its fields, beside columns", cg_evaluate_field },
};

static void print_fields_of(CgStrbuf *out, size_t block, const char *heading)
{
    const CgBlockField *field;
    cg_strbuf_printf(out, "\n%s:\n", heading);
    for (size_t i = 0; (field = blocks[block].field(i)); i++)
        print_row(out, field->name, field->doc);
}

static void print_fields(CgStrbuf *out)
{
    for (size_t b = 0; b < CG_LEN(blocks); b++) {
        char heading[40];
        snprintf(heading, sizeof heading, "Fields of %s", blocks[b].keyword);
        print_fields_of(out, b, heading);
    }
}

static void find_word(Search *s)
{
    for (size_t i = 0; i < CG_LEN(keywords); i++)
        if (is(s, keywords[i].word)) {
            print_entry(s->out, keywords[i].form, "", "keyword", keywords[i].doc);
            for (size_t b = 0; b < CG_LEN(blocks); b++)
                if (!strcmp(s->name, blocks[b].keyword))
                    print_fields_of(s->out, b, blocks[b].heading);
        }
}

/* The functions whose signature names the kind, in front of its results or behind. */
static void print_users(CgStrbuf *out, const char *kind, bool makes)
{
    const CgFunction *f;
    size_t n = strlen(kind);
    int found = 0;
    for (size_t i = 0; (f = cg_function_at(i)); i++) {
        const char *arrow = strstr(f->sig, ") ->"), *from = makes ? arrow : f->sig;
        for (const char *at = from; at && (at = strstr(at, kind)) && (makes || at < arrow); at += n)
            if (strchr(" |:(>", at[-1]) && strchr(" |,)[=", at[n])) {
                cg_strbuf_printf(out, "%s%s", found++ ? ", " : makes ? "\nMade by: " : "\nTaken by: ", f->name);
                break;
            }
    }
    if (found)
        cg_strbuf_puts(out, "\n");
}

static void find_type(Search *s)
{
    const CgClass *cls;
    for (size_t i = 0; i < CG_LEN(types); i++)
        if (is(s, types[i].word))
            print_entry(s->out, types[i].word, "", "type", types[i].doc);
    for (size_t i = 0; (cls = cg_class_at(i)); i++)
        if (is(s, cls->name)) {
            print_entry(s->out, cls->name, "", "type", cls->doc);
            print_users(s->out, cls->name, true);
            print_users(s->out, cls->name, false);
        }
}

static void find_field(Search *s)
{
    const CgBlockField *field;
    for (size_t b = 0; b < CG_LEN(blocks); b++)
        for (size_t i = 0; (field = blocks[b].field(i)); i++)
            if (is(s, field->name))
                cg_strbuf_printf(s->out, "%s: %s%s%s   (field of %s)\n\n%s\n", field->name, field->kind,
                    field->otherwise[0] ? ", otherwise " : ", must be there", field->otherwise, blocks[b].keyword,
                    field->doc);
}

static void find_code(Search *s)
{
    for (int code = 0; code < CG_NCODES; code++)
        if (is(s, cg_code_name((CgCode)code))) {
            const char *example = cg_code_example((CgCode)code);
            cg_strbuf_printf(
                s->out, "%s: %s\n\n%s\n", s->name, cg_code_title((CgCode)code), cg_code_explanation((CgCode)code));
            if (example[0])
                cg_strbuf_puts(s->out, "\nFor example:\n\n    ");
            for (const char *c = example; *c; c++)
                cg_strbuf_printf(s->out, *c == '\n' ? "\n    " : "%c", *c);
            if (example[0])
                cg_strbuf_puts(s->out, "\n");
        }
}

/* ---- declarations ---------------------------------------------------------------------------------------------- */

static bool is_declaration(const CgStmt *s)
{
    return s->kind == CG_STMT_GRAPH || s->kind == CG_STMT_DEF || s->kind == CG_STMT_OPTION || s->kind == CG_STMT_BIND;
}

static void print_declaration(CgStrbuf *out, const CgSource *source, const CgStmt *s, const char *where)
{
    CgSpan head = cg_stmt_head(s, source);
    cg_strbuf_printf(out, "%.*s   (%s)\n", (int)(head.end - head.start), source->text + head.start, where);
    if (s->doc)
        cg_strbuf_printf(out, "\n%.*s\n", (int)length_of(s->doc), s->doc);
}

static void find_declared(Search *s, const CgSources *sources, const CgUnit *unit, const char *where)
{
    for (int i = 0; i < unit->top.n; i++) {
        const CgStmt *stmt = unit->top.at[i];
        for (int k = 0; is_declaration(stmt) && k < stmt->nnames; k++)
            if (is(s, stmt->names[k]))
                print_declaration(s->out, cg_sources_get(sources, unit->file), stmt, where);
    }
}

/* The comment a file begins with. */
static void print_opening(CgStrbuf *out, const char *text)
{
    while (*text == '#' && text[1] != '#') {
        const char *end = strchr(text, '\n');
        size_t n = end ? (size_t)(end - text) : strlen(text), skip = text[1] == ' ' ? 2 : 1;
        cg_strbuf_printf(out, "%.*s\n", (int)(n - (n < skip ? n : skip)), text + (n < skip ? n : skip));
        text = end ? end + 1 : text + n;
    }
}

static void print_module(CgStrbuf *out, const CgEmbedded *module, const CgUnit *unit)
{
    print_opening(out, module->text);
    cg_strbuf_puts(out, "\n");
    for (int i = 0; i < unit->top.n; i++) {
        const CgStmt *stmt = unit->top.at[i];
        for (int k = 0; is_declaration(stmt) && k < stmt->nnames; k++)
            print_row(out, stmt->names[k], stmt->doc);
    }
}

/* The library: its modules, and the declarations of each. */
static void find_in_library(Search *s)
{
    for (const CgEmbedded *m = cg_embedded; m->module; m++) {
        CgSources *sources = cg_sources_new();
        CgDiags *diags = cg_diags_new(sources);
        CgUnit *unit = cg_unit_parse(sources, cg_sources_add(sources, m->module, m->text, strlen(m->text)), diags);
        if (is(s, m->module))
            print_module(s->out, m, unit);
        find_declared(s, sources, unit, m->module);
        cg_unit_free(unit);
        cg_diags_free(diags);
        cg_sources_free(sources);
    }
}

/* ---- functions and ops ----------------------------------------------------------------------------------------- */

static void find_function(Search *s)
{
    const CgFunction *f;
    for (size_t i = 0; (f = cg_function_at(i)); i++)
        if (is(s, f->name))
            print_entry(s->out, f->name, f->sig, "function", f->doc);
}

static void find_op(Search *s)
{
    cg_registry_init();
    for (size_t i = 0; i < cg_op_count(); i++) {
        const CgOp *op = cg_op_at(i);
        if (is(s, op->name))
            print_entry(s->out, op->name, op->sig, "op", op->doc);
    }
}

/* The functions of a family: `plot` of plot.line and plot.bar. */
static void find_family(Search *s)
{
    const CgFunction *f;
    size_t n = strlen(s->name);
    bool begun = false;
    for (size_t i = 0; (f = cg_function_at(i)); i++)
        if (!strncmp(f->name, s->name, n) && f->name[n] == '.') {
            if (!begun && s->found++)
                cg_strbuf_puts(s->out, "\n");
            begun = true;
            print_row(s->out, f->name, f->doc);
        }
}

/* ---- passes, formats and kinds of text ------------------------------------------------------------------------- */

static void find_pass(Search *s)
{
    const CgPass *pass;
    for (size_t i = 0; (pass = cg_pass_at(i)); i++)
        if (is(s, pass->name)) {
            print_entry(s->out, pass->name, "", "pass over graphs", pass->summary);
            cg_strbuf_printf(s->out, "\n%s; cg opt --pass=%s runs it alone.\n",
                pass->order ? "It runs on every graph that is computed" : "It runs where it is asked for", pass->name);
        }
}

static void print_endings(CgStrbuf *out, const CgReader *reader)
{
    for (int i = 0; reader->endings[i]; i++)
        cg_strbuf_printf(out, "%s%s", i ? ", " : "", reader->endings[i]);
}

/* By its name, or the end of a file's: jsonl, .jsonl. */
static void find_format(Search *s)
{
    const CgReader *reader;
    for (size_t i = 0; (reader = cg_reader_at(i)); i++) {
        bool ending = false;
        for (int k = 0; reader->endings[k]; k++)
            ending |= !strcmp(s->name, reader->endings[k]);
        if (!is(s, reader->name) && !(ending && (s->found++, true)))
            continue;
        print_entry(s->out, reader->name, "", "format of files", reader->doc);
        cg_strbuf_puts(s->out, "\nFiles that end in ");
        print_endings(s->out, reader);
        cg_strbuf_printf(s->out, "; read by %s.\n",
            reader->records      ? "corpus(.., field = ..), examples and read"
                : reader->unpack ? "whatever reads what it holds"
                                 : "corpus");
    }
}

static void find_synthetic(Search *s)
{
    for (int i = 0; i < cg_synth_count(); i++)
        if (is(s, cg_synth_kind(i)->name)) {
            print_entry(s->out, s->name, "", "kind of text made by rule", cg_synth_kind(i)->doc);
            double bits = cg_synth_entropy(cg_synth_kind(i), NAN);
            cg_strbuf_printf(s->out, "\nMade by: synthetic(\"%s\", size = 1000000)\n", s->name);
            if (isnan(bits))
                cg_strbuf_puts(s->out, "Its entropy has no closed form.\n");
            else
                cg_strbuf_printf(
                    s->out, "Its entropy is known: `.entropy`, %.6g bits a byte with the usual knob.\n", bits);
        }
}

/* ---- lists ----------------------------------------------------------------------------------------------------- */

static void list_ops(CgStrbuf *out)
{
    cg_registry_init();
    for (size_t i = 0; i < cg_op_count(); i++)
        print_row(out, cg_op_at(i)->name, cg_op_at(i)->doc);
}

static void list_functions(CgStrbuf *out)
{
    const CgFunction *f;
    for (size_t i = 0; (f = cg_function_at(i)); i++)
        print_row(out, f->name, f->doc);
}

static void list_keywords(CgStrbuf *out)
{
    for (size_t i = 0; i < CG_LEN(keywords); i++)
        print_row(out, keywords[i].word, keywords[i].doc);
}

static void list_types(CgStrbuf *out)
{
    const CgClass *cls;
    for (size_t i = 0; i < CG_LEN(types); i++)
        print_row(out, types[i].word, types[i].doc);
    for (size_t i = 0; (cls = cg_class_at(i)); i++)
        print_row(out, cls->name, cls->doc);
}

static void list_codes(CgStrbuf *out)
{
    for (int code = 0; code < CG_NCODES; code++)
        print_row(out, cg_code_name((CgCode)code), cg_code_title((CgCode)code));
}

static void list_passes(CgStrbuf *out)
{
    const CgPass *pass;
    for (size_t i = 0; (pass = cg_pass_at(i)); i++)
        print_row(out, pass->name, pass->summary);
}

static void list_formats(CgStrbuf *out)
{
    const CgReader *reader;
    for (size_t i = 0; (reader = cg_reader_at(i)); i++)
        print_row(out, reader->name, reader->doc);
}

static void list_kinds(CgStrbuf *out)
{
    for (int i = 0; i < cg_synth_count(); i++)
        print_row(out, cg_synth_kind(i)->name, cg_synth_kind(i)->doc);
}

static void list_modules(CgStrbuf *out)
{
    for (const CgEmbedded *m = cg_embedded; m->module; m++) {
        CgStrbuf opening = { 0 };
        print_opening(&opening, m->text);
        const char *text = cg_strbuf_str(&opening), *dash = strstr(text, " - ");
        print_row(out, m->module, dash ? dash + 3 : text);
        cg_strbuf_deinit(&opening);
    }
}

static const struct {
    const char *name;
    void (*print)(CgStrbuf *out);
} lists[] = { { "ops", list_ops }, { "functions", list_functions }, { "keywords", list_keywords },
    { "types", list_types }, { "fields", print_fields }, { "codes", list_codes }, { "modules", list_modules },
    { "passes", list_passes }, { "formats", list_formats }, { "kinds", list_kinds } };

const char *cg_help_list(size_t i) { return i < CG_LEN(lists) ? lists[i].name : NULL; }

bool cg_help(const char *name, const CgSources *sources, const CgProgram *program, CgStrbuf *out, CgSuggest *near)
{
    Search s = { name, out, near, 0 };
    for (int i = 0; program && i < program->n; i++) {
        const CgModule *m = &program->at[i];
        bool library = cg_embedded_find(m->name) != NULL;
        if (!library)
            find_declared(&s, sources, m->unit, m->name[0] ? m->name : cg_sources_get(sources, m->unit->file)->name);
    }
    find_in_library(&s);
    find_function(&s);
    find_op(&s);
    find_word(&s);
    find_type(&s);
    find_field(&s);
    find_code(&s);
    find_family(&s);
    find_pass(&s);
    find_format(&s);
    find_synthetic(&s);
    for (size_t i = 0; i < CG_LEN(lists); i++)
        if (is(&s, lists[i].name))
            lists[i].print(out);
    return s.found > 0;
}
