/* label.c - what boxes, frames and arrows say, and how much room it takes.
 * Takes a picture; gives texts with their sizes. Knows no colours and no format. */
#include "report/label.h"

#include <string.h>

#include "base/intern.h"

enum { LARGE = 14, NORMAL = 11, SMALL = 9, TINY = CG_LABEL_SMALLEST };

/* Hundredths of the size of the face, for the characters from the blank to the tilde: DejaVu Sans, which is wider than
 * Helvetica and Arial. */
static const unsigned char plain[] = { 32, 41, 46, 84, 64, 96, 78, 28, 40, 40, 50, 84, 32, 37, 32, 34, 64, 64, 64, 64,
    64, 64, 64, 64, 64, 64, 34, 34, 84, 84, 84, 54, 100, 69, 69, 70, 77, 64, 58, 78, 76, 30, 30, 66, 56, 87, 75, 79, 61,
    79, 70, 64, 62, 74, 69, 99, 69, 62, 69, 40, 34, 40, 84, 50, 50, 62, 64, 55, 64, 62, 36, 64, 64, 28, 28, 58, 28, 98,
    64, 62, 64, 64, 42, 53, 40, 64, 60, 82, 60, 60, 53, 64, 34, 64, 84 };
static const unsigned char strong[] = { 35, 46, 53, 84, 70, 101, 88, 31, 46, 46, 53, 84, 38, 42, 38, 37, 70, 70, 70, 70,
    70, 70, 70, 70, 70, 70, 40, 40, 84, 84, 84, 58, 100, 78, 77, 74, 83, 69, 69, 83, 84, 38, 38, 78, 64, 100, 84, 85,
    74, 85, 77, 73, 69, 82, 78, 111, 78, 73, 73, 46, 37, 46, 84, 50, 50, 68, 72, 60, 72, 68, 44, 72, 72, 35, 35, 67, 35,
    105, 72, 69, 72, 72, 50, 60, 48, 72, 66, 93, 65, 66, 59, 72, 37, 72, 84 };

double cg_label_width(const char *text, bool bold, int size)
{
    int sum = 0;
    for (const char *s = text; *s; s++) {
        unsigned char c = (unsigned char)*s;
        if (c >= ' ' && c <= '~')
            sum += bold ? strong[c - ' '] : plain[c - ' '];
        else if ((c & 0xc0) != 0x80) /* one for each character beyond ASCII, as wide as any */
            sum += 100;
    }
    return sum * size / 100.0;
}

static void add(CgLabel *l, const char *text, bool bold, bool fresh, int size, CgTone tone)
{
    if (*text)
        cg_vec_push(&l->parts, (CgLabelPart){ text, bold, fresh && l->parts.len, size, tone });
}

static void measure(CgLabel *l)
{
    double w = 0, h = 0;
    for (size_t i = 0; i < l->parts.len; i++) {
        const CgLabelPart *part = &l->parts.at[i];
        if (part->fresh) {
            l->h += h;
            w = h = 0;
        }
        w += cg_label_width(part->text, part->bold, part->size);
        h = part->size * 1.2 > h ? part->size * 1.2 : h;
        l->w = w > l->w ? w : l->w;
    }
    l->h += h;
}

const char *cg_label_sign(CgChange change)
{
    static const char *const sign[] = { [CG_SAME] = "", [CG_ADDED] = "+ ", [CG_REMOVED] = "- ", [CG_CHANGED] = "~ " };
    return sign[change];
}

/* A short note stands behind the title, a long one below it; what says its type, too, has many beside it. */
static void add_title(CgLabel *l, const CgBox *box, CgTone faint)
{
    enum { SHORT = 31, SHORT_BESIDE = 28 };
    size_t most = box->kind == CG_BOX_OP && *box->type ? SHORT_BESIDE : SHORT;
    bool behind = strlen(box->title) + strlen(box->note) <= most && *box->note;
    add(l, cg_label_sign(box->change), true, false, NORMAL, CG_TONE_INK);
    if (box->heading) {
        add(l, box->heading, true, false, NORMAL, CG_TONE_INK);
        add(l, ": ", true, false, NORMAL, CG_TONE_INK);
    }
    add(l, box->title, box->kind != CG_BOX_CONST && !box->heading, false, NORMAL, CG_TONE_INK);
    if (behind)
        add(l, "  ", false, false, SMALL, faint);
    add(l, box->note, false, !behind, SMALL, faint);
}

