/* cmd_dot.c - cg dot SCRIPT.cg [GRAPH].
 * Takes a script and a graph in it, all that it builds, or two scripts to compare; gives a picture as DOT text, or
 * drawn by GraphViz. Runs nothing. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/child.h"
#include "experiment/graph_arg.h"
#include "experiment/needs.h"
#include "experiment/overlay.h"
#include "graph/pass.h"
#include "report/dot.h"
#include "report/layout.h"
#include "report/page.h"
#include "tool/dump.h"

typedef struct Asked {
    const char *path, *other, *graph, *other_graph, *stage, *format, *out, *store, *overlay;
    CgDump dump;
    bool flat, unfold, landscape, dark;
    int64_t depth;  /* -1 = as deep as fits a page */
    int page_depth; /* how deep a page of HTML is open at first */
    CgStrings open;
} Asked;

/* What is legible of an experiment on a page; instances do not lie deeper in one another. */
enum { STAGES_OF_A_PAGE = 24, DEEPEST = 1000 };

/* Frees the picture. */
static bool write_picture(
    CgSession *x, CgPicture *p, const char *name, const char *title, const Asked *asked, CgStrbuf *out)
{
    CgErr e = { 0 };
    CgDrawing how = { name, title, p->legend, asked->format, asked->landscape, asked->dark };
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
    CgPicture *p = cg_needs_find(x, asked->graph, &needs)
        ? cg_needs_picture(x, &needs, (int)asked->depth, STAGES_OF_A_PAGE)
        : NULL;
    cg_needs_free(&needs);
    if (p && !p->boxes.len) {
        cg_picture_free(p);
        cg_err_hint(&err, "--stage=model draws its last graph");
        cg_err(&err, CG_ERR_INPUT, "the script shows and saves nothing: there is no experiment to draw");
        return cg_session_err(x, (CgSpan){ 0 }, &err);
    }
    const char *name = strrchr(asked->path, '/'); /* the same picture wherever it is asked for */
    const char *title = asked->graph ? asked->graph : name ? name + 1 : asked->path;
    return p && write_picture(x, p, "experiment", title, asked, out);
}

/* A script and the graph in it that is drawn. */
typedef struct Side {
    CgSession *x;
    CgTarget target;
    CgGraph shown;   /* read only */
    CgGraph *better; /* after the passes, or NULL */
    const CgGraph *graph;
    CgPlan *plan;      /* what runs, and the graph that it runs; NULL: not asked for */
    const char **tape; /* by node: its instruction */
    CgStrbuf revision; /* the text of an older script */
} Side;

/* What runs, in its order, and where each result lies: "#12 at 4096, 2.0 KiB". */
static bool find_tape(Side *s, CgBindings sizes)
{
    CgErr e = { 0 };
    CgBinding *bound = CG_NEWN(s->x->elab->arena, CgBinding, sizes.n + 1);
    for (int i = 0; i < sizes.n; i++)
        bound[i] = sizes.at[i];
    const CgStage *stage = s->target.stage;
    bound[sizes.n] = (CgBinding){ cg_intern("batch"), stage && stage->batch ? stage->batch / stage->accumulate : 16 };
    CgPlan *plan = s->plan = cg_plan_build(
        s->graph, (CgBindings){ bound, sizes.n + 1 }, (CgPlanOptions){ .shown = true, .sources = s->x->sources }, &e);
    if (!plan) {
        cg_err_hint(&e, "--dim NAME=N gives a size a value");
        return cg_session_err(s->x, (CgSpan){ 0 }, &e);
    }
    s->graph = cg_plan_graph(plan); /* ops that have no kernel are others there */
    s->tape = CG_NEWN(s->x->elab->arena, const char *, s->graph->nodes.len + 1);
    for (int i = 0; i < cg_plan_count(plan); i++) {
        const CgInstr *in = cg_plan_instr(plan, i);
        if (in->node == CG_NONE)
            continue;
        const CgBuffer *b = cg_plan_buffer(plan, in->out[0].buffer);
        char bytes[24];
        const char *old = b->storage == CG_AT_SLAB && b->first < i ? " in place" : "";
        s->tape[in->node] = b->storage == CG_AT_SLAB ? cg_arena_printf(s->x->elab->arena, "#%d at %zu%s, %s", i,
                                b->offset + in->out[0].offset, old, cg_plan_bytes(b->bytes, bytes))
                                                     : cg_arena_printf(s->x->elab->arena, "#%d", i);
    }
    return true;
}

