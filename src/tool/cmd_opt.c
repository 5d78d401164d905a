/* cmd_opt.c - cg opt FILE.ir [--pass=NAME,...].
 * Takes the text of a graph; gives the text after the passes named, or after all that run by default.
 * Must not know any pass: each ends in its own entry. */
#include <stdio.h>
#include <string.h>

#include "base/io.h"
#include "base/suggest.h"
#include "graph/pass.h"
#include "graph/registry.h"
#include "graph/text.h"
#include "tool/tool.h"

/* Every name of a comma list is a pass; else says which is not. */
static bool passes_exist(const char *list)
{
    for (const char *at = list; *at;) {
        size_t len = strcspn(at, ",");
        char name[64];
        snprintf(name, sizeof name, "%.*s", (int)len, at);
        if (!cg_pass_find(name)) {
            CgSuggest near;
            cg_suggest_init(&near, name);
            for (size_t i = 0; cg_pass_at(i); i++)
                cg_suggest_offer(&near, cg_pass_at(i)->name);
            const char *best = cg_suggest_best(&near);
            if (best)
                cg_usage("opt", "there is no pass '%s'; did you mean '%s'?", name, best);
            else
                cg_usage("opt", "there is no pass '%s'", name);
            return false;
        }
        at += len;
        at += *at == ',';
    }
    return true;
}

static void list_passes(void)
{
    for (size_t i = 0; cg_pass_at(i); i++)
        printf(
            "%-12s %s%s\n", cg_pass_at(i)->name, cg_pass_at(i)->summary, cg_pass_at(i)->order ? "" : " (on request)");
}

static int command(int argc, char **argv)
{
    const char *only = NULL;
    bool list = false;
    const CgOption options[] = {
        { .name = "pass", .arg = "NAME,...", .value = &only, .help = "these passes, in this order; \"\" for none" },
        { .name = "list", .flag = &list, .help = "the passes there are" },
    };
    int code;
    if (!cg_options(&argc, argv, "FILE.ir [--pass=NAME,...]\nprints the graph of FILE.ir after the passes", options,
            CG_LEN(options), &code))
        return code;
    if (list) {
        list_passes();
        return CG_EXIT_OK;
    }
    if (argc != 2)
        return cg_usage("opt", "one file is needed");
    if (only && !passes_exist(only))
        return CG_EXIT_USAGE;
    cg_registry_init();
    CgErr e = { 0 };
    CgBytes text;
    if (!cg_io_read(argv[1], &text, &e))
        return cg_complain("opt", &e);
    CgGraph *g = cg_graph_parse(text.at, &e);
    cg_io_release(&text);
    if (!g)
        return cg_complain("opt", &e);
    CgGraph *after = cg_pass_run_all(g, only);
    CgStrbuf out = { 0 };
    cg_graph_print(after, NULL, &out);
    fputs(cg_strbuf_str(&out), stdout);
    cg_strbuf_deinit(&out);
    if (after != g)
        cg_graph_free(after);
    cg_graph_free(g);
    return CG_EXIT_OK;
}

CG_COMMAND(opt, "runs passes on a graph given as text", command)
