/* tensor_file.h - named tensors in files.
 * Takes paths or tensors; gives tensors or files, in any format that has an entry, strictly checked (parts: header
 * size, duplicate keys, overlaps, holes, overflow, trailing bytes). Never trusts a size it has not compared with the
 * bytes remaining. */
#ifndef CG_TENSORFILE_H
#define CG_TENSORFILE_H
#include <cg/cg.h>
#include "base/io.h"

typedef struct CgTensors {
    CgNamed *at; /* contiguous, as they are read */
    int n;       /* in file order */
    char **keys, **values;
    int nmeta;               /* __metadata__ */
    CgBytes bytes;           /* what the tensors point into, when read */
    void *own;               /* elements that could not be used where they lie: other dtype, or not aligned */
    void *wide;              /* those of cg_tensors_widen or cg_tensors_cast */
    struct CgTensors *shard; /* (nshards): what the tensors are of, when an index was read */
    int nshards;
} CgTensors;

/* A format of files, one file of ours each, which ends in its entry, CG_TENSOR_FORMAT. */
typedef struct CgTensorFormat {
    const char *name, *doc;
    const char *const *endings; /* of names of files; ends with NULL */
    bool single;                /* holds one tensor, named as the file is */
    /* Takes the bytes, good or not; `path` is for messages. Integers of 8 bits without a sign and of 16 become i32,
     * u32 i64. */
    bool (*read)(const char *path, CgBytes bytes, CgTensors *out, CgErr *e);
    /* NULL: files of it are only read. Any strides. */
    bool (*write)(const char *path, const CgNamed *at, int n, const char *const *keys, const char *const *values,
        int nmeta, CgErr *e);
} CgTensorFormat;

/* The last line of the file of a format. */
#define CG_TENSOR_FORMAT(format, ...)                      \
    extern const CgTensorFormat cg_tensor_format_##format; \
    const CgTensorFormat cg_tensor_format_##format = { .name = #format, __VA_ARGS__ };

/* By what the path ends in, .gz left out; NULL: no such ending. */
const CgTensorFormat *cg_tensor_format_find(const char *path);
/* A file of any format, copied to memory: it may change afterwards. `.gz` of any is unpacked. Of a folder
 * model.safetensors is read, else what model.safetensors.index.json lists, else the one .safetensors file in it. */
CG_NODISCARD bool cg_tensors_read(const char *path, CgTensors *out, CgErr *e);
CG_NODISCARD bool cg_tensors_write(const char *path, const CgNamed *at, int n, const char *const *keys,
    const char *const *values, int nmeta, CgErr *e);
void cg_tensors_free(CgTensors *t);
const CgTensor *cg_tensors_find(const CgTensors *t, const char *name);
/* What was read as f16 or bf16 becomes f32, i8 becomes i32. */
CG_NODISCARD bool cg_tensors_widen(CgTensors *t, CgErr *e);
/* All that is f32, f64, f16 or bf16 becomes `dtype`, one of these; a number that would be infinite there is refused.
 * `name`: of what they are from. */
CG_NODISCARD bool cg_tensors_cast(CgTensors *t, const char *name, CgDtype dtype, CgErr *e);
/* "'x.npz' holds no tensor 'a'", with what it holds. Always false. */
bool cg_tensors_missing(const CgTensors *t, const char *path, const char *name, CgErr *e);

/* Of files that nobody writes over, such as those of the store: mapped, not copied. */
CG_NODISCARD bool cg_safetensors_read(const char *path, CgTensors *out, CgErr *e);
CG_NODISCARD bool cg_safetensors_parse(const char *path, CgBytes bytes, CgTensors *out, CgErr *e);
/* Tensors sorted by size of element, largest first, then by name, so that each is aligned; data begins at a
 * multiple of 64; metadata sorted by key; same input, same bytes. */
CG_NODISCARD bool cg_safetensors_write(const char *path, const CgNamed *at, int n, const char *const *keys,
    const char *const *values, int nmeta, CgErr *e);
CG_NODISCARD bool cg_npy_parse(const char *path, CgBytes bytes, CgTensors *out, CgErr *e);
CG_NODISCARD bool cg_npy_write(const char *path, const CgTensor *t, CgErr *e);
#endif