/* x has no mistakes yet. */
static bool find_graph(Side *s, const Asked *asked, const char *graph, const CgScriptArgs *args)
{
    CgTarget *t = &s->target;
    bool tape = strcmp(asked->stage, "tape") == 0, after = tape || strcmp(asked->stage, "opt") == 0,
         derivatives = after || strcmp(asked->stage, "grad") == 0;
    if (!cg_target_build(s->x, graph, args->sizes, t))
        return false;
    if (derivatives && t->model->graph->outputs.len == t->noutputs && t->noutputs
        && !cg_target_differentiate(s->x, t, 0, NULL, 0))
        return false;
    s->shown = *t->model->graph;
    if (!derivatives)
        s->shown.outputs.len = t->noutputs;
    s->better = after ? cg_pass_run_all(&s->shown, NULL) : NULL;
    s->graph = s->better ? s->better : &s->shown;
    return !tape || find_tape(s, args->sizes);
}

/* The path in "REVISION:path" where no file has that name; NULL else. */
static const char *path_of_revision(const char *name)
{
    const char *colon = strchr(name, ':');
    return colon && colon > name && !cg_io_exists(name) ? colon + 1 : NULL;
}

/* A file as git knows it in a revision. */
static bool read_revision(const char *name, const char *path, CgStrbuf *out)
{
    CgStrbuf folder = { 0 }, what = { 0 }, said = { 0 };
    const char *base = strrchr(path, '/');
    int code = 1;
    cg_strbuf_puts(&folder, ".");
    if (base) {
        folder.len = 0;
        cg_strbuf_write(&folder, path, (size_t)(base - path) + 1);
    }
    cg_strbuf_printf(&what, "%.*s:./%s", (int)(path - 1 - name), name, base ? base + 1 : path);
    const char *const argv[] = { "git", "-C", cg_strbuf_str(&folder), "show", cg_strbuf_str(&what), NULL };
    bool good = cg_child_run(argv, NULL, 0, out, &said, &code) == CG_CHILD_RAN && code == 0;
    if (!good)
        fprintf(stderr, "cg dot: git has no '%s': %s\n", name, said.len ? cg_strbuf_str(&said) : "it cannot be run");
    cg_strbuf_deinit(&folder);
    cg_strbuf_deinit(&what);
    cg_strbuf_deinit(&said);
    return good;
}

/* Without a session where git does not have the revision that `path` names; what is imported is that of now. */
static Side side(const char *path, const Asked *asked, const CgScriptArgs *args)
{
    CgSessionOpts opts = { .settings = args->settings,
        .nsettings = args->nsettings,
        .store = asked->store,
        .quiet = true,
        .writes = { asked->out } };
    Side s = { 0 };
    const char *file = path_of_revision(path);
    if (file && !read_revision(path, file, &s.revision)) {
        cg_strbuf_deinit(&s.revision);
        return s;
    }
    CgOpenText text = { file, cg_strbuf_str(&s.revision), s.revision.len };
    if (file)
        opts.texts = &text, opts.ntexts = 1;
    s.x = cg_experiment_new(file ? file : path, &opts);
    return s;
}

/* Says what was wrong; gives the exit code. */
static int side_end(Side *s)
{
    if (!s->x)
        return CG_EXIT_IO;
    int code = cg_diags_exit_code(s->x->diags);
    cg_diags_print(s->x->diags, stderr, cg_wants_colour());
    cg_plan_free(s->plan);
    if (s->better)
        cg_graph_free(s->better);
    cg_target_free(&s->target);
    cg_experiment_free(s->x);
    cg_strbuf_deinit(&s->revision);
    return code;
}

static CgPictureOptions options_of(Side *s, const Asked *asked)
{
    bool model = strcmp(asked->stage, "model") == 0;
    CgPictureOptions o = { .detail = model ? CG_DETAIL_MODEL : CG_DETAIL_GRAPH,
        .clusters = !asked->flat,
        .fold = !asked->unfold,
        .depth = asked->depth < 0 ? 0 : (int)asked->depth,
        .open = asked->open.at,
        .nopen = (int)asked->open.len,
        .remark = s->tape,
        .sources = s->x->sources,
        .frozen = cg_target_frozen,
        .context = &s->target };
    return o;
}

