/* index.c - the SQLite file behind the index of runs.
 * Takes its path; gives statements of it. Must not stop a run: when it cannot be opened or written, that is said once
 * and every call does nothing from then on. */
#include "store/index.h"

#include <stdlib.h>

#include "base/fault.h"
#include "base/strbuf.h"

#define INDEX_VERSION 5

/* What makes an index of each version one of the next. */
static const char *const schema[INDEX_VERSION] = {
    "", /* version 1 had the first tables of the next */
    "CREATE TABLE IF NOT EXISTS runs(id INTEGER PRIMARY KEY AUTOINCREMENT, script TEXT NOT NULL,"
    " options TEXT, started TEXT NOT NULL, seconds REAL, status TEXT NOT NULL, digest TEXT, process INTEGER);"
    "CREATE TABLE IF NOT EXISTS artifacts(run INTEGER NOT NULL REFERENCES runs(id), name TEXT NOT NULL,"
    " path TEXT, digest TEXT);"
    /* version 1 had one curve a run; it has no training */
    "CREATE TABLE IF NOT EXISTS metrics(run INTEGER, step INTEGER, name TEXT, value REAL);"
    "ALTER TABLE metrics RENAME TO curves;"
    "CREATE TABLE metrics(run INTEGER NOT NULL REFERENCES runs(id), training TEXT NOT NULL, label TEXT NOT NULL,"
    " step INTEGER NOT NULL, name TEXT NOT NULL, value REAL, PRIMARY KEY(run, training, name, step)) WITHOUT ROWID;"
    "INSERT INTO metrics SELECT run, '', '', step, name, value FROM curves;"
    "DROP TABLE curves;",
    /* which values a run asked for, and by what settings */
    "CREATE TABLE stages(run INTEGER NOT NULL REFERENCES runs(id), place INTEGER NOT NULL, label TEXT NOT NULL,"
    " stage TEXT NOT NULL, PRIMARY KEY(run, place)) WITHOUT ROWID;"
    "CREATE INDEX metrics_by_training ON metrics(training);"
    "CREATE TABLE settings(stage TEXT PRIMARY KEY, kind TEXT NOT NULL, text TEXT NOT NULL) WITHOUT ROWID;"
    "PRAGMA user_version = 3;",
    /* which rows claims were tested on, and with which results */
    ("CREATE TABLE looks(place INTEGER PRIMARY KEY, rows TEXT NOT NULL, results TEXT NOT NULL, UNIQUE(rows, results));"
     "PRAGMA user_version = 4;"),
    /* what runs were made of: long texts once, however many runs have them */
    ("CREATE TABLE texts(digest TEXT PRIMARY KEY, text TEXT NOT NULL) WITHOUT ROWID;"
     "CREATE TABLE origins(run INTEGER NOT NULL REFERENCES runs(id), place INTEGER NOT NULL, kind TEXT NOT NULL,"
     " name TEXT NOT NULL, detail TEXT NOT NULL, digest TEXT NOT NULL REFERENCES texts(digest),"
     " PRIMARY KEY(run, place)) WITHOUT ROWID;"
     "PRAGMA user_version = 5;"),
};

void cg_index_give_up(CgIndex *x, const char *why)
{
    if (!x->db)
        return;
    CgStrbuf b = { 0 };
    cg_strbuf_printf(&b, "the index of runs '%s' cannot be used (%s); results are not affected", x->path, why);
    x->say(x->arg, cg_strbuf_str(&b));
    cg_strbuf_deinit(&b);
    sqlite3_close_v2(x->db);
    x->db = NULL;
}

bool cg_index_run(CgIndex *x, const char *sql)
{
    if (!x->db)
        return false;
    if (sqlite3_exec(x->db, sql, NULL, NULL, NULL) == SQLITE_OK)
        return true;
    CgStrbuf why = { 0 };
    cg_strbuf_puts(&why, sqlite3_errmsg(x->db));
    cg_index_give_up(x, cg_strbuf_str(&why));
    cg_strbuf_deinit(&why);
    return false;
}

