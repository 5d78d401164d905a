/* pool.c - our own threads over a serial matrix library.
 * Takes a function and a number of parts; gives every part run exactly once, by this thread and the workers.
 * Must not decide how work is cut: parts come from the plan, so the bits never depend on who runs them. */
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "run/grant.h"
#include "run/pool.h"

/* Handing over through a condition variable costs some 50 us on a halted virtual core, spinning 0.1 us: a
 * waiting thread spins this long before it sleeps, so a busy run never sleeps and an idle program never
 * spins. */
#define SPIN_NS 80000
#define MAX_THREADS 256
#define CLOSED 0xffffffffu

typedef struct Worker { CgPool *pool; pthread_t id; int thread; int cpu; } Worker;

/* ticket = generation << 32 | next part. Parts are claimed by a compare-and-swap on the whole word, so that a
 * worker that comes late (still holding what it read of an older job) cannot claim a part of a newer one.
 * While a job is being changed the low half is CLOSED. Between seeing a ticket of generation g and claiming
 * with it, fn, arg and parts are those of job g: they change only behind a CLOSED ticket, and job g cannot
 * end before the claimed part. */
struct CgPool {
    _Alignas(64) _Atomic uint64_t ticket;
    _Alignas(64) _Atomic size_t   done;       /* parts finished of the current job */
    _Alignas(64) _Atomic(CgPoolFn *) fn;
    _Atomic(void *) arg;
    _Atomic size_t  parts;
    _Atomic int     sleepers;   /* workers waiting on `wake` */
    _Atomic int     waiting;    /* the caller waits on `all_done` */
    _Atomic bool    quit;
    atomic_flag     busy;
    pthread_mutex_t lock;
    pthread_cond_t  wake, all_done;
    int             threads;
    int64_t         spin_ns;
    bool            pinned;     /* the caller was moved */
    Worker         *workers;    /* threads - 1 */
};

/* Where this process may run, kept while any pool has its caller pinned: a second pool must not take the
 * pinned caller's one processor for all there is. */
static pthread_mutex_t home_lock = PTHREAD_MUTEX_INITIALIZER;
static cpu_set_t home;
static int home_users;

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

/* Takes parts of the current job until none is left; true if it ran any. */
static bool take_parts(CgPool *p, int thread)
{
    size_t ran = 0;
    uint64_t t = atomic_load_explicit(&p->ticket, memory_order_acquire);
    for (;;) {
        uint32_t next = (uint32_t)t;
        CgPoolFn *fn = atomic_load_explicit(&p->fn, memory_order_acquire);
        void *arg = atomic_load_explicit(&p->arg, memory_order_acquire);
        size_t parts = atomic_load_explicit(&p->parts, memory_order_acquire);
        if (next == CLOSED || next >= parts)
            break;
        if (!atomic_compare_exchange_weak_explicit(&p->ticket, &t, t + 1, memory_order_acq_rel,
                                                   memory_order_acquire))
            continue;
        fn(arg, next, thread);
        ran++;
        /* counted one by one: once the last part is counted the job may change under us */
        if (atomic_fetch_add(&p->done, 1) + 1 == parts) {
            if (thread != 0 && atomic_load(&p->waiting)) {
                pthread_mutex_lock(&p->lock);
                pthread_cond_signal(&p->all_done);
                pthread_mutex_unlock(&p->lock);
            }
            break;
        }
        t = atomic_load_explicit(&p->ticket, memory_order_acquire);
    }
    return ran > 0;
}

static bool has_work(CgPool *p)
{
    uint32_t next = (uint32_t)atomic_load(&p->ticket);
    return atomic_load(&p->quit) || (next != CLOSED && next < atomic_load(&p->parts));
}

