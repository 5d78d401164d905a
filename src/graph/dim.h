/* dim.h - sizes as interned integer polynomials in named symbols.
 * Takes numbers and names; gives dims that are equal exactly when their pointers are. Public part in cg/op.h.
 * Process wide, append only, thread safe. A size that leaves +-2^48 on the way is NULL, and NULL in gives NULL out:
 * whoever takes a size from a user checks for it once (cg_build_checked does). */
#ifndef CG_DIM_H
#define CG_DIM_H
#include <cg/op.h>
#include "base/intern.h"
#include "base/strbuf.h"
#include "base/vec.h"

typedef struct CgBinding {
    CgAtom symbol;
    int64_t value;
} CgBinding;
typedef struct CgBindings {
    const CgBinding *at;
    int n;
} CgBindings;

const CgDim *cg_dim_symbol(const char *name);
/* a op b for op in + - * /; NULL for any other, for NULL in, and where there is no whole result. */
const CgDim *cg_dim_combine(char op, const CgDim *a, const CgDim *b);
/* Replaces symbols by values; NULL when a symbol has none (its name goes to *missing when not NULL). */
bool cg_dim_eval(const CgDim *d, CgBindings with, int64_t *value, CgAtom *missing);
/* d with `symbol` replaced by `by`. */
const CgDim *cg_dim_subst(const CgDim *d, CgAtom symbol, const CgDim *by);
/* True when d is one symbol alone. */
bool cg_dim_is_symbol(const CgDim *d, CgAtom *name);
/* Solve a*u + c = d for the symbol u where a and c do not contain it; NULL when there is no exact solution. */
const CgDim *cg_dim_solve(const CgDim *pattern, CgAtom u, const CgDim *d);
bool cg_dim_mentions(const CgDim *d, CgAtom symbol);
bool cg_dim_any_symbol(const CgDim *d, bool (*is)(CgAtom symbol));
/* The equation a = b, solved for a symbol. `worth` ranks symbols, and the lowest is replaced: 0 for one that nothing is
 * known of, 1 for a number that may be 0 or less, more for sizes, which are at least 1. */
typedef enum CgEquation {
    CG_EQUATION_HOLDS,
    CG_EQUATION_NEVER,  /* no sizes satisfy it */
    CG_EQUATION_SOLVED, /* *symbol is *value, which does not mention it */
    CG_EQUATION_OPEN,   /* some sizes may */
} CgEquation;
CgEquation cg_dim_equation(const CgDim *a, const CgDim *b, int (*worth)(const void *of, CgAtom symbol), const void *of,
    CgAtom *symbol, const CgDim **value);
void cg_dim_print(const CgDim *d, CgStrbuf *out);        /* "4*K + 1" */
void cg_type_print(const CgType *t, CgStrbuf *out);      /* "f32[B, 4*K]", "f32" */
const CgDim *cg_dim_parse(const char **text);            /* reads a dim and moves past it; NULL if there is none */
bool cg_type_parse_prefix(const char **text, CgType *t); /* likewise */
bool cg_dtype_parse(const char *name, size_t n, CgDtype *out);
bool cg_type_parse(const char *text, CgType *t); /* the inverse; also "F[..]" is refused */
/* attr.c: "axis=1, keep=0"; a text in quotes. Text.h reads them. */
void cg_attrs_print(const CgAttrs *a, CgStrbuf *out);
void cg_string_print(const char *s, CgStrbuf *out);
#endif
