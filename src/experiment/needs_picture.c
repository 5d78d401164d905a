/* needs_picture.c - the picture of an experiment.
 * Takes a checked script; gives boxes for its data, its trainings and evaluations, what it shows and saves, and arrows
 * from what each is made of. Stages of one list are one box, and of one record where the picture would not fit a page.
 * Runs nothing. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/intern.h"
#include "base/progress.h"
#include "experiment/cost.h"
#include "experiment/needs.h"
#include "library/library.h"
#include "library/library.h"

/* Boxes of a picture whose arrows are reduced. */
enum { MOST_REDUCED = 300 };

typedef struct Drawing {
    CgSession *x;
    CgPicture *p;
    CgMap names;  /* value -> atom: where the script binds it */
    CgMap box;    /* atom -> box + 1 */
    CgMap arrows; /* atom -> 1 */
    int depth;    /* parts of a label that are shown, 0 = all */
} Drawing;

/* What of one box is kept, and how long the rest takes. */
typedef struct Group {
    const char *label;
    const char *kind;
    int stages, kept;
    double seconds;
} Group;
typedef CG_VEC(Group) Groups;

/* "sweep.D1[3].model" is one of "sweep.D1.model", at depth 1 of "sweep". */
static CgAtom group_of(const Drawing *d, const char *label)
{
    CgStrbuf b = { 0 };
    int parts = 1;
    for (const char *s = label; *s; s++) {
        if (*s == '[')
            while (s[1] && *s != ']')
                s++;
        else if (*s == '.' && d->depth && parts++ == d->depth)
            break;
        else
            cg_strbuf_putc(&b, *s);
    }
    CgAtom name = cg_intern(cg_strbuf_str(&b));
    cg_strbuf_deinit(&b);
    return name;
}

static int box_add(Drawing *d, CgAtom key, CgBox box)
{
    uint64_t old;
    if (cg_map_get(&d->box, cg_map_ptr(key), &old))
        return (int)old - 1;
    box.cluster = -1;
    cg_vec_push(&d->p->boxes, box);
    cg_map_put(&d->box, cg_map_ptr(key), d->p->boxes.len);
    return (int)d->p->boxes.len - 1;
}

static void arrow_add(Drawing *d, int from, int to)
{
    uint64_t old;
    CgAtom key = cg_intern_printf("%d %d", from, to);
    if (from == to || cg_map_get(&d->arrows, cg_map_ptr(key), &old))
        return;
    cg_map_put(&d->arrows, cg_map_ptr(key), 1);
    cg_vec_push(&d->p->arrows, (CgArrow){ .from = from, .to = to, .label = "" });
}

static void name_values(Drawing *d, const CgValue *v, const char *path)
{
    uint64_t known;
    if (v->kind == CG_VALUE_CALL && !cg_map_get(&d->names, cg_map_ptr(v), &known))
        cg_map_put(&d->names, cg_map_ptr(v), cg_map_ptr(cg_intern(path)));
    for (int i = 0; v->kind == CG_VALUE_RECORD && i < v->n; i++)
        name_values(d, v->at[i], cg_intern_printf("%s.%s", path, v->keys[i]));
    for (int i = 0; v->kind == CG_VALUE_LIST && i < v->n; i++)
        name_values(d, v->at[i], path);
}

/* Named values that a dataset is made of: the nearest to it, not what they were made of in turn. */
static void draw_data(Drawing *d, const CgValue *v, int to)
{
    uint64_t name;
    if (cg_map_get(&d->names, cg_map_ptr(v), &name)) {
        CgAtom path = group_of(d, (CgAtom)(uintptr_t)name);
        const CgClass *of = cg_value_class(v);
        CgBox box = { .kind = CG_BOX_INPUT, .title = path, .note = of ? of->name : "", .type = "" };
        box.id = cg_intern_printf("data:%s", path);
        arrow_add(d, box_add(d, box.id, box), to);
        return;
    }
    bool holds = v->kind == CG_VALUE_CALL || v->kind == CG_VALUE_RECORD || v->kind == CG_VALUE_LIST;
    for (int i = 0; holds && i < v->n; i++)
        draw_data(d, v->at[i], to);
}

static int stage_box(Drawing *d, const CgStage *s)
{
    CgAtom name = group_of(d, s->label);
    CgBox box = { .kind = CG_BOX_INSTANCE, .title = name, .note = s->kind->name, .type = "" };
    box.id = cg_intern_printf("%s:%s", s->kind->name, name);
    return box_add(d, box.id, box);
}

static void draw_stages(Drawing *d, const CgNeeds *n, CgPlanner *planner, Groups *groups)
{
    for (size_t i = 0; i < n->stages.len; i++) {
        CgStage *s = n->stages.at[i];
        size_t at = (size_t)stage_box(d, s);
        while (groups->len <= at)
            cg_vec_push(groups, (Group){ 0 });
        Group *g = &groups->at[at];
        CgCost cost;
        g->stages++;
        if (cg_stage_kept(d->x, s))
            g->kept++;
        else if (cg_stage_cost(d->x, s, planner, &cost))
            g->seconds += cost.seconds;
        for (int k = 0; k < s->ninputs; k++)
            arrow_add(d, stage_box(d, s->inputs[k]), (int)at);
        if (s->data)
            draw_data(d, s->data, (int)at);
    }
}

