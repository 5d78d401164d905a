/* index.h - the SQLite side of the store.
 * Takes a path; gives an index that may be out of order: then every call does nothing. Private to this folder. */
#ifndef CG_STORE_INDEX_H
#define CG_STORE_INDEX_H
#include <sqlite3.h>

#include "store/store.h"

typedef struct CgIndex {
    sqlite3 *db; /* NULL: there is no index */
    char *path;
    CgSayFn *say;
    void *arg;
} CgIndex;
CgIndex *cg_index_open(const char *path, CgSayFn *say, void *arg); /* never NULL */
void cg_index_close(CgIndex *x);
CgIndex *cg_store_index(CgStore *s);                         /* opened at first use */
sqlite3_stmt *cg_index_prepare(CgIndex *x, const char *sql); /* NULL: it cannot, and the index is given up */
bool cg_index_finish(CgIndex *x, sqlite3_stmt *s);           /* runs a statement that gives no rows, and ends it */
bool cg_index_run(CgIndex *x, const char *sql);
void cg_index_give_up(CgIndex *x, const char *why);
#endif
