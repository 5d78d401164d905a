/* tensor_file.h - named tensors in files: safetensors, and .npy for one.
 * Takes paths or tensors; gives tensors or files, strictly checked (parts: header size, duplicate keys,
 * overlaps, holes, overflow, trailing bytes). Never trusts a size it has not compared with the bytes
 * remaining. */
#ifndef CG_TENSORFILE_H
#define CG_TENSORFILE_H
#include <cg/kernel.h>
#include "base/io.h"

typedef struct CgNamed {
    char *name;
    CgTensor tensor;
} CgNamed; /* contiguous */
typedef struct CgTensors {
    CgNamed *at;
    int n; /* in file order */
    char **keys, **values;
    int nmeta;     /* __metadata__ */
    CgBytes bytes; /* what the tensors point into, when read */
    void *own;     /* elements that could not be used where they lie: other dtype, or not aligned */
} CgTensors;

/* f16, bf16 become f32; 8 and 16 bit integers i32; u32 i64. */
CG_NODISCARD bool cg_safetensors_read(const char *path, CgTensors *out, CgErr *e);
/* The same from bytes, which it takes; `path` is for messages. */
CG_NODISCARD bool cg_safetensors_parse(const char *path, CgBytes bytes, CgTensors *out, CgErr *e);
/* Tensors sorted by size of element, largest first, then by name, so that each is aligned; data begins at a
 * multiple of 64; metadata sorted by key; same input, same bytes. */
CG_NODISCARD bool cg_safetensors_write(const char *path, const CgNamed *at, int n, const char *const *keys,
    const char *const *values, int nmeta, CgErr *e); /* any strides */
CG_NODISCARD bool cg_npy_read(const char *path, CgTensors *out /* one, named by the file */, CgErr *e);
CG_NODISCARD bool cg_npy_parse(const char *path, CgBytes bytes, CgTensors *out, CgErr *e);
CG_NODISCARD bool cg_npy_write(const char *path, const CgTensor *t, CgErr *e); /* any strides */
void cg_tensors_free(CgTensors *t);
const CgTensor *cg_tensors_find(const CgTensors *t, const char *name);
#endif
