/* dot.h - pictures through GraphViz.
 * Takes a picture; gives canonical DOT text (equal pictures, equal text) or a rendering.
 * The one door to GraphViz: only dot*.c include its headers. */
#ifndef CG_DOT_H
#define CG_DOT_H
#include "base/err.h"
#include "report/picture.h"

typedef struct CgDrawing {
    const char *name;   /* of the digraph */
    const char *title;  /* stands above it, NULL = none */
    const char *legend; /* below the title: what names of sizes stand for; NULL = none */
    const char *format; /* "dot" for the text, or a format of GraphViz: "svg", "png", "pdf" */
    bool landscape;     /* from left to right */
    bool dark;          /* light on dark; an SVG that is light turns dark where its reader's ground is */
} CgDrawing;

/* Whether pictures can be written in a format. Where cg was built without GraphViz, true: cg_dot_write says so. */
bool cg_dot_draws(const char *format);
/* Appends to *out. Fails when the format is unknown or there is too much to lay out, and always when cg was built
 * without GraphViz. */
CG_NODISCARD bool cg_dot_write(const CgPicture *p, const CgDrawing *how, CgStrbuf *out, CgErr *e);
#endif
