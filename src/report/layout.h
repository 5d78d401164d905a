/* layout.h - where everything of a picture stands.
 * Takes a picture; gives places of boxes and frames and ways of arrows. Each instance is laid out for itself, as a box
 * of that size in the one around it, and arrows pass its frame at places of their own: so none crosses a frame it does
 * not lead into, whatever is drawn. Knows no colours and no format. */
#ifndef CG_LAYOUT_H
#define CG_LAYOUT_H
#include "report/label.h"
#include "report/level.h"

/* What is frozen has a second line around it, that far from the first. */
enum { CG_RING = 4 };

typedef struct CgPlaced {
    double x, y, w, h; /* the upper left corner, and the size */
} CgPlaced;

typedef struct CgRoute {
    CgPoint *at; /* n = 3 k + 1 points of cubic Bezier curves */
    int n;
    CgPoint tip;
    CgPlaced label; /* w = 0: none */
} CgRoute;

typedef struct CgLayout {
    CgArena *arena;
    double w, h;
    CgPlaced *box, *frame, *title; /* by the numbers of the picture; title: of a frame */
    CgRoute *arrow;
} CgLayout;

/* A node of a level: a box or a frame, by its number in the picture, or a place where arrows come in or leave. */
typedef enum CgLevelKind { CG_ITEM_BOX, CG_ITEM_FRAME, CG_ITEM_IN, CG_ITEM_OUT } CgLevelKind;
typedef struct CgLevelItem {
    CgLevelKind kind;
    int what;
} CgLevelItem;

/* Each frame for itself, with the frames in it as boxes that a reader may open. */
typedef struct CgFolded {
    CG_VEC(CgLevelItem) items; /* what the nodes of the level are */
    CgLevel level;             /* edges end at places, numbers of CG_ITEM_IN and OUT, of frames */
} CgFolded;
typedef struct CgFoldedLayout {
    CgArena *arena;
    CgFolded *at; /* [0] all, [c + 1] cluster c */
    int n;
} CgFoldedLayout;

CgFoldedLayout *cg_layout_folded(const CgPicture *p, CgErr *e); /* NULL after a mistake */
void cg_layout_folded_free(CgFoldedLayout *l);

/* For a page of A4 that stands, or, `landscape`, lies: what is longer than it is broken into columns, and on one that
 * lies arrows lead downwards or to the right, whichever is larger there. NULL after a mistake. */
CgLayout *cg_layout_build(const CgPicture *p, bool landscape, CgErr *e);
void cg_layout_free(CgLayout *l);
/* Draws a picture of a graph at the greatest depth at which it is legible on the page, its smallest face 6 points high,
 * and gives that: 0 when all of it is, CG_DEPTH_MODELS when nothing is. */
int cg_layout_depth(CgPicture *p, bool landscape);
#endif
