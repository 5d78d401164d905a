/* dot.h - pictures of graphs through GraphViz.
 * Takes a graph and options; gives canonical DOT text (equal graphs, equal text) or a rendering.
 * The one door to GraphViz: no other file includes its headers. */
#ifndef CG_DOT_H
#define CG_DOT_H
#include "base/err.h"
#include "report/picture.h"

typedef struct CgDotOptions {
    CgPictureOptions picture;
    const char *title; /* NULL = none */
} CgDotOptions;

/* `format` is "dot" for the text or a format of GraphViz ("svg", "png", "pdf"). Appends to *out. Fails when
 * the format is unknown, or always when cg was built without GraphViz. */
CG_NODISCARD bool cg_dot_write(
    const CgGraph *g, const CgDotOptions *options, const char *format, CgStrbuf *out, CgErr *e);
/* "2.42.2", or NULL when built without. */
const char *cg_dot_version(void);
#endif
