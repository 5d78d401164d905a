/* fault.c - failures on purpose.
 * Takes the switch CG_DEBUG=fault=WHAT:N and calls that are about to be made; says which of them fails, or ends the
 * process there. Must do nothing without the switch. */
#include "base/fault.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct What {
    const char *name;
    unsigned calls; /* bits of CgSystemCall */
    int error;
} What;

enum { MEMORY, EIO_, ENOSPC_, EINTR_, NOLOCK, SHORT, KILL, KILLED, LOST, NWHAT };
#define BIT(call) (1u << (call))
#define CHANGES   (BIT(CG_CALL_WRITE) | BIT(CG_CALL_CHANGE))
static const What kinds[NWHAT] = {
    [MEMORY] = { "memory", 0, 0 },
    [EIO_] = { "eio", ~0u, EIO },
    [ENOSPC_] = { "enospc", CHANGES, ENOSPC },
    [EINTR_] = { "eintr", BIT(CG_CALL_READ) | BIT(CG_CALL_WRITE) | BIT(CG_CALL_LOCK), EINTR },
    [NOLOCK] = { "nolock", BIT(CG_CALL_LOCK), ENOLCK },
    [SHORT] = { "short", BIT(CG_CALL_READ) | BIT(CG_CALL_WRITE), 0 },
    [KILL] = { "kill", CHANGES, 0 },
    [KILLED] = { "killed", CHANGES, 0 },
    [LOST] = { "lost", CHANGES, 0 },
};

static atomic_int chosen = -1; /* -1: the switch has not been looked at, NWHAT: none */
static atomic_long seen;
static long first;
static bool on; /* and all that come after */

static int choose(void)
{
    int now = atomic_load(&chosen);
    if (now >= 0)
        return now;
    const char *v = cg_debug_value("fault");
    size_t n = v ? strcspn(v, ":") : 0;
    now = NWHAT;
    for (int i = 0; v && v[n] && i < NWHAT; i++)
        if (strlen(kinds[i].name) == n && !memcmp(kinds[i].name, v, n))
            now = i;
    if (now < NWHAT) {
        char *end;
        first = strtol(v + n + 1, &end, 10);
        on = *end == '+';
    }
    atomic_store(&chosen, now);
    return now;
}

/* Whether it is this call's turn. An interrupted call is repeated, so at most every other one is. */
static bool turn(int what)
{
    long n = atomic_fetch_add(&seen, 1) + 1;
    return n == first || (on && n > first && (what != EINTR_ || (n - first) % 2 == 0));
}

bool cg_fault_memory(void) { return choose() == MEMORY && turn(MEMORY); }

static void lose(void);

bool cg_fault_call(CgSystemCall call)
{
    int what = choose();
    if (what == NWHAT || what == SHORT || what == KILLED || !(kinds[what].calls & BIT(call)) || !turn(what))
        return false;
    if (what == LOST)
        lose();
    if (!kinds[what].error)
        raise(SIGKILL);
    errno = kinds[what].error;
    return true;
}

size_t cg_fault_bytes(CgSystemCall call, size_t n)
{
    (void)call;
    return n > 1 && choose() == SHORT && turn(SHORT) ? 1 : n;
}

void cg_fault_done(CgSystemCall call)
{
    if (choose() == KILLED && kinds[KILLED].calls & BIT(call) && turn(KILLED))
        raise(SIGKILL);
}

/* ---- what is not on the disk yet ------------------------------------------------------------------------------- */

enum { MOST = 256, PATH = 512 };

typedef struct Loose {
    char path[PATH]; /* "": none */
    char kept[PATH]; /* a name that was replaced or removed: what it was; "": there was none. Of bytes: unused */
    bool name;
} Loose;

static Loose loose[MOST];
static int nloose;

/* The process ends as it should: nothing is lost. */
static void forget(void)
{
    for (int i = 0; i < nloose; i++)
        if (loose[i].path[0] && loose[i].kept[0])
            unlink(loose[i].kept);
    nloose = 0;
}

static Loose *add(const char *path, bool name)
{
    if (choose() != LOST || nloose == MOST || strlen(path) >= PATH - 16)
        return NULL;
    static bool once;
    if (!once)
        atexit(forget);
    once = true;
    Loose *l = &loose[nloose++];
    *l = (Loose){ .name = name };
    strcpy(l->path, path);
    return l;
}

void cg_fault_wrote(const char *path) { (void)add(path, false); }

void cg_fault_synced(const char *path)
{
    for (int i = 0; i < nloose; i++)
        if (!loose[i].name && !strcmp(loose[i].path, path))
            loose[i].path[0] = 0;
}

void cg_fault_replaces(const char *from, const char *to)
{
    for (int i = 0; from && i < nloose; i++)
        if (!loose[i].name && !strcmp(loose[i].path, from) && strlen(to) < PATH)
            strcpy(loose[i].path, to);
    Loose *l = add(to, true);
    if (!l)
        return;
    snprintf(l->kept, PATH, "%.490s.kept-%d", to, nloose);
    if (link(to, l->kept) != 0)
        l->kept[0] = 0;
}

void cg_fault_folder_synced(const char *folder)
{
    size_t n = strlen(folder);
    for (int i = 0; i < nloose; i++) {
        Loose *l = &loose[i];
        const char *slash = strrchr(l->path, '/');
        bool here = slash ? (size_t)(slash - l->path) == n && !memcmp(l->path, folder, n) : !strcmp(folder, ".");
        if (!l->name || !here)
            continue;
        if (l->kept[0])
            unlink(l->kept);
        l->path[0] = 0;
    }
    while (nloose && !loose[nloose - 1].path[0])
        nloose--;
}

static bool bytes_lost(const char *path)
{
    for (int i = 0; i < nloose; i++)
        if (!loose[i].name && !strcmp(loose[i].path, path))
            return true;
    return false;
}

/* As after a power cut: the last half of bytes that were not synced is gone, and names are what they were, except those
 * of such bytes, for which that is worse. */
static void lose(void)
{
    struct stat st;
    for (int i = 0; i < nloose; i++)
        if (loose[i].path[0] && !loose[i].name && stat(loose[i].path, &st) == 0)
            (void)!truncate(loose[i].path, st.st_size / 2);
    for (int i = nloose; i-- > 0;) {
        const Loose *l = &loose[i];
        if (!l->path[0] || !l->name)
            continue;
        if (bytes_lost(l->path))
            (void)!unlink(l->kept);
        else if (l->kept[0])
            (void)!rename(l->kept, l->path);
        else
            (void)!unlink(l->path);
    }
}
