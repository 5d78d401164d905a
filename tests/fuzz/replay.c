/* replay.c - a fuzz target without a fuzzer.
 * Takes files; hands the bytes of each to LLVMFuzzerTestOneInput. A target that finds a fault aborts. To
 * fuzz, link the target with clang -fsanitize=fuzzer instead of this file. */
#include <stdio.h>

#include "base/io.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        CgBytes bytes;
        CgErr e = { 0 };
        if (!cg_io_read(argv[i], &bytes, &e)) {
            fprintf(stderr, "%s\n", e.text);
            return 1;
        }
        fprintf(stderr, "%s\n", argv[i]); /* the last line of a crash names the file */
        LLVMFuzzerTestOneInput((const uint8_t *)bytes.at, bytes.len);
        cg_io_release(&bytes);
    }
    return 0;
}
