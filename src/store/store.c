/* store.c - values by key, checkpoints by key and step, locks by key.
 * Takes keys, bytes and paths; gives them back when their digest agrees.
 * Must not trust a file because it is there: what was not sealed, or no longer agrees with its seal, is
 * absent. */
#include "store/store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/map.h"
#include "base/stop.h"
#include "base/vec.h"
#include "store/index.h"

#define KEPT 2 /* checkpoints of a key: the newest and the one before it */

enum { SEEN = 1, TOLD };

struct CgStore {
    char *folder;
    CgMap asked;    /* keys this process looked for */
    CgMap verified; /* keys this process found whole (SEEN) or spoke of as damaged (TOLD) */
    CgIndex *index;
    CgSayFn *say;
    void *arg;
    bool told_alone;
};

static void say_to_stderr(void *arg, const char *sentence)
{
    (void)arg;
    fprintf(stderr, "cg: %s\n", sentence);
}

static void say(CgStore *s, const char *format, ...) CG_PRINTF(2, 3);
static void say(CgStore *s, const char *format, ...)
{
    if (!s->say)
        return;
    CgStrbuf b = { 0 };
    va_list args;
    va_start(args, format);
    cg_strbuf_vprintf(&b, format, args);
    va_end(args);
    s->say(s->arg, cg_strbuf_str(&b));
    cg_strbuf_deinit(&b);
}

static void say_index(void *arg, const char *sentence) { say(arg, "%s", sentence); }

/* ---- opening ------------------------------------------------------------------------------------------- */

static char *below(const CgStore *s, const char *format, ...) CG_PRINTF(2, 3);
static char *below(const CgStore *s, const char *format, ...)
{
    CgStrbuf b = { 0 };
    va_list args;
    cg_strbuf_printf(&b, "%s/", s->folder);
    va_start(args, format);
    cg_strbuf_vprintf(&b, format, args);
    va_end(args);
    return cg_strbuf_take(&b);
}

static bool make_folder(CgStore *s, const char *name, CgErr *e)
{
    char *path = below(s, "%s", name);
    bool ok = cg_io_mkdirs(path, e);
    if (ok)
        cg_io_sweep(path);
    free(path);
    return ok;
}

CgStore *cg_store_open(const char *folder, CgErr *e)
{
    const char *named = getenv("CG_STORE");
    if (!folder)
        folder = named && *named ? named : ".cg";
    CgStore *s = cg_calloc(1, sizeof *s);
    s->folder = cg_strdup(folder);
    s->say = say_to_stderr;
    if (!make_folder(s, "objects", e) || !make_folder(s, "progress", e) || !make_folder(s, "locks", e)) {
        cg_err_hint(e, "values are kept in '%s'; the environment variable CG_STORE names another folder", folder);
        cg_store_close(s);
        return NULL;
    }
    return s;
}

CgStore *cg_store_open_named(const char *folder, CgErr *e)
{
    const char *named = folder ? folder : getenv("CG_STORE");
    if (named && *named && !cg_io_is_dir(named)) {
        cg_err(e, CG_ERR_IO, "there is no folder '%s' of values that are kept", named);
        return NULL;
    }
    return cg_store_open(folder, e);
}

void cg_store_close(CgStore *s)
{
    if (!s)
        return;
    cg_index_close(s->index);
    cg_map_deinit(&s->verified);
    cg_map_deinit(&s->asked);
    free(s->folder);
    free(s);
}

void cg_store_listen(CgStore *s, CgSayFn *fn, void *arg)
{
    s->say = fn;
    s->arg = arg;
}

CgIndex *cg_store_index(CgStore *s)
{
    if (!s->index) {
        char *path = below(s, "index.db");
        s->index = cg_index_open(path, say_index, s);
        free(path);
    }
    return s->index;
}

/* ---- seals: FILE.sum vouches for FILE ------------------------------------------------------------------ */

static char *sum_path(const char *path)
{
    CgStrbuf b = { 0 };
    cg_strbuf_printf(&b, "%s.sum", path);
    return cg_strbuf_take(&b);
}

