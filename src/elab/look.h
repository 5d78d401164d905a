/* look.h - what stands at a place of a script.
 * Takes a place before the script is elaborated; gives what its narrowest expression was each time it was evaluated, as
 * an editor shows it. Changes nothing of what the script means. */
#ifndef CG_LOOK_H
#define CG_LOOK_H
#include "elab/value.h"

typedef struct CgLook {
    uint32_t file, offset;
    CgSpan span;   /* of the narrowest expression or name there; file 0: nothing was evaluated there */
    CgStrbuf text; /* a line for each kind of value it had: "f32[B, T, D]" */
    int n;
} CgLook;

/* `v` is what was found at the span. */
void cg_look(CgElab *e, CgSpan span, const CgValue *v);
#endif
