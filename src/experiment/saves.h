/* saves.h - the files a script would write.
 * Takes what is saved, and where, while the script is checked; gives an error where two results would be one file, or a
 * result would replace what the script is made of. Writes nothing. */
#ifndef CG_SAVES_H
#define CG_SAVES_H
#include "stage/session.h"

typedef struct CgSaved {
    char *path; /* as the script says it */
    char *real; /* links and ".." resolved, so that one file has one name */
    CgSpan at;
    const CgValue *value; /* whose data it is, where it is written beside a figure */
} CgSaved;

typedef struct CgSaves {
    CG_VEC(CgSaved) files;
    CgMap of;      /* real -> the first of the files of that name */
    CgMap sources; /* the real names of the modules that were looked at ... */
    int nsources;  /* ... the first so many */
} CgSaves;

/* `save v as "path"`, with `at` the place of the path. */
void cg_saves_check(CgSession *x, CgSaves *saves, const CgValue *v, CgSpan at_value, const char *path, CgSpan at);
/* A file that the command is to write besides. */
void cg_saves_check_other(CgSession *x, CgSaves *saves, const char *path);
void cg_saves_help(CgDiag *d); /* what values of each class are saved as */
void cg_saves_free(CgSaves *saves);
#endif