/* What a box says of its stages: how many, how many of them are kept, how long the others take. */
static void describe(Drawing *d, const Groups *groups)
{
    for (size_t i = 0; i < groups->len; i++) {
        const Group *g = &groups->at[i];
        CgBox *box = &d->p->boxes.at[i];
        char time[24];
        if (!g->stages)
            continue;
        if (g->stages > 1)
            box->title = cg_arena_printf(d->p->arena, "%s (x%d)", box->title, g->stages);
        box->derived = g->kept < g->stages;
        if (!box->derived)
            box->type = "kept";
        else if (g->kept)
            box->type =
                cg_arena_printf(d->p->arena, "%d kept, the others about %s", g->kept, cg_duration(g->seconds, time));
        else
            box->type = cg_arena_printf(d->p->arena, "to build, about %s", cg_duration(g->seconds, time));
    }
}

/* A table, figure or model that is shown below `title`, or saved in a file of that name. */
static void draw_result(Drawing *d, const CgValue *v, const char *title)
{
    CgNeeds n = { 0 };
    const CgClass *of = cg_value_class(v);
    CgBox box = { .kind = CG_BOX_OUTPUT, .title = title, .note = of ? of->name : "", .type = "" };
    enum { LONGEST = 28 };
    cg_needs_add(&n, v);
    if (strlen(title) > LONGEST)
        box.title = cg_arena_printf(d->p->arena, "%.*s ..", LONGEST, title);
    box.id = cg_arena_printf(d->p->arena, "result:%zu", d->p->boxes.len);
    int at = box_add(d, cg_intern(box.id), box);
    for (size_t i = 0; i < n.stages.len; i++)
        arrow_add(d, stage_box(d, n.stages.at[i]), at);
    cg_needs_free(&n);
}

static void draw_results(Drawing *d)
{
    CgElab *e = d->x->elab;
    const CgBlock *top = &cg_env_module(cg_elab_script(e))->unit->top;
    for (int i = 0; i < top->n; i++) {
        const CgStmt *s = top->at[i];
        const char *title = "show";
        CgFrame f;
        cg_frame_begin(e, &f, NULL, cg_elab_script(e));
        for (int k = 0; k < s->nexprs && s->kind == CG_STMT_SHOW; k++) {
            const CgValue *v = cg_shown(e, &f, s->exprs[k]);
            if (v->kind == CG_VALUE_STR)
                title = v->s;
            else
                draw_result(d, v, title);
        }
        if (s->kind == CG_STMT_SAVE)
            draw_result(d, cg_shown(e, &f, s->a), cg_eval(e, &f, s->b)->s);
        cg_frame_end(e, &f);
    }
}

/* ---- the least arrows that say the same ---- */

/* Whether a longer way leads from arrow i's beginning to its end. Boxes are marked with `i + 1` when they were met. */
static bool leads(const CgPicture *p, size_t *met, int from, int to, size_t i)
{
    for (size_t k = 0; k < p->arrows.len; k++) {
        const CgArrow *a = &p->arrows.at[k];
        if (k == i || a->from != from || met[a->to] == i + 1)
            continue;
        met[a->to] = i + 1;
        if (a->to == to || leads(p, met, a->to, to, i))
            return true;
    }
    return false;
}

/* What a stage is made of through another is not said again. */
static void reduce(CgPicture *p)
{
    size_t *met = cg_calloc(p->boxes.len + 1, sizeof *met), kept = 0;
    bool *longer = cg_calloc(p->arrows.len + 1, sizeof *longer);
    for (size_t i = 0; i < p->arrows.len; i++)
        longer[i] = leads(p, met, p->arrows.at[i].from, p->arrows.at[i].to, i);
    for (size_t i = 0; i < p->arrows.len; i++)
        if (!longer[i])
            p->arrows.at[kept++] = p->arrows.at[i];
    p->arrows.len = kept;
    free(longer);
    free(met);
}

static CgPicture *draw(CgSession *x, const CgNeeds *n, CgPlanner *planner, int depth)
{
    CgEnv *env = cg_elab_script(x->elab);
    const CgBlock *top = &cg_env_module(env)->unit->top;
    Drawing d = { .x = x, .p = cg_calloc(1, sizeof *d.p), .depth = depth };
    Groups groups = { 0 };
    d.p->arena = cg_arena_new();
    for (int i = 0; i < top->n; i++)
        for (int k = 0; top->at[i]->kind == CG_STMT_BIND && k < top->at[i]->nnames; k++) {
            const CgValue *v = cg_env_own(x->elab, env, top->at[i]->names[k]);
            if (v)
                name_values(&d, v, top->at[i]->names[k]);
        }
    draw_stages(&d, n, planner, &groups);
    describe(&d, &groups);
    draw_results(&d);
    if (d.p->boxes.len <= MOST_REDUCED)
        reduce(d.p);
    cg_vec_free(&groups);
    cg_map_deinit(&d.names);
    cg_map_deinit(&d.box);
    cg_map_deinit(&d.arrows);
    return d.p;
}

CgPicture *cg_needs_picture(CgSession *x, const CgNeeds *n, int depth, int boxes)
{
    for (size_t i = 0; i < n->stages.len; i++)
        if (!cg_stage_key(x, n->stages.at[i]))
            return NULL;
    CgPlanner *planner = cg_planner_new(x);
    if (!planner)
        return NULL;
    CgPicture *p = draw(x, n, planner, depth < 0 ? 0 : depth);
    for (int less = 2; depth < 0 && (int)p->boxes.len > boxes && less > 0; less--) {
        cg_picture_free(p);
        p = draw(x, n, planner, less);
    }
    cg_planner_free(planner);
    return p;
}
