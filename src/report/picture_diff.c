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
    bool *met;                   /* by arrow of a: it is in b */
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

/* The arrow of b, not met with in a yet, that leads where an arrow of a does: the same one, or one that says another
 * type or operand; NULL: there is none. */
static CgArrow *arrow_like(const Merge *m, size_t nb, const CgMap *first, const size_t *next, const CgArrow *a)
{
    uint64_t at = 0;
    CgArrow *other = NULL;
    cg_map_get(first, cg_map_ptr(cg_intern_printf("%d %d", a->from, a->to)), &at);
    for (size_t i = at; i > 0 && i <= nb; i = next[i]) {
        CgArrow *b = &m->p->arrows.at[i - 1];
        if (b->change != CG_ADDED)
            continue;
        if (same(a->label, b->label))
            return b;
        other = other ? other : b;
    }
    return other;
}

/* Where two arrows have the same ends but not the same label, one is drawn, with both: two would lie on each other. A
 * label is left away where the type was said before, so one that is not there says nothing of the other. */
static void merge_arrows(Merge *m)
{
    CgPicture *p = m->p;
    size_t n = p->arrows.len;
    size_t *next = CG_NEWN(p->arena, size_t, n + 1); /* of the same ends; counted from 1, 0: there is none */
    CgMap first = { 0 };
    for (size_t i = n; i-- > 0;) {
        CgArrow *b = &p->arrows.at[i];
        CgAtom ends = cg_intern_printf("%d %d", b->from, b->to);
        uint64_t after = 0;
        b->change = CG_ADDED;
        cg_map_get(&first, cg_map_ptr(ends), &after);
        next[i + 1] = after;
        cg_map_put(&first, cg_map_ptr(ends), i + 1);
    }
    for (int exact = 1; exact >= 0; exact--)
        for (size_t i = 0; i < m->a->arrows.len; i++) {
            CgArrow a = m->a->arrows.at[i];
            a.from = m->box_of[a.from], a.to = m->box_of[a.to], a.change = CG_REMOVED;
            CgArrow *b = m->met[i] ? NULL : arrow_like(m, n, &first, next, &a);
            if (exact && (!b || !same(a.label, b->label)))
                continue;
            if (b && same(a.label, b->label)) {
                b->change = CG_SAME;
            } else if (b && *a.label && *b->label) {
                b->change = CG_CHANGED;
                b->label = cg_arena_printf(p->arena, "%s, was %s", b->label, a.label);
            } else if (b) {
                b->change = CG_SAME;
            } else if (!m->met[i]) {
                cg_vec_push(&p->arrows, a);
            }
            m->met[i] = true;
        }
    cg_map_deinit(&first);
}

void cg_picture_diff(const CgPicture *a, CgPicture *b)
{
    Merge m = { .a = a, .root_a = a->root, .root_b = b->root, .p = b };
    m.box_of = CG_NEWN(b->arena, int, a->boxes.len + 1);
    m.cluster_of = CG_NEWN(b->arena, int, a->clusters.len + 1);
    m.met = CG_NEWN(b->arena, bool, a->arrows.len + 1);
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
