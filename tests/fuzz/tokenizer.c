/* tokenizer.c - fuzz target: bytes as a tokenizer.json, and as the merges of a trained tokenizer.
 * Takes bytes; encodes and decodes a text with what is accepted. Must never crash; ids are in range, and
 * where merges were read the text comes back. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/vec.h"
#include "data/tokenizer_bpe.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void use(CgTokenizer *t, bool back)
{
    static const char text[] = "The\x00\x01 don't  12345 aaaa\xff\xc3\xbc\xe6\x9d\xb1 ====\n\n  x";
    CgTokens ids = { 0 };
    CgStrbuf out = { 0 };
    cg_tokenizer_encode(t, text, sizeof text - 1, &ids);
    for (size_t i = 0; i < ids.len; i++) {
        if (ids.at[i] < 0 || ids.at[i] >= t->size)
            abort();
    }
    cg_tokenizer_decode(t, ids.at, ids.len, false, &out);
    if (back && (out.len != sizeof text - 1 || memcmp(out.at, text, out.len) != 0))
        abort();
    cg_vec_free(&ids);
    cg_strbuf_deinit(&out);
    cg_tokenizer_free(t);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char path[64];
    CgErr e = { 0 }, f = { 0 };
    if (!path[0])
        snprintf(path, sizeof path, "/tmp/cg-fuzz-%ld.json", (long)getpid());
    FILE *to = fopen(path, "wb");
    if (!to)
        return 0;
    fwrite(data, 1, size, to);
    fclose(to);
    CgTokenizer *t = cg_tokenizer_load(path, NULL, -1, &e), *merges = cg_bpe_unpack((const char *)data, size, &f);
    if (t)
        use(t, false);
    if (merges)
        use(merges, true);
    if ((!t && !e.text[0]) || (!merges && !f.text[0]))
        abort();
    unlink(path);
    return 0;
}
