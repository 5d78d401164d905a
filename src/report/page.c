/* page.c - a picture as one page of HTML.
 * Takes a picture; gives page.html with what is drawn as data in it: each frame laid out for itself, so that a reader
 * may open any of them, and as a list for those who read by ear. */
#include "report/page.h"

#include <string.h>

#include "lang/embedded.h"
#include "report/layout.h"

static void put_html(CgStrbuf *out, const char *s)
{
    for (; *s; s++)
        switch (*s) {
        case '&': cg_strbuf_puts(out, "&amp;"); break;
        case '<': cg_strbuf_puts(out, "&lt;"); break;
        case '>': cg_strbuf_puts(out, "&gt;"); break;
        case '"': cg_strbuf_puts(out, "&quot;"); break;
        default: cg_strbuf_putc(out, *s);
        }
}

/* A string of JSON that may stand in a script: "</script>" in it ends nothing. */
static void put_string(CgStrbuf *out, const char *s)
{
    cg_strbuf_putc(out, '"');
    for (; *s; s++)
        if (*s == '"' || *s == '\\')
            cg_strbuf_printf(out, "\\%c", *s);
        else if ((unsigned char)*s < ' ' || *s == '<')
            cg_strbuf_printf(out, "\\u%04x", *s);
        else
            cg_strbuf_putc(out, *s);
    cg_strbuf_putc(out, '"');
}

/* [[[text, bold, size, tone], ..], ..] by lines. */
static void put_label(CgStrbuf *out, const CgLabel *l)
{
    cg_strbuf_puts(out, "[[");
    for (size_t i = 0; i < l->parts.len; i++) {
        const CgLabelPart *part = &l->parts.at[i];
        cg_strbuf_puts(out, part->fresh ? "],[" : i ? "," : "");
        cg_strbuf_putc(out, '[');
        put_string(out, part->text);
        cg_strbuf_printf(out, ",%d,%d,%d]", part->bold, part->size, (int)part->tone);
    }
    cg_strbuf_puts(out, "]]");
}

static const char *const kinds[] = { [CG_BOX_OP] = "op",
    [CG_BOX_INPUT] = "input",
    [CG_BOX_PARAM] = "param",
    [CG_BOX_CONST] = "const",
    [CG_BOX_OUTPUT] = "output",
    [CG_BOX_INSTANCE] = "instance" };

/* One more field of an object; none for NULL. */
static void put_field(CgStrbuf *out, const char *name, const char *value)
{
    if (!value)
        return;
    cg_strbuf_printf(out, ",\"%s\":", name);
    put_string(out, value);
}

static void put_box(CgStrbuf *out, const CgPicture *p, const CgBox *box)
{
    CgLabel label = cg_label_box(p, box);
    cg_strbuf_puts(out, "{\"id\":");
    put_string(out, box->id);
    cg_strbuf_printf(out, ",\"k\":\"%s%s%s%s%s\",\"l\":", kinds[box->kind],
        box->kind == CG_BOX_OP && box->nrows ? " weighted" : "", box->frozen ? " frozen" : "",
        box->derived ? " derived" : "", box->change ? " change" : "");
    put_label(out, &label);
    put_field(out, "t", box->result);
    put_field(out, "w", box->where);
    put_field(out, "m", box->parts);
    if (box->heat > 0)
        cg_strbuf_printf(out, ",\"h\":%.3f", box->heat);
    cg_strbuf_putc(out, '}');
    cg_vec_free(&label.parts);
}

static void put_frame(CgStrbuf *out, const CgPicture *p, const CgCluster *c)
{
    CgLabel label = cg_label_frame(p, c);
    cg_strbuf_puts(out, "{\"id\":");
    put_string(out, c->id);
    cg_strbuf_printf(out, ",\"p\":%d,\"k\":\"frame%s%s\",\"l\":", c->parent, c->frozen ? " frozen" : "",
        c->times > 1 ? " many" : "");
    put_label(out, &label);
    put_field(out, "w", c->where);
    cg_strbuf_putc(out, '}');
    cg_vec_free(&label.parts);
}

static void put_points(CgStrbuf *out, const CgLevelEdge *e)
{
    cg_strbuf_putc(out, '[');
    for (int k = 0; k < e->n; k++)
        cg_strbuf_printf(out, "%s%.1f,%.1f", k ? "," : "", e->at[k].x, e->at[k].y);
    cg_strbuf_putc(out, ']');
}

