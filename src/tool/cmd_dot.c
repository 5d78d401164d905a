/* cmd_dot.c - cg dot SCRIPT.cg [GRAPH].
 * Takes a script and a graph in it, or all that it builds; gives a picture as DOT text, or drawn by GraphViz. Runs
 * nothing. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "experiment/graph_arg.h"
#include "experiment/needs.h"
#include "graph/pass.h"
#include "report/dot.h"
#include "tool/dump.h"

typedef struct Asked {
    const char *path, *graph, *stage, *format, *out, *store;
    CgDump dump;
    bool flat, unfold;
    int64_t depth; /* -1 = as deep as fits a page */
    CgStrings open;
} Asked;

/* What is legible on a page. */
enum { BOXES_OF_A_PAGE = 24 };

/* Frees the picture. */
static bool write_picture(
    CgSession *x, CgPicture *p, const char *name, const char *title, const Asked *asked, CgStrbuf *out)
{
    CgErr e = { 0 };
    bool good = cg_dot_write(p, name, title, asked->format, out, &e);
    if (!good)
        cg_diag_err(x->diags, (CgSpan){ 0 }, &e);
    cg_picture_free(p);
    return good;
}

static bool draw_experiment(CgSession *x, const Asked *asked, CgStrbuf *out)
{
    CgNeeds needs = { 0 };
    CgErr err = { 0 };
    if (!cg_session_open(x, &err))
        return cg_session_err(x, (CgSpan){ 0 }, &err);
    CgPicture *p =
        cg_needs_find(x, asked->graph, &needs) ? cg_needs_picture(x, &needs, (int)asked->depth, BOXES_OF_A_PAGE) : NULL;
    cg_needs_free(&needs);
    return p && write_picture(x, p, "experiment", asked->graph ? asked->graph : asked->path, asked, out);
}

static bool draw(CgSession *x, CgTarget *t, const Asked *asked, CgStrbuf *out)
{
    bool model = strcmp(asked->stage, "model") == 0, after = strcmp(asked->stage, "opt") == 0;
    bool derivatives = after || strcmp(asked->stage, "grad") == 0;
    if (derivatives && t->model->graph->outputs.len == t->noutputs && t->noutputs
        && !cg_target_differentiate(x, t, 0, NULL, 0))
        return false;
    CgGraph shown = *t->model->graph; /* read only */
    if (!derivatives)
        shown.outputs.len = t->noutputs;
    CgGraph *better = after ? cg_pass_run_all(&shown, NULL) : NULL;
    CgDetail detail = model ? CG_DETAIL_MODEL : CG_DETAIL_GRAPH;
    const CgGraph *g = better ? better : &shown;
    CgPictureOptions o = { .detail = detail,
        .clusters = !asked->flat,
        .fold = model && !asked->unfold,
        .depth = (int)asked->depth,
        .open = asked->open.at,
        .nopen = (int)asked->open.len,
        .frozen = cg_target_frozen,
        .context = t };
    if (o.depth < 0)
        o.depth = model && !asked->flat && !asked->unfold ? cg_picture_depth(g, &o, BOXES_OF_A_PAGE) : 0;
    CgPicture *p = cg_picture_build(g, &o);
    bool good = write_picture(x, p, g->name, t->name, asked, out);
    if (better)
        cg_graph_free(better);
    return good;
}

static int deliver(const char *path, const CgStrbuf *text)
{
    CgErr e = { 0 };
    if (!path) {
        fwrite(text->at, 1, text->len, stdout);
        return CG_EXIT_OK;
    }
    return cg_io_write(path, text->at, text->len, &e) ? CG_EXIT_OK : cg_complain("dot", &e);
}

