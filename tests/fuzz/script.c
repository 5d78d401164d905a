/* script.c - any bytes as a whole script: elaborated, checked, differentiated and optimised, nothing run.
 * Takes bytes; accuses src/lang, src/elab, src/library, src/stage and the passes. Must end with messages or without,
 * whatever the bytes; what the script names is looked for in the current folder. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/diag_list.h"
#include "experiment/experiment.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MOST ((size_t)1 << 16)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *messages = NULL;
    size_t written;
    CgOpenText text = { .path = "fuzz.cg", .text = (const char *)data, .len = size };
    if (size > MOST)
        return 0;
    CgSession *x = cg_experiment_new("fuzz.cg", &(CgSessionOpts){ .quiet = true, .texts = &text, .ntexts = 1 });
    FILE *to = open_memstream(&messages, &written);
    cg_diags_print(x->diags, to, false);
    fclose(to);
    free(messages);
    cg_experiment_free(x);
    return 0;
}
