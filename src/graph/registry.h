/* registry.h - all ops known to this process.
 * Takes op sets (built in, chosen for this processor; or from plugins); gives ops by name. Frozen once compiling
 * begins. */
#ifndef CG_REGISTRY_H
#define CG_REGISTRY_H
#include <cg/op.h>
#include "base/diag.h"
#include "base/digest.h"
#include "lang/ast.h"

/* What the signature text says, parsed once at registration. */
typedef struct CgSigParam {
    CgAtom name;
    CgParam *param;
    bool is_tensor;
    bool is_rest;
    bool is_float;
    CgAttr init;
    bool optional; /* = none: where it is not given there is no such attribute, or operand */
    bool has_init;
} CgSigParam;
typedef struct CgSig {
    CgSigParam *at;
    int n;
    int ntensors, needed; /* of them those that cannot be left out, which come first */
    bool any_number;      /* of operands */
    CgStmt *stmt;
} CgSig;

/* The built-in ops compiled for one kind of processor; `sets` ends with NULL. */
typedef struct CgIsa {
    const char *name;
    const CgOpSet *const *sets;
} CgIsa;

void cg_registry_init(void); /* adds the built-in sets; idempotent */
const CgIsa *cg_registry_isas(
    size_t *n); /* those this build and this processor have, best first; the last is portable C */
bool cg_registry_isa_known(const char *name); /* whether CG_ISA may be this */
const char *cg_registry_isa(void);            /* "avx512", "avx2", "base"; CG_ISA in the environment lowers it */
/* "exact" instead: code whose bits are the same on all machines. Before anything else of cg is called; CG_ISA=exact
 * does the same. */
void cg_registry_want_exact(void);
bool cg_registry_is_exact(void);
/* Checks ABI, names, that each op has what it must have; false with a reason. */
CG_NODISCARD bool cg_registry_add_from(const CgOpSet *set, CgDigest origin /* of its file */, CgErr *e);
const CgOp *cg_op_find(const char *name);
const CgOp *cg_op_find_was(const char *name); /* also by a name it had before */
const CgOp *cg_op_get(const char *name);      /* CG_BUG if absent */
CgDigest cg_op_origin(const CgOp *op);        /* of the plugin's file it is from; zero for what is built in */
const CgSig *cg_op_sig(const CgOp *op);
size_t cg_op_count(void);
const CgOp *cg_op_at(size_t i); /* sorted by name */
#endif
