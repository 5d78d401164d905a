/* ahead.c - one thread that makes what will be asked for next.
 * Takes items by number; keeps as many as there are slots ahead of the one in use. Must not make an item whose slot is
 * in use. */
#include "run/ahead.h"

#include <pthread.h>
#include <stdlib.h>

#include "run/pool.h"

struct CgAhead {
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    CgAheadFn *make;
    void *arg;
    int slots;
    int64_t used; /* in use; those before it are gone */
    int64_t made; /* all items from `used` up to this one, excluded */
    bool begun;   /* something was asked for */
    bool busy;    /* an item is being made */
    bool quit;
    CgWaits waits;
};

static void *work(void *of)
{
    CgAhead *a = of;
    cg_pool_anywhere();
    pthread_mutex_lock(&a->lock);
    for (;;) {
        while (!a->quit && (!a->begun || a->made >= a->used + a->slots))
            pthread_cond_wait(&a->changed, &a->lock);
        if (a->quit)
            break;
        int64_t item = a->made;
        a->busy = true;
        pthread_mutex_unlock(&a->lock);
        a->make(a->arg, item, (int)(item % a->slots));
        pthread_mutex_lock(&a->lock);
        a->busy = false;
        a->made = item + 1;
        pthread_cond_broadcast(&a->changed);
    }
    pthread_mutex_unlock(&a->lock);
    return NULL;
}

CgAhead *cg_ahead_new(int slots, CgAheadFn *make, void *arg)
{
    CgAhead *a = cg_calloc(1, sizeof *a);
    *a = (CgAhead){ .slots = slots, .make = make, .arg = arg };
    pthread_mutex_init(&a->lock, NULL);
    pthread_cond_init(&a->changed, NULL);
    if (pthread_create(&a->thread, NULL, work, a) == 0)
        return a;
    pthread_mutex_destroy(&a->lock);
    pthread_cond_destroy(&a->changed);
    free(a);
    return NULL;
}

void cg_ahead_free(CgAhead *a)
{
    if (!a)
        return;
    pthread_mutex_lock(&a->lock);
    a->quit = true;
    pthread_cond_broadcast(&a->changed);
    pthread_mutex_unlock(&a->lock);
    pthread_join(a->thread, NULL);
    pthread_mutex_destroy(&a->lock);
    pthread_cond_destroy(&a->changed);
    free(a);
}

int cg_ahead_take(CgAhead *a, int64_t item)
{
    pthread_mutex_lock(&a->lock);
    bool jump = !a->begun || item < a->used || item > a->used + 1;
    while (jump && a->busy)
        pthread_cond_wait(&a->changed, &a->lock);
    if (jump)
        a->made = item;
    a->waits.items += jump || item > a->used;
    a->begun = true;
    a->used = item;
    pthread_cond_broadcast(&a->changed);
    int64_t enough = item + (jump ? a->slots : 1); /* after a jump all slots, so that there is something in hand */
    if (a->made < enough) {
        double start = cg_now();
        while (a->made < enough)
            pthread_cond_wait(&a->changed, &a->lock);
        a->waits.waits += !jump;
        a->waits.seconds += jump ? 0 : cg_now() - start;
    }
    pthread_mutex_unlock(&a->lock);
    return (int)(item % a->slots);
}

CgWaits cg_ahead_waits(const CgAhead *a) { return a->waits; }
