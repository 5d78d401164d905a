/* cmd_gc.c - cg gc [SCRIPT.cg | FOLDER ..] [--keep SIZE] [--dry-run].
 * Takes scripts, or all that are below folders; removes from the store what none of them asks for, the oldest first,
 * until no more than SIZE is left of that. Runs nothing, and removes nothing where a script has a mistake. */
#include <stdlib.h>
#include <string.h>

#include "experiment/needs.h"
#include "tool/tool.h"

typedef struct Left {
    CgStoreItems items;
    bool *asked; /* of each */
} Left;

/* Notes which items a script asks for: every key that is looked for while its stages are. */
static int look_at(const char *path, CgSessionOpts *opts, Left *left)
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
    for (size_t i = 0; i < left->items.len && code == CG_EXIT_OK; i++) {
        const CgStoreItem *it = &left->items.at[i]; /* a checkpoint of what is finished is of no use */
        left->asked[i] |= cg_store_asked(x->store, it->key) && !(it->checkpoint && cg_store_has(x->store, it->key));
    }
    cg_experiment_free(x);
    return code;
}

/* A script, or all scripts below a folder. */
static int look_below(const char *path, CgSessionOpts *opts, Left *left)
{
    if (!cg_io_is_dir(path))
        return look_at(path, opts, left);
    CgStrbuf pattern = { 0 };
    CgPaths scripts = { 0 };
    CgErr err = { 0 };
    cg_strbuf_printf(&pattern, "%s/**/*.cg", path);
    int code = cg_io_glob(cg_strbuf_str(&pattern), &scripts, &err) ? CG_EXIT_OK : cg_complain("gc", &err);
    for (size_t i = 0; i < scripts.len && code == CG_EXIT_OK; i++)
        code = look_at(strncmp(scripts.at[i], "./", 2) ? scripts.at[i] : scripts.at[i] + 2, opts, left);
    cg_paths_free(&scripts);
    cg_strbuf_deinit(&pattern);
    return code;
}

/* What a process is at work on stays, whoever asks for it. */
static int sweep(CgStore *store, const Left *l, uint64_t keep, bool dry)
{
    uint64_t left = 0, freed = 0;
    size_t removed = 0;
    for (size_t i = 0; i < l->items.len; i++)
        left += l->asked[i] ? 0 : l->items.at[i].bytes;
    for (size_t i = 0; i < l->items.len && left > keep; i++) {
        const CgStoreItem *it = &l->items.at[i];
        CgErr err = { 0 };
        if (l->asked[i] || cg_store_busy(store, it->key))
            continue;
        if (!dry && !cg_store_item_remove(it, &err))
            return cg_complain("gc", &err);
        left -= it->bytes;
        freed += it->bytes;
        removed++;
    }
    printf("%zu of %zu files%s, %.1f MiB\n", removed, l->items.len, dry ? " would be removed" : " removed",
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
    static const char synopsis[] = "[SCRIPT.cg | FOLDER ...]\nremoves from the store what none of these scripts asks "
                                   "for, without --set: those below this folder unless given";
    int code = CG_EXIT_OK;
    uint64_t most = 0;
    if (!cg_options(&argc, argv, synopsis, options, CG_LEN(options), &code))
        return code;
    if (!cg_option_bytes("gc", "keep", keep, 0, &most))
        return CG_EXIT_USAGE;
    CgErr err = { 0 };
    CgStore *store = cg_store_open_named(folder, &err);
    if (!store)
        return cg_complain("gc", &err);
    CgSessionOpts opts = { .quiet = true, .store = folder, .untrained = true };
    Left left = { 0 };
    if (!cg_store_items(store, &left.items, &err))
        code = cg_complain("gc", &err);
    left.asked = cg_calloc(left.items.len + 1, sizeof *left.asked);
    for (int i = 1; i < argc && code == CG_EXIT_OK; i++)
        code = look_below(argv[i], &opts, &left);
    if (argc < 2 && code == CG_EXIT_OK)
        code = look_below(".", &opts, &left);
    if (code == CG_EXIT_OK)
        code = sweep(store, &left, most, dry);
    else
        fputs("cg gc: nothing is removed\n", stderr);
    if (code == CG_EXIT_OK && !dry)
        cg_store_sweep_locks(store);
    cg_store_items_free(&left.items);
    free(left.asked);
    cg_store_close(store);
    return code;
}

CG_COMMAND(gc, "removes from the store what no script asks for", command)
