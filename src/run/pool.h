/* pool.h - threads.
 * Takes a function and a number of shards; runs every shard once, on this thread and the workers (exec.c is its only
 * user). Workers spin shortly, then sleep. All other threads are those of ahead.h. */
#ifndef CG_POOL_H
#define CG_POOL_H
#include "base/base.h"

typedef struct CgPool CgPool;
typedef void CgPoolFn(void *arg, size_t shard, int thread); /* thread: 0 .. threads-1, for scratch */
CgPool *cg_pool_new(int threads); /* 0: the processors this process may use (affinity and cgroup quota) */
void cg_pool_free(CgPool *p);
int cg_pool_threads(const CgPool *p);
/* The calling thread may run on every processor of this process, whatever the pool chose for its own. */
void cg_pool_anywhere(void);
/* Each thread begins with the shards of its share, in order, the same whenever there are as many, and then helps the
 * others; returns when all are done. Not reentrant. */
void cg_pool_run(CgPool *p, size_t shards, CgPoolFn *fn, void *arg);
#endif
