/* cmd_fmt.c - cg fmt FILE... [--check] [--upgrade].
 * Takes scripts; writes each back in its canonical text, or stdin to stdout for "-". A script with mistakes
 * is left as it is and its mistakes are printed. Must not write what does not parse to the same tree. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "experiment/experiment.h"
#include "lang/fmt.h"
#include "lang/parse.h"
#include "tool/dump.h"

static char *tree_of(const CgUnit *u)
{
    char *tree = NULL;
    size_t size;
    FILE *to = open_memstream(&tree, &size);
    if (!to)
        return NULL;
    cg_unit_print(u, to);
    fclose(to);
    return tree;
}

/* The last guard before a file is overwritten. */
static void demand_same_tree(const CgUnit *u, CgSources *sources, const CgStrbuf *text)
{
    CgDiags *diags = cg_diags_new(sources);
    CgUnit *again = cg_unit_parse(sources, cg_sources_add(sources, "formatted", cg_strbuf_str(text), text->len), diags);
    char *before = tree_of(u), *after = tree_of(again);
    if (cg_diags_count(diags) > 0 || (before && after && strcmp(before, after) != 0))
        CG_BUG("the canonical text of '%s' means something else", cg_sources_get(sources, u->file)->name);
    free(before);
    free(after);
    cg_unit_free(again);
    cg_diags_free(diags);
}

static int finish(const char *path, const CgSource *source, const CgStrbuf *text, bool check)
{
    bool same = source->len == text->len && memcmp(source->text, cg_strbuf_str(text), text->len) == 0;
    if (strcmp(path, "-") == 0 && !check) {
        fwrite(cg_strbuf_str(text), 1, text->len, stdout);
        return CG_EXIT_OK;
    }
    if (same)
        return CG_EXIT_OK;
    if (check) {
        printf("%s\n", source->name);
        return CG_EXIT_DIAG;
    }
    CgErr e = { 0 };
    return cg_io_write(path, cg_strbuf_str(text), text->len, &e) ? CG_EXIT_OK : cg_complain("fmt", &e);
}

static bool load(CgSources *sources, const char *path, uint32_t *file, CgErr *e)
{
    if (strcmp(path, "-") != 0)
        return cg_sources_load(sources, path, file, e);
    CgBytes bytes;
    if (!cg_io_read_stdin(&bytes, e))
        return false;
    *file = cg_sources_add(sources, "stdin", bytes.at, bytes.len);
    cg_io_release(&bytes);
    return true;
}

/* A change of a text: what stands in the span becomes the words. */
typedef struct Edit {
    CgSpan span;
    const char *text;
} Edit;

static int by_start(const void *a, const void *b)
{
    const Edit *x = a, *y = b;
    return x->span.start < y->span.start ? -1 : x->span.start > y->span.start;
}

typedef struct Edits {
    CG_VEC(Edit) at;
    uint32_t script;
} Edits;

static void add_fix(void *of, CgSpan span, const char *text)
{
    Edits *edits = of;
    if (span.file == edits->script)
        cg_vec_push(&edits->at, ((Edit){ span, text }));
}

/* The script's text with the fixes that `cg check --json` offers and, of the first edition, with '//' where '/' gave an
 * integer whenever it was evaluated. */
static void mend(const char *path, const CgSource *source, bool quotients, CgStrbuf *out)
{
    CgMap places = { 0 };
    const CgSessionOpts opts = { .quiet = true, .checking = true, .quotients = quotients ? &places : NULL };
    CgSession *x = cg_experiment_new(path, &opts);
    Edits edits = { .script = x->program ? x->program->at[x->program->n - 1].unit->file : 0 };
    cg_diags_fixes(x->diags, add_fix, &edits);
    for (size_t i = 0; i < places.cap; i++)
        if (places.slot[i].used && places.slot[i].value == 1 && places.slot[i].key >> 32 == edits.script) {
            uint32_t start = (uint32_t)places.slot[i].key;
            add_fix(&edits, (CgSpan){ edits.script, start, start + 1 }, "//");
        }
    if (edits.at.len)
        qsort(edits.at.at, edits.at.len, sizeof *edits.at.at, by_start);
    size_t at = 0;
    for (size_t i = 0; i < edits.at.len; i++) {
        const Edit *edit = &edits.at.at[i];
        if (edit->span.start < at || edit->span.end > source->len)
            continue; /* within another one */
        cg_strbuf_write(out, source->text + at, edit->span.start - at);
        cg_strbuf_puts(out, edit->text);
        at = edit->span.end;
    }
    cg_strbuf_write(out, source->text + at, source->len - at);
    cg_vec_free(&edits.at);
    cg_map_deinit(&places);
    cg_experiment_free(x);
}