/* Whether each instance that is to be drawn from inside is in the picture, or in the other one, which may be NULL. */
static bool has_open(CgSession *x, const CgPicture *p, const CgPicture *other, const CgStrings *open)
{
    bool good = true;
    for (size_t i = 0; i < open->len; i++) {
        CgSuggest near;
        cg_suggest_init(&near, open->at[i]);
        if (cg_picture_has(p, open->at[i], &near) || (other && cg_picture_has(other, open->at[i], &near)))
            continue;
        CgDiag *d = cg_diag(x->diags, CG_E0302, (CgSpan){ 0 }, "--open: there is no instance '%s'", open->at[i]);
        if (!cg_diag_meant_or_all(d, &near, "instances:"))
            cg_diag_help(d, "%s", near.n ? near.all : "the graph is made of no others");
        good = false;
    }
    return good;
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
    CgPicture *p = cg_picture_build(s->graph, &o);
    if (!has_open(s->x, p, NULL, &asked->open)) {
        cg_picture_free(p);
        cg_overlay_free(&numbers);
        return false;
    }
    page.page_depth = o.depth;
    if (asked->depth < 0 && !asked->unfold && !asked->flat)
        page.page_depth = cg_layout_depth(p, asked->landscape);
    if (page.page_depth < 0)
        page.page_depth = 1;
    if (strcmp(asked->format, "html") == 0) /* all of it, to be opened by the reader */
        cg_picture_set_depth(p, DEEPEST);
    const char *title = s->target.name;
    if (asked->overlay)
        title = cg_arena_printf(s->x->elab->arena, "%s: %s", title, asked->overlay);
    if (asked->overlay && p->unmeasured)
        title = cg_arena_printf(s->x->elab->arena, "%s (0 %s)", title, numbers.unit);
    cg_overlay_free(&numbers);
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
    o.sources = before->x->sources;
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
    CgPicture *whole = difference(before, after, &o, &whole_a), *p = NULL;
    if (!has_open(after->x, whole, whole_a, &asked->open)) {
        cg_picture_free(whole);
        cg_picture_free(whole_a);
        return false;
    }
    CgPictureChanges n = cg_picture_changes(whole);
    *differ = n.of[CG_ADDED] + n.of[CG_REMOVED] + n.of[CG_CHANGED] + n.arrows > 0;
    fprintf(stderr, "%d added, %d removed, %d changed, %d arrows added, removed or changed\n", n.of[CG_ADDED],
        n.of[CG_REMOVED], n.of[CG_CHANGED], n.arrows);
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
    if (!s.x)
        return side_end(&s);
    if (asked->dump != CG_DUMP_NONE)
        cg_dump_named(s.x, asked->graph, args->sizes, false, asked->dump);
    bool good = asked->dump == CG_DUMP_NONE && cg_diags_count(s.x->diags) == 0;
    if (good && strcmp(asked->stage, "experiment") == 0)
        good = draw_experiment(s.x, asked, &text);
    else
        good = good && find_graph(&s, asked, asked->graph, args) && draw(&s, asked, args->sizes, &text);
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
         good = before.x && after.x && !cg_diags_count(before.x->diags) && !cg_diags_count(after.x->diags)
        && find_graph(&before, asked, asked->graph, args) && find_graph(&after, asked, asked->other_graph, args)
        && compare(&before, &after, asked, &text, &differ);
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
    static const char *const stages[] = { "experiment", "model", "graph", "grad", "opt", "tape" };
    for (size_t i = 0; i < CG_LEN(stages); i++)
        if (strcmp(stage, stages[i]) == 0)
            return true;
    return false;
}

/* SCRIPT [OTHER] [GRAPH [OTHER]]; false where there are more or fewer. */
static bool take_words(int argc, char **argv, Asked *out)
{
    bool two = argc > 2 && is_script(argv[2]);
    if (argc < 2 || argc > 4 + two)
        return false;
    out->path = argv[1];
    out->graph = argc > 2 + two ? argv[2 + two] : NULL;
    out->other_graph = argc > 3 + two ? argv[3 + two] : out->graph;
    out->other = two ? argv[2] : argc > 3 ? argv[1] : NULL;
    return true;
}

