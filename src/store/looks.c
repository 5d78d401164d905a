/* looks.c - how often rows were looked at to test a claim.
 * Takes digests of rows and of the results on them; gives the number of that look. What is known already is no new
 * look. */
#include "store/index.h"

int64_t cg_store_look(CgStore *store, CgDigest rows, CgDigest results)
{
    CgIndex *x = cg_store_index(store);
    char of[33], with[33];
    int64_t look = -1;
    cg_digest_hex(rows, of);
    cg_digest_hex(results, with);
    sqlite3_stmt *s = cg_index_prepare(x, "INSERT OR IGNORE INTO looks(rows, results) VALUES(?, ?)");
    if (!s)
        return look;
    sqlite3_bind_text(s, 1, of, -1, SQLITE_STATIC);
    sqlite3_bind_text(s, 2, with, -1, SQLITE_STATIC);
    if (!cg_index_finish(x, s))
        return look;
    s = cg_index_prepare(x,
        "SELECT COUNT(*) FROM looks WHERE rows = ?1"
        " AND place <= (SELECT place FROM looks WHERE rows = ?1 AND results = ?2)");
    if (s) {
        sqlite3_bind_text(s, 1, of, -1, SQLITE_STATIC);
        sqlite3_bind_text(s, 2, with, -1, SQLITE_STATIC);
        if (sqlite3_step(s) == SQLITE_ROW && sqlite3_column_int64(s, 0) > 0)
            look = sqlite3_column_int64(s, 0);
        sqlite3_finalize(s);
    }
    return look;
}
