/* pool.c - does the pool run every shard once, at any number of threads?
 * Takes nothing; prints TAP. Accuses src/run/pool.c. */
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "run/pool.h"

static int count;

static void ok(bool good, const char *name) { printf("%s %d - %s\n", good ? "ok" : "not ok", ++count, name); }

#define SHARDS 1009
typedef struct Job {
    _Atomic int hits[SHARDS];
    double value[SHARDS];
    _Atomic int bad_thread;
    int threads;
} Job;

static void shard(void *arg, size_t i, int thread)
{
    Job *j = arg;
    atomic_fetch_add(&j->hits[i], 1);
    if (thread < 0 || thread >= j->threads)
        atomic_store(&j->bad_thread, 1);
    double x = 2.385 + (double)i;
    for (int k = 0; k < 50; k++)
        x = x * 1.0000371 + 1 / x;
    j->value[i] = x;
}

static bool each_once(CgPool *p, size_t shards, Job *j)
{
    memset(j, 0, sizeof *j);
    j->threads = cg_pool_threads(p);
    cg_pool_run(p, shards, shard, j);
    for (size_t i = 0; i < SHARDS; i++)
        if (atomic_load(&j->hits[i]) != (i < shards))
            return false;
    return !atomic_load(&j->bad_thread);
}

static double seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void nothing(void *arg, size_t i, int thread)
{
    (void)thread;
    ((char *)arg)[i * 64] = 1;
}

int main(void)
{
    Job *a = malloc(sizeof *a), *b = malloc(sizeof *b);
    cpu_set_t before, after;
    sched_getaffinity(0, sizeof before, &before);

    CgPool *one = cg_pool_new(1), *two = cg_pool_new(2), *three = cg_pool_new(3), *seven = cg_pool_new(7);
    ok(cg_pool_threads(one) == 1 && cg_pool_threads(two) == 2 && cg_pool_threads(seven) == 7,
        "as many threads as asked for");
    ok(each_once(one, SHARDS, a) && each_once(three, SHARDS, b), "each shard once");
    ok(memcmp(a->value, b->value, sizeof a->value) == 0, "same values at 1 and 3 threads");
    ok(each_once(seven, 5, a), "fewer shards than threads");
    ok(each_once(two, 0, a) && each_once(two, 1, a), "no shard, one shard");

    bool good = true;
    for (int i = 0; i < 3000 && good; i++)
        good = each_once(i % 3 == 0 ? two : i % 3 == 1 ? three : seven, (size_t)(i * 7 % 23), a);
    ok(good, "three thousand small jobs on three pools");

    good = true;
    for (int i = 0; i < 20 && good; i++) {
        usleep(1000); /* workers are asleep by now */
        good = each_once(three, 97, a);
    }
    ok(good, "sleeping workers wake");

    clock_t cpu = clock();
    usleep(100000);
    double burnt = (double)(clock() - cpu) / CLOCKS_PER_SEC;
    ok(burnt < 0.05, "idle pools do not spin");

    cg_pool_free(one);
    cg_pool_free(two);
    cg_pool_free(three);
    cg_pool_free(seven);
    sched_getaffinity(0, sizeof after, &after);
    ok(CPU_EQUAL(&before, &after), "the caller gets its processors back");

    good = true;
    for (int i = 0; i < 200; i++) {
        CgPool *p = cg_pool_new(1 + i % 4);
        if (i % 2)
            good = good && each_once(p, 11, a);
        cg_pool_free(p);
    }
    ok(good, "made and freed at once, two hundred times");

    CgPool *own = cg_pool_new(0), *other = cg_pool_new(0);
    ok(cg_pool_threads(own) == cg_pool_threads(other), "a second pool sees the same processors");
    cg_pool_free(other);
    ok(cg_pool_threads(own) >= 1 && cg_pool_threads(own) <= CPU_COUNT(&before),
        "default within the allowed processors");
    char *mem = calloc(64, 64);
    double t = seconds();
    for (int i = 0; i < 20000; i++)
        cg_pool_run(own, 2, nothing, mem);
    printf("# %.2f us a job of two shards, %d threads\n", (seconds() - t) / 20000 * 1e6, cg_pool_threads(own));
    cg_pool_free(own);
    cg_pool_free(NULL);
    free(mem);
    free(a);
    free(b);
    printf("1..%d\n", count);
    return 0;
}
