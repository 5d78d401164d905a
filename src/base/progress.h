/* progress.h - the line that says how far a long piece of work is.
 * Takes steps and numbers; gives a line on stderr: rewritten in place on a terminal, otherwise plain lines,
 * seldom; or calls of a listener.
 * Must not write to stdout, nor a carriage return or an escape into a file; nothing here is data, so nothing
 * depends on it. */
#ifndef CG_PROGRESS_H
#define CG_PROGRESS_H
#include <cg/cg.h>

#include "base/base.h"

typedef struct CgProgress CgProgress;

typedef struct CgProgressOpts {
    const char *name;     /* of the stage, "train lm"; copied */
    int64_t total;        /* steps, 0 = unknown */
    int64_t from;         /* where it went on after an interruption: not counted for the pace */
    double per_step;      /* tokens a step, 0 = no tokens/s */
    bool quiet;           /* say nothing */
    CgListener *listener; /* is told instead; NULL: nobody */
} CgProgressOpts;

CgProgress *cg_progress_new(const CgProgressOpts *opts);
/* The numbers of this step: name and value pairs, shown in the order they were first given; NAN is shown as
 * such, and one not given again stays as it was. Units belong in the name. Cheap when nothing is due. */
void cg_progress_value(CgProgress *p, const char *name, double value);
void cg_progress_step(CgProgress *p, int64_t done); /* steps done so far; writes when due */
/* A line of its own above the progress line (a message, a validation score); "\n" is added. */
void cg_progress_say(CgProgress *p, const char *format, ...) CG_PRINTF(2, 3);
/* Ends the line: "train lm  1000/1000  loss 1.632  in 2 min 3 s" or with `how`: "interrupted", "stopped
 * early". p is gone; NULL is fine. */
void cg_progress_free(CgProgress *p, const char *how);

/* "0.3 ms", "431 ms", "12.3 s", "4 min 12 s", "3 h 07 min", "2 d 4 h"; 16 bytes are enough. */
const char *cg_duration(double seconds, char out[24]);
#endif
