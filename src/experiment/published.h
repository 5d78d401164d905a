/* published.h - what a script gave, as digests that somebody else can compare.
 * Takes a script that was run with --exact; gives a file of JSON that says how to run it again and the digest of every
 * value that was trained or evaluated, or takes such a file and compares. */
#ifndef CG_PUBLISHED_H
#define CG_PUBLISHED_H
#include "experiment/experiment.h"

typedef struct CgPublishedValue {
    char *name, *kind; /* "lm", "train" */
    CgDigest digest;
    bool met; /* the script has made its counterpart */
} CgPublishedValue;

typedef struct CgPublished {
    char *script; /* its path, from the folder cg is run in */
    CgDigest text;
    int64_t seed;
    CgSetting *settings; /* (nsettings) */
    int nsettings;
    CgPublishedValue *value; /* (nvalues), in the order they are made of each other */
    int nvalues;
} CgPublished;

/* Of all trainings and evaluations that the session found out. */
CG_NODISCARD bool cg_published_write(CgSession *x, const char *path, CgErr *e);
CG_NODISCARD bool cg_published_read(const char *path, CgPublished *out, CgErr *e);
void cg_published_free(CgPublished *p);
/* Builds the values in the session of the same script; says of each whether it has the published digest. *same: all do
 * and none is missing. False after a mistake. */
CG_NODISCARD bool cg_published_compare(CgSession *x, const CgPublished *p, FILE *out, bool *same);
#endif
