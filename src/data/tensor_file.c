/* tensor_file.c - tensors in files, whatever the format.
 * Takes paths, and elements as a file holds them; gives tensors. Must not know a format: they are found by their
 * entries. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/strbuf.h"
#include "base/suggest.h"
#include "data/gzip.h"
#include "data/tensor_file_inside.h"
#include "data/text.h"
#include "run/tensor.h"

#define X(format) extern const CgTensorFormat cg_tensor_format_##format;
#include "entries/tensor_format.def"
#undef X
static const CgTensorFormat *const formats[] = {
#define X(format) &cg_tensor_format_##format,
#include "entries/tensor_format.def"
#undef X
};

const CgTensorKind cg_tensor_kinds[CG_TENSOR_KINDS] = {
    { "F32", "<f4", 4, CG_F32, CG_AS_SAME },
    { "F64", "<f8", 8, CG_F64, CG_AS_SAME },
    { "I32", "<i4", 4, CG_I32, CG_AS_SAME },
    { "I64", "<i8", 8, CG_I64, CG_AS_SAME },
    { "BOOL", "|b1", 1, CG_BOOL, CG_AS_FLAG },
    { "F16", "<f2", 2, CG_F16, CG_AS_SAME },
    { "BF16", NULL, 2, CG_BF16, CG_AS_SAME },
    { "I8", "|i1", 1, CG_I8, CG_AS_SAME },
    { "U8", "|u1", 1, CG_I32, CG_AS_U8 },
    { "U16", "<u2", 2, CG_I32, CG_AS_U16 },
    { "I16", "<i2", 2, CG_I32, CG_AS_I16 },
    { "U32", "<u4", 4, CG_I64, CG_AS_U32 },
    { "U64", "<u8", 8, CG_I64, CG_AS_NO },
    { "F8_E5M2", NULL, 1, CG_F32, CG_AS_NO },
    { "F8_E4M3", NULL, 1, CG_F32, CG_AS_NO },
};

bool cg_tensor_convert(CgConvert how, const unsigned char *from, size_t size, size_t n, void *to)
{
    int32_t *i = to;
    int64_t *l = to;
    uint16_t h;
    uint32_t w;
    switch (how) {
    case CG_AS_SAME:
    case CG_AS_NO:
        if (n)
            memcpy(to, from, n * size);
        return true;
    case CG_AS_FLAG:
        for (size_t k = 0; k < n; k++)
            if (from[k] > 1)
                return false;
        memcpy(to, from, n);
        return true;
    case CG_AS_U8:
        for (size_t k = 0; k < n; k++)
            i[k] = from[k];
        return true;
    case CG_AS_I8:
        for (size_t k = 0; k < n; k++)
            i[k] = (int8_t)from[k];
        return true;
    case CG_AS_U16:
    case CG_AS_I16:
        for (size_t k = 0; k < n; k++) {
            memcpy(&h, from + 2 * k, 2);
            i[k] = how == CG_AS_U16 ? (int32_t)h : (int32_t)(int16_t)h;
        }
        return true;
    case CG_AS_U32:
        for (size_t k = 0; k < n; k++) {
            memcpy(&w, from + 4 * k, 4);
            l[k] = w;
        }
        return true;
    }
    return false;
}

void cg_tensor_row_major(CgTensor *t)
{
    int64_t stride = 1;
    for (int i = t->rank - 1; i >= 0; i--) {
        t->stride[i] = stride;
        stride *= t->dim[i] ? t->dim[i] : 1;
    }
}

bool cg_tensor_measure(const int64_t *dim, int rank, size_t size, size_t *count, size_t *bytes)
{
    size_t n = 1;
    bool empty = false;
    for (int i = 0; i < rank; i++) {
        empty = empty || dim[i] == 0;
        if (__builtin_mul_overflow(n, dim[i] ? (size_t)dim[i] : 1, &n))
            return false;
    }
    if (__builtin_mul_overflow(n, size, bytes) || n > PTRDIFF_MAX / 8)
        return false;
    *count = empty ? 0 : n;
    *bytes = empty ? 0 : *bytes;
    return true;
}

bool cg_tensor_put(CgOut *o, const CgTensor *t, CgErr *e)
{
    size_t size = cg_dtype_size(t->dtype), n = (size_t)cg_tensor_count(t), fill = 0;
    if (n == 0 || cg_tensor_contiguous(t))
        return cg_io_put(o, t->data, n * size, e);
    char buffer[1 << 15];
    int64_t index[CG_MAX_RANK] = { 0 };
    for (size_t k = 0; k < n; k++) {
        int64_t at = 0;
        for (int i = 0; i < t->rank; i++)
            at += index[i] * t->stride[i];
        memcpy(buffer + fill, (const char *)t->data + at * (int64_t)size, size);
        fill += size;
        if (fill + size > sizeof buffer || k + 1 == n) {
            if (!cg_io_put(o, buffer, fill, e))
                return false;
            fill = 0;
        }
        for (int i = t->rank - 1; i >= 0 && ++index[i] == t->dim[i]; i--)
            index[i] = 0;
    }
    return true;
}

const CgTensorKind *cg_tensor_kind(CgDtype dtype)
{
    for (size_t i = 0; i < CG_TENSOR_KINDS; i++)
        if (cg_tensor_kinds[i].dtype == dtype
            && (cg_tensor_kinds[i].convert == CG_AS_SAME || cg_tensor_kinds[i].convert == CG_AS_FLAG))
            return &cg_tensor_kinds[i];
    CG_BUG("a tensor without dtype");
}

void cg_tensors_free(CgTensors *t)
{
    for (int i = 0; i < t->n; i++)
        free(t->at[i].name);
    for (int i = 0; i < t->nmeta; i++) {
        free(t->keys[i]);
        free(t->values[i]);
    }
    free(t->at);
    free(t->keys);
    free(t->values);
    free(t->own);
    free(t->wide);
    for (int i = 0; i < t->nshards; i++)
        cg_tensors_free(&t->shard[i]);
    free(t->shard);
    cg_io_release(&t->bytes);
    *t = (CgTensors){ 0 };
}

bool cg_tensors_widen(CgTensors *t, CgErr *e)
{
    size_t n = 0;
    for (int i = 0; i < t->n; i++)
        n += cg_dtype_is_narrow(t->at[i].tensor.dtype) ? (size_t)cg_tensor_count(&t->at[i].tensor) : 0;
    if (n && !(t->wide = cg_try_alloc(n * sizeof(float))))
        return cg_err(e, CG_ERR_MEMORY, "no memory for %zu numbers of 4 bytes", n);
    char *to = t->wide;
    for (int i = 0; i < t->n; i++) {
        CgTensor *x = &t->at[i].tensor;
        size_t count = (size_t)cg_tensor_count(x);
        if (!cg_dtype_is_narrow(x->dtype))
            continue;
        for (size_t k = 0; k < count; k++)
            if (x->dtype == CG_I8)
                ((int32_t *)(void *)to)[k] = ((const int8_t *)x->data)[k];
            else
                ((float *)(void *)to)[k] = cg_half_value(x->dtype, ((const uint16_t *)x->data)[k]);
        x->data = to;
        x->dtype = x->dtype == CG_I8 ? CG_I32 : CG_F32;
        to += count * sizeof(float);
    }
    return true;
}

/* Numbers of `from`, row major. */
static bool cast(const CgNamed *from, const char *name, CgDtype dtype, void *to, CgErr *e)
{
    CgTensor out = cg_tensor(dtype, to, from->tensor.rank, from->tensor.dim);
    cg_tensor_pack_as(&from->tensor, dtype, to);
    for (int64_t i = 0; i < cg_tensor_count(&out); i++) {
        double x = isfinite(cg_tensor_number(&out, i)) ? 0 : cg_tensor_number(&from->tensor, i);
        if (isfinite(x) && !isfinite(cg_tensor_number(&out, i)))
            return cg_err(e, CG_ERR_INPUT, "'%s': %.9g in tensor '%.100s' is too large for %s", name, x, from->name,
                cg_dtype_name(dtype));
    }
    return true;
}

