/* tables.c - fuzz target: bytes as a table (the first even: CSV, else JSON Lines).
 * Takes bytes; writes what is accepted as text and as CSV. Must never crash. Accuses src/table/read.c and text.c. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/io.h"
#include "table/table.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char path[2][64];
    CgErr e = { 0 };
    if (!path[0][0]) {
        snprintf(path[0], sizeof path[0], "/tmp/cg-fuzz-%ld.csv", (long)getpid());
        snprintf(path[1], sizeof path[1], "/tmp/cg-fuzz-%ld.jsonl", (long)getpid());
    }
    if (!size)
        return 0;
    const char *name = path[data[0] % 2];
    if (!cg_io_write(name, data + 1, size - 1, &e))
        return 0;
    CgTable *t = cg_table_read(name, &e);
    CgErr w = { 0 };
    if (t ? !cg_table_save(t, name, &w) && !w.text[0] : !e.text[0])
        abort();
    cg_table_free(t);
    unlink(name);
    return 0;
}