/* Options whose values there are, and that say something of what is drawn; else says what is wrong. */
static int go_together(const Asked *asked, bool sized)
{
    bool experiment = strcmp(asked->stage, "experiment") == 0;
    if (!known_stage(asked->stage))
        return cg_usage(
            "dot", "there is no stage '%s'; there are experiment, model, graph, grad, opt and tape", asked->stage);
    if (asked->overlay && !cg_overlay_known(asked->overlay))
        return cg_usage("dot", "there is no overlay '%s'; there are %s", asked->overlay, cg_overlay_names());
    if (asked->other && asked->overlay)
        return cg_usage("dot", "--overlay is of one graph, not of what differs between two");
    if (asked->other && (asked->dump != CG_DUMP_NONE || experiment))
        return cg_usage("dot", "graphs are compared at the stages model, graph, grad, opt and tape");
    if (strcmp(asked->format, "html") != 0 && !cg_dot_draws(asked->format))
        return cg_usage(
            "dot", "there is no format '%s'; there are dot, svg, png, pdf, html and those of GraphViz", asked->format);
    const char *of_graph = asked->overlay ? "overlay"
        : asked->open.len                 ? "open"
        : asked->flat                     ? "flat"
        : asked->unfold                   ? "unfold"
        : sized                           ? "dim"
                                          : NULL;
    if (experiment && of_graph)
        return cg_usage("dot", "--%s is of a graph, not of an experiment", of_graph);
    return CG_EXIT_OK;
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
            .help = "experiment, model, graph, grad, opt or tape; model unless given" },
        { .name = "format",
            .arg = "FORMAT",
            .value = &asked.format,
            .letter = 'T',
            .help = "dot, svg, png, pdf, html, or what else GraphViz writes: eps, ps, jpg" },
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
            .help = "instances N levels down are boxes, without constants and views; 0: none are, and graph, grad, opt "
                    "and tape show every node; as deep as fits a page unless given" },
        { .name = "open",
            .arg = "PATH",
            .list = &asked.open,
            .help = "draws an instance from inside all the same: decoder.blocks.0; the first names of it may be left "
                    "away" },
        { .name = "overlay",
            .arg = "WHAT",
            .value = &asked.overlay,
            .help =
                "numbers on it: time (of steps that are run), memory, flops, precision, parameters, frozen, trained, "
                "gradient (of a first step)" },
        { .name = "landscape",
            .flag = &asked.landscape,
            .help = "for a page that lies: from left to right, where that is larger" },
        { .name = "dark", .flag = &asked.dark, .help = "light on dark; an SVG turns dark by itself on dark ground" },
        { .name = "unfold", .flag = &asked.unfold, .help = "draws each of equal blocks, and each op of an expression" },
    };
    static const char synopsis[] =
        "SCRIPT.cg [OTHER.cg] [GRAPH [OTHER]] [-T FORMAT] [-o FILE]\n"
        "draws a graph: GRAPH is an expression, 'transformer(vocab = 61, dim = 48, layers = 2, heads = 4)';\n"
        "the last training of the script, or its last graph, unless given; of two scripts or graphs, what the other "
        "one adds (+), "
        "removes (-)\n"
        "and changes (~), with exit code 1 where they differ";
    int code;
    if (!cg_options(&argc, argv, synopsis, options, CG_LEN(options), &code))
        return code;
    if (!take_words(argc, argv, &asked))
        return cg_usage("dot", "a script, or two to compare, and at most two graphs are needed");
    if (!cg_dump_find("dot", dump, CG_DUMP_MEM, &asked.dump))
        return CG_EXIT_USAGE;
    if (!cg_option_number("dot", "depth", depth, 0, DEEPEST, &asked.depth))
        return CG_EXIT_USAGE;
    bool two = asked.other != NULL;
    asked.format = asked.format ? asked.format : format_of(asked.out);
    if ((code = go_together(&asked, dims.len > 0)) != CG_EXIT_OK)
        return code;
    CgScriptArgs args;
    code = cg_script_args("dot", &set, &dims, &args);
    if (code == CG_EXIT_OK)
        code = two ? make_difference(&asked, &args) : make(&asked, &args);
    cg_script_args_free(&args);
    return code;
}

CG_COMMAND(dot, "draws a graph of a script", command)
