/* prompt.h - a text written on the command line's account.
 * Takes a checked script and what to write with which of its models; gives the text bit by bit while it is written. */
#ifndef CG_PROMPT_H
#define CG_PROMPT_H
#include "experiment/experiment.h"

typedef struct CgPromptArg {
    const char *name; /* a parameter of generate */
    CgValue *value;
} CgPromptArg;

typedef struct CgPrompt {
    const char *model;     /* an expression; NULL: the last model of the script that has weights */
    const char *tokenizer; /* likewise; NULL: that of the model's training, or the only one that the script names */
    const char *weights;   /* a file, instead of what the model has; NULL: none */
    const CgPromptArg *args;
    int nargs;
    /* What is sure to stay of the text so far, each time it is longer. */
    void (*heard)(void *arg, const char *said, size_t sure);
    void *arg;
} CgPrompt;

/* False after a mistake, which is in x->diags. */
CG_NODISCARD bool cg_prompt_write(CgSession *x, const CgPrompt *p);
#endif