static int make(const Asked *asked, const CgScriptArgs *args)
{
    CgSessionOpts opts = {
        .settings = args->settings, .nsettings = args->nsettings, .store = asked->store, .quiet = true
    };
    CgSession *x = cg_experiment_new(asked->path, &opts);
    CgTarget target = { 0 };
    CgStrbuf text = { 0 };
    if (asked->dump != CG_DUMP_NONE)
        cg_dump_named(x, asked->graph, args->sizes, false, asked->dump);
    bool good = asked->dump == CG_DUMP_NONE && cg_diags_count(x->diags) == 0;
    if (good && strcmp(asked->stage, "experiment") == 0)
        good = draw_experiment(x, asked, &text);
    else
        good = good && cg_target_build(x, asked->graph, args->sizes, &target) && draw(x, &target, asked, &text);
    cg_diags_print(x->diags, stderr, cg_wants_colour());
    int code = cg_diags_exit_code(x->diags);
    cg_target_free(&target);
    cg_experiment_free(x);
    if (good && code == CG_EXIT_OK)
        code = deliver(asked->out, &text);
    cg_strbuf_deinit(&text);
    return code;
}

/* The format a file name asks for: what follows its last point. */
static const char *format_of(const char *path)
{
    const char *point = path ? strrchr(path, '.') : NULL;
    return point && point[1] && !strchr(point, '/') ? point + 1 : "dot";
}

static bool known_stage(const char *stage)
{
    static const char *const stages[] = { "experiment", "model", "graph", "grad", "opt" };
    for (size_t i = 0; i < CG_LEN(stages); i++)
        if (strcmp(stage, stages[i]) == 0)
            return true;
    return false;
}

static int command(int argc, char **argv)
{
    CgStrings set = { 0 }, dims = { 0 };
    Asked asked = { .stage = "model", .depth = -1 };
    const char *dump = NULL, *depth = NULL;
    const CgOption options[] = {
        { .name = "set", .arg = "NAME=VALUE", .list = &set, .help = "the value of an option of the script" },
        { .name = "dim", .arg = "NAME=N", .list = &dims, .help = "a number for a size of the graph's signature" },
        { .name = "stage",
            .arg = "STAGE",
            .value = &asked.stage,
            .help = "experiment, model, graph, grad or opt; model unless given" },
        { .name = "format", .arg = "FORMAT", .value = &asked.format, .letter = 'T', .help = "dot, svg, png or pdf" },
        { .name = "out",
            .arg = "FILE",
            .value = &asked.out,
            .letter = 'o',
            .help = "where to write; tells the format, too" },
        CG_DUMP_OPTION(&dump),
        { .name = "store",
            .arg = "FOLDER",
            .value = &asked.store,
            .help = "for stage experiment: where costly values are kept" },
        { .name = "flat", .flag = &asked.flat, .help = "no frames around instances" },
        { .name = "depth",
            .arg = "N",
            .value = &depth,
            .help = "instances N levels down are boxes, 0 for none; as deep as fits a page unless given" },
        { .name = "open",
            .arg = "PATH",
            .list = &asked.open,
            .help = "draws an instance from inside all the same: decoder.blocks.0" },
        { .name = "unfold", .flag = &asked.unfold, .help = "draws each of equal blocks" },
    };
    static const char synopsis[] =
        "SCRIPT.cg [GRAPH] [-T FORMAT] [-o FILE]\n"
        "draws a graph: GRAPH is an expression, 'transformer(vocab = 61, dim = 48, layers = 2, heads = 4)';\n"
        "the last training of the script, or its last graph, unless given";
    int code;
    if (!cg_options(&argc, argv, synopsis, options, CG_LEN(options), &code))
        return code;
    if (argc < 2 || argc > 3)
        return cg_usage("dot", "a script and at most one graph are needed");
    if (!known_stage(asked.stage))
        return cg_usage("dot", "there is no stage '%s'; there are experiment, model, graph, grad and opt", asked.stage);
    if (!cg_dump_find("dot", dump, CG_DUMP_MEM, &asked.dump))
        return CG_EXIT_USAGE;
    if (!cg_option_number("dot", "depth", depth, 0, 1000, &asked.depth))
        return CG_EXIT_USAGE;
    asked.path = argv[1];
    asked.graph = argc > 2 ? argv[2] : NULL;
    asked.format = asked.format ? asked.format : format_of(asked.out);
    CgScriptArgs args;
    code = cg_script_args("dot", &set, &dims, &args);
    if (code == CG_EXIT_OK)
        code = make(&asked, &args);
    cg_script_args_free(&args);
    return code;
}

CG_COMMAND(dot, "draws a graph of a script", command)
