/* model_file.c - models in files: which tensors are there, which of them are frozen, whose tokens they take, and what
 * data reached them. Takes a trained model, or a part of one, and gives a safetensors file whose metadata says so;
 * takes such a file and gives those names. Does not compare tensors with a model: that is weights.c's. */
#include <stdlib.h>
#include <string.h>

#include "stage/lineage.h"

static const char *find_flag(const CgTensors *t, const char *path)
{
    for (int i = 0; i < t->nmeta; i++)
        if (!strncmp(t->keys[i], CG_FROZEN_KEY, strlen(CG_FROZEN_KEY))
            && !strcmp(t->keys[i] + strlen(CG_FROZEN_KEY), path))
            return t->values[i];
    return NULL;
}

bool cg_model_save(CgSession *x, const CgInstance *model, const char *path, CgErr *err)
{
    const CgStage *s = model->weights->stage;
    const CgTensors *t = &s->weights;
    CgNamed *named = cg_calloc((size_t)t->n + 1, sizeof *named);
    const CgValue *tokens = cg_tokens_of(model);
    size_t room = (size_t)t->n + (tokens ? (size_t)tokens->n : 0) + 1;
    const char **keys = cg_calloc(room, sizeof *keys), **values = cg_calloc(room, sizeof *values);
    int n = 0, nmeta = 0;
    for (int i = 0; i < t->n; i++) {
        const char *name = cg_path_within(model->submodule_path, t->at[i].name);
        if (!name)
            continue;
        named[n++] = (CgNamed){ cg_arena_printf(x->elab->arena, "%s", name), t->at[i].tensor };
        int said = cg_annotations_frozen(model, name); /* of the model as it is saved; else as it was trained */
        const char *value = find_flag(t, t->at[i].name);
        if (said == 0 || (said < 0 && !value))
            continue;
        keys[nmeta] = cg_arena_printf(x->elab->arena, "%s%s", CG_FROZEN_KEY, name);
        values[nmeta++] = value ? value : "marked";
    }
    const char **reached, **how;
    int more = cg_lineage_write(x, model->weights->stage, &reached, &how);
    keys = cg_realloc(keys, sizeof *keys * (room + (size_t)more));
    values = cg_realloc(values, sizeof *values * (room + (size_t)more));
    for (int i = 0; i < more; i++, nmeta++) {
        keys[nmeta] = reached[i];
        values[nmeta] = how[i];
    }
    bool good = cg_tokens_names(x, model, keys, values, &nmeta)
        && cg_safetensors_write(path, named, n, keys, values, nmeta, err);
    free(named);
    free(keys);
    free(values);
    return good;
}
