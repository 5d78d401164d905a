/* pool.c - our own threads over a serial matrix library.
 * Takes a function and a number of shards; gives every shard run exactly once, by this thread and the workers.
 * Must not decide how work is cut: shards come from the plan, so the bits never depend on who runs them. */
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "base/machine.h"
#include "run/pool.h"

/* Handing over through a condition variable costs some 50 us on a halted virtual core, spinning 0.1 us: a
 * waiting thread spins this long before it sleeps, so a busy run never sleeps and an idle program never
 * spins. Longer than a small model's step, where one thread runs ops of a microsecond before there is
 * something for all. */
#define SPIN_NS     1000000
#define MAX_THREADS 256
#define MOST        0xffffu /* units of a job */

typedef struct Worker {
    CgPool *pool;
    pthread_t id;
    int thread;
    int cpu;
} Worker;

/* A job is cut into units, of one shard each unless there are very many, and each thread has its share of them: the
 * units that follow each other, the same ones whenever a job of that size runs, so that what they read may still be in
 * that thread's cache, and is read in order. Whoever is done with its own share takes from the end of another's. A
 * share is generation << 32 | first << 16 | end, claimed from by a compare-and-swap on the whole word: one that comes
 * late, still holding what it read of an older job, claims nothing. Between seeing a share of generation g and claiming
 * from it, fn, arg, units and shards are those of job g: they change only when all shares are empty, and job g cannot
 * end before the claimed unit. */
typedef struct Share {
    _Alignas(64) _Atomic uint64_t word;
} Share;

struct CgPool {
    _Alignas(64) _Atomic size_t done; /* units finished of the current job */
    _Alignas(64) _Atomic(CgPoolFn *) fn;
    _Atomic(void *) arg;
    _Atomic size_t shards, units;
    uint32_t generation;  /* the caller's */
    _Atomic int sleepers; /* workers waiting on `wake` */
    _Atomic int waiting;  /* the caller waits on `all_done` */
    _Atomic bool quit;
    atomic_flag busy;
    pthread_mutex_t lock;
    pthread_cond_t wake, all_done;
    int threads;
    int64_t spin_ns;
    bool pinned;     /* the caller was moved */
    Worker *workers; /* threads - 1 */
    Share *shares;   /* by thread */
};

/* Where this process may run, kept while any pool has its caller pinned: a second pool must not take the
 * pinned caller's one processor for all there is. */
static pthread_mutex_t initial_lock = PTHREAD_MUTEX_INITIALIZER;
static cpu_set_t initial_cpus;
static int initial_users;

static inline void relax(void)
{
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ __volatile__("yield");
#endif
}

static int64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static inline uint32_t generation_of(uint64_t share) { return (uint32_t)(share >> 32); }

/* Takes units of one share, the own from its beginning, until none is left; false when it ended the job. */
static bool take_share(CgPool *p, int thread, int whose)
{
    _Atomic uint64_t *word = &p->shares[whose].word;
    uint64_t w = atomic_load_explicit(word, memory_order_acquire);
    for (;;) {
        size_t first = w >> 16 & MOST, end = w & MOST;
        CgPoolFn *fn = atomic_load_explicit(&p->fn, memory_order_acquire);
        void *arg = atomic_load_explicit(&p->arg, memory_order_acquire);
        size_t shards = atomic_load_explicit(&p->shards, memory_order_acquire);
        size_t units = atomic_load_explicit(&p->units, memory_order_acquire);
        if (first >= end)
            return true;
        bool own = whose == thread;
        if (!atomic_compare_exchange_weak_explicit(
                word, &w, own ? w + (1u << 16) : w - 1, memory_order_acq_rel, memory_order_acquire))
            continue;
        size_t unit = own ? first : end - 1;
        for (size_t i = shards * unit / units; i < shards * (unit + 1) / units; i++)
            fn(arg, i, thread);
        /* counted one by one: once the last unit is counted the job may change under us */
        if (atomic_fetch_add(&p->done, 1) + 1 == units) {
            if (thread != 0 && atomic_load(&p->waiting)) {
                pthread_mutex_lock(&p->lock);
                pthread_cond_signal(&p->all_done);
                pthread_mutex_unlock(&p->lock);
            }
            return false;
        }
        w = atomic_load_explicit(word, memory_order_acquire);
    }
}

