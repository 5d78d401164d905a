/* cg.h - cg in other programs.
 * Takes scripts and arrays; gives what scripts mean: graphs computed and differentiated on arrays, trainings with their
 * progress, tables, tensors, and mistakes as data. Link with what `pkg-config --libs cg` says.
 *
 * Threads. Different scripts may be used by different threads at the same time; one script, and what was had of it, by
 * one thread at a time. Each open script has threads of its own for computing, so many open ones should be told to have
 * few. While a script that names a plugin is opened nothing else of cg may run.
 *
 * Ownership. What a function takes is borrowed for the call. What it gives belongs to the script and lives until that
 * is closed, unless it is said to live shorter. Nothing is to be freed but by the two functions that close.
 *
 * Mistakes. Functions that can fail give false, NULL or 0, and cg_script_diagnostics says why. Nothing is printed, and
 * nothing ends the process but its memory being used up while a script is read or checked (code 3) and faults of cg
 * itself (code 70), each with a word on stderr.
 *
 * What scripts share in a process is made once and stays: names, sizes, ops, the functions of plugins. No setting of
 * one script is seen by another. The matrix library is told to use one thread. */
#ifndef CG_CG_H
#define CG_CG_H

#include <stdio.h>

#include <cg/kernel.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct CgScript CgScript;           /* a script, checked, and all that carrying it out needs */
typedef struct CgTable CgTable;             /* named columns of numbers and texts */
typedef struct CgComputation CgComputation; /* a graph at given shapes, ready to run */

/* A tensor and what it is called. */
typedef struct CgNamed {
    char *name;
    CgTensor tensor;
} CgNamed;

/* The tensor of these elements, row major: the last axis is innermost. */
static inline CgTensor cg_tensor(CgDtype dtype, void *data, int rank, const int64_t *dim)
{
    CgTensor t = { 0 };
    int64_t step = 1;
    t.data = data;
    t.dtype = dtype;
    t.rank = rank;
    for (int k = rank; k-- > 0; step *= dim[k]) {
        t.dim[k] = dim[k];
        t.stride[k] = step;
    }
    return t;
}

/* How far a piece of work is: name[i], such as "loss", has the value value[i]. Good for the call alone. */
typedef struct CgProgressState {
    const char *work; /* "train lm" */
    int64_t done, total;
    int n;
    const char *const *name;
    const double *value;
} CgProgressState;

/* Who is told, from the thread that called. Either function may be NULL. Neither may call cg with this script. */
typedef struct CgListener {
    void (*progress)(void *arg, const CgProgressState *state);
    void (*say)(void *arg, const char *sentence); /* a note or a warning */
    void *arg;
    bool stop; /* set it in a call: the work ends, and what is finished is kept. The script is then closed; opened again
                  it goes on from there */
} CgListener;

typedef struct CgScriptOptions {
    const char *text;       /* read in place of the file; NULL: the file is read */
    const char *const *set; /* (nset) "NAME=VALUE": options of the script, as after --set */
    int nset;
    int threads;          /* 0: all that the process may use */
    const char *store;    /* the folder of what is costly; NULL: $CG_STORE, else .cg */
    int64_t seed;         /* added to every seed of the script */
    CgListener *listener; /* lives as long as the script; NULL: nobody is told */
} CgScriptOptions;

/* Reads and checks a script. Never NULL: see cg_script_good. `options` may be NULL. */
CG_API CgScript *cg_script_open(const char *path, const CgScriptOptions *options);
CG_API void cg_script_close(CgScript *s);      /* NULL is fine */
CG_API bool cg_script_good(const CgScript *s); /* it has no mistake; only then the functions below do anything */

typedef struct CgDiagnostic {
    const char *code;    /* "E0401"; `cg help E0401` explains it */
    const char *message; /* one sentence */
    const char *help;    /* what to do, or "" */
    const char *file;    /* "" where there is no place */
    int line, column;    /* from 1; columns are code points */
    int exit;            /* 0 warning, 1 a mistake, 3 files or memory, 130 stopped */
} CgDiagnostic;

/* What the check found where it found mistakes, else of the last call with this script; how many. Good until the next
 * call. `out` may be NULL. */
CG_API size_t cg_script_diagnostics(CgScript *s, const CgDiagnostic **out);
CG_API const char *cg_script_message(CgScript *s); /* all of them as text, as the program shows them; "": none */

typedef struct CgGraphInfo {
    const char *name;
    const char *signature; /* as it is written: "graph dense(x: f32[B, D], out: int) -> f32[B, out]" */
    const char *doc;       /* its ## lines, or "" */
} CgGraphInfo;

/* The graphs of the script itself, in its order; how many. */
CG_API size_t cg_script_graphs(CgScript *s, const CgGraphInfo **out);

/* Values of the script: `value` is an expression as it could stand behind `show`, "lm", "scores.web",
 * "mean(scores.loss)". What it needs is trained and evaluated, or comes from the store. False or NULL after a mistake,
 * and where the value is of another kind. */
CG_API bool cg_script_make(CgScript *s, const char *value); /* NULL: all that the script shows and saves */
CG_API bool cg_script_number(CgScript *s, const char *value, double *out); /* numbers and truth values */
CG_API const char *cg_script_text(CgScript *s, const char *value);         /* what `show` prints of it */
CG_API const CgTable *cg_script_table(CgScript *s, const char *value);
/* The parameters of a trained or loaded model by their paths, or the one tensor of another value; how many. */
CG_API size_t cg_script_tensors(CgScript *s, const char *value, const CgNamed **out);
/* Carries out all show, save and claims, as `cg run`; what is shown goes to `out`. */
CG_API bool cg_script_run(CgScript *s, FILE *out);

CG_API size_t cg_table_rows(const CgTable *t);
CG_API int cg_table_columns(const CgTable *t);
CG_API const char *cg_table_name(const CgTable *t, int column);             /* NULL: there is no such column */
CG_API double cg_table_number(const CgTable *t, size_t row, int column);    /* NAN: missing, or a text */
CG_API const char *cg_table_text(const CgTable *t, size_t row, int column); /* NULL: missing, or no text */

typedef struct CgComputeOptions {
    const char *grad; /* the result that is differentiated, by its name or number, summed; NULL: none is */
    const char *wrt;  /* by which inputs and parameters: patterns with commas between, "x,layers.*"; NULL: all */
    int64_t seed;     /* of parameters that are drawn, and of random ops */
} CgComputeOptions;

/* A graph of the script, such as "dense(out = 3)" or the model "lm", for inputs of these types; whatever else is given
 * is a parameter, in place of what the model has. Data may be NULL here. NULL after a mistake. `options` may be NULL.
 */
CG_API CgComputation *cg_compute_open(
    CgScript *s, const char *graph, const CgNamed *given, int n, const CgComputeOptions *options);
/* Computes. `given` has the names and types of before, in any order; elements are row major. False after a mistake. */
CG_API bool cg_compute(CgComputation *c, const CgNamed *given, int n);
/* Results by name, row major, then grad.NAME for each derivative; how many. Good until the next cg_compute. */
CG_API size_t cg_compute_results(CgComputation *c, const CgNamed **out);
CG_API void cg_compute_close(CgComputation *c); /* before its script; NULL is fine */

#ifdef __cplusplus
}
#endif
#endif
