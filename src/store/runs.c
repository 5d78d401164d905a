/* runs.c - runs, their metrics and what they saved.
 * Takes what happens in a run; gives tables of it. Writes by batches. Must not stop a run: an index that does not work
 * is one that holds nothing. */
#include "store/index.h"

#include <errno.h>
#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/strbuf.h"
#include "base/vec.h"

#define BATCH 512 /* metrics kept back at most */

typedef struct Metric {
    char training[33]; /* its key */
    char *label;
    int64_t step;
    char *name;
    double value;
} Metric;

typedef struct Stage {
    char key[33];
    char *kind, *label, *settings;
} Stage;

typedef struct Origin {
    char *kind, *name, *detail, *text;
} Origin;

struct CgRun {
    CgIndex *index;
    int64_t id;
    double started, flushed;
    CG_VEC(Metric) metrics;
    CG_VEC(Stage) stages;
    int64_t asked; /* stages in the index */
    CG_VEC(Origin) origins;
    int64_t made_of; /* origins in the index */
};

CgRun *cg_run_open(CgStore *store, const char *script, const char *options, CgDigest digest)
{
    CgRun *r = cg_calloc(1, sizeof *r);
    char started[32], hex[33];
    time_t now = time(NULL);
    struct tm utc;
    r->index = cg_store_index(store);
    r->started = r->flushed = cg_now();
    gmtime_r(&now, &utc);
    strftime(started, sizeof started, "%Y-%m-%dT%H:%M:%SZ", &utc);
    cg_digest_hex(digest, hex);
    sqlite3_stmt *s = cg_index_prepare(r->index,
        "INSERT INTO runs(script, options, started, seconds, status, digest, process)"
        " VALUES(?, ?, ?, 0, 'running', ?, ?)");
    if (!s)
        return r;
    sqlite3_bind_text(s, 1, script, -1, SQLITE_TRANSIENT);
    sqlite3_bind_text(s, 2, options, -1, SQLITE_TRANSIENT);
    sqlite3_bind_text(s, 3, started, -1, SQLITE_TRANSIENT);
    sqlite3_bind_text(s, 4, hex, -1, SQLITE_TRANSIENT);
    sqlite3_bind_int64(s, 5, getpid());
    if (cg_index_finish(r->index, s))
        r->id = sqlite3_last_insert_rowid(r->index->db);
    return r;
}

static void set_status(CgRun *r, const char *status)
{
    sqlite3_stmt *s = cg_index_prepare(r->index, "UPDATE runs SET seconds = ?, status = ? WHERE id = ?");
    if (!s)
        return;
    sqlite3_bind_double(s, 1, cg_now() - r->started);
    sqlite3_bind_text(s, 2, status, -1, SQLITE_TRANSIENT);
    sqlite3_bind_int64(s, 3, r->id);
    cg_index_finish(r->index, s);
}

/* A value that several runs ask for has its settings in the index once. */
static void put_stages(CgRun *r)
{
    sqlite3_stmt *asked = cg_index_prepare(r->index, "INSERT INTO stages(run, place, label, stage) VALUES(?, ?, ?, ?)"),
                 *said =
                     cg_index_prepare(r->index, "INSERT OR IGNORE INTO settings(stage, kind, text) VALUES(?, ?, ?)");
    for (size_t i = 0; asked && said && i < r->stages.len; i++) {
        const Stage *s = &r->stages.at[i];
        sqlite3_bind_int64(asked, 1, r->id);
        sqlite3_bind_int64(asked, 2, ++r->asked);
        sqlite3_bind_text(asked, 3, s->label, -1, SQLITE_STATIC);
        sqlite3_bind_text(asked, 4, s->key, -1, SQLITE_STATIC);
        sqlite3_step(asked);
        sqlite3_reset(asked);
        sqlite3_bind_text(said, 1, s->key, -1, SQLITE_STATIC);
        sqlite3_bind_text(said, 2, s->kind, -1, SQLITE_STATIC);
        sqlite3_bind_text(said, 3, s->settings, -1, SQLITE_STATIC);
        sqlite3_step(said);
        sqlite3_reset(said);
    }
    sqlite3_finalize(asked);
    sqlite3_finalize(said);
}

