/* inputs.h - tensors given on the command line, NAME=DATA.
 * Takes the texts of --in; gives tensors: numbers written out, or from .npy and .safetensors files. */
#ifndef CG_INPUTS_H
#define CG_INPUTS_H
#include "base/source.h"
#include "data/tensor_file.h"
#include "experiment/computation.h"
#include "tool/tool.h"

typedef struct CgInputArg {
    char *name;
    const char *text;
    const CgTensor *tensor; /* once it was read */
    CgTensors file;
    CgTensor written;
} CgInputArg;
typedef struct CgInputArgs {
    CgInputArg *at;
    int n;
} CgInputArgs;

/* CG_EXIT_OK, or CG_EXIT_USAGE after saying what is wrong. */
int cg_givens_init(const char *command, const CgStrings *in, CgInputArgs *out);
void cg_givens_free(CgInputArgs *g);
/* out[n]: them as what a graph is computed on, each a source of its own. Numbers written out get the dtype that is
 * wanted. */
void cg_givens_of(const CgInputArgs *g, CgSources *sources, CgTensorGiven *out);
#endif