static void print_seal(const void *bytes, size_t n, CgStrbuf *out)
{
    char hex[33];
    cg_digest_hex(cg_digest(bytes, n), hex);
    cg_strbuf_printf(out, "xxh3-128 %s %zu\n", hex, n);
}

static bool seal_bytes(const char *path, const void *bytes, size_t n, CgErr *e)
{
    char *sum = sum_path(path);
    CgStrbuf text = { 0 };
    print_seal(bytes, n, &text);
    bool ok = cg_io_write(sum, text.at, text.len, e);
    cg_strbuf_deinit(&text);
    free(sum);
    return ok;
}

static bool seal_file(const char *path, CgErr *e)
{
    CgBytes bytes;
    if (!cg_io_map(path, &bytes, e))
        return false;
    bool ok = seal_bytes(path, bytes.at, bytes.len, e);
    cg_io_release(&bytes);
    return ok;
}

/* A file that is gone already is as good as removed. */
static bool remove_file(const char *path, CgErr *e)
{
    return !cg_io_exists(path) || cg_io_remove(path, e) || !cg_io_exists(path);
}

static bool unseal(const char *path, CgErr *e)
{
    char *sum = sum_path(path);
    bool ok = remove_file(sum, e);
    free(sum);
    return ok;
}

typedef enum Found { ABSENT, WHOLE, DAMAGED } Found;

/* Reads a sealed file; *out holds it only when it is WHOLE. why->text: what is wrong with a damaged one.
 * Files are replaced, never changed, so a mapping stays what it was when its digest was taken. */
static Found read_sealed(const char *path, CgBytes *out, CgErr *why)
{
    CgErr ignore = { 0 };
    CgBytes seal = { 0 };
    *why = (CgErr){ 0 };
    if (!cg_io_exists(path))
        return ABSENT;
    if (!cg_io_map(path, out, why))
        return DAMAGED;
    char *sum = sum_path(path);
    bool sealed = cg_io_exists(sum) && cg_io_read(sum, &seal, &ignore);
    CgStrbuf expected = { 0 };
    print_seal(out->at, out->len, &expected);
    bool whole = sealed && seal.len == expected.len && !memcmp(seal.at, expected.at, seal.len);
    if (!whole)
        cg_err(why, CG_ERR_INPUT, sealed ? "its contents do not agree with their digest" : "it was never finished");
    if (!whole)
        cg_io_release(out);
    cg_strbuf_deinit(&expected);
    cg_io_release(&seal);
    free(sum);
    return whole ? WHOLE : DAMAGED;
}

/* ---- finished values ----------------------------------------------------------------------------------- */

char *cg_store_path(const CgStore *s, CgDigest key)
{
    char hex[33];
    cg_digest_hex(key, hex);
    return below(s, "objects/%.2s/%s", hex, hex + 2);
}

static uint64_t short_key(CgDigest key) { return key.high ^ key.low * 0x9e3779b97f4a7c15u; }

/* What somebody left who died beside this value: whoever finds the value writes nothing there and would not see it. */
static void tidy(CgStore *s, CgDigest key)
{
    char hex[33];
    cg_digest_hex(key, hex);
    char *folder = below(s, "objects/%.2s", hex);
    cg_io_sweep_once(folder);
    free(folder);
}

bool cg_store_get(CgStore *s, CgDigest key, CgBytes *out)
{
    char *path = cg_store_path(s, key);
    CgErr why;
    tidy(s, key);
    cg_map_put(&s->asked, short_key(key), 1);
    Found state = read_sealed(path, out, &why);
    if (state == DAMAGED && cg_store_busy(s, key)) /* somebody is writing it: it will be there, but is not yet */
        state = ABSENT;
    uint64_t before = 0;
    (void)!cg_map_get(&s->verified, short_key(key), &before);
    if (state == WHOLE)
        cg_map_put(&s->verified, short_key(key), SEEN);
    if (state == DAMAGED && before != TOLD)
        say(s, "'%s' is not used: %s; it will be made again", path, why.text);
    if (state == DAMAGED)
        cg_map_put(&s->verified, short_key(key), TOLD);
    free(path);
    return state == WHOLE;
}

