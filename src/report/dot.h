/* dot.h - pictures through GraphViz.
 * Takes a picture; gives canonical DOT text (equal pictures, equal text) or a rendering.
 * The one door to GraphViz: no other file includes its headers. */
#ifndef CG_DOT_H
#define CG_DOT_H
#include "base/err.h"
#include "report/picture.h"

/* `format` is "dot" for the text or a format of GraphViz ("svg", "png", "pdf"); `name` is that of the digraph, `title`
 * stands above it, NULL = none. Appends to *out. Fails when the format is unknown or there is too much to lay out, and
 * always when cg was built without GraphViz. */
CG_NODISCARD bool cg_dot_write(
    const CgPicture *p, const char *name, const char *title, const char *format, CgStrbuf *out, CgErr *e);
#endif