static void put_origins(CgRun *r)
{
    sqlite3_stmt *text = cg_index_prepare(r->index, "INSERT OR IGNORE INTO texts(digest, text) VALUES(?, ?)"),
                 *of = cg_index_prepare(
                     r->index, "INSERT INTO origins(run, place, kind, name, detail, digest) VALUES(?, ?, ?, ?, ?, ?)");
    for (size_t i = 0; text && of && i < r->origins.len; i++) {
        const Origin *o = &r->origins.at[i];
        char digest[33];
        cg_digest_hex(cg_digest(o->text, strlen(o->text)), digest);
        sqlite3_bind_text(text, 1, digest, -1, SQLITE_STATIC);
        sqlite3_bind_text(text, 2, o->text, -1, SQLITE_STATIC);
        sqlite3_step(text);
        sqlite3_reset(text);
        sqlite3_bind_int64(of, 1, r->id);
        sqlite3_bind_int64(of, 2, ++r->made_of);
        sqlite3_bind_text(of, 3, o->kind, -1, SQLITE_STATIC);
        sqlite3_bind_text(of, 4, o->name, -1, SQLITE_STATIC);
        sqlite3_bind_text(of, 5, o->detail, -1, SQLITE_STATIC);
        sqlite3_bind_text(of, 6, digest, -1, SQLITE_STATIC);
        sqlite3_step(of);
        sqlite3_reset(of);
    }
    sqlite3_finalize(text);
    sqlite3_finalize(of);
}

/* All that was kept back is gone. */
static void forget(CgRun *r)
{
    for (size_t i = 0; i < r->metrics.len; i++) {
        free(r->metrics.at[i].name);
        free(r->metrics.at[i].label);
    }
    for (size_t i = 0; i < r->stages.len; i++) {
        free(r->stages.at[i].kind);
        free(r->stages.at[i].label);
        free(r->stages.at[i].settings);
    }
    for (size_t i = 0; i < r->origins.len; i++) {
        free(r->origins.at[i].kind);
        free(r->origins.at[i].name);
        free(r->origins.at[i].detail);
        free(r->origins.at[i].text);
    }
    r->metrics.len = r->stages.len = r->origins.len = 0;
}

static void flush(CgRun *r, const char *status)
{
    CgIndex *x = r->index;
    if (r->id && x->db && cg_index_run(x, "BEGIN IMMEDIATE")) {
        sqlite3_stmt *s = cg_index_prepare(
            x, "INSERT OR REPLACE INTO metrics(run, step, name, value, training, label) VALUES(?, ?, ?, ?, ?, ?)");
        for (size_t i = 0; s && i < r->metrics.len; i++) {
            const Metric *m = &r->metrics.at[i];
            sqlite3_bind_int64(s, 1, r->id);
            sqlite3_bind_int64(s, 2, m->step);
            sqlite3_bind_text(s, 3, m->name, -1, SQLITE_STATIC);
            sqlite3_bind_double(s, 4, m->value);
            sqlite3_bind_text(s, 5, m->training, -1, SQLITE_STATIC);
            sqlite3_bind_text(s, 6, m->label, -1, SQLITE_STATIC);
            sqlite3_step(s);
            sqlite3_reset(s);
        }
        sqlite3_finalize(s);
        put_stages(r);
        put_origins(r);
        set_status(r, status);
        cg_index_run(x, "COMMIT");
    }
    forget(r);
    r->flushed = cg_now();
}

/* Written in batches, about once a second. */
static void flush_when_due(CgRun *r)
{
    if (r->metrics.len + r->stages.len >= BATCH || cg_now() - r->flushed > 1)
        flush(r, "running");
}

void cg_run_metric(CgRun *r, CgDigest training, const char *label, int64_t step, const char *name, double value)
{
    if (!r->id || !r->index->db)
        return;
    Metric m = { .label = cg_strdup(label), .step = step, .name = cg_strdup(name), .value = value };
    cg_digest_hex(training, m.training);
    cg_vec_push(&r->metrics, m);
    flush_when_due(r);
}

void cg_run_stage(CgRun *r, CgDigest key, const char *kind, const char *label, const char *settings)
{
    if (!r->id || !r->index->db)
        return;
    Stage s = { .kind = cg_strdup(kind), .label = cg_strdup(label), .settings = cg_strdup(settings) };
    cg_digest_hex(key, s.key);
    cg_vec_push(&r->stages, s);
    flush_when_due(r);
}

void cg_run_origin(CgRun *r, const char *kind, const char *name, const char *detail, const char *text)
{
    if (!r->id || !r->index->db)
        return;
    Origin o = { cg_strdup(kind), cg_strdup(name), cg_strdup(detail), cg_strdup(text) };
    cg_vec_push(&r->origins, o);
}

void cg_run_artifact(CgRun *r, const char *name, const char *path, CgDigest digest)
{
    char hex[33];
    cg_digest_hex(digest, hex);
    sqlite3_stmt *s =
        r->id ? cg_index_prepare(r->index, "INSERT INTO artifacts(run, name, path, digest) VALUES(?, ?, ?, ?)") : NULL;
    if (!s)
        return;
    sqlite3_bind_int64(s, 1, r->id);
    sqlite3_bind_text(s, 2, name, -1, SQLITE_TRANSIENT);
    sqlite3_bind_text(s, 3, path, -1, SQLITE_TRANSIENT);
    sqlite3_bind_text(s, 4, hex, -1, SQLITE_TRANSIENT);
    cg_index_finish(r->index, s);
}