bool cg_store_has(CgStore *s, CgDigest key)
{
    uint64_t seen;
    if (cg_map_get(&s->verified, short_key(key), &seen) && seen == SEEN)
        return true;
    CgBytes bytes = { 0 };
    bool found = cg_store_get(s, key, &bytes);
    if (found)
        cg_io_release(&bytes);
    return found;
}

bool cg_store_finished(CgStore *s, CgDigest key)
{
    char *path = cg_store_path(s, key), *sum = sum_path(path);
    bool there = cg_io_exists(path) && cg_io_exists(sum);
    tidy(s, key);
    cg_map_put(&s->asked, short_key(key), 1);
    free(path);
    free(sum);
    return there;
}

/* What is no file, such as a pipe, would be written into and not replaced. */
static bool make_way(const char *path, CgErr *e)
{
    char *sum = sum_path(path);
    bool ok = (!cg_io_exists(path) || cg_io_is_file(path) || cg_io_remove(path, e))
        && (!cg_io_exists(sum) || cg_io_is_file(sum) || cg_io_remove(sum, e));
    free(sum);
    return ok;
}

/* The path of a value, malloc'd, in a folder that is there; NULL after an error. */
static char *room_for(CgStore *s, CgDigest key, CgErr *e)
{
    char hex[33];
    cg_digest_hex(key, hex);
    cg_map_put(&s->verified, short_key(key), 0);
    char *folder = below(s, "objects/%.2s", hex), *path = cg_store_path(s, key);
    if (!cg_io_mkdirs(folder, e) || !make_way(path, e)) {
        free(path);
        path = NULL;
    }
    free(folder);
    return path;
}

char *cg_store_begin(CgStore *s, CgDigest key, CgErr *e)
{
    char *path = room_for(s, key, e);
    if (!path || unseal(path, e))
        return path;
    free(path);
    return NULL;
}

bool cg_store_seal(CgStore *s, CgDigest key, CgErr *e)
{
    char *path = cg_store_path(s, key);
    bool ok = seal_file(path, e);
    if (ok)
        cg_map_put(&s->verified, short_key(key), SEEN);
    free(path);
    return ok;
}

bool cg_store_put(CgStore *s, CgDigest key, const void *bytes, size_t n, CgErr *e)
{
    /* the seal first: nobody sees the value without one, also where two processes put it at a time */
    char *path = room_for(s, key, e);
    bool ok = path && seal_bytes(path, bytes, n, e) && cg_io_write(path, bytes, n, e);
    if (ok)
        cg_map_put(&s->verified, short_key(key), SEEN);
    free(path);
    return ok;
}

bool cg_store_drop(CgStore *s, CgDigest key, CgErr *e)
{
    char *path = cg_store_path(s, key);
    cg_map_put(&s->verified, short_key(key), 0);
    bool ok = unseal(path, e) && remove_file(path, e);
    free(path);
    return ok;
}

/* ---- checkpoints --------------------------------------------------------------------------------------- */

static char *stage_path(const CgStore *s, CgDigest key, uint64_t step)
{
    char hex[33];
    cg_digest_hex(key, hex);
    return below(s, "progress/%s-%012llu.ckpt", hex, (unsigned long long)step);
}

typedef struct Steps {
    uint64_t *at;
    size_t len, cap;
} Steps;

static int newest_first(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x > y ? -1 : x < y;
}

