/* tensor_index.c - tensors in several files, shards, as an index lists them.
 * Takes an index as Hugging Face writes it, {"weight_map": {tensor: file}}; gives the tensors of all its files. Must
 * not read a file outside of the folder the index lies in, nor take a tensor from another file than the index says. */
#include <stdlib.h>
#include <string.h>

#include "base/digest.h"
#include "base/json.h"
#include "base/map.h"
#include "base/strbuf.h"
#include "base/vec.h"
#include "data/tensor_file_inside.h"

typedef struct Index {
    const char *path;
    const json_t *map; /* tensor -> file */
    CgTensors *out;
    CG_VEC(const char *) files; /* in the order they are first named */
    CgErr *e;
} Index;

static bool list_files(Index *x)
{
    const char *tensor;
    json_t *file;
    CgMap seen = { 0 };
    bool good = true;
    json_object_foreach((json_t *)(uintptr_t)x->map, tensor, file)
    {
        const char *name = json_string_value(file);
        uint64_t known;
        if (!name || !*name || strchr(name, '/') || *name == '.')
            good = cg_err(x->e, CG_ERR_INPUT, "'%s': the file of tensor '%.100s' is not the name of a file beside it",
                x->path, tensor);
        else if (cg_tensor_format_find(name) == &cg_tensor_format_index)
            good = cg_err(x->e, CG_ERR_INPUT, "'%s': the file of tensor '%.100s' is an index itself", x->path, tensor);
        else if (!cg_map_get(&seen, cg_hash64(name, strlen(name), 0), &known)) {
            cg_map_put(&seen, cg_hash64(name, strlen(name), 0), 1);
            cg_vec_push(&x->files, name);
        }
        if (!good)
            break;
    }
    cg_map_deinit(&seen);
    return good;
}

/* Whether each tensor of a shard is one that the index says is there. */
static bool check_shard(const Index *x, const char *path, const char *file, const CgTensors *t)
{
    for (int i = 0; i < t->n; i++) {
        const char *said = json_string_value(json_object_get(x->map, t->at[i].name));
        if (!said)
            return cg_err(x->e, CG_ERR_INPUT, "'%s' holds tensor '%.100s', which '%s' does not name", path,
                t->at[i].name, x->path);
        if (strcmp(said, file) != 0)
            return cg_err(x->e, CG_ERR_INPUT, "'%s' holds tensor '%.100s', which '%s' says is in '%s'", path,
                t->at[i].name, x->path, said);
    }
    return true;
}

static void add_notes(CgTensors *to, const CgTensors *from)
{
    to->keys = cg_realloc(to->keys, sizeof *to->keys * (size_t)(to->nmeta + from->nmeta + 1));
    to->values = cg_realloc(to->values, sizeof *to->values * (size_t)(to->nmeta + from->nmeta + 1));
    for (int i = 0; i < from->nmeta; i++) {
        bool known = false;
        for (int k = 0; k < to->nmeta && !known; k++)
            known = !strcmp(to->keys[k], from->keys[i]);
        if (known)
            continue;
        to->keys[to->nmeta] = cg_strdup(from->keys[i]);
        to->values[to->nmeta++] = cg_strdup(from->values[i]);
    }
}

/* Of a shard that cannot be read it is said which tensor was looked for there. */
static void name_shard(const Index *x, const char *file)
{
    const char *tensor;
    json_t *in;
    json_object_foreach((json_t *)(uintptr_t)x->map, tensor, in) if (!strcmp(json_string_value(in), file)) break;
    cg_err_add(x->e, ", and '%.120s' says that '%.80s' is there", x->path, tensor ? tensor : "");
}

static bool read_shards(Index *x)
{
    CgTensors *out = x->out;
    const char *slash = strrchr(x->path, '/');
    out->shard = cg_calloc(x->files.len + 1, sizeof *out->shard);
    out->at = cg_calloc(json_object_size(x->map) + 1, sizeof *out->at);
    for (size_t i = 0; i < x->files.len; i++) {
        CgStrbuf path = { 0 };
        cg_strbuf_write(&path, x->path, slash ? (size_t)(slash - x->path) + 1 : 0);
        cg_strbuf_puts(&path, x->files.at[i]);
        CgTensors *t = &out->shard[out->nshards++];
        bool read = cg_tensors_read(cg_strbuf_str(&path), t, x->e),
             good = read && check_shard(x, cg_strbuf_str(&path), x->files.at[i], t);
        cg_strbuf_deinit(&path);
        if (!read)
            name_shard(x, x->files.at[i]);
        if (!good)
            return false;
        add_notes(out, t);
        for (int k = 0; k < t->n; k++)
            out->at[out->n++] = (CgNamed){ cg_strdup(t->at[k].name), t->at[k].tensor };
    }
    const char *tensor;
    json_t *file;
    CgMap there = { 0 };
    for (int i = 0; i < out->n; i++)
        cg_map_put(&there, cg_hash64(out->at[i].name, strlen(out->at[i].name), 0), 1);
    bool good = true;
    json_object_foreach((json_t *)(uintptr_t)x->map, tensor, file)
    {
        uint64_t known;
        if (good && !cg_map_get(&there, cg_hash64(tensor, strlen(tensor), 0), &known))
            good = cg_err(x->e, CG_ERR_INPUT, "'%s': tensor '%.100s' is not in '%s', where it should be", x->path,
                tensor, json_string_value(file));
    }
    cg_map_deinit(&there);
    return good;
}

static bool index_parse(const char *path, CgBytes bytes, CgTensors *out, CgErr *e)
{
    json_error_t why;
    json_t *root = cg_json_load(bytes.at, bytes.len, JSON_REJECT_DUPLICATES, &why);
    Index x = { .path = path, .out = out, .e = e };
    *out = (CgTensors){ .bytes = bytes };
    if (!root) {
        cg_tensors_free(out);
        return cg_err(e, CG_ERR_INPUT, "%s:%d:%d: %s", path, why.line, why.column, why.text);
    }
    x.map = json_object_get(root, "weight_map");
    bool good = json_is_object(x.map) && json_object_size(x.map) > 0
        ? list_files(&x) && read_shards(&x)
        : cg_err(e, CG_ERR_INPUT, "'%s' has no 'weight_map' from tensors to the files they are in", path);
    cg_vec_free(&x.files);
    json_decref(root);
    if (!good)
        cg_tensors_free(out);
    return good;
}

CG_TENSOR_FORMAT(index, .endings = (const char *const[]){ ".index.json", NULL },
    .doc = "tensors in several files beside it: {\"weight_map\": {tensor: file}}", .read = index_parse)
