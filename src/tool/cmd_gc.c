/* cmd_gc.c - cg gc SCRIPT.cg .. [--keep SIZE] [--dry-run].
 * Takes scripts; removes from the store what none of them asks for, the oldest first, until no more than SIZE is left
 * of that. Runs nothing. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "experiment/needs.h"
#include "tool/tool.h"

/* "10GiB", "300MiB", "5000": bytes; false when it is none of that. */
static bool size_of(const char *text, uint64_t *out)
{
    static const char *const units[] = { "", "KiB", "MiB", "GiB", "TiB" };
    char *end;
    errno = 0;
    unsigned long long n = strtoull(text, &end, 10);
    for (unsigned i = 0; i < CG_LEN(units) && end != text && !errno && *text != '-'; i++)
        if (!strcmp(end, units[i]) && n <= UINT64_MAX >> 10 * i) {
            *out = (uint64_t)n << 10 * i;
            return true;
        }
    return false;
}

/* Asks for all keys of a script, so that the store knows them. */
static int look_at(const char *path, CgSessionOpts *opts, CgStoreItems *left)
{
    CgErr err = { 0 };
    CgSession *x = cg_experiment_new(path, opts);
    if (!cg_diags_count(x->diags) && !cg_session_open(x, &err))
        cg_session_err(x, (CgSpan){ 0 }, &err);
    for (size_t i = 0; i < x->stages.len && !cg_diags_count(x->diags); i++)
        if (cg_stage_key(x, x->stages.at[i])) {
            uint64_t step;
            (void)cg_stage_kept(x, x->stages.at[i]);
            free(cg_stage_find(x->store, x->stages.at[i]->key, UINT64_MAX, &step));
        }
    int code = cg_diags_exit_code(x->diags);
    cg_diags_print(x->diags, stderr, cg_wants_colour());
    if (!code) {
        CgStoreItems now = cg_store_items(x->store); /* what this script asks for is no longer left over */
        for (size_t i = 0; i < now.len; i++)
            for (size_t k = 0; k < left->len && now.at[i].asked; k++)
                if (!strcmp(left->at[k].path, now.at[i].path))
                    left->at[k].asked = true;
        cg_store_items_free(&now);
    }
    cg_experiment_free(x);
    return code;
}

static int sweep(const CgStoreItems *items, uint64_t keep, bool dry)
{
    uint64_t left = 0, freed = 0;
    size_t removed = 0;
    for (size_t i = 0; i < items->len; i++)
        left += items->at[i].asked ? 0 : items->at[i].bytes;
    for (size_t i = 0; i < items->len && left > keep; i++) {
        const CgStoreItem *it = &items->at[i];
        CgErr err = { 0 };
        if (it->asked)
            continue;
        if (!dry && !cg_store_item_remove(it, &err))
            return cg_complain("gc", &err);
        left -= it->bytes;
        freed += it->bytes;
        removed++;
    }
    printf("%zu of %zu files%s, %.1f MiB\n", removed, items->len, dry ? " would be removed" : " removed",
        (double)freed / 1048576.0);
    return CG_EXIT_OK;
}

static int command(int argc, char **argv)
{
    const char *keep = NULL, *folder = NULL;
    bool dry = false;
    const CgOption options[] = {
        { .name = "keep",
            .arg = "SIZE",
            .value = &keep,
            .help = "as much of what nothing asks for may stay: 10GiB; 0" },
        { .name = "store",
            .arg = "FOLDER",
            .value = &folder,
            .help = "where costly values are kept; $CG_STORE or .cg" },
        { .name = "dry-run", .flag = &dry, .help = "says what would be removed, and removes nothing" },
    };
    static const char synopsis[] = "SCRIPT.cg ...\nremoves from the store what none of these scripts asks for";
    int code = CG_EXIT_OK;
    uint64_t most = 0;
    if (!cg_options(&argc, argv, synopsis, options, CG_LEN(options), &code))
        return code;
    if (argc < 2)
        return cg_usage("gc", "the scripts whose values stay are needed");
    if (keep && !size_of(keep, &most))
        return cg_usage("gc", "--keep takes bytes, or a number of KiB, MiB, GiB or TiB, not '%s'", keep);
    CgErr err = { 0 };
    CgStore *store = cg_store_open(folder, &err);
    if (!store)
        return cg_complain("gc", &err);
    CgStoreItems items = cg_store_items(store);
    CgSessionOpts opts = { .quiet = true, .store = folder, .untrained = true };
    for (int i = 1; i < argc && code == CG_EXIT_OK; i++)
        code = look_at(argv[i], &opts, &items);
    if (code == CG_EXIT_OK)
        code = sweep(&items, most, dry);
    else
        fputs("cg gc: nothing is removed\n", stderr);
    cg_store_items_free(&items);
    cg_store_close(store);
    return code;
}

CG_COMMAND(gc, "removes from the store what no script asks for", command)