/* The steps of a key that have a checkpoint file, newest first, sealed or not. */
static Steps steps_of(CgStore *s, CgDigest key)
{
    Steps steps = { 0 };
    CgPaths paths = { 0 };
    CgErr why = { 0 };
    char *folder = below(s, "progress"), hex[33];
    cg_digest_hex(key, hex);
    if (!cg_io_files(folder, &paths, &why))
        say(s, "checkpoints are not looked for: %s", why.text);
    for (size_t i = 0; i < paths.len; i++) {
        const char *slash = strrchr(paths.at[i], '/'), *name = slash ? slash + 1 : paths.at[i];
        char *end;
        if (strncmp(name, hex, 32) != 0 || name[32] != '-')
            continue;
        uint64_t step = strtoull(name + 33, &end, 10);
        if (!strcmp(end, ".ckpt"))
            cg_vec_push(&steps, step);
    }
    cg_paths_free(&paths);
    free(folder);
    if (steps.len)
        qsort(steps.at, steps.len, sizeof *steps.at, newest_first);
    return steps;
}

static bool remove_stage(CgStore *s, CgDigest key, uint64_t step, CgErr *e)
{
    char *path = stage_path(s, key, step);
    bool ok = unseal(path, e) && remove_file(path, e);
    free(path);
    return ok;
}

char *cg_stage_begin(CgStore *s, CgDigest key, uint64_t step, CgErr *e)
{
    char *path = stage_path(s, key, step);
    if (unseal(path, e))
        return path;
    free(path);
    return NULL;
}

bool cg_stage_seal(CgStore *s, CgDigest key, uint64_t step, CgErr *e)
{
    char *path = stage_path(s, key, step);
    bool ok = seal_file(path, e);
    free(path);
    if (!ok)
        return false;
    Steps steps = steps_of(s, key);
    CgErr ignore = { 0 };
    size_t older = 0;
    for (size_t i = 0; i < steps.len; i++) {
        if (steps.at[i] < step && ++older >= KEPT)
            (void)!remove_stage(s, key, steps.at[i], &ignore); /* one too many does no harm */
    }
    cg_vec_free(&steps);
    return true;
}

char *cg_stage_find(CgStore *s, CgDigest key, uint64_t before, uint64_t *step)
{
    cg_map_put(&s->asked, short_key(key), 1);
    Steps steps = steps_of(s, key);
    char *best = NULL;
    for (size_t i = 0; i < steps.len && !best; i++) {
        if (steps.at[i] >= before)
            continue;
        char *path = stage_path(s, key, steps.at[i]);
        CgBytes bytes = { 0 };
        CgErr why;
        if (read_sealed(path, &bytes, &why) == WHOLE) {
            cg_io_release(&bytes);
            *step = steps.at[i];
            best = path;
            continue;
        }
        say(s, "checkpoint '%s' is passed over: %s", path, why.text);
        free(path);
    }
    cg_vec_free(&steps);
    return best;
}

void cg_stage_end(CgStore *s, CgDigest key)
{
    Steps steps = steps_of(s, key);
    CgErr ignore = { 0 };
    for (size_t i = 0; i < steps.len; i++)
        (void)!remove_stage(s, key, steps.at[i], &ignore); /* what stays is in nobody's way */
    cg_vec_free(&steps);
}

/* ---- locks --------------------------------------------------------------------------------------------- */

typedef struct Waiting {
    CgStore *store;
    const char *what;
} Waiting;

static bool waiting(void *arg, int call)
{
    Waiting *w = arg;
    if (call == 0)
        say(w->store, "waiting for another process that is %s", w->what);
    return !cg_stop_asked();
}

CgLock *cg_store_lock(CgStore *s, CgDigest key, const char *what, CgErr *e)
{
    char hex[33];
    cg_digest_hex(key, hex);
    char *path = below(s, "locks/%s.lock", hex);
    cg_stop_listen();
    CgLock *l = cg_io_lock(path, waiting, &(Waiting){ s, what }, e);
    cg_stop_deafen();
    free(path);
    if (l && cg_io_lock_alone(l) && !s->told_alone)
        say(s, "files cannot be locked in '%s': two processes on it are refused, not made to wait", s->folder);
    s->told_alone |= l && cg_io_lock_alone(l);
    return l;
}

