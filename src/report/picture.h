/* picture.h - what is shown of a graph.
 * Takes a graph and a level of detail; gives boxes, arrows and nested clusters with their texts, named by path
 * and order so that equal graphs give equal pictures. Knows nothing of how it is drawn (dot.h does). */
#ifndef CG_PICTURE_H
#define CG_PICTURE_H
#include "base/source.h"
#include "base/suggest.h"
#include "graph/graph.h"

typedef enum CgDetail {
    /* parameters inside the op that uses them; views, parts and constants left out; types on arrows */
    CG_DETAIL_MODEL,
    /* every node that an output needs, with its type; what MODEL leaves out is left out where instances are boxes */
    CG_DETAIL_GRAPH,
} CgDetail;

/* Numbers that a picture shows on its boxes and frames, a frame's being all in it. */
typedef struct CgOverlayItem {
    int scope; /* of the graph, -1: it is not of it; and the expression in it */
    CgSpan span;
    double value;
} CgOverlayItem;
typedef struct CgOverlay {
    const char *unit;          /* "s", "flop", "B" .. */
    const CgOverlayItem *item; /* by place */
    size_t n;
    const double *of_param; /* by g->params, of parameters; NULL: there are none */
    bool root;              /* numbers are squares, and shown is the root of their sum */
} CgOverlay;

enum {
    CG_DEPTH_FORWARD = -1, /* as 1, but all derivatives are one box */
    CG_DEPTH_MODELS = -2,  /* whole models are boxes */
};

typedef struct CgPictureOptions {
    CgDetail detail;
    bool clusters; /* a nested cluster for each instance */
    bool fold;     /* blocks.0 .. blocks.N alike: the first stands for all; what was written as one thing is one box */
    int depth;     /* instances so many levels down are one box each; 0: all are drawn from inside; or one of these */
    const char *const *open; /* paths of instances, at any level, that are drawn from inside all the same */
    int nopen;
    const char *const *remark;                       /* by node, what its box says below all else; NULL = nothing */
    const CgOverlay *overlay;                        /* numbers on it; NULL = none */
    const CgSources *sources;                        /* for what the author called it; may be NULL */
    bool (*frozen)(void *context, const char *path); /* may be NULL: nothing is */
    void *context;
} CgPictureOptions;

/* How something differs from another picture. */
typedef enum CgChange { CG_SAME, CG_ADDED, CG_REMOVED, CG_CHANGED } CgChange;

typedef enum CgBoxKind {
    CG_BOX_OP,
    CG_BOX_INPUT,
    CG_BOX_PARAM,
    CG_BOX_CONST,
    CG_BOX_OUTPUT,
    CG_BOX_INSTANCE, /* all that lies in an instance */
} CgBoxKind;

typedef struct CgBoxRow {
    const char *name;
    const char *type;
    bool frozen;
    bool shared; /* other boxes have it, too */
} CgBoxRow;

typedef struct CgBox {
    const char *id; /* unique and stable: "blocks.3.attn/matmul.1" */
    CgBoxKind kind;
    const char *heading; /* the instance this box is all of, or NULL */
    const char *title;   /* op, or name of the leaf */
    const char *note;    /* attributes and scalar constants; "" = none */
    const char *type;    /* of the result; "" where arrows say it */
    const char *result;  /* likewise, said nowhere but on demand; NULL: it is no op */
    CgBoxRow *rows;      /* parameters shown inside */
    int nrows;
    bool frozen;         /* has parameters, and all are */
    bool derived;        /* a derivative node */
    bool ordered;        /* which operand is which matters */
    int cluster;         /* -1 = none */
    const char *where;   /* file, line and expression of the script; NULL = not known */
    const char *parts;   /* names of the ops that it is drawn for; NULL: it is one */
    const char *hidden;  /* their attributes and constants, where `note` leaves them away; NULL: it does not */
    const char *measure; /* of an overlay; NULL = none */
    double heat;         /* its share of the largest, from 0 to 1 */
    CgChange change;
    const char *was; /* CHANGED: what the other one said of itself */
} CgBox;

typedef struct CgArrow {
    int from, to;
    const char *label;
    bool derived;
    CgChange change;
} CgArrow;

typedef struct CgCluster {
    const char *id, *label;
    int parent;
    bool frozen, recompute;
    int times;
    const char *measure; /* of an overlay, of all in it; NULL = none */
    const char *where;   /* file, line and expression it is applied in; NULL = not known */
    CgChange change;
    const char *was;
} CgCluster;

typedef struct CgPicture {
    CgArena *arena;
    struct CgDraft *draft; /* what is known of its graph; NULL where it is of none */
    CG_VEC(CgBox) boxes;
    CG_VEC(CgArrow) arrows;
    CG_VEC(CgCluster) clusters; /* parents before children */
    CgDetail detail;
    const char *root;   /* the instance that all else lies in; NULL or "": there is none */
    bool unmeasured;    /* it has an overlay, whose numbers are all 0 */
    const char *legend; /* what names of sizes stand for: "D = 64, V = 256"; "" = there are none */
} CgPicture;

/* The graph and what options point to must live as long as it may be drawn at another depth. */
CgPicture *cg_picture_build(const CgGraph *g, const CgPictureOptions *options);
/* Draws it again, at another of CgPictureOptions.depth. */
void cg_picture_set_depth(CgPicture *p, int depth);
/* Whether an instance has this path, as `open` takes it; all there are are offered to *near. */
bool cg_picture_has(const CgPicture *p, const char *path, CgSuggest *near);
/* b becomes the picture of what is in either, with how it differs from a, which must live as long. */
void cg_picture_diff(const CgPicture *a, CgPicture *b);
typedef struct CgPictureChanges {
    int of[CG_CHANGED + 1]; /* boxes and clusters, by CgChange */
    int arrows;             /* added, removed or changed */
} CgPictureChanges;
CgPictureChanges cg_picture_changes(const CgPicture *p);
void cg_picture_free(CgPicture *p);
#endif
