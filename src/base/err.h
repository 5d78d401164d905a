/* err.h - a mistake met by a layer that knows no source text (data files, running).
 * Takes a kind and words; gives a value the caller turns into a diagnostic with a place. Nothing here prints. */
#ifndef CG_ERR_H
#define CG_ERR_H
#include "base/base.h"

typedef enum CgErrKind {
    CG_ERR_NONE,
    CG_ERR_INPUT /* a file or value is wrong: exit 1 */,
    CG_ERR_IO /* exit 3 */,
    CG_ERR_MEMORY /* exit 3 */,
    CG_ERR_INTERRUPTED /* exit 130 */
} CgErrKind;

typedef struct CgErr {
    CgErrKind kind;
    char text[480]; /* one sentence, no full stop, names the file or value */
    char hint[240]; /* what to do, or "" */
} CgErr;

/* Both always return false, so that `return cg_err(e, ...)` reads well. An error already there is kept. */
bool cg_err(CgErr *e, CgErrKind kind, const char *format, ...) CG_PRINTF(3, 4);
bool cg_err_errno(CgErr *e, const char *doing, const char *path);   /* "cannot open 'x': No such file or directory" */
void cg_err_add(CgErr *e, const char *format, ...) CG_PRINTF(2, 3); /* goes on with the sentence */
void cg_err_hint(CgErr *e, const char *format, ...) CG_PRINTF(2, 3);
#endif
