/* index.h - the SQLite side of the store.
 * Takes a path; gives an index that may be out of order: then every call does nothing. Private to
 * src/experiment/store*.c. */
#ifndef CG_STORE_INDEX_H
#define CG_STORE_INDEX_H
#include "store/store.h"

typedef struct CgIndex CgIndex;
CgIndex *cg_index_open(const char *path, CgSayFn *say, void *arg); /* never NULL */
void cg_index_close(CgIndex *x);
CgIndex *cg_store_index(CgStore *s); /* opened at first use */
#endif
