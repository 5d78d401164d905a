/* store.c - fuzz target: bytes as what a store holds (the first says what: a value, its seal, a checkpoint, its seal,
 * the index of runs). Takes bytes; asks the store for it. Must never crash, nor hand out what was not sealed. Accuses
 * src/store. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "store/store.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char text[] = "a value that is sealed";

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char folder[64];
    const CgDigest key = { 0x2385, 0x1113 };
    CgErr e = { 0 };
    if (!folder[0])
        snprintf(folder, sizeof folder, "/tmp/cg-fuzz-%ld.store", (long)getpid());
    CgStore *s = size ? cg_store_open(folder, &e) : NULL;
    if (!s)
        return 0;
    cg_store_listen(s, NULL, NULL);
    char *value = cg_store_path(s, key), *state = cg_stage_begin(s, key, 7, &e), path[200], *found;
    if (!state || !cg_store_put(s, key, text, sizeof text, &e) || !cg_io_write(state, text, sizeof text, &e)
        || !cg_stage_seal(s, key, 7, &e))
        abort();
    if (data[0] % 5 == 4)
        snprintf(path, sizeof path, "%s/index.db", folder);
    else
        snprintf(path, sizeof path, "%s%s", data[0] % 5 < 2 ? value : state, data[0] % 2 ? ".sum" : "");
    cg_store_close(s);
    CgBytes got;
    uint64_t step;
    if (!cg_io_write(path, data + 1, size - 1, &e) || !(s = cg_store_open(folder, &e)))
        abort();
    cg_store_listen(s, NULL, NULL);
    if (cg_store_get(s, key, &got)) {
        if (got.len != sizeof text || memcmp(got.at, text, got.len) != 0)
            abort();
        cg_io_release(&got);
    }
    found = cg_stage_find(s, key, UINT64_MAX, &step);
    cg_table_free(cg_store_runs(s, &(CgErr){ 0 }));
    free(found);
    free(value);
    free(state);
    cg_store_close(s);
    (void)!unlink(path);
    return 0;
}