CgLabel cg_label_box(const CgPicture *p, const CgBox *box)
{
    CgLabel l = { 0 };
    bool in_frozen = box->cluster >= 0 && p->clusters.at[box->cluster].frozen;
    CgTone faint = box->heat > 0 ? CG_TONE_INK : CG_TONE_FAINT; /* on a colour nothing is faint */
    add_title(&l, box, faint);
    for (int i = 0; i < box->nrows; i++) {
        const CgBoxRow *row = &box->rows[i];
        CgTone tone = row->frozen ? CG_TONE_FROZEN : CG_TONE_INK;
        add(&l, row->name, true, true, SMALL, tone);
        add(&l, row->shared ? "  shared  " : "  ", false, false, SMALL, tone);
        add(&l, row->type, false, false, SMALL, tone);
    }
    add(&l, box->type, false, true, SMALL, faint);
    if (box->frozen && !in_frozen)
        add(&l, "frozen", false, true, SMALL, CG_TONE_FROZEN);
    add(&l, box->measure ? box->measure : "", true, true, SMALL, CG_TONE_INK);
    if (box->was) {
        add(&l, "was ", true, true, SMALL, CG_TONE_CHANGED);
        add(&l, box->was, false, false, SMALL, CG_TONE_CHANGED);
    }
    measure(&l);
    return l;
}

CgLabel cg_label_frame(const CgPicture *p, const CgCluster *c)
{
    CgLabel l = { 0 };
    const CgCluster *outer = c->parent < 0 ? NULL : &p->clusters.at[c->parent];
    add(&l, cg_label_sign(c->change), true, false, NORMAL, CG_TONE_INK);
    add(&l, c->label, true, false, NORMAL, CG_TONE_INK);
    if (c->times > 1)
        add(&l, cg_arena_printf(p->arena, " (x%d)", c->times), true, false, NORMAL, CG_TONE_INK);
    if (c->frozen && !(outer && outer->frozen))
        add(&l, " \xc2\xb7 frozen", false, false, NORMAL, CG_TONE_FROZEN);
    if (c->recompute && !(outer && outer->recompute))
        add(&l, " \xc2\xb7 recomputed", false, false, NORMAL, CG_TONE_FAINT);
    if (c->measure)
        add(&l, cg_arena_printf(p->arena, " \xc2\xb7 %s", c->measure), false, false, SMALL, CG_TONE_INK);
    if (c->was)
        add(&l, cg_arena_printf(p->arena, " \xc2\xb7 was %s", c->was), false, false, NORMAL, CG_TONE_CHANGED);
    measure(&l);
    return l;
}

CgLabel cg_label_arrow(const CgArrow *a)
{
    CgLabel l = { 0 };
    add(&l, a->label, false, false, TINY, CG_TONE_FAINT);
    measure(&l);
    return l;
}

CgLabel cg_label_title(const char *title, const char *legend)
{
    enum { LINE = 56 };
    CgLabel l = { 0 };
    add(&l, title ? title : "", true, false, LARGE, CG_TONE_INK);
    for (const char *s = legend ? legend : ""; *s;) { /* lines end at a comma */
        size_t n = strlen(s);
        for (size_t k = 0, at = 0; n > LINE && s[k]; k++)
            if (s[k] == ',') {
                if (at && k > LINE) {
                    n = at;
                    break;
                }
                at = k + 1;
            }
        add(&l, cg_intern_printf("%.*s", (int)n, s), false, true, SMALL, CG_TONE_FAINT);
        s += n;
        s += strspn(s, " ");
    }
    measure(&l);
    return l;
}
