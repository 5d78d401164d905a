/* function.h - what a function of the language is.
 * Takes nothing but the C library; gives CgFunction, the one struct that says all there is to say about a function, and
 * the entry that a file of functions ends in. What a value is inside is known to the compiler alone. */
#ifndef CG_FUNCTION_H
#define CG_FUNCTION_H

#include <cg/op.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct CgValue CgValue;         /* what an expression means */
typedef struct CgElab CgElab;           /* a script being checked */
typedef struct CgFrame CgFrame;         /* the names at the place of the call */
typedef struct CgSession CgSession;     /* a script that runs */
typedef struct CgArguments CgArguments; /* of one call, by parameter */
struct CgDigest;                        /* what the store knows a value by */

/* What a function of a plugin reads of its arguments, which are found out, and what it gives. */
CG_API bool cg_value_number(const CgValue *v, double *out); /* of an integer or a float; false: it is neither */
/* The text of a string, or of tokens, decoded: to be freed. NULL: it is neither, or tokens of no tokenizer. */
CG_API char *cg_value_text(const CgValue *v);
/* The ids of tokens; n of them. NULL: it is none. */
CG_API const int32_t *cg_value_tokens(const CgValue *v, size_t *n);
/* A column of numbers, NaN where one is missing, or of texts (labels), NULL where one is missing; n of them, which live
 * as long as the call. NULL: it is none. */
CG_API const double *cg_value_numbers(const CgValue *v, size_t *n);
CG_API const char *const *cg_value_labels(const CgValue *v, size_t *n);
CG_API CgValue *cg_give_number(CgSession *x, const CgValue *call, double number);
CG_API CgValue *cg_give_text(CgSession *x, const CgValue *call, const char *text);
/* Reports a mistake at the place of the call. Always NULL, so that `return cg_give_mistake(...)` reads well. */
CG_API CgValue *cg_give_mistake(CgSession *x, const CgValue *call, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* While the script is checked: the value of the call. Every argument is of a kind that the signature names, or has its
 * default. A mistake is reported, and the result is poison. */
typedef CgValue *CgFunctionBuild(CgElab *e, CgFrame *f, const CgArguments *a);
/* When the script runs: args by parameter, found out. NULL after a mistake that was reported. With CG_COLUMNS `args`
 * is NULL: the function finds out call->at[] itself, in the table whose columns they name. */
typedef CgValue *CgFunctionRun(CgSession *x, const CgValue *call, CgValue **args);

typedef enum CgFunctionTrait {
    CG_COLUMNS = 1 << 0, /* names in the arguments after the first may be columns of the table that the first one is */
    CG_PATTERN = 1 << 1, /* arguments are patterns, not values: `build` looks at the call as it is written */
    CG_ROW = 1 << 2,     /* a score of one row: `run` may be called once for each row of an evaluation */
    CG_LATER = 1 << 4,   /* with `build`: takes numbers that are known only when the script runs, all the same */
    CG_FIELD = 1 << 5,   /* may be written as a field of its first argument: m.history for history(m) */
    CG_BY_RULE =
        1 << 6, /* gives data that follow from the arguments alone, without any file: their description is their key */
    CG_LAZY = 1 << 3, /* `run` finds out call->at[] itself, `args` is NULL */
} CgFunctionTrait;

typedef struct CgFunction CgFunction;
struct CgFunction {
    const char *name; /* as written in .cg; "plot.line" has a family before the point */
    /* "(scores: table, x: column, method: { pearson, spearman } = spearman) -> table": parameters with the kinds of
     * value they take, each its default, and the kind of the result. Kinds: int float bool str dtype dim axis list
     * record tensor graph model any, the name of a class (table, corpus ..), K[] for a list of K, K | L for either,
     * { a, b } for one of some strings. */
    const char *sig;
    const char *doc; /* first sentence is the summary */
    CgFunctionBuild *build;
    CgFunctionRun *run; /* one of the two; with both, build may ask for the call to be made when the script runs */
    uint32_t traits;    /* CgFunctionTrait */
    /* Of data, without making it: the digest it will have. NULL: it is made, and asked. False after a mistake. */
    bool (*digest)(CgSession *x, const CgValue *call, CgValue **args, struct CgDigest *out);
    const char *(*sign)(const CgValue *call); /* what stands below a table for its results, as of metrics; interned */
    int version;      /* raised when the result changes: it is in the key of all that is made of one */
    const char *file; /* CG_FUNCTION_HERE */
    int line;
    /* With `each` it is no function, but stands for one of each entry of a table of metrics, plots ..: fills *out with
     * that of entry i, which `of` is to point at; false past the last. */
    bool (*each)(size_t i, CgFunction *out);
    const void *of;
};

#define CG_FUNCTION_HERE .version = 1, .file = __FILE__, .line = __LINE__

typedef struct CgFunctionSet {
    int abi;              /* CG_ABI */
    size_t function_size; /* sizeof(CgFunction) */
    const char *name;
    const CgFunction *const *functions; /* ends with NULL */
} CgFunctionSet;

/* The last line of a file of functions: CG_FUNCTIONS(set, &f, &g). In a plugin each has `run` and no `build`, takes
 * numbers, truth values, strings, tokens and columns, and gives a number or a string; its traits may be CG_ROW (a
 * metric) and CG_FIELD. */
#ifdef CG_PLUGIN
    #define CG_FUNCTIONS(set, ...)                                                  \
        static const CgFunction *const cg_functions_list[] = { __VA_ARGS__, NULL }; \
        CG_API const CgFunctionSet cg_plugin_functions = { CG_ABI, sizeof(CgFunction), #set, cg_functions_list };
#else
    #define CG_FUNCTIONS(set, ...)                                                  \
        static const CgFunction *const cg_functions_list[] = { __VA_ARGS__, NULL }; \
        extern const CgFunctionSet cg_functions_##set;                              \
        const CgFunctionSet cg_functions_##set = { CG_ABI, sizeof(CgFunction), #set, cg_functions_list };
#endif

#ifdef __cplusplus
}
#endif
#endif
