/* machine.c - what the machine lets this process have.
 * Takes the small text files of /proc and /sys; gives processors and bytes.
 * Must not fail: what cannot be read grants without limit. */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>
#include "base/io.h"
#include "base/machine.h"

/* The first two numbers of a small text file; how many there were. */
static int read_numbers(const char *path, unsigned long long *a, unsigned long long *b)
{
    CgBytes text = { 0 };
    CgErr e = { 0 };
    if (!cg_io_exists(path) || !cg_io_read(path, &text, &e))
        return 0;
    int n = text.len && text.at[0] != '-' ? sscanf(text.at, "%llu %llu", a, b) : 0;
    cg_io_release(&text);
    return n;
}

/* The group of control groups version 2 this process is in, "" for the root. */
static void group(char path[512])
{
    CgBytes text = { 0 };
    CgErr e = { 0 };
    path[0] = 0;
    if (!cg_io_exists("/proc/self/cgroup") || !cg_io_read("/proc/self/cgroup", &text, &e))
        return;
    const char *line = text.len ? strstr(text.at, "0::/") : NULL;
    if (line && (line == text.at || line[-1] == '\n'))
        snprintf(path, 512, "%.*s", (int)strcspn(line + 3, "\n"), line + 3);
    cg_io_release(&text);
    if (!strcmp(path, "/"))
        path[0] = 0;
}

/* From `path` to the group above it; false at the root. */
static bool up(char *path)
{
    char *slash = strrchr(path, '/');
    if (!slash)
        return false;
    *slash = 0;
    return true;
}

static unsigned long long least(unsigned long long a, unsigned long long b) { return a < b ? a : b; }

int cg_machine_processors(void)
{
    unsigned long long us = 0, period = 0, unused = 0, best = INT_MAX;
    char path[512], file[600];
    group(path);
    do { /* the limit may sit on any group above ours */
        snprintf(file, sizeof file, "/sys/fs/cgroup%s/cpu.max", path);
        if (read_numbers(file, &us, &period) == 2 && period > 0)
            best = least(best, (us + period - 1) / period);
    } while (up(path));
    if (read_numbers("/sys/fs/cgroup/cpu/cpu.cfs_quota_us", &us, &unused) >= 1
        && read_numbers("/sys/fs/cgroup/cpu/cpu.cfs_period_us", &period, &unused) >= 1 && period > 0)
        best = least(best, (us + period - 1) / period);
    return best < 1 ? 1 : (int)best;
}

size_t cg_machine_memory(void)
{
    unsigned long long best = SIZE_MAX, limit = 0, used = 0, unused = 0;
    CgBytes text = { 0 };
    CgErr e = { 0 };
    if (cg_io_exists("/proc/meminfo") && cg_io_read("/proc/meminfo", &text, &e)) {
        const char *line = text.len ? strstr(text.at, "MemAvailable:") : NULL;
        unsigned long long kb;
        if (line && sscanf(line, "MemAvailable: %llu kB", &kb) == 1)
            best = least(best, kb * 1024);
        cg_io_release(&text);
    }
    char path[512], file[600];
    group(path);
    do {
        snprintf(file, sizeof file, "/sys/fs/cgroup%s/memory.max", path);
        if (read_numbers(file, &limit, &unused) == 0)
            continue;
        snprintf(file, sizeof file, "/sys/fs/cgroup%s/memory.current", path);
        if (read_numbers(file, &used, &unused) >= 1)
            best = least(best, limit > used ? limit - used : 0);
    } while (up(path));
    if (read_numbers("/sys/fs/cgroup/memory/memory.limit_in_bytes", &limit, &unused) >= 1
        && read_numbers("/sys/fs/cgroup/memory/memory.usage_in_bytes", &used, &unused) >= 1)
        best = least(best, limit > used ? limit - used : 0);
    struct rlimit r;
    if (getrlimit(RLIMIT_AS, &r) == 0 && r.rlim_cur != RLIM_INFINITY
        && read_numbers("/proc/self/statm", &used, &unused) >= 1) {
        used *= (unsigned long long)sysconf(_SC_PAGESIZE);
        best = least(best, r.rlim_cur > used ? r.rlim_cur - used : 0);
    }
    return (size_t)best;
}
