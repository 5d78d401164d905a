/* picture_diff.c - two pictures as one that says how they differ.
 * Takes pictures of a graph before and after; gives what is in either, each box, arrow and frame marked: the same,
 * added, removed, or changed, and then what it was. What has one name in both is the same thing, wherever it stands. */
#include "report/picture.h"

#include <string.h>

#include "base/intern.h"

typedef struct Merge {
    const CgPicture *a;
    const char *root_a, *root_b; /* the instance that all else lies in, which may have another name */
    CgPicture *p;                /* begins as b */
    CgMap boxes, clusters;       /* name -> index in p + 1 */
    int *box_of, *cluster_of;    /* by index in a */
} Merge;

static bool same(const char *a, const char *b) { return strcmp(a ? a : "", b ? b : "") == 0; }

/* What a box says of itself, in one line. */
static const char *box_text(CgArena *arena, const CgBox *box)
{
    const char *text = box->title;
    if (*box->note)
        text = cg_arena_printf(arena, "%s %s", text, box->note);
    for (int i = 0; i < box->nrows; i++)
        text = cg_arena_printf(arena, "%s %s %s", text, box->rows[i].name, box->rows[i].type);
    if (*box->type)
        text = cg_arena_printf(arena, "%s %s", text, box->type);
    return box->frozen ? cg_arena_printf(arena, "%s frozen", text) : text;
}

/* A name with "@" for that of the root: what is the same in two graphs has one. */
static CgAtom key_of(const char *root, const char *id)
{
    static const char output[] = "output:";
    size_t n = root ? strlen(root) : 0, start = strncmp(id, output, sizeof output - 1) == 0 ? sizeof output - 1 : 0;
    bool below = n && strncmp(id + start, root, n) == 0 && (!id[start + n] || strchr("./", id[start + n]));
    return below ? cg_intern_printf("%.*s@%s", (int)start, id, id + start + n) : cg_intern(id);
}

static int find(const CgMap *m, CgAtom key)
{
    uint64_t at;
    return cg_map_get(m, cg_map_ptr(key), &at) ? (int)at - 1 : -1;
}

/* All of it, what is not shown as well. */
static const char *whole_text(CgArena *arena, const CgBox *box)
{
    const char *text = box_text(arena, box);
    text = box->parts ? cg_arena_printf(arena, "%s of %s", text, box->parts) : text;
    return box->hidden && *box->hidden ? cg_arena_printf(arena, "%s, %s", text, box->hidden) : text;
}

static void merge_clusters(Merge *m)
{
    CgPicture *p = m->p;
    for (size_t i = 0; i < p->clusters.len; i++) {
        bool is_root = same(p->clusters.at[i].id, m->root_b) && !same(m->root_a, "");
        p->clusters.at[i].change = is_root ? CG_SAME : CG_ADDED;
        cg_map_put(&m->clusters, cg_map_ptr(key_of(m->root_b, p->clusters.at[i].id)), i + 1);
    }
    for (size_t i = 0; i < m->a->clusters.len; i++) {
        const CgCluster *old = &m->a->clusters.at[i];
        int at = find(&m->clusters, key_of(m->root_a, old->id));
        if (at < 0) {
            CgCluster c = *old;
            c.change = CG_REMOVED;
            c.parent = old->parent < 0 ? -1 : m->cluster_of[old->parent];
            at = (int)p->clusters.len;
            cg_vec_push(&p->clusters, c);
        } else {
            CgCluster *c = &p->clusters.at[at];
            bool alike = same(c->label, old->label) && c->times == old->times && c->frozen == old->frozen
                && c->recompute == old->recompute;
            c->change = alike ? CG_SAME : CG_CHANGED;
            if (!alike && old->times > 1)
                c->was = cg_arena_printf(p->arena, "%s (x%d)", old->label, old->times);
            else if (!alike)
                c->was = old->label;
        }
        m->cluster_of[i] = at;
    }
}

static void merge_boxes(Merge *m)
{
    CgPicture *p = m->p;
    for (size_t i = 0; i < p->boxes.len; i++) {
        p->boxes.at[i].change = CG_ADDED;
        cg_map_put(&m->boxes, cg_map_ptr(key_of(m->root_b, p->boxes.at[i].id)), i + 1);
    }
    for (size_t i = 0; i < m->a->boxes.len; i++) {
        const CgBox *old = &m->a->boxes.at[i];
        int at = find(&m->boxes, key_of(m->root_a, old->id));
        if (at < 0) {
            CgBox box = *old;
            box.change = CG_REMOVED;
            box.cluster = old->cluster < 0 ? -1 : m->cluster_of[old->cluster];
            at = (int)p->boxes.len;
            cg_vec_push(&p->boxes, box);
        } else {
            CgBox *box = &p->boxes.at[at];
            const char *was = box_text(p->arena, old), *is = box_text(p->arena, box);
            const char *all = whole_text(p->arena, old);
            bool alike = same(all, whole_text(p->arena, box));
            box->change = alike ? CG_SAME : CG_CHANGED;
            box->was = alike ? NULL : same(was, is) ? all : was;
        }
        m->box_of[i] = at;
    }
}

static void merge_arrows(Merge *m)
{
    CgPicture *p = m->p;
    CgMap known = { 0 };
    for (size_t i = 0; i < p->arrows.len; i++) {
        CgArrow *a = &p->arrows.at[i];
        a->change = CG_ADDED;
        cg_map_put(&known, cg_map_ptr(cg_intern_printf("%d %d %s", a->from, a->to, a->label)), i + 1);
    }
    for (size_t i = 0; i < m->a->arrows.len; i++) {
        CgArrow a = m->a->arrows.at[i];
        uint64_t at;
        a.from = m->box_of[a.from], a.to = m->box_of[a.to], a.change = CG_REMOVED;
        if (cg_map_get(&known, cg_map_ptr(cg_intern_printf("%d %d %s", a.from, a.to, a.label)), &at))
            p->arrows.at[at - 1].change = CG_SAME;
        else
            cg_vec_push(&p->arrows, a);
    }
    cg_map_deinit(&known);
}

void cg_picture_diff(const CgPicture *a, CgPicture *b)
{
    Merge m = { .a = a, .root_a = a->root, .root_b = b->root, .p = b };
    m.box_of = CG_NEWN(b->arena, int, a->boxes.len + 1);
    m.cluster_of = CG_NEWN(b->arena, int, a->clusters.len + 1);
    merge_clusters(&m);
    merge_boxes(&m);
    merge_arrows(&m);
    cg_map_deinit(&m.boxes);
    cg_map_deinit(&m.clusters);
}

CgPictureChanges cg_picture_changes(const CgPicture *p)
{
    CgPictureChanges n = { 0 };
    for (size_t i = 0; i < p->boxes.len; i++)
        n.of[p->boxes.at[i].change]++;
    for (size_t i = 0; i < p->clusters.len; i++)
        n.of[p->clusters.at[i].change]++;
    for (size_t i = 0; i < p->arrows.len; i++)
        n.arrows += p->arrows.at[i].change != CG_SAME;
    return n;
}