/* The file's text in the second edition of the language, with the fixes that are known. Of stdin it is the text alone.
 */
static uint32_t upgraded(CgSources *sources, uint32_t file, const char *path)
{
    CgDiags *ignored = cg_diags_new(sources);
    CgUnit *u = cg_unit_parse(sources, file, ignored);
    const CgSource *source = cg_sources_get(sources, file);
    CgStrbuf mended = { 0 };
    if (strcmp(path, "-") == 0)
        cg_strbuf_write(&mended, source->text, source->len);
    else
        mend(path, source, u->edition < CG_EDITION, &mended);
    char *name = cg_strdup(source->name);
    if (u->edition < CG_EDITION) {
        CgStrbuf text = { 0 };
        cg_text_upgrade(cg_strbuf_str(&mended), mended.len, &text);
        file = cg_sources_add(sources, name, cg_strbuf_str(&text), text.len);
        cg_strbuf_deinit(&text);
    } else {
        file = cg_sources_add(sources, name, cg_strbuf_str(&mended), mended.len);
    }
    free(name);
    cg_strbuf_deinit(&mended);
    cg_unit_free(u);
    cg_diags_free(ignored);
    return file;
}

static int format_file(const char *path, bool check, bool upgrade, CgDump stage)
{
    CgSources *sources = cg_sources_new();
    CgDiags *diags = cg_diags_new(sources);
    CgErr e = { 0 };
    uint32_t file;
    int code;
    if (!load(sources, path, &file, &e)) {
        code = cg_complain("fmt", &e);
    } else {
        uint32_t given = file;
        if (upgrade)
            file = upgraded(sources, file, path);
        CgUnit *u = cg_unit_parse(sources, file, diags);
        code = cg_diags_exit_code(diags);
        if (stage == CG_DUMP_TOKENS) {
            cg_unit_print_tokens(sources, file, stdout);
        } else if (stage == CG_DUMP_AST) {
            cg_unit_print(u, stdout);
        } else if (code == CG_EXIT_OK) {
            CgStrbuf text = { 0 };
            cg_unit_format(u, sources, &text);
            demand_same_tree(u, sources, &text);
            code = finish(path, cg_sources_get(sources, given), &text, check);
            cg_strbuf_deinit(&text);
        }
        cg_unit_free(u);
        cg_diags_print(diags, stderr, cg_wants_colour());
    }
    cg_diags_free(diags);
    cg_sources_free(sources);
    return code;
}

static int command(int argc, char **argv)
{
    bool check = false, upgrade = false;
    const char *dump = NULL;
    CgDump stage;
    const CgOption options[] = {
        { .name = "check",
            .flag = &check,
            .help = "only name the files that are not canonical; exit code 1 if there are any" },
        { .name = "upgrade",
            .flag = &upgrade,
            .help =
                "writes the script in the second edition of the language, and applies the fixes that check offers" },
        { .name = "dump", .arg = "STAGE", .value = &dump, .help = "prints a stage instead: tokens or ast" },
    };
    int code;
    if (!cg_options(&argc, argv,
            "FILE.cg ... [--check] [--upgrade]\nrewrites scripts in their canonical text; '-' is stdin to stdout",
            options, CG_LEN(options), &code))
        return code;
    if (argc < 2)
        return cg_usage("fmt", "a file is needed");
    if (!cg_dump_find("fmt", dump, CG_DUMP_AST, &stage))
        return CG_EXIT_USAGE;
    int worst = CG_EXIT_OK;
    for (int i = 1; i < argc; i++) {
        code = format_file(argv[i], check, upgrade, stage);
        if (code > worst)
            worst = code;
    }
    return worst;
}

CG_COMMAND(fmt, "rewrites scripts in their canonical text", command)
