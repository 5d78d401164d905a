/* inputs.h - tensors given on the command line, NAME=DATA.
 * Takes the texts of --in; gives tensors: numbers written out, or from .npy and .safetensors files. */
#ifndef CG_INPUTS_H
#define CG_INPUTS_H
#include "base/source.h"
#include "data/tensor_file.h"
#include "tool/tool.h"

typedef struct CgInputArg {
    char *name;
    const char *text;
    CgSpan span;            /* of the text, as a source of its own, for messages */
    const CgTensor *tensor; /* once it was read */
    bool is_param;          /* of a parameter, not of an input */
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
void cg_input_args_locate(CgInputArgs *g, CgSources *sources);      /* gives each its span */
CgInputArg *cg_givens_find(const CgInputArgs *g, const char *name); /* NULL if there is none */
/* Reads it unless that was done; numbers written out become `dtype`. */
CG_NODISCARD bool cg_input_arg_read(CgInputArg *g, CgDtype dtype, CgErr *e);
#endif
