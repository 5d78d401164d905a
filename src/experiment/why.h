/* why.h - why the values of two runs differ.
 * Takes two runs of the index, or two scripts as they are; gives for each value that differs the smallest set of
 * differences between the two that makes it so: lines, options, the seed, data that was read. Builds and reads nothing:
 * keys are made of what the runs noted (stage/origins.h). */
#ifndef CG_WHY_H
#define CG_WHY_H
#include "experiment/experiment.h"
#include "stage/described.h"

/* One of the two. */
typedef struct CgWhyModule {
    const char *name, *path, *text;
} CgWhyModule;
typedef struct CgWhyInput {
    const char *name;
    CgInput digest;
} CgWhyInput;
typedef struct CgWhyValue {
    const char *label;
    CgDigest key;
} CgWhyValue;
typedef struct CgWhySide {
    CgArena *arena;
    const char *name;            /* "run 3", or the path of a script */
    CG_VEC(CgWhyModule) modules; /* the script is called "" */
    CG_VEC(CgSetting) settings;
    CG_VEC(CgWhyInput) inputs;
    CG_VEC(CgWhyValue) values; /* what the run asked for; of a script nothing is known */
    int64_t seed;
    const char *versions; /* of all that is built in, a line each; NULL: those of this program */
} CgWhySide;

CG_NODISCARD bool cg_why_of_run(CgStore *s, int64_t run, CgWhySide *out, CgErr *e);
CG_NODISCARD bool cg_why_of_script(const char *path, CgWhySide *out, CgErr *e);
void cg_why_side_free(CgWhySide *side);

/* A difference between the two: what stands in either, "" where there is nothing. */
typedef struct CgWhyCause {
    const char *place[2], *text[2];
} CgWhyCause;

/* A value that both have and that differs. */
typedef struct CgWhyResult {
    const char *label[2];
    bool *cause;     /* by cause */
    bool by_version; /* nothing that is known of the two makes it differ, but the versions of cg do */
    bool unsure;     /* it differs, and nothing that is known explains it */
} CgWhyResult;

typedef struct CgWhy {
    CgArena *arena;
    CG_VEC(CgWhyCause) causes;
    CG_VEC(CgWhyResult) results;
    CG_VEC(const char *) same;    /* labels of values that do not differ */
    CG_VEC(const char *) only[2]; /* of those that one of the two has alone */
} CgWhy;

/* `of`: the labels of the two values that are meant; NULL: all that both have. False where one of the two cannot be
 * checked, which is said on stderr, or has not the value. */
CG_NODISCARD bool cg_why_find(const CgWhySide *a, const CgWhySide *b, const char *const of[2], CgWhy *out, CgErr *e);
void cg_why_free(CgWhy *w);
#endif