static void put_level(CgStrbuf *out, const CgFolded *f)
{
    cg_strbuf_printf(out, "{\"w\":%.1f,\"h\":%.1f,\"n\":[", f->level.w, f->level.h);
    for (size_t i = 0; i < f->items.len; i++) {
        const CgLevelNode *n = &f->level.nodes.at[i];
        cg_strbuf_printf(out, "%s[%d,%d,%.1f,%.1f,%.1f,%.1f]", i ? "," : "", (int)f->items.at[i].kind,
            f->items.at[i].what, n->x, n->y, n->w, n->h);
    }
    cg_strbuf_puts(out, "],\"e\":[");
    for (size_t i = 0; i < f->level.edges.len; i++) {
        const CgLevelEdge *e = &f->level.edges.at[i];
        cg_strbuf_printf(out, "%s[%d,%d,%d,%d,%d,", i ? "," : "", e->from, e->out, e->to, e->in, e->tip);
        put_points(out, e);
        cg_strbuf_printf(out, ",%.1f,%.1f,", e->label.x, e->label.y);
        put_string(out, e->text ? e->text : "");
        cg_strbuf_putc(out, ']');
    }
    cg_strbuf_puts(out, "]}\n");
}

static void put_data(CgStrbuf *out, const CgPicture *p, const CgFoldedLayout *l, const CgDrawing *how, int depth)
{
    cg_strbuf_puts(out, "{\"title\":");
    put_string(out, how->title ? how->title : how->name);
    cg_strbuf_puts(out, ",\"legend\":");
    put_string(out, how->legend ? how->legend : "");
    cg_strbuf_printf(out, ",\"depth\":%d,\"boxes\":[\n", depth);
    for (size_t i = 0; i < p->boxes.len; i++) {
        cg_strbuf_puts(out, i ? ",\n" : "");
        put_box(out, p, &p->boxes.at[i]);
    }
    cg_strbuf_puts(out, "],\n\"frames\":[\n");
    for (size_t i = 0; i < p->clusters.len; i++) {
        cg_strbuf_puts(out, i ? ",\n" : "");
        put_frame(out, p, &p->clusters.at[i]);
    }
    cg_strbuf_puts(out, "],\n\"levels\":[\n");
    for (int i = 0; i < l->n; i++) {
        cg_strbuf_puts(out, i ? "," : "");
        put_level(out, &l->at[i]);
    }
    cg_strbuf_puts(out, "]}");
}

/* ---- as a list ---- */

static void put_text(CgStrbuf *out, const CgLabel *l)
{
    for (size_t i = 0; i < l->parts.len; i++) {
        cg_strbuf_puts(out, l->parts.at[i].fresh ? ", " : "");
        put_html(out, l->parts.at[i].text);
    }
}

/* What lies in a frame, -1 for all that is drawn, each with what it takes. */
static void put_list(CgStrbuf *out, const CgPicture *p, int frame)
{
    cg_strbuf_puts(out, "<ul>\n");
    for (size_t i = 0; i < p->clusters.len; i++) {
        if (p->clusters.at[i].parent != frame)
            continue;
        CgLabel label = cg_label_frame(p, &p->clusters.at[i]);
        cg_strbuf_puts(out, "<li>");
        put_text(out, &label);
        cg_vec_free(&label.parts);
        put_list(out, p, (int)i);
        cg_strbuf_puts(out, "</li>\n");
    }
    for (size_t i = 0; i < p->boxes.len; i++) {
        if (p->boxes.at[i].cluster != frame)
            continue;
        CgLabel label = cg_label_box(p, &p->boxes.at[i]);
        const char *before = " from ";
        cg_strbuf_puts(out, "<li>");
        put_text(out, &label);
        cg_vec_free(&label.parts);
        for (size_t k = 0; k < p->arrows.len; k++)
            if (p->arrows.at[k].to == (int)i) {
                cg_strbuf_puts(out, before);
                put_html(out, p->boxes.at[p->arrows.at[k].from].id);
                before = ", ";
            }
        cg_strbuf_puts(out, "</li>\n");
    }
    cg_strbuf_puts(out, "</ul>\n");
}

bool cg_page_write(const CgPicture *p, const CgDrawing *how, int depth, CgStrbuf *out, CgErr *e)
{
    CgFoldedLayout *l = cg_layout_folded(p, e);
    if (!l)
        return false;
    for (const char *s = cg_embedded_page; *s;) {
        const char *mark = strstr(s, "@@");
        cg_strbuf_write(out, s, mark ? (size_t)(mark - s) : strlen(s));
        if (!mark)
            break;
        if (strncmp(mark, "@@TITLE@@", 9) == 0)
            put_html(out, how->title ? how->title : how->name);
        else if (strncmp(mark, "@@LIST@@", 8) == 0)
            put_list(out, p, -1);
        else
            put_data(out, p, l, how, depth);
        s = strstr(mark + 2, "@@") + 2;
    }
    cg_layout_folded_free(l);
    return true;
}