bool cg_tensors_cast(CgTensors *t, const char *name, CgDtype dtype, CgErr *e)
{
    size_t bytes = 0, size = cg_dtype_size(dtype);
    for (int i = 0; i < t->n; i++)
        if (cg_dtype_has_derivative(t->at[i].tensor.dtype) && t->at[i].tensor.dtype != dtype)
            bytes += ((size_t)cg_tensor_count(&t->at[i].tensor) * size + 63) / 64 * 64;
    char *to = bytes ? t->wide = cg_try_alloc(bytes) : NULL;
    if (bytes && !to)
        return cg_err(e, CG_ERR_MEMORY, "no memory for the %zu bytes of '%s' in %s", bytes, name, cg_dtype_name(dtype));
    for (int i = 0; i < t->n; i++) {
        CgTensor *x = &t->at[i].tensor;
        if (!cg_dtype_has_derivative(x->dtype) || x->dtype == dtype)
            continue;
        if (!cast(&t->at[i], name, dtype, to, e))
            return false;
        *x = cg_tensor(dtype, to, x->rank, x->dim);
        to += ((size_t)cg_tensor_count(x) * size + 63) / 64 * 64;
    }
    return true;
}

const CgTensor *cg_tensors_find(const CgTensors *t, const char *name)
{
    for (int i = 0; i < t->n; i++)
        if (strcmp(t->at[i].name, name) == 0)
            return &t->at[i].tensor;
    return NULL;
}