static int version_of(CgIndex *x)
{
    sqlite3_stmt *s = NULL;
    int version = -1;
    if (sqlite3_prepare_v2(x->db, "PRAGMA user_version", -1, &s, NULL) == SQLITE_OK && sqlite3_step(s) == SQLITE_ROW)
        version = sqlite3_column_int(s, 0);
    sqlite3_finalize(s);
    return version;
}

static sqlite3_mem_methods usual;

static void *allocate(int n) { return cg_fault_memory() ? NULL : usual.xMalloc(n); }

static void *reallocate(void *at, int n) { return cg_fault_memory() ? NULL : usual.xRealloc(at, n); }

/* Allocations of SQLite fail when ours are made to. */
static void share_faults(void)
{
    sqlite3_mem_methods ours;
    if (usual.xMalloc || !cg_debug_value("fault"))
        return;
    sqlite3_config(SQLITE_CONFIG_GETMALLOC, &usual);
    ours = usual;
    ours.xMalloc = allocate;
    ours.xRealloc = reallocate;
    sqlite3_config(SQLITE_CONFIG_MALLOC, &ours);
}

/* An index of an older version, or a new one, as one of this; another process may have done it meanwhile. */
static void bring_up(CgIndex *x)
{
    bool good = cg_index_run(x, "BEGIN IMMEDIATE");
    for (int v = good ? version_of(x) : INDEX_VERSION; good && v >= 0 && v < INDEX_VERSION; v++)
        good = cg_index_run(x, schema[v]);
    if (good)
        cg_index_run(x, "COMMIT");
}

/* SQLite would wait for a pipe. */
static bool are_files(CgIndex *x)
{
    static const char *const end[] = { "", "-journal", "-wal", "-shm" };
    for (size_t i = 0; i < CG_LEN(end); i++) {
        CgStrbuf path = { 0 }, why = { 0 };
        cg_strbuf_printf(&path, "%s%s", x->path, end[i]);
        bool odd = cg_io_exists(cg_strbuf_str(&path)) && !cg_io_is_file(cg_strbuf_str(&path));
        cg_strbuf_printf(&why, "'%s' is not a file", cg_strbuf_str(&path));
        if (odd)
            cg_index_give_up(x, cg_strbuf_str(&why));
        cg_strbuf_deinit(&path);
        cg_strbuf_deinit(&why);
        if (odd)
            return false;
    }
    return true;
}

CgIndex *cg_index_open(const char *path, CgSayFn *say, void *arg)
{
    CgIndex *x = cg_calloc(1, sizeof *x);
    *x = (CgIndex){ .path = cg_strdup(path), .say = say, .arg = arg };
    share_faults();
    int code = sqlite3_open_v2(path, &x->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, NULL);
    if (!are_files(x))
        return x;
    if (code != SQLITE_OK) {
        cg_index_give_up(x, sqlite3_errstr(code));
        return x;
    }
    sqlite3_busy_timeout(x->db, 10000);
    int version = version_of(x);
    if (version > INDEX_VERSION)
        cg_index_give_up(x, "it was written by a newer cg");
    else if (version < 0)
        cg_index_give_up(x, sqlite3_errmsg(x->db));
    else if (version < INDEX_VERSION)
        bring_up(x);
    if (x->db)
        /* where it works */
        sqlite3_exec(x->db, "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL", NULL, NULL, NULL);
    return x;
}

void cg_index_close(CgIndex *x)
{
    if (!x)
        return;
    sqlite3_close_v2(x->db);
    free(x->path);
    free(x);
}

sqlite3_stmt *cg_index_prepare(CgIndex *x, const char *sql)
{
    sqlite3_stmt *s = NULL;
    if (x->db && sqlite3_prepare_v2(x->db, sql, -1, &s, NULL) != SQLITE_OK)
        cg_index_run(x, sql); /* says why */
    return s;
}

bool cg_index_finish(CgIndex *x, sqlite3_stmt *s)
{
    int code = s ? sqlite3_step(s) : SQLITE_ERROR;
    sqlite3_finalize(s);
    if (code != SQLITE_DONE && x->db)
        cg_index_give_up(x, sqlite3_errstr(code));
    return code == SQLITE_DONE;
}
