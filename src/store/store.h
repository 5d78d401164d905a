/* store.h - the folder where costly values are kept, so that work is never lost or repeated.
 * Takes keys (the digest of all that went into a value) and bytes; gives them back, or says that they are
 * not there.
 * Must not hand out what it cannot vouch for: every file is kept with the digest of its contents, and one
 * that does not agree (a damaged disk, a write that was cut) is reported through `say` and counts as absent.
 *
 *   FOLDER/objects/ab/cdef...      finished values          (+ .sum: "xxh3-128 DIGEST BYTES\n", written
 *                                  last)
 *   FOLDER/progress/KEY-STEP.ckpt  values being worked on   (+ .sum)
 *   FOLDER/locks/KEY.lock          one process at a time works on a key
 *   FOLDER/index.db                runs, metrics, artifacts: SQLite; a convenience, nothing fails without
 * it */
#ifndef CG_STORE_H
#define CG_STORE_H
#include "base/digest.h"
#include "base/io.h"
#include "table/table.h"

typedef struct CgStore CgStore;
typedef void CgSayFn(void *arg, const char *sentence); /* to the user, without a newline */

/* `folder` NULL: $CG_STORE, else ".cg" in the working directory. Made if need be; leftovers of dead writers
 * are removed. */
CG_NODISCARD CgStore *cg_store_open(const char *folder, CgErr *e);
/* The same for whoever only looks: a folder that is named, by `folder` or $CG_STORE, must be there. */
CG_NODISCARD CgStore *cg_store_open_named(const char *folder, CgErr *e);
void cg_store_close(CgStore *s);
/* What it has to tell goes to `say` (NULL: silence). At first sentences go to stderr with "cg: " before them. */
void cg_store_listen(CgStore *s, CgSayFn *say, void *arg);

/* ---- finished values */
bool cg_store_has(CgStore *s, CgDigest key); /* verified, once a process */
/* It was sealed; its bytes are not read: for files that are checked piece by piece by who reads them. */
bool cg_store_finished(CgStore *s, CgDigest key);
/* False when it is absent; *out is released by the caller. */
CG_NODISCARD bool cg_store_get(CgStore *s, CgDigest key, CgBytes *out);
/* Removes a value, whole or not. */
CG_NODISCARD bool cg_store_drop(CgStore *s, CgDigest key, CgErr *e);
CG_NODISCARD bool cg_store_put(CgStore *s, CgDigest key, const void *bytes, size_t n, CgErr *e);
/* For values written by others (safetensors): begin gives the path to write (malloc'd; whatever was there
 * counts as absent from now on), seal vouches for what was written. Without seal it stays absent. */
CG_NODISCARD char *cg_store_begin(CgStore *s, CgDigest key, CgErr *e);
CG_NODISCARD bool cg_store_seal(CgStore *s, CgDigest key, CgErr *e);
/* malloc'd; whether it is there or not */
char *cg_store_path(const CgStore *s, CgDigest key);

/* ---- values being worked on: checkpoints of a key by step */
/* path to write, malloc'd */
CG_NODISCARD char *cg_stage_begin(CgStore *s, CgDigest key, uint64_t step, CgErr *e);
/* Vouches for it; then, and only then, removes the older ones but one. */
CG_NODISCARD bool cg_stage_seal(CgStore *s, CgDigest key, uint64_t step, CgErr *e);
/* The path of the newest checkpoint of a step before `before` that verifies, malloc'd, NULL when there is none; those
 * passed over are reported. */
char *cg_stage_find(CgStore *s, CgDigest key, uint64_t before, uint64_t *step);
/* removes them all: the value is finished */
void cg_stage_end(CgStore *s, CgDigest key);

/* ---- one process at a time on a key: the others wait, say so, and then find the value. NULL: interrupted,
 * or the lock file cannot be made. Release with cg_io_unlock. */
CG_NODISCARD CgLock *cg_store_lock(CgStore *s, CgDigest key, const char *what /* "training 'lm'" */, CgErr *e);

bool cg_store_busy(CgStore *s, CgDigest key); /* another process holds the lock of the key */

/* ---- all that is kept, for cg gc and cg store */
typedef struct CgStoreItem {
    char *path; /* without its seal */
    CgDigest key;
    uint64_t bytes; /* with its seal */
    int64_t used;   /* seconds since 1970 */
    bool checkpoint;
} CgStoreItem;
typedef struct CgStoreItems {
    CgStoreItem *at;
    size_t len;
} CgStoreItems;
bool cg_store_asked(const CgStore *s, CgDigest key);                       /* this process looked for the key */
CG_NODISCARD bool cg_store_items(CgStore *s, CgStoreItems *out, CgErr *e); /* those used last come last */
void cg_store_items_free(CgStoreItems *items);
bool cg_store_item_whole(const CgStoreItem *i, CgErr *why); /* agrees with its seal */
void cg_store_sweep_locks(CgStore *s);                      /* files of locks that nobody holds */
CG_NODISCARD bool cg_store_item_remove(const CgStoreItem *i, CgErr *e);

/* ---- the index. Trouble with it is said once and never stops a run. */
typedef struct CgRun CgRun;
CgRun *cg_run_open(CgStore *s, const char *script, const char *options, CgDigest digest);
/* written in batches, about once a second */
void cg_run_metric(CgRun *r, CgDigest training, const char *label, int64_t step, const char *name, double value);
/* A value the run asks for, known by its key: its kind, label and settings, a line NAME=VALUE each. */
void cg_run_stage(CgRun *r, CgDigest key, const char *kind, const char *label, const char *settings);
/* Something the run is made of, and its text: "source" (a module, its path), "option" (its name), "read" (how the
 * script writes it, the digest of that; its content's), "versions" (of all that is built in). */
void cg_run_origin(CgRun *r, const char *kind, const char *name, const char *detail, const char *text);
void cg_run_artifact(CgRun *r, const char *name, const char *path, CgDigest digest);
void cg_run_close(CgRun *r, const char *status); /* "ok", "failed", "interrupted" */
/* The how manieth results these are that claims were tested with on these rows, from 1: the same results again are the
 * same look. -1: the index cannot be used. */
int64_t cg_store_look(CgStore *s, CgDigest rows, CgDigest results);
/* id, script, started (ISO, UTC), seconds, status, options, digest; newest last. A run whose process is gone
 * is "killed". */
CG_NODISCARD CgTable *cg_store_runs(CgStore *s, CgErr *e);
CG_NODISCARD CgTable *cg_store_metrics(
    CgStore *s, int64_t run, CgErr *e); /* training (its key), label, step, name, value */
CG_NODISCARD CgTable *cg_store_settings(
    CgStore *s, int64_t run, CgErr *e); /* stage (its key), kind, label, text; in the order they were asked for */
CG_NODISCARD CgTable *cg_store_origins(CgStore *s, int64_t run, CgErr *e);   /* kind, name, detail, text */
CG_NODISCARD CgTable *cg_store_artifacts(CgStore *s, int64_t run, CgErr *e); /* name, path, digest */
#endif