static bool do_not_wait(void *arg, int call)
{
    (void)arg;
    (void)call;
    return false;
}

bool cg_store_busy(CgStore *s, CgDigest key)
{
    char hex[33];
    CgErr e = { 0 };
    cg_digest_hex(key, hex);
    char *path = below(s, "locks/%s.lock", hex);
    CgLock *l = cg_io_lock(path, do_not_wait, NULL, &e);
    free(path);
    cg_io_unlock(l);
    return !l && e.kind == CG_ERR_INTERRUPTED;
}

void cg_store_sweep_locks(CgStore *s)
{
    char *folder = below(s, "locks");
    CgPaths paths = { 0 };
    CgErr e = { 0 };
    if (cg_io_files(folder, &paths, &e))
        for (size_t i = 0; i < paths.len; i++)
            cg_io_unlock(cg_io_lock(paths.at[i], do_not_wait, NULL, &e));
    cg_paths_free(&paths);
    free(folder);
}

/* ---- all that is kept ---------------------------------------------------------------------------------- */

/* "objects/ab/cdef.." or "progress/KEY-STEP.ckpt". */
static bool key_of_path(const char *path, bool checkpoint, CgDigest *key)
{
    char hex[33] = "";
    const char *name = strrchr(path, '/');
    if (!name || (!checkpoint && name - path < 3))
        return false;
    size_t n = strlen(name + 1);
    if (checkpoint && n > 37 && !strcmp(name + 1 + n - 5, ".ckpt"))
        snprintf(hex, sizeof hex, "%.32s", name + 1);
    else if (!checkpoint && n == 30)
        snprintf(hex, sizeof hex, "%.2s%.30s", name - 2, name + 1);
    return cg_digest_parse(hex, key);
}

static int by_use(const void *a, const void *b)
{
    const CgStoreItem *x = a, *y = b;
    return x->used != y->used ? (x->used > y->used ? 1 : -1) : strcmp(x->path, y->path);
}

bool cg_store_asked(const CgStore *s, CgDigest key)
{
    uint64_t ignored;
    return cg_map_get(&s->asked, short_key(key), &ignored);
}

bool cg_store_items(CgStore *s, CgStoreItems *out, CgErr *e)
{
    CG_VEC(CgStoreItem) items = { 0 };
    bool good = true;
    for (int checkpoint = 0; checkpoint < 2 && good; checkpoint++) {
        char *folder = below(s, checkpoint ? "progress" : "objects");
        CgPaths paths = { 0 };
        good = cg_io_files(folder, &paths, e);
        for (size_t i = 0; i < paths.len; i++) {
            CgStoreItem item = { .checkpoint = checkpoint };
            uint64_t seal = 0;
            int64_t when;
            if (!key_of_path(paths.at[i], checkpoint, &item.key) || !cg_io_stat(paths.at[i], &item.bytes, &item.used))
                continue;
            char *sum = sum_path(paths.at[i]);
            if (cg_io_stat(sum, &seal, &when))
                item.bytes += seal;
            free(sum);
            item.path = cg_strdup(paths.at[i]);
            cg_vec_push(&items, item);
        }
        cg_paths_free(&paths);
        free(folder);
    }
    if (items.len)
        qsort(items.at, items.len, sizeof *items.at, by_use);
    *out = (CgStoreItems){ items.at, items.len };
    if (!good)
        cg_store_items_free(out);
    return good;
}

void cg_store_items_free(CgStoreItems *items)
{
    for (size_t i = 0; i < items->len; i++)
        free(items->at[i].path);
    free(items->at);
    *items = (CgStoreItems){ 0 };
}

bool cg_store_item_whole(const CgStoreItem *i, CgErr *why)
{
    CgBytes bytes;
    bool whole = read_sealed(i->path, &bytes, why) == WHOLE;
    if (whole)
        cg_io_release(&bytes);
    return whole;
}

bool cg_store_item_remove(const CgStoreItem *i, CgErr *e) { return unseal(i->path, e) && remove_file(i->path, e); }
