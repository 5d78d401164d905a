/* label.h - what boxes, frames and arrows say, and how much room it takes.
 * Takes a picture; gives its texts as parts of one look each, and their size in points (1/72 inch). Sizes are those of
 * a wide common face, so that equal pictures have equal layouts everywhere, and no text is wider than its box. */
#ifndef CG_LABEL_H
#define CG_LABEL_H
#include "report/picture.h"

typedef enum CgTone { CG_TONE_INK, CG_TONE_FAINT, CG_TONE_FROZEN, CG_TONE_CHANGED } CgTone;

typedef struct CgLabelPart {
    const char *text;
    bool bold, fresh; /* fresh: begins a line */
    int size;         /* points */
    CgTone tone;
} CgLabelPart;

enum { CG_LABEL_SMALLEST = 8 }; /* points */

typedef struct CgLabel {
    CG_VEC(CgLabelPart) parts;
    double w, h;
} CgLabel;

/* How wide a line of a face of `size` is, in the same unit. */
double cg_label_width(const char *text, bool bold, int size);
/* What a frame says, the boxes and frames in it do not say again. Each is freed with cg_vec_free(&label.parts). */
CgLabel cg_label_box(const CgPicture *p, const CgBox *box);
CgLabel cg_label_frame(const CgPicture *p, const CgCluster *c);
CgLabel cg_label_arrow(const CgArrow *a);
CgLabel cg_label_title(const char *title, const char *legend); /* either may be NULL */
/* The sign of a change before a name, so that it shows in grey, too: "+ ". */
const char *cg_label_sign(CgChange change);
#endif
