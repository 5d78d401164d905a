/* texts.c - fuzz target: bytes as JSON Lines (first byte even), or as gzip of text.
 * Takes bytes; cuts, splits and windows what is accepted. Must never crash, and no byte of a text may be
 * lost. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/io.h"
#include "data/window.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void use(CgCorpus *c)
{
    uint64_t bytes = 0;
    CgErr e = { 0 };
    for (size_t i = 0; i < cg_corpus_count(c); i++) {
        const CgDoc *d = cg_corpus_doc(c, i);
        if (!d->text.len || d->split >= CG_ALL)
            abort();
        bytes += d->text.len;
    }
    if (bytes != cg_corpus_bytes(c, CG_ALL))
        abort();
    CgTokenizer *t = cg_tokenizer_bytes();
    CgDataset *d = cg_windows_new(c, CG_TRAIN, t, &(CgWindowOpts){ .length = 3, .repeat = 0.5 }, NULL, &e);
    int32_t tokens[6], next[6];
    void *out[CG_WINDOW_FIELDS] = { tokens, next };
    if (d)
        cg_dataset_batch(d, 1, 2, 2, out);
    cg_dataset_free(d);
    cg_tokenizer_free(t);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char path[2][64];
    if (!path[0][0]) {
        snprintf(path[0], sizeof path[0], "/tmp/cg-fuzz-%ld.jsonl", (long)getpid());
        snprintf(path[1], sizeof path[1], "/tmp/cg-fuzz-%ld.txt.gz", (long)getpid());
    }
    if (!size)
        return 0;
    const char *name = path[data[0] % 2];
    FILE *f = fopen(name, "wb");
    if (!f)
        return 0;
    fwrite(data + 1, 1, size - 1, f);
    fclose(f);
    CgErr e = { 0 };
    CgCorpus *c = cg_corpus_load(&name, 1, NULL, NULL, &e);
    if (c)
        use(c);
    else if (!e.text[0])
        abort();
    cg_corpus_free(c);
    unlink(name);
    return 0;
}