/* All there is of the current job: the own share, then those of the others. */
static void take_shards(CgPool *p, int thread)
{
    for (int i = 0; i < p->threads; i++)
        if (!take_share(p, thread, (thread + i) % p->threads))
            return;
}

/* Each job changes the share of every thread, if only its generation. */
static bool has_work(CgPool *p, int thread, uint32_t seen)
{
    return atomic_load(&p->quit) || generation_of(atomic_load(&p->shares[thread].word)) != seen;
}

static void *work(void *of)
{
    Worker *w = of;
    CgPool *p = w->pool;
    if (w->cpu >= 0) {
        cpu_set_t set;
        CPU_ZERO(&set);
        CPU_SET((size_t)w->cpu, &set);
        pthread_setaffinity_np(pthread_self(), sizeof set, &set); /* a wish: refused is fine */
    }
    uint32_t seen = 0;
    while (!atomic_load(&p->quit)) {
        uint32_t now = generation_of(atomic_load(&p->shares[w->thread].word));
        if (now != seen) {
            seen = now;
            take_shards(p, w->thread);
        }
        int64_t until = p->spin_ns ? now_ns() + p->spin_ns : 0;
        bool work_seen = false;
        while (!work_seen && until) {
            for (int i = 0; i < 64 && !work_seen; i++) {
                relax();
                work_seen = has_work(p, w->thread, seen);
            }
            if (now_ns() > until)
                break;
        }
        if (work_seen)
            continue;
        pthread_mutex_lock(&p->lock);
        atomic_fetch_add(&p->sleepers, 1); /* before the last look: cg_pool_run looks the other way round */
        while (!has_work(p, w->thread, seen))
            pthread_cond_wait(&p->wake, &p->lock);
        atomic_fetch_sub(&p->sleepers, 1);
        pthread_mutex_unlock(&p->lock);
    }
    return NULL;
}

void cg_pool_free(CgPool *p)
{
    if (!p)
        return;
    pthread_mutex_lock(&p->lock);
    atomic_store(&p->quit, true);
    pthread_cond_broadcast(&p->wake);
    pthread_mutex_unlock(&p->lock);
    for (int i = 0; i < p->threads - 1; i++)
        pthread_join(p->workers[i].id, NULL);
    if (p->pinned) {
        pthread_mutex_lock(&initial_lock);
        if (--initial_users == 0)
            pthread_setaffinity_np(pthread_self(), sizeof initial_cpus, &initial_cpus);
        pthread_mutex_unlock(&initial_lock);
    }
    pthread_cond_destroy(&p->wake);
    pthread_cond_destroy(&p->all_done);
    pthread_mutex_destroy(&p->lock);
    free(p->workers);
    free(p->shares);
    free(p);
}

void cg_pool_anywhere(void)
{
    pthread_mutex_lock(&initial_lock);
    if (initial_users)
        pthread_setaffinity_np(pthread_self(), sizeof initial_cpus, &initial_cpus);
    pthread_mutex_unlock(&initial_lock);
}

int cg_pool_threads(const CgPool *p) { return p->threads; }

