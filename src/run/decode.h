/* decode.h - a text that grows place by place.
 * Takes the two halves of a step graph (graph/incremental.h), a pool and bound memory; gives results for the place
 * after the last one fed. Plans are made once for each number of places that come at once, what is kept is updated
 * where it lies, and one more place allocates nothing. The bits depend on what was fed and in which portions, never on
 * the threads. */
#ifndef CG_DECODE_H
#define CG_DECODE_H
#include "run/exec.h"

typedef struct CgDecoder CgDecoder;

/* `dims` has a value for every symbol of the graphs but CG_INCREMENTAL_COUNT; the graphs are borrowed. */
CG_NODISCARD CgDecoder *cg_decoder_new(
    const CgGraph *prologue, const CgGraph *step, CgBindings dims, CgPlanOptions options, CgPool *pool, CgErr *e);
void cg_decoder_free(CgDecoder *d);
/* As in exec.h; ordinals of the graph the step was made of are the same here. */
void cg_decoder_bind_input(CgDecoder *d, int ordinal, const void *data);
void cg_decoder_bind_param(CgDecoder *d, int ordinal, const void *data);
/* Runs the prologue: an empty text. */
CG_NODISCARD bool cg_decoder_begin(CgDecoder *d, CgErr *e);
/* n more places of each row, ids[row * stride + i]; fails only when a plan for n places cannot be made. All places fed
 * together are at most those of the text the graph was made for, less one where it needs none for its first result. */
CG_NODISCARD bool cg_decoder_feed(CgDecoder *d, const int32_t *ids, int64_t stride, int64_t n, CgErr *e);
/* Whether what is kept lies by rows; `rows` is the symbol of their number. */
bool cg_decoder_has_rows(const CgDecoder *d, CgAtom rows);
/* Row r goes on from what row from[r] was fed, for each row; where cg_decoder_has_rows. Fails for memory alone. */
CG_NODISCARD bool cg_decoder_move_rows(CgDecoder *d, CgAtom rows, const int *from, CgErr *e);
/* Result `name` at the last place fed, or, before any, at the last place that needs no text. False where there is none.
 */
bool cg_decoder_output(const CgDecoder *d, const char *name, CgTensor *out);
/* What one more place runs: for profiles. */
CgExec *cg_decoder_exec(CgDecoder *d);
const CgPlan *cg_decoder_plan(const CgDecoder *d);
#endif