void cg_run_close(CgRun *r, const char *status)
{
    if (!r)
        return;
    flush(r, status);
    cg_vec_free(&r->metrics);
    cg_vec_free(&r->stages);
    cg_vec_free(&r->origins);
    free(r);
}

/* ---- reading ------------------------------------------------------------------------------------------- */

static CgTable *query(CgStore *store, const char *sql, int64_t run, const CgCellKind *kinds, CgErr *e)
{
    CgIndex *x = cg_store_index(store);
    sqlite3_stmt *s = cg_index_prepare(x, sql);
    if (!s) {
        cg_err(e, CG_ERR_IO, "the index of runs '%s' cannot be read", x->path);
        return NULL;
    }
    if (run)
        sqlite3_bind_int64(s, 1, run);
    CgTable *t = cg_table_new();
    int n = sqlite3_column_count(s), code;
    for (int i = 0; i < n; i++)
        cg_table_add(t, sqlite3_column_name(s, i), kinds[i]);
    while ((code = sqlite3_step(s)) == SQLITE_ROW) {
        size_t row = cg_table_row(t);
        for (int i = 0; i < n; i++) {
            bool missing = sqlite3_column_type(s, i) == SQLITE_NULL;
            const char *text = kinds[i] == CG_TEXT && !missing ? (const char *)sqlite3_column_text(s, i) : NULL;
            cg_table_set(t, row, i,
                missing                   ? CG_MISSING
                    : kinds[i] == CG_TEXT ? cg_text(text)
                    : kinds[i] == CG_INT  ? cg_whole(sqlite3_column_int64(s, i))
                                          : cg_number(sqlite3_column_double(s, i)));
        }
    }
    sqlite3_finalize(s);
    if (code == SQLITE_DONE)
        return t;
    cg_err(e, CG_ERR_IO, "the index of runs '%s' cannot be read: %s", x->path, sqlite3_errstr(code));
    cg_table_free(t);
    return NULL;
}

CgTable *cg_store_runs(CgStore *s, CgErr *e)
{
    static const CgCellKind kinds[] = { CG_INT, CG_TEXT, CG_TEXT, CG_NUMBER, CG_TEXT, CG_TEXT, CG_TEXT, CG_INT };
    static const char *const shown[] = { "id", "script", "started", "seconds", "status", "options", "digest" };
    CgTable *all = query(
        s, "SELECT id, script, started, seconds, status, options, digest, process FROM runs ORDER BY id", 0, kinds, e);
    for (size_t r = 0; all && r < all->rows; r++) {
        int64_t process = all->column[7].at[r].whole;
        if (!strcmp(all->column[4].at[r].text, "running") && kill((pid_t)process, 0) != 0 && errno == ESRCH)
            cg_table_set(all, r, 4, cg_text("killed"));
    }
    CgTable *t = all ? cg_table_select(all, shown, (int)CG_LEN(shown), e) : NULL;
    cg_table_free(all);
    return t;
}

CgTable *cg_store_metrics(CgStore *s, int64_t run, CgErr *e)
{
    static const CgCellKind kinds[] = { CG_TEXT, CG_TEXT, CG_INT, CG_TEXT, CG_NUMBER };
    return query(s, /* of the trainings it asked for, whichever run made them */
        "SELECT training, label, step, name, value FROM metrics WHERE run = ?1"
        " AND training NOT IN (SELECT stage FROM stages WHERE run = ?1)"
        " UNION SELECT training, stages.label, step, name, value FROM stages JOIN metrics ON training = stage"
        " WHERE stages.run = ?1 ORDER BY label, training, name, step",
        run, kinds, e);
}

CgTable *cg_store_artifacts(CgStore *s, int64_t run, CgErr *e)
{
    static const CgCellKind kinds[] = { CG_TEXT, CG_TEXT, CG_TEXT };
    return query(s, "SELECT name, path, digest FROM artifacts WHERE run = ? ORDER BY rowid", run, kinds, e);
}

CgTable *cg_store_origins(CgStore *s, int64_t run, CgErr *e)
{
    static const CgCellKind kinds[] = { CG_TEXT, CG_TEXT, CG_TEXT, CG_TEXT };
    return query(s,
        "SELECT kind, name, detail, text FROM origins JOIN texts ON origins.digest = texts.digest"
        " WHERE run = ? ORDER BY place",
        run, kinds, e);
}

CgTable *cg_store_settings(CgStore *s, int64_t run, CgErr *e)
{
    static const CgCellKind kinds[] = { CG_TEXT, CG_TEXT, CG_TEXT, CG_TEXT };
    return query(s,
        "SELECT stages.stage, kind, label, text FROM stages JOIN settings ON stages.stage = settings.stage"
        " WHERE run = ? ORDER BY place",
        run, kinds, e);
}
