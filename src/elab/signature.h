/* signature.h - what a callee takes, and the arguments of one call.
 * Takes the parameters of a graph, def, function or op and what stands in a call; gives one value a parameter, of a
 * kind that the signature names. Must not know any callee. */
#ifndef CG_SIGNATURE_H
#define CG_SIGNATURE_H
#include <cg/function.h>

#include "base/class.h"
#include "base/digest.h"
#include "elab/value.h"

enum { CG_MAX_ARGS = 64, CG_MAX_KINDS = 8 };

typedef enum CgKindTag {
    CG_KIND_ANY,
    CG_KIND_NONE,
    CG_KIND_INT,
    CG_KIND_FLOAT, /* an integer becomes one */
    CG_KIND_BOOL,
    CG_KIND_STR,
    CG_KIND_DTYPE,
    CG_KIND_DIM,     /* an integer or a size not known as a number */
    CG_KIND_AXIS,    /* an axis of another argument: a number or a name, or a list of them */
    CG_KIND_PATTERN, /* not a value */
    CG_KIND_LIST,
    CG_KIND_RANGE, /* as it is: whoever does not take one gets it as a list */
    CG_KIND_RECORD,
    CG_KIND_TENSOR,
    CG_KIND_GRAPH, /* whatever can be applied */
    CG_KIND_MODEL, /* a graph with its static arguments */
    CG_KIND_CLASS,
} CgKindTag;

typedef struct CgKind {
    CgKindTag tag;
    bool list; /* a list of them */
    const CgClass *cls;
} CgKind;

/* What one parameter takes: a value of any of these kinds. */
typedef struct CgKinds {
    CgKind at[CG_MAX_KINDS];
    int n;
    const CgTypeExpr *choice; /* one of its strings */
} CgKinds;

/* The signature of a function, parsed. */
typedef struct CgSignature {
    const CgStmt *stmt;
    CgKinds *param;
    int n;
    CgKinds result;
} CgSignature;

/* Kinds (kinds.c). False for a name that is no kind. */
bool cg_kinds_of(const CgTypeExpr *type, CgKinds *out);
bool cg_kinds_have(const CgKinds *k, CgKindTag tag, const CgClass *cls);
void cg_kinds_print(const CgKinds *k, CgStrbuf *out); /* "a table or a list of columns" */
bool cg_help_call(CgDiag *d, const CgValue *v);       /* a function where what it gives is wanted; false: it is none */
/* A field of a value that has a class; NULL: none such (what there is was offered to s). */
CgValue *cg_object_field(CgElab *e, CgValue *of, const char *name, CgSpan span, CgSuggest *s);
void cg_help_fields(CgElab *e, CgDiag *d, CgValue *v);                   /* which fields it has, if it has some */
void cg_help_integer(CgDiag *d, const CgKinds *kinds, const CgValue *v); /* where a float stands for an integer */
/* Where a value will do that is known only when the script runs; objects are described before, and will do anywhere. */
typedef enum CgKnown { CG_KNOWN_NOW, CG_KNOWN_LATER_IN_LISTS, CG_KNOWN_LATER } CgKnown;
/* The value as the kinds promise it (an integer as a float); NULL when it is of none. */
CgValue *cg_kinds_take(CgElab *e, const CgKinds *k, CgValue *v, CgKnown known);

/* What stands in a call. */
typedef struct CgGiven {
    CgValue **at;
    CgAtom *names; /* NULL: by position */
    CgSpan *spans;
    int n;
    const CgExpr *site; /* NULL: a call that no script wrote */
} CgGiven;

/* The same by parameter. */
struct CgArguments {
    const CgFunction *function; /* NULL: of a graph, def or op */
    int n;
    CgSpan call;
    const CgExpr *site;
    CgValue *at[CG_MAX_ARGS];           /* NULL: not given, and no default was put in yet */
    CgSpan span[CG_MAX_ARGS];           /* where to point; that of the call for a default */
    const CgExpr *written[CG_MAX_ARGS]; /* NULL: not given, or not written */
};

typedef enum CgMatching {
    CG_MATCH_BARE = 1,         /* `layers` stands for `layers = layers` */
    CG_MATCH_TENSORS_APART = 2 /* by position, tensors go to parameters that are tensors, other values to the others */
} CgMatching;

/* Reports what does not fit the parameters by name or number; false after a mistake. */
bool cg_arguments_match(
    CgElab *e, const char *callee, const CgParam *params, int n, const CgGiven *given, int how, CgArguments *out);
/* The value as the declared kind of a parameter; reports a wrong one where it is written, or at `span`, and gives
 * poison. */
CgValue *cg_argument_take(CgElab *e, const char *callee, const CgParam *p, const CgKinds *kinds, CgValue *v,
    CgSpan span, const CgExpr *written, CgKnown known);

/* Functions of the language (function.c). */
const CgFunction *cg_function_find(const char *name);
const CgFunction *cg_function_at(size_t i); /* NULL past the last */
/* Those of a plugin, whose file has the digest `origin`: all of them or none. While nothing is checked or run. */
CG_NODISCARD bool cg_functions_add(const CgFunctionSet *set, CgDigest origin, CgErr *e);
void cg_function_identify(const CgFunction *f, CgDigester *d); /* adds its version, and the plugin's file it is from */
const CgSignature *cg_function_signature(const CgFunction *f);
CgKnown cg_function_known(const CgFunction *f); /* which of its arguments may be known only when the script runs */
/* The call as a value that is found out when the script runs (late.c); `more` keys and values behind the arguments are
 * to be filled. */
CgValue *cg_function_later(CgElab *e, const CgArguments *a, int more);
#endif
