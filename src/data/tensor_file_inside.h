/* tensor_file_inside.h - what tensor_file.c and the formats share.
 * Takes elements as files hold them; gives them as tensors hold them, and back. Private to src/data/tensor_*.c. */
#ifndef CG_TENSORFILE_INSIDE_H
#define CG_TENSORFILE_INSIDE_H
#include "data/tensor_file.h"

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
    #error "safetensors and .npy are read where they lie: this needs a little-endian machine"
#endif

/* How the elements of a file become ours. `size` in the file; SAME: used as they are; NO: not at all. */
typedef enum CgConvert {
    CG_AS_SAME,
    CG_AS_FLAG,
    CG_AS_U8,
    CG_AS_I8,
    CG_AS_U16,
    CG_AS_I16,
    CG_AS_U32,
    CG_AS_NO
} CgConvert;
typedef struct CgTensorKind {
    const char *name;
    const char *npy;
    size_t size;
    CgDtype dtype;
    CgConvert convert;
} CgTensorKind;

extern const CgTensorFormat cg_tensor_format_index;

enum { CG_TENSOR_KINDS = 15 };
extern const CgTensorKind cg_tensor_kinds[CG_TENSOR_KINDS];

const CgTensorKind *cg_tensor_kind(CgDtype dtype); /* as which a tensor is written */
/* n elements of the file, of any alignment, as elements of ours. False: a BOOL that is neither 0 nor 1. */
bool cg_tensor_convert(CgConvert how, const unsigned char *from, size_t size, size_t n, void *to);
/* The one tensor of a file: the name of the file without folder and endings, n elements of t's shape at `own`, which
 * it takes. */
void cg_tensors_single(CgTensors *out, const char *path, CgTensor t, void *own);
void cg_tensor_row_major(CgTensor *t);
/* Elements and bytes of a shape; false on overflow. Zero dims count as none, but may not hide an overflow. */
bool cg_tensor_measure(const int64_t *dim, int rank, size_t size, size_t *count, size_t *bytes);
/* The elements row major, through a buffer when they are not. */
CG_NODISCARD bool cg_tensor_put(CgOut *o, const CgTensor *t, CgErr *e);
#endif
