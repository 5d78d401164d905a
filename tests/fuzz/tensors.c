/* tensors.c - fuzz target: bytes as a tensor file of each format (npy, npz, IDX, safetensors), also packed.
 * Takes bytes; reads every element of what is accepted. Must never crash, nor accept what points outside of its bytes.
 * Accuses src/data/tensor_*.c. */
#include <stdlib.h>

#include "data/tensor_file.h"
#include "run/tensor.h"

#define X(format) extern const CgTensorFormat cg_tensor_format_##format;
#include "entries/tensor_format.def"
#undef X
static const CgTensorFormat *const formats[] = {
#define X(format) &cg_tensor_format_##format,
#include "entries/tensor_format.def"
#undef X
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    volatile double sum = 0;
    for (size_t i = 0; i < CG_LEN(formats); i++) {
        CgTensors t = { 0 };
        CgErr e = { 0 };
        CgBytes bytes = { .at = cg_malloc(size + 1), .len = size };
        for (size_t k = 0; k < size; k++)
            bytes.at[k] = (char)data[k];
        bytes.at[size] = 0;
        if (formats[i]->read("bytes", bytes, &t, &e)) {
            for (int k = 0; k < t.n; k++)
                for (int64_t at = 0, n = cg_tensor_count(&t.at[k].tensor); at < n; at++)
                    sum = sum + cg_tensor_number(&t.at[k].tensor, at);
            cg_tensors_free(&t);
        } else if (!e.text[0]) {
            abort();
        }
    }
    return 0;
}