static void *work(void *of)
{
    Worker *w = of;
    CgPool *p = w->pool;
    if (w->cpu >= 0) {
        cpu_set_t set;
        CPU_ZERO(&set);
        CPU_SET((size_t)w->cpu, &set);
        pthread_setaffinity_np(pthread_self(), sizeof set, &set);   /* a wish: refused is fine */
    }
    while (!atomic_load(&p->quit)) {
        if (take_parts(p, w->thread))
            continue;
        int64_t until = p->spin_ns ? now_ns() + p->spin_ns : 0;
        bool work_seen = false;
        while (!work_seen && until) {
            for (int i = 0; i < 64 && !work_seen; i++) {
                relax();
                work_seen = has_work(p);
            }
            if (now_ns() > until)
                break;
        }
        if (work_seen)
            continue;
        pthread_mutex_lock(&p->lock);
        atomic_fetch_add(&p->sleepers, 1);   /* before the last look: cg_pool_run looks the other way round */
        while (!has_work(p))
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
        pthread_mutex_lock(&home_lock);
        if (--home_users == 0)
            pthread_setaffinity_np(pthread_self(), sizeof home, &home);
        pthread_mutex_unlock(&home_lock);
    }
    pthread_cond_destroy(&p->wake);
    pthread_cond_destroy(&p->all_done);
    pthread_mutex_destroy(&p->lock);
    free(p->workers);
    free(p);
}

int cg_pool_threads(const CgPool *p)
{
    return p->threads;
}

void cg_pool_run(CgPool *p, size_t parts, CgPoolFn *fn, void *arg)
{
    if (p->threads == 1 || parts <= 1) {
        for (size_t i = 0; i < parts; i++)
            fn(arg, i, 0);
        return;
    }
    if (parts >= CLOSED)
        CG_BUG("a job of %zu parts", parts);
    if (atomic_flag_test_and_set_explicit(&p->busy, memory_order_acquire))
        CG_BUG("cg_pool_run called from inside a part");
    uint64_t generation = (atomic_load_explicit(&p->ticket, memory_order_relaxed) >> 32) + 1;
    atomic_store(&p->ticket, generation << 32 | CLOSED);
    atomic_store_explicit(&p->done, 0, memory_order_release);
    atomic_store_explicit(&p->fn, fn, memory_order_release);
    atomic_store_explicit(&p->arg, arg, memory_order_release);
    atomic_store_explicit(&p->parts, parts, memory_order_release);
    atomic_store(&p->ticket, generation << 32);
    if (atomic_load(&p->sleepers) > 0) {
        pthread_mutex_lock(&p->lock);
        pthread_cond_broadcast(&p->wake);
        pthread_mutex_unlock(&p->lock);
    }
    take_parts(p, 0);
    /* What is left runs elsewhere. Spin: it ends within a part's time unless that worker lost its processor.
     */
    int64_t until = 0;
    for (unsigned i = 1; atomic_load_explicit(&p->done, memory_order_acquire) < parts; i++) {
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
        while (atomic_load(&p->done) < parts)
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
    atomic_init(&p->ticket, CLOSED);
    atomic_flag_clear(&p->busy);
    pthread_mutex_init(&p->lock, NULL);
    pthread_cond_init(&p->wake, NULL);
    pthread_cond_init(&p->all_done, NULL);

    cpu_set_t mine;
    CPU_ZERO(&mine);
    pthread_mutex_lock(&home_lock);
    int cpus = home_users ? (mine = home, CPU_COUNT(&mine))
             : pthread_getaffinity_np(pthread_self(), sizeof mine, &mine) ? 1 : CPU_COUNT(&mine);
    pthread_mutex_unlock(&home_lock);
    if (threads <= 0) {
        int granted = cg_grant_processors();
        threads = cpus < granted ? cpus : granted;
    }
    if (threads > MAX_THREADS)
        threads = MAX_THREADS;
    p->spin_ns = threads <= cpus ? SPIN_NS : 0;
    p->threads = 1;
    p->workers = cg_calloc((size_t)threads, sizeof *p->workers);
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
            break;      /* fewer threads, same bits */
        p->threads++;
    }
    if (pin && p->threads > 1) {
        cpu_set_t set;
        CPU_ZERO(&set);
        CPU_SET((size_t)first, &set);
        p->pinned = pthread_setaffinity_np(pthread_self(), sizeof set, &set) == 0;
        if (p->pinned) {
            pthread_mutex_lock(&home_lock);
            if (home_users++ == 0)
                home = mine;
            pthread_mutex_unlock(&home_lock);
        }
    }
    return p;
}
