/* page.h - a picture as one page of HTML.
 * Takes a picture with all its frames; gives a page that opens anywhere and asks for nothing: frames are opened and
 * closed, boxes are searched and say what is known of them, by mouse and keys, light or dark. */
#ifndef CG_PAGE_H
#define CG_PAGE_H
#include "report/dot.h"

/* How deep the page is open when it opens. */
CG_NODISCARD bool cg_page_write(const CgPicture *p, const CgDrawing *how, int depth, CgStrbuf *out, CgErr *e);
#endif