bool cg_tensors_missing(const CgTensors *t, const char *path, const char *name, CgErr *e)
{
    CgSuggest near;
    CgStrbuf before = { 0 };
    cg_strbuf_printf(&before, "%s:", path);
    cg_suggest_init(&near, name);
    for (int i = 0; i < t->n; i++)
        cg_suggest_offer(&near, t->at[i].name);
    cg_err(e, CG_ERR_INPUT, "'%s' holds no tensor '%s'", path, name);
    if (!cg_err_meant(e, &near, cg_strbuf_str(&before)) && t->n)
        cg_err_hint(e, "it holds %s; %s:TENSOR takes one of them", near.all, path);
    cg_strbuf_deinit(&before);
    return false;
}

void cg_tensors_single(CgTensors *out, const char *path, CgTensor t, void *own)
{
    const char *slash = strrchr(path, '/');
    t.data = out->own = own;
    out->at = cg_calloc(1, sizeof *out->at);
    out->at[0] = (CgNamed){ cg_strdup(slash ? slash + 1 : path), t };
    out->n = 1;
    char *name = out->at[0].name;
    if (cg_text_ends(name, strlen(name), ".gz"))
        name[strlen(name) - 3] = 0;
    const CgTensorFormat *f = cg_tensor_format_find(name);
    for (const char *const *ending = f ? f->endings : NULL; ending && *ending; ending++)
        if (cg_text_ends(name, strlen(name), *ending)) {
            name[strlen(name) - strlen(*ending)] = 0;
            break;
        }
}

/* ---- formats ------------------------------------------------------------------------------------------- */

const CgTensorFormat *cg_tensor_format_find(const char *path)
{
    size_t n = strlen(path);
    if (cg_text_ends(path, n, ".gz"))
        n -= 3;
    for (size_t i = 0; i < CG_LEN(formats); i++)
        for (const char *const *ending = formats[i]->endings; *ending; ending++)
            if (cg_text_ends(path, n, *ending))
                return formats[i];
    return NULL;
}

static bool no_format(const char *path, bool write, CgErr *e)
{
    CgStrbuf all = { 0 };
    for (size_t i = 0; i < CG_LEN(formats); i++)
        if (!write || formats[i]->write)
            cg_strbuf_printf(&all, "%s%s", all.len ? ", " : "", formats[i]->endings[0]);
    cg_err(e, CG_ERR_INPUT, "the name of '%s' says no format that tensors are %s", path,
        write ? "written in" : "read from");
    cg_err_hint(e, "names of such files end in %s", cg_strbuf_str(&all));
    cg_strbuf_deinit(&all);
    return false;
}

