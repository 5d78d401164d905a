/* dot_inside.h - what the files that know GraphViz share.
 * Included by dot*.c only. */
#ifndef CG_DOT_INSIDE_H
#define CG_DOT_INSIDE_H
#include "base/err.h"
#include "base/strbuf.h"

bool cg_dot_absent(CgErr *e);                  /* that cg was built without GraphViz; false */
bool cg_dot_too_large(size_t boxes, CgErr *e); /* that so many cannot be laid out, and what to write; false */

/* Appends an SVG of GraphViz with each line of text as one (dot_svg.c). */
void cg_dot_put_lines(const char *svg, CgStrbuf *out);

#ifdef CG_HAVE_GRAPHVIZ
    #include <graphviz/cgraph.h>
    #include <graphviz/gvc.h>

char *cg_dot_text(const char *s); /* where GraphViz 2.42 takes char * for const char * */
void cg_dot_set(void *object, const char *name, const char *value);
void cg_dot_set_html(Agraph_t *root, void *object, const char *html); /* its label; text in it is escaped already */
bool cg_dot_lay_out(Agraph_t *root, const char *engine, CgErr *e);
bool cg_dot_render(Agraph_t *root, const char *format, CgStrbuf *out, CgErr *e); /* appends to *out */
#endif
#endif
