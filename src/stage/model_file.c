/* model_file.c - models in files: which tensors are there, which of them are frozen, whose tokens they take, and what
 * data reached them. Takes a trained model, or a part of one, and gives a safetensors file whose metadata says so;
 * takes such a file and gives those names. Does not compare tensors with a model: that is weights.c's. */
#include <stdlib.h>
#include <string.h>

#include "stage/lineage.h"

bool cg_model_save(CgSession *x, const CgInstance *model, const char *path, CgErr *err)
{
    CgTensors t;
    if (!cg_model_read(x, model, &t))
        return false;
    const CgValue *tokens = cg_tokens_of(model);
    const char **reached, **how;
    int n = t.nmeta, nreached = cg_lineage_write(x, model->weights, &reached, &how);
    size_t room = (size_t)n + (tokens ? (size_t)tokens->n : 0) + (size_t)nreached + 2;
    const char **keys = cg_calloc(room, sizeof *keys), **values = cg_calloc(room, sizeof *values);
    for (int i = 0; i < n; i++) {
        keys[i] = t.keys[i];
        values[i] = t.values[i];
    }
    keys[n] = "format"; /* without it transformers 4 refuses a file that has other metadata */
    values[n++] = "pt";
    for (int i = 0; i < nreached; i++, n++) {
        keys[n] = reached[i];
        values[n] = how[i];
    }
    bool good =
        cg_tokens_names(x, model, keys, values, &n) && cg_safetensors_write(path, t.at, t.n, keys, values, n, err);
    free(keys);
    free(values);
    cg_tensors_free(&t);
    return good;
}