/* The file in a folder that holds the tensors of a model, malloc'd. */
static char *file_in(const char *folder, CgErr *e)
{
    static const char *const usual[] = { "model.safetensors", "model.safetensors.index.json" };
    CgStrbuf path = { 0 };
    CgPaths all = { 0 };
    size_t n = strlen(folder), found = 0, of = 0;
    bool pickled = false;
    for (size_t i = 0; i < CG_LEN(usual); i++) {
        path.len = 0;
        cg_strbuf_printf(&path, "%s%s%s", folder, n && folder[n - 1] == '/' ? "" : "/", usual[i]);
        if (cg_io_exists(cg_strbuf_str(&path)))
            return cg_strbuf_take(&path);
    }
    cg_strbuf_deinit(&path);
    if (!cg_io_files(folder, &all, e))
        return NULL;
    for (size_t i = 0; i < all.len; i++) {
        const char *name = strrchr(all.at[i], '/') ? strrchr(all.at[i], '/') + 1 : all.at[i];
        if ((size_t)(name - all.at[i]) > n + 1)
            continue; /* in a folder within */
        pickled |= cg_text_ends(name, strlen(name), ".bin") || cg_text_ends(name, strlen(name), ".pt")
            || cg_text_ends(name, strlen(name), ".pth");
        if (cg_text_ends(name, strlen(name), ".safetensors")) {
            found++;
            of = i;
        }
    }
    char *one = found == 1 ? cg_strdup(all.at[of]) : NULL;
    cg_paths_free(&all);
    if (one)
        return one;
    cg_err(e, CG_ERR_INPUT, "the folder '%s' holds %s", folder,
        found ? "several .safetensors files and no index of them" : "no .safetensors file");
    if (found)
        cg_err_hint(e, "name one of them, or write model.safetensors.index.json");
    else if (pickled)
        cg_err_hint(e, "what PyTorch pickled is not read: save it again with save_pretrained, or safetensors.torch");
    return NULL;
}

static bool read_file(const char *path, CgTensors *out, CgErr *e)
{
    const CgTensorFormat *f = cg_tensor_format_find(path);
    CgBytes bytes = { 0 };
    *out = (CgTensors){ 0 };
    if (!f && cg_io_exists(path))
        return no_format(path, false, e);
    if (!cg_io_read(path, &bytes, e)) /* a name that is mistyped is no format either: that there is no file says more */
        return false;
    if (!f) {
        cg_io_release(&bytes);
        return no_format(path, false, e);
    }
    if (cg_text_ends(path, strlen(path), ".gz")) {
        CgBytes plain = { 0 };
        bool good = cg_gzip_unpack(path, &bytes, &plain, e);
        cg_io_release(&bytes);
        if (!good)
            return false;
        bytes = plain;
    }
    return f->read(path, bytes, out, e);
}

bool cg_tensors_read(const char *path, CgTensors *out, CgErr *e)
{
    if (!cg_io_is_dir(path))
        return read_file(path, out, e);
    *out = (CgTensors){ 0 };
    char *file = file_in(path, e);
    bool good = file && read_file(file, out, e);
    free(file);
    return good;
}

bool cg_tensors_write(
    const char *path, const CgNamed *at, int n, const char *const *keys, const char *const *values, int nmeta, CgErr *e)
{
    const CgTensorFormat *f = cg_text_ends(path, strlen(path), ".gz") ? NULL : cg_tensor_format_find(path);
    if (!f || !f->write)
        return no_format(path, true, e);
    if (f->single && n != 1)
        return cg_err(e, CG_ERR_INPUT, "'%s' holds one tensor, not %d", path, n);
    return f->write(path, at, n, keys, values, nmeta, e);
}
