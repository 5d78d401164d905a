/* inputs.h - tensors given on the command line, NAME=DATA.
 * Takes the texts of --in; gives tensors: numbers written out, or from .npy and .safetensors files. */
#ifndef CG_GIVEN_H
#define CG_GIVEN_H
#include "base/source.h"
#include "data/tensor_file.h"
#include "tool/tool.h"

typedef struct CgGiven {
    char *name;
    const char *text;
    CgSpan span;            /* of the text, as a source of its own, for messages */
    const CgTensor *tensor; /* once it was read */
    bool is_param;          /* of a parameter, not of an input */
    CgTensors file;
    CgTensor written;
} CgGiven;
typedef struct CgGivens {
    CgGiven *at;
    int n;
} CgGivens;

/* CG_EXIT_OK, or CG_EXIT_USAGE after saying what is wrong. */
int cg_givens_init(const char *command, const CgStrings *in, CgGivens *out);
void cg_givens_free(CgGivens *g);
void cg_givens_place(CgGivens *g, CgSources *sources);        /* gives each its span */
CgGiven *cg_givens_find(const CgGivens *g, const char *name); /* NULL if there is none */
/* Reads it unless that was done; numbers written out become `dtype`. */
CG_NODISCARD bool cg_given_read(CgGiven *g, CgDtype dtype, CgErr *e);
#endif
