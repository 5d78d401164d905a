/* cmd_help.c - cg help [NAME].
 * Takes the name of a command, of an op, of a function or graph of the library, or the code of a diagnostic; gives
 * what is known of it, or the list of all commands. Must not repeat what these say of themselves. */
#include <stdio.h>
#include <string.h>

#include "base/suggest.h"
#include "experiment/experiment.h"
#include "graph/registry.h"
#include "lang/embedded.h"
#include "elab/signature.h"
#include "tool/tool.h"

/* As it is typed: with dashes. */
static void print_command(const CgCommand *c)
{
    char name[32] = "";
    for (size_t i = 0; i + 1 < sizeof name && c->name[i]; i++)
        name[i] = c->name[i] == '_' ? '-' : c->name[i];
    printf("  %-10s %s\n", name, c->summary);
}

static void list_commands(void)
{
    puts("usage: cg COMMAND [ARGUMENT ...]\n"
         "       cg --version\n");
    puts("A script says what to build; `cg run SCRIPT.cg` builds it. The commands:\n");
    for (size_t i = 0; cg_command_at(i); i++)
        print_command(cg_command_at(i));
    puts("\n`cg help NAME` says more of a command, an op, a function or graph of the library, "
         "or a code such as E0402.");
}

static void print_entry(const char *name, const char *sig, const char *kind, const char *doc)
{
    size_t len = doc ? strlen(doc) : 0;
    while (len && doc[len - 1] == '\n')
        len--;
    printf("%s%s   (%s)\n", name, sig ? sig : "", kind);
    if (len)
        printf("\n%.*s\n", (int)len, doc);
}

static bool help_code(const char *name, CgSuggest *near)
{
    for (int code = 0; code < CG_NCODES; code++) {
        cg_suggest_offer(near, cg_code_name((CgCode)code));
        if (strcmp(cg_code_name((CgCode)code), name) != 0)
            continue;
        printf("%s: %s\n\n%s\n", name, cg_code_title((CgCode)code), cg_code_explanation((CgCode)code));
        return true;
    }
    return false;
}

/* What stands in the source before the body of a graph or the expression of a def. */
static void print_declaration(const CgSource *source, const CgStmt *s, const char *module)
{
    uint32_t from = s->span.start, to = s->kind == CG_STMT_GRAPH ? s->body.span.start : s->a->span.start;
    while (to > from && strchr(" \n={", source->text[to - 1]))
        to--;
    printf("%.*s   (%s)\n", (int)(to - from), source->text + from, module);
    if (s->doc)
        printf("\n%s\n", s->doc);
}

static bool help_module(const CgEmbedded *module, const char *name, CgSuggest *near)
{
    CgSources *sources = cg_sources_new();
    CgDiags *diags = cg_diags_new(sources);
    uint32_t file = cg_sources_add(sources, module->module, module->text, strlen(module->text));
    CgUnit *unit = cg_unit_parse(sources, file, diags);
    bool found = false;
    for (int i = 0; i < unit->top.n && !found; i++) {
        const CgStmt *s = unit->top.at[i];
        if (s->kind != CG_STMT_GRAPH && s->kind != CG_STMT_DEF)
            continue;
        cg_suggest_offer(near, s->names[0]);
        found = strcmp(s->names[0], name) == 0;
        if (found)
            print_declaration(cg_sources_get(sources, file), s, module->module);
    }
    cg_unit_free(unit);
    cg_diags_free(diags);
    cg_sources_free(sources);
    return found;
}

/* The order is that of the language: declarations of the library hide functions, functions hide ops. */
static bool help_name(const char *name, CgSuggest *near)
{
    for (const CgEmbedded *m = cg_embedded; m->module; m++)
        if (help_module(m, name, near))
            return true;
    const CgFunction *function;
    for (size_t i = 0; (function = cg_function_at(i)); i++) {
        cg_suggest_offer(near, function->name);
        if (strcmp(function->name, name) != 0)
            continue;
        print_entry(function->name, function->sig, "function", function->doc);
        return true;
    }
    cg_registry_init();
    for (size_t i = 0; i < cg_op_count(); i++) {
        const CgOp *op = cg_op_at(i);
        cg_suggest_offer(near, op->name);
        if (strcmp(op->name, name) != 0)
            continue;
        print_entry(op->name, op->sig, "op", op->doc);
        return true;
    }
    return false;
}

static int command(int argc, char **argv)
{
    if (argc < 2 || argv[1][0] == '-') {
        list_commands();
        return CG_EXIT_OK;
    }
    const CgCommand *command = cg_command_find(argv[1]);
    if (!command) {
        CgSuggest near;
        cg_suggest_init(&near, argv[1]);
        for (size_t i = 0; cg_command_at(i); i++)
            cg_suggest_offer(&near, cg_command_at(i)->name);
        if (help_code(argv[1], &near) || help_name(argv[1], &near))
            return CG_EXIT_OK;
        const char *best = cg_suggest_best(&near);
        return best ? cg_usage("help", "nothing is called '%s'; did you mean '%s'?", argv[1], best)
                    : cg_usage("help", "nothing is called '%s'", argv[1]);
    }
    char name[32], option[] = "--help", *args[] = { name, option, NULL };
    snprintf(name, sizeof name, "%s", command->name);
    return command->run(2, args);
}

CG_COMMAND(help, "says what a command, an op, a library function or an error code means", command)
