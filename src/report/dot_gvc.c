/* dot_gvc.c - the calls of GraphViz that all who draw with it share.
 * Takes a graph of cgraph; gives it laid out, or as the bytes of a format. What GraphViz complains of becomes an error.
 */
#include <stdlib.h>
#include <string.h>

#include "report/dot_inside.h"

bool cg_dot_absent(CgErr *e)
{
    cg_err_hint(e, "install libgraphviz-dev and configure again");
    return cg_err(e, CG_ERR_INPUT, "no pictures: this cg was built without GraphViz");
}

bool cg_dot_too_large(size_t boxes, CgErr *e)
{
    cg_err_hint(e, "--depth=N draws instances as boxes, --open=PATH all of one; -T dot writes the text all the same");
    return cg_err(e, CG_ERR_INPUT, "%zu boxes are too many to lay out", boxes);
}

#ifndef CG_HAVE_GRAPHVIZ

bool cg_dot_draws(const char *format) { return format != NULL; }

#else

char *cg_dot_text(const char *s)
{
    /* none of the functions used here writes to them */
    union {
        const char *in;
        char *out;
    } u = { s };
    return u.out;
}

void cg_dot_set(void *object, const char *name, const char *value)
{
    agsafeset(object, cg_dot_text(name), cg_dot_text(value), cg_dot_text(""));
}

/* In GraphViz's subset of HTML. */
void cg_dot_set_html(Agraph_t *root, void *object, const char *html)
{
    char *label = agstrdup_html(root, cg_dot_text(html));
    agsafeset(object, cg_dot_text("label"), label, cg_dot_text(""));
    agstrfree(root, label);
}

/* GraphViz reports through a callback; its last words become ours. */
static char complaint[160];

static int hear(char *text)
{
    size_t n = strlen(complaint);
    for (; *text && n + 1 < sizeof complaint; text++)
        if (*text != '\n')
            complaint[n++] = *text;
    complaint[n] = 0;
    return 0;
}

/* One for the process: the text plugin of GraphViz 2.42 remembers fonts that go when a context is freed. */
static GVC_t *layouter(void)
{
    static GVC_t *gvc;
    if (!gvc)
        gvc = gvContext();
    return gvc;
}

/* GraphViz 2.42 marks nodes with a counter of one byte: two steps a layout by ranks, three where ranks are asked for.
 * In one that begins at the last of 255 steps, it takes nodes it never saw for known ones, and reads freed memory. A
 * node without arrows has nothing to lose there: some of those lead past that step. */
static void step_past(GVC_t *gvc, Agraph_t *root)
{
    enum { ROUND = 255, NEAR = ROUND - 15 };
    static unsigned steps;
    bool ranked = false;
    for (; steps % ROUND >= NEAR; steps += 2) {
        Agraph_t *lone = agopen(cg_dot_text("lone"), Agdirected, NULL);
        agnode(lone, cg_dot_text("lone"), 1);
        if (gvLayout(gvc, lone, "dot") == 0)
            gvFreeLayout(gvc, lone);
        agclose(lone);
    }
    for (Agraph_t *s = agfstsubg(root); s; s = agnxtsubg(s))
        ranked = ranked || agfstnode(s);
    steps += 2U + ranked;
}

bool cg_dot_lay_out(Agraph_t *root, const char *engine, CgErr *e)
{
    GVC_t *gvc = layouter();
    agusererrf before = agseterrf(hear);
    complaint[0] = 0;
    if (gvc && strcmp(engine, "dot") == 0)
        step_past(gvc, root);
    bool good = gvc && gvLayout(gvc, root, engine) == 0;
    agseterrf(before);
    return good || cg_err(e, CG_ERR_INPUT, "the picture cannot be laid out: %s", complaint);
}

bool cg_dot_draws(const char *format)
{
    int n = 0;
    bool draws = strcmp(format, "dot") == 0 || strcmp(format, "gv") == 0;
    char **all = draws ? NULL : gvPluginList(layouter(), cg_dot_text("device"), &n, NULL);
    for (int i = 0; i < n; i++) {
        draws = draws || strcmp(all[i], format) == 0;
        free(all[i]);
    }
    free(all);
    return draws;
}

bool cg_dot_render(Agraph_t *root, const char *format, CgStrbuf *out, CgErr *e)
{
    char *data = NULL;
    unsigned int len = 0;
    agusererrf before = agseterrf(hear);
    complaint[0] = 0;
    bool ok = gvRenderData(layouter(), root, format, &data, &len) == 0 && data;
    agseterrf(before);
    if (ok)
        cg_strbuf_write(out, data, len);
    if (data)
        gvFreeRenderData(data);
    /* no gvFreeLayout: it frees edges of large drawings twice; the program ends soon anyway */
    if (ok)
        return true;
    const char *why = strncmp(complaint, "Error: ", 7) == 0 ? complaint + 7 : complaint;
    cg_err_hint(e, "formats: dot, svg, png, pdf, html");
    return cg_err(e, CG_ERR_INPUT, "cannot draw as '%s'%s%s", format, *why ? ": " : "", why);
}

#endif
