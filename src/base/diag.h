/* diag.h - mistakes of the user, as values.
 * Takes codes, spans and words; gives a list that is printed once, sorted by place, at most 20 and a count.
 * Codes are rows of diag.def: X(E0201, "title", "explanation", "example"). Every code has a golden in tests/errors.
 */
#ifndef CG_DIAG_H
#define CG_DIAG_H
#include <stdio.h>

#include <cg/cg.h>

#include "base/source.h"
#include "base/strbuf.h"
#include "base/suggest.h"

typedef enum CgCode {
#define X(code, title, explanation, example) CG_##code,
#include "base/diag.def"
#undef X
    CG_NCODES
} CgCode;

typedef struct CgDiag CgDiag;
typedef struct CgDiags CgDiags;

CgDiags *cg_diags_new(CgSources *sources);
void cg_diags_free(CgDiags *d);
void cg_diags_clear(CgDiags *d); /* forgets what was reported */
/* `format` is the message without a full stop; the span is where the caret goes. */
CgDiag *cg_diag(CgDiags *d, CgCode code, CgSpan span, const char *format, ...) CG_PRINTF(4, 5);
/* A warning: it is printed and does not change the exit code. */
CgDiag *cg_diag_warn(CgDiags *d, CgCode code, CgSpan span, const char *format, ...) CG_PRINTF(4, 5);
void cg_diag_label(CgDiag *d, CgSpan span, const char *format, ...) CG_PRINTF(3, 4); /* same line: underlined with ~ */
void cg_diag_note(CgDiag *d, CgSpan span, const char *format, ...)
    CG_PRINTF(3, 4); /* a place of its own; file 0: words only */
void cg_diag_help(CgDiag *d, const char *format, ...) CG_PRINTF(2, 3);
/* A correction that editors offer: the text of the span is replaced by this one. */
void cg_diag_fix(CgDiag *d, CgSpan span, const char *format, ...) CG_PRINTF(3, 4);
/* The fix that puts a word in the place of the one the mistake's span is; none where it is another text. */
void cg_diag_fix_word(CgDiag *d, const char *word, const char *instead);
/* "did you mean", and the fix where the mistake's span is the misspelt word; false: nothing is near. d may be NULL. */
bool cg_diag_meant(CgDiag *d, const CgSuggest *near);
/* Likewise; where none is near, all there are behind `are`, unless they are too many to be read. */
bool cg_diag_meant_or_all(CgDiag *d, const CgSuggest *near, const char *are);
CgDiag *cg_diag_err(CgDiags *d, CgSpan span, const CgErr *e); /* E0901 for input, E0902 for files, E0903 memory */
/* Copies to `to` what the first of n lists holds and every other one, too: same code, same place; not what is there. */
void cg_diags_common(CgDiags *to, CgDiags *const *lists, int n);
size_t cg_diags_count(const CgDiags *d);     /* without warnings */
const char *cg_diags_last(const CgDiags *d); /* the message that was reported last, "" where there is none */
int cg_diags_exit_code(const CgDiags *d);    /* 0, 1, 3 or 130: the gravest */
/* All fixes, mistake by mistake. */
void cg_diags_fixes(const CgDiags *d, void (*each)(void *of, CgSpan span, const char *text), void *of);
void cg_diags_text(const CgDiags *d, CgStrbuf *out, bool colour);
void cg_diags_print(const CgDiags *d, FILE *to, bool colour);
/* A line of JSON each: code, message, place, labels, notes, help and fixes; lines and columns from 1, offsets in bytes.
 */
void cg_diags_json(const CgDiags *d, CgStrbuf *out);
/* By place; in the arena of d: good until cg_diags_clear. How many. */
size_t cg_diags_data(const CgDiags *d, const CgDiagnostic **out);
const char *cg_code_name(CgCode code); /* "E0201" */
const char *cg_code_title(CgCode code);
const char *cg_code_explanation(CgCode code);
const char *cg_code_example(CgCode code); /* a script that provokes it, "" where no script alone does */
#endif
