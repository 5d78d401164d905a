/* safetensors.c - fuzz target: bytes as a safetensors file, and as an .npy file.
 * Takes bytes; reads every element of what is accepted. Must never crash, whatever the bytes. */
#include <stdlib.h>
#include <string.h>
#include "data/tensor_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static volatile uint64_t sink;

static void touch(CgTensors *t)
{
    uint64_t sum = 0;
    for (int i = 0; i < t->n; i++) {
        const CgTensor *x = &t->at[i].tensor;
        size_t n = (size_t)cg_tensor_count(x) * cg_dtype_size(x->dtype);
        for (size_t k = 0; k < n; k++)
            sum += ((const uint8_t *)x->data)[k];
    }
    sink = sum;
    cg_tensors_free(t);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    for (int npy = 0; npy < 2; npy++) {
        CgBytes b = { .at = malloc(size + 1), .len = size };
        CgTensors t;
        CgErr e = { 0 };
        if (!b.at)
            return 0;
        memcpy(b.at, data, size);
        if (npy ? cg_npy_parse("f", b, &t, &e) : cg_safetensors_parse("f", b, &t, &e))
            touch(&t);
    }
    return 0;
}
