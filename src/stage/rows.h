/* rows.h - what was computed of the rows of a dataset.
 * Takes a stage that was forced; gives the tensors it kept. */
#ifndef CG_STAGE_ROWS_H
#define CG_STAGE_ROWS_H
#include "stage/session.h"

/* With a row for each row of the data. */
const CgTensor *cg_stage_rows_output(const CgStage *s, const char *name);
#endif