void cg_pool_run(CgPool *p, size_t shards, CgPoolFn *fn, void *arg)
{
    if (p->threads == 1 || shards <= 1) {
        for (size_t i = 0; i < shards; i++)
            fn(arg, i, 0);
        return;
    }
    if (atomic_flag_test_and_set_explicit(&p->busy, memory_order_acquire))
        CG_BUG("cg_pool_run called from inside a shard");
    size_t units = shards < MOST ? shards : MOST, threads = (size_t)p->threads;
    uint64_t generation = ++p->generation;
    atomic_store_explicit(&p->done, 0, memory_order_relaxed);
    atomic_store_explicit(&p->fn, fn, memory_order_relaxed);
    atomic_store_explicit(&p->arg, arg, memory_order_relaxed);
    atomic_store_explicit(&p->shards, shards, memory_order_relaxed);
    atomic_store_explicit(&p->units, units, memory_order_relaxed);
    for (size_t t = threads; t-- > 0;) /* ours last: the others may begin */
        atomic_store(&p->shares[t].word, generation << 32 | units * t / threads << 16 | units * (t + 1) / threads);
    if (atomic_load(&p->sleepers) > 0) {
        pthread_mutex_lock(&p->lock);
        pthread_cond_broadcast(&p->wake);
        pthread_mutex_unlock(&p->lock);
    }
    take_shards(p, 0);
    /* What is left runs elsewhere. Spin: it ends within a shard's time unless that worker lost its processor.
     */
    int64_t until = 0;
    for (unsigned i = 1; atomic_load_explicit(&p->done, memory_order_acquire) < units; i++) {
        relax();
        if (i % 64)
            continue;
        int64_t t = now_ns();
        if (!until)
            until = t + p->spin_ns;
        if (t < until)
            continue;
        pthread_mutex_lock(&p->lock);
        atomic_store(&p->waiting, 1);
        while (atomic_load(&p->done) < units)
            pthread_cond_wait(&p->all_done, &p->lock);
        atomic_store(&p->waiting, 0);
        pthread_mutex_unlock(&p->lock);
    }
    atomic_flag_clear_explicit(&p->busy, memory_order_release);
}

CgPool *cg_pool_new(int threads)
{
    CgPool *p = aligned_alloc(64, (sizeof *p + 63) / 64 * 64);
    if (!p)
        CG_BUG("no memory for a thread pool");
    memset(p, 0, sizeof *p);
    atomic_flag_clear(&p->busy);
    pthread_mutex_init(&p->lock, NULL);
    pthread_cond_init(&p->wake, NULL);
    pthread_cond_init(&p->all_done, NULL);

    cpu_set_t mine;
    CPU_ZERO(&mine);
    pthread_mutex_lock(&initial_lock);
    int cpus = initial_users                                         ? (mine = initial_cpus, CPU_COUNT(&mine))
        : pthread_getaffinity_np(pthread_self(), sizeof mine, &mine) ? 1
                                                                     : CPU_COUNT(&mine);
    pthread_mutex_unlock(&initial_lock);
    if (threads <= 0) {
        int granted = cg_machine_processors();
        threads = cpus < granted ? cpus : granted;
    }
    if (threads > MAX_THREADS)
        threads = MAX_THREADS;
    p->spin_ns = threads <= cpus ? SPIN_NS : 0;
    p->threads = 1;
    p->workers = cg_calloc((size_t)threads, sizeof *p->workers);
    p->shares = aligned_alloc(64, (size_t)threads * sizeof *p->shares);
    if (!p->shares)
        CG_BUG("no memory for a thread pool");
    for (int i = 0; i < threads; i++)
        atomic_init(&p->shares[i].word, 0);
    /* Pinned only when every processor gets a thread: on a larger machine two programs that both chose the
     * first few processors would halve each other's speed. */
    bool pin = threads > 1 && threads == cpus;
    int cpu = -1, first = -1;
    if (pin) {
        for (cpu = 0; !CPU_ISSET((size_t)cpu, &mine); cpu++)
            ;
        first = cpu;
    }
    for (int i = 0; i < threads - 1; i++) {
        Worker *w = &p->workers[i];
        *w = (Worker){ .pool = p, .thread = i + 1, .cpu = -1 };
        if (pin) {
            for (cpu++; !CPU_ISSET((size_t)cpu, &mine); cpu++)
                ;
            w->cpu = cpu;
        }
        if (pthread_create(&w->id, NULL, work, w) != 0)
            break; /* fewer threads, same bits */
        p->threads++;
    }
    if (pin && p->threads > 1) {
        cpu_set_t set;
        CPU_ZERO(&set);
        CPU_SET((size_t)first, &set);
        p->pinned = pthread_setaffinity_np(pthread_self(), sizeof set, &set) == 0;
        if (p->pinned) {
            pthread_mutex_lock(&initial_lock);
            if (initial_users++ == 0)
                initial_cpus = mine;
            pthread_mutex_unlock(&initial_lock);
        }
    }
    return p;
}
