/* cmd_dot.c - cg dot SCRIPT.cg [GRAPH].
 * Takes a script and a graph in it, all that it builds, or two scripts to compare; gives a picture as DOT text, or
 * drawn by GraphViz. Runs nothing. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "experiment/graph_arg.h"
#include "experiment/needs.h"
#include "experiment/overlay.h"
#include "graph/pass.h"
#include "report/dot.h"
#include "report/page.h"
#include "tool/dump.h"

typedef struct Asked {
    const char *path, *other, *graph, *stage, *format, *out, *store, *overlay;
    CgDump dump;
    bool flat, unfold, landscape, dark;
    int64_t depth;  /* -1 = as deep as fits a page */
    int page_depth; /* how deep a page of HTML is open at first */
    CgStrings open;
} Asked;

/* What is legible on a page. */
enum { BOXES_OF_A_PAGE = 24 };

/* Frees the picture. */
static bool write_picture(
    CgSession *x, CgPicture *p, const char *name, const char *title, const Asked *asked, CgStrbuf *out)
{
    CgErr e = { 0 };
    CgDrawing how = { name, title, NULL, asked->format, asked->landscape, asked->dark };
    bool page = strcmp(asked->format, "html") == 0;
    bool good = page ? cg_page_write(p, &how, asked->page_depth, out, &e) : cg_dot_write(p, &how, out, &e);
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

/* A script and the graph in it that is drawn. */
typedef struct Side {
    CgSession *x;
    CgTarget target;
    CgGraph shown;   /* read only */
    CgGraph *better; /* after the passes, or NULL */
    const CgGraph *graph;
} Side;

/* x has no mistakes yet. */
static bool find_graph(Side *s, const Asked *asked, const CgScriptArgs *args)
{
    CgTarget *t = &s->target;
    bool after = strcmp(asked->stage, "opt") == 0, derivatives = after || strcmp(asked->stage, "grad") == 0;
    if (!cg_target_build(s->x, asked->graph, args->sizes, t))
        return false;
    if (derivatives && t->model->graph->outputs.len == t->noutputs && t->noutputs
        && !cg_target_differentiate(s->x, t, 0, NULL, 0))
        return false;
    s->shown = *t->model->graph;
    if (!derivatives)
        s->shown.outputs.len = t->noutputs;
    s->better = after ? cg_pass_run_all(&s->shown, NULL) : NULL;
    s->graph = s->better ? s->better : &s->shown;
    return true;
}

static Side side(const char *path, const Asked *asked, const CgScriptArgs *args)
{
    CgSessionOpts opts = {
        .settings = args->settings, .nsettings = args->nsettings, .store = asked->store, .quiet = true
    };
    return (Side){ .x = cg_experiment_new(path, &opts) };
}

/* Says what was wrong; gives the exit code. */
static int side_end(Side *s)
{
    int code = cg_diags_exit_code(s->x->diags);
    cg_diags_print(s->x->diags, stderr, cg_wants_colour());
    if (s->better)
        cg_graph_free(s->better);
    cg_target_free(&s->target);
    cg_experiment_free(s->x);
    return code;
}

static CgPictureOptions options_of(Side *s, const Asked *asked)
{
    bool model = strcmp(asked->stage, "model") == 0;
    CgPictureOptions o = { .detail = model ? CG_DETAIL_MODEL : CG_DETAIL_GRAPH,
        .clusters = !asked->flat,
        .fold = model && !asked->unfold,
        .depth = (int)asked->depth,
        .open = asked->open.at,
        .nopen = (int)asked->open.len,
        .sources = s->x->sources,
        .frozen = cg_target_frozen,
        .context = &s->target };
    if (o.depth < 0)
        o.depth = model && !asked->flat && !asked->unfold ? cg_picture_depth(s->graph, &o, BOXES_OF_A_PAGE) : 0;
    return o;
}

static bool draw(Side *s, const Asked *asked, CgBindings sizes, CgStrbuf *out)
{
    CgPictureOptions o = options_of(s, asked);
    CgOverlay numbers = { 0 };
    if (asked->overlay && !cg_overlay_make(s->x, &s->target, sizes, asked->overlay, &numbers)) {
        cg_overlay_free(&numbers);
        return false;
    }
    o.overlay = asked->overlay ? &numbers : NULL;
    Asked page = *asked;
    if (strcmp(asked->format, "html") == 0) { /* all of it, to be opened by the reader */
        page.page_depth = o.depth;
        o.depth = 0;
    }
    CgPicture *p = cg_picture_build(s->graph, &o);
    cg_overlay_free(&numbers);
    const char *title = s->target.name;
    if (asked->overlay)
        title = cg_arena_printf(s->x->elab->arena, "%s: %s", title, asked->overlay);
    return write_picture(s->x, p, s->graph->name, title, &page, out);
}

/* ---- two scripts ---- */

/* Instances in which something differs. */
static CgStrings instances_that_differ(const CgPicture *p)
{
    CgStrings out = { cg_calloc(p->boxes.len + p->clusters.len + 1, sizeof *out.at), 0 };
    for (size_t i = 0; i < p->boxes.len; i++)
        if (p->boxes.at[i].change && p->boxes.at[i].cluster >= 0)
            out.at[out.len++] = p->clusters.at[p->boxes.at[i].cluster].id;
    for (size_t i = 0; i < p->clusters.len; i++)
        if (p->clusters.at[i].change)
            out.at[out.len++] = p->clusters.at[i].id;
    return out;
}

/* The difference of both sides as a picture, and *a, which it borrows from. */
static CgPicture *difference(Side *before, Side *after, const CgPictureOptions *how, CgPicture **a)
{
    CgPictureOptions o = *how, p = *how;
    o.context = &before->target;
    p.context = &after->target;
    *a = cg_picture_build(before->graph, &o);
    CgPicture *b = cg_picture_build(after->graph, &p);
    cg_picture_diff(*a, b);
    return b;
}

/* Where nothing differs, an instance is a box, unless --depth says how deep to look. */
static bool compare(Side *before, Side *after, const Asked *asked, CgStrbuf *out, bool *differ)
{
    CgPictureOptions o = options_of(after, asked);
    CgPicture *a = NULL, *whole_a = NULL;
    o.depth = asked->depth < 0 ? 0 : (int)asked->depth;
    CgPicture *whole = difference(before, after, &o, &whole_a), *p = NULL;
    CgPictureChanges n = cg_picture_changes(whole);
    *differ = n.of[CG_ADDED] + n.of[CG_REMOVED] + n.of[CG_CHANGED] + n.arrows > 0;
    fprintf(stderr, "%d added, %d removed, %d changed, %d arrows added or removed\n", n.of[CG_ADDED], n.of[CG_REMOVED],
        n.of[CG_CHANGED], n.arrows);
    CgStrings open = instances_that_differ(whole);
    if (asked->depth < 0 && o.detail == CG_DETAIL_MODEL) {
        o.depth = 1, o.open = open.at, o.nopen = (int)open.len;
        p = difference(before, after, &o, &a);
    }
    bool good = write_picture(after->x, p ? p : whole, "difference", after->target.name, asked, out);
    if (p)
        cg_picture_free(whole);
    cg_picture_free(a);
    cg_picture_free(whole_a);
    free(open.at);
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
    Side s = side(asked->path, asked, args);
    CgStrbuf text = { 0 };
    if (asked->dump != CG_DUMP_NONE)
        cg_dump_named(s.x, asked->graph, args->sizes, false, asked->dump);
    bool good = asked->dump == CG_DUMP_NONE && cg_diags_count(s.x->diags) == 0;
    if (good && strcmp(asked->stage, "experiment") == 0)
        good = draw_experiment(s.x, asked, &text);
    else
        good = good && find_graph(&s, asked, args) && draw(&s, asked, args->sizes, &text);
    int code = side_end(&s);
    if (good && code == CG_EXIT_OK)
        code = deliver(asked->out, &text);
    cg_strbuf_deinit(&text);
    return code;
}

static int make_difference(const Asked *asked, const CgScriptArgs *args)
{
    Side before = side(asked->path, asked, args), after = side(asked->other, asked, args);
    CgStrbuf text = { 0 };
    bool differ = false,
         good = !cg_diags_count(before.x->diags) && !cg_diags_count(after.x->diags) && find_graph(&before, asked, args)
        && find_graph(&after, asked, args) && compare(&before, &after, asked, &text, &differ);
    int code = side_end(&before), last = side_end(&after);
    code = code == CG_EXIT_OK ? last : code;
    if (good && code == CG_EXIT_OK)
        code = deliver(asked->out, &text);
    cg_strbuf_deinit(&text);
    return code == CG_EXIT_OK && differ ? CG_EXIT_DIAG : code;
}

/* The format a file name asks for: what follows its last point. */
static const char *format_of(const char *path)
{
    const char *point = path ? strrchr(path, '.') : NULL;
    return point && point[1] && !strchr(point, '/') ? point + 1 : "dot";
}

static bool is_script(const char *path)
{
    const char *end = strrchr(path, '.');
    return end && strcmp(end, ".cg") == 0;
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
        { .name = "format",
            .arg = "FORMAT",
            .value = &asked.format,
            .letter = 'T',
            .help = "dot, svg, png, pdf or html" },
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
        { .name = "overlay",
            .arg = "WHAT",
            .value = &asked.overlay,
            .help =
                "numbers on it: time (of steps that are run), memory, flops, precision, parameters, frozen, trained, "
                "gradient (of a first step)" },
        { .name = "landscape", .flag = &asked.landscape, .help = "from left to right instead of downwards" },
        { .name = "dark", .flag = &asked.dark, .help = "light on dark; an SVG turns dark by itself on dark ground" },
        { .name = "unfold", .flag = &asked.unfold, .help = "draws each of equal blocks" },
    };
    static const char synopsis[] =
        "SCRIPT.cg [OTHER.cg] [GRAPH] [-T FORMAT] [-o FILE]\n"
        "draws a graph: GRAPH is an expression, 'transformer(vocab = 61, dim = 48, layers = 2, heads = 4)';\n"
        "the last training of the script, or its last graph, unless given; of two scripts, what OTHER adds (+), "
        "removes (-)\n"
        "and changes (~), with exit code 1 where they differ";
    int code;
    if (!cg_options(&argc, argv, synopsis, options, CG_LEN(options), &code))
        return code;
    bool two = argc > 2 && is_script(argv[2]);
    if (argc < 2 || argc > 3 + two)
        return cg_usage("dot", "a script, or two to compare, and at most one graph are needed");
    if (!known_stage(asked.stage))
        return cg_usage("dot", "there is no stage '%s'; there are experiment, model, graph, grad and opt", asked.stage);
    if (asked.overlay && !cg_overlay_known(asked.overlay))
        return cg_usage("dot", "there is no overlay '%s'; there are %s", asked.overlay, cg_overlay_names());
    if (!cg_dump_find("dot", dump, CG_DUMP_MEM, &asked.dump))
        return CG_EXIT_USAGE;
    if (!cg_option_number("dot", "depth", depth, 0, 1000, &asked.depth))
        return CG_EXIT_USAGE;
    asked.path = argv[1];
    asked.other = two ? argv[2] : NULL;
    asked.graph = argc > 2 + two ? argv[2 + two] : NULL;
    if (two && (asked.dump != CG_DUMP_NONE || strcmp(asked.stage, "experiment") == 0))
        return cg_usage("dot", "two scripts are compared at the stages model, graph, grad and opt");
    asked.format = asked.format ? asked.format : format_of(asked.out);
    CgScriptArgs args;
    code = cg_script_args("dot", &set, &dims, &args);
    if (code == CG_EXIT_OK)
        code = two ? make_difference(&asked, &args) : make(&asked, &args);
    cg_script_args_free(&args);
    return code;
}

CG_COMMAND(dot, "draws a graph of a script", command)
