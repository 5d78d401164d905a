/* cmd_store.c - cg store verify.
 * Takes a store; gives which of its files do not agree with their digests. Changes nothing. */
#include <string.h>

#include "store/store.h"
#include "tool/tool.h"

static int verify(CgStore *store)
{
    CgStoreItems items;
    CgErr err = { 0 };
    size_t damaged = 0;
    uint64_t bytes = 0;
    if (!cg_store_items(store, &items, &err))
        return cg_complain("store", &err);
    for (size_t i = 0; i < items.len; i++) {
        CgErr why = { 0 };
        bytes += items.at[i].bytes;
        if (cg_store_item_whole(&items.at[i], &why))
            continue;
        damaged++;
        printf("%s: %s\n", items.at[i].path, why.text);
    }
    printf("%zu files, %.1f MiB: %zu damaged\n", items.len, (double)bytes / 1048576.0, damaged);
    if (damaged)
        puts("damaged files are not used; what they held is made again when a script asks for it");
    cg_store_items_free(&items);
    return damaged ? CG_EXIT_DIAG : CG_EXIT_OK;
}

static int command(int argc, char **argv)
{
    const char *folder = NULL;
    const CgOption options[] = {
        { .name = "store",
            .arg = "FOLDER",
            .value = &folder,
            .help = "where costly values are kept; $CG_STORE or .cg" },
    };
    static const char synopsis[] = "verify\nlooks whether everything that is kept agrees with its digest";
    int code;
    if (!cg_options(&argc, argv, synopsis, options, CG_LEN(options), &code))
        return code;
    if (argc != 2 || strcmp(argv[1], "verify") != 0)
        return cg_usage("store", "what is to be done is needed: verify");
    CgErr err = { 0 };
    CgStore *store = cg_store_open_named(folder, &err);
    if (!store)
        return cg_complain("store", &err);
    code = verify(store);
    cg_store_close(store);
    return code;
}

CG_COMMAND(store, "looks whether what is kept is whole", command)
