/* picture_inside.h - what the files of a picture share.
 * Takes a graph; gives the draft of a picture: what is known of each node and instance before boxes are made. Included
 * by picture*.c only. */
#ifndef CG_PICTURE_INSIDE_H
#define CG_PICTURE_INSIDE_H
#include "report/picture.h"

/* One operand as shown: the drawn node it comes from. */
typedef struct CgDraftLink {
    CgRef from;
    const char *label;
    const CgType *type;
} CgDraftLink;

typedef struct CgDraftItem {
    bool live, constant, drawn, input, param;
    bool output;  /* shown as one, too */
    int instance; /* it is drawn in, an index of CgDraft.scope */
    CgDraftLink *links;
    int nlinks;
    CgRef *rows; /* parameters shown inside */
    int nrows;
    const char *scalars; /* constants among its operands, which its note begins with */
    const char *note;
    const char *title;  /* as the author calls it, or NULL: the op's name */
    const char *parts;  /* ops that it stands for; NULL: itself */
    const char *hidden; /* a note that says too much; NULL: there is none */
    CgRef stands; /* what is drawn for it: itself, its twin in the first of folded siblings, or what it is part of */
    int users;    /* of a parameter: nodes it is shown in */
    int box;      /* -1 = none of its own */
} CgDraftItem;

/* One instance of a graph. A model that was handed to another graph, which applies its parts one by one, has no scope
 * of its own: it is found by the paths of its parameters. */
typedef struct CgDraftScope {
    CgAtom path;      /* as applied: "compressor.decoder.embed" */
    CgAtom owner;     /* as parameters say it: "decoder.embed"; NULL = unknown */
    CgAtom graph;     /* the name of the graph it is an instance of, or NULL */
    bool handed;      /* has no scope of its own */
    bool transparent; /* counts as no level: what is drawn in it is drawn in the instance around it */
    bool recompute;
    bool backward;       /* holds derivatives */
    int twin;            /* the instance that holds its derivatives; 0 = none */
    bool turn;           /* of a loop; its path is that of the instance around it */
    CgSpan span;         /* where it is applied */
    int up;              /* the instance it lies in, -1 at the root */
    int level;           /* 0 at the root */
    bool open;           /* was asked for, or lies around what was */
    int closed;          /* the outermost instance around it, or itself, that is drawn as one box; -1 = none */
    int box;             /* when closed: its box, -1 before it is made */
    int group;           /* siblings folded into one share a number above 0 */
    int hidden;          /* the outermost folded-away scope it lies in, or -1 */
    int times;           /* in the first of folded siblings: how many it stands for; else 1 */
    const char *name;    /* as shown: "attn", "blocks.0 .. blocks.3" */
    int boxes;           /* drawn below it when all instances are open */
    int shown;           /* and as they are */
    int frozen, trained; /* uses of parameters below it */
    int cluster;         /* -1 = none, its boxes go to the parent's */
} CgDraftScope;

typedef struct CgDraft {
    const CgGraph *g;
    CgPictureOptions *o;
    CgPicture *p;
    CgArena *arena;
    CgDraftItem *item;          /* by node */
    CG_VEC(CgDraftScope) scope; /* [0] is the root; each after the one it lies in */
    int *of_scope;              /* by scope of the graph: where its nodes are drawn */
    int groups;
    bool brief;  /* instances are boxes: constants, views and parameters are none, whatever the level of detail */
    CgMap sizes; /* name of axes -> their size + 1, 0 where it is not one */
} CgDraft;

/* What is drawn (picture_draft.c). */
void cg_draft_choose(CgDraft *d);
bool cg_draft_frozen(const CgDraft *d, CgRef param);
/* The rest of a parameter's path below an instance, or NULL when it does not belong there. */
const char *cg_draft_path_below(const char *scope, const char *path);
/* The drawn node that operand r shows, CG_NONE when it is a parameter (left in *param) or a constant (both
 * CG_NONE). *type is what to write on the arrow: what the consumer sees, but before broadcasting. */
CgRef cg_draft_source(const CgDraft *d, CgRef r, const CgType **type, CgRef *param);

/* What the author wrote as one thing, such as mean(x) or x @ w + b, is one box (picture_written.c). */
void cg_draft_merge(CgDraft *d);
/* The drawn node that stands for a drawn node. */
CgRef cg_draft_stands(const CgDraft *d, CgRef r);
/* Appends attributes as a box says them; texts are apart by commas. */
void cg_draft_note(CgStrbuf *note, const CgAttrs *attrs, CgDetail detail);
void cg_draft_note_add(CgStrbuf *note, const char *text);

/* The instances of the graph, and the one that each node is drawn in (picture_instance.c). */
void cg_draft_instances(CgDraft *d);
/* Ops that use parameters of a handed model are drawn in it, and so is what lies between two of its parts. */
void cg_draft_gather(CgDraft *d);
bool cg_draft_lies_in(const CgDraft *d, int scope, int around);
/* Which instances are drawn as one box each. */
void cg_draft_close(CgDraft *d);

/* 1234567 as "1,234,567". */
const char *cg_draft_number(const CgDraft *d, int64_t n);

/* Numbers on what is drawn (picture_overlay.c). */
void cg_draft_measure(CgDraft *d);

/* Turns of loops become siblings, and those that are not folded none again (picture_turns.c). */
void cg_draft_turns(CgDraft *d);
void cg_draft_turns_end(CgDraft *d);

/* Draws equal siblings as one (picture_fold.c). */
void cg_draft_fold(CgDraft *d);
#endif
