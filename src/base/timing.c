/* timing.c - where the time before a run goes, for CG_DEBUG=time.
 * Takes beginnings and ends; gives processor time by stage. Must not count a stage's time twice: what runs within
 * another is taken off it. */
#include "base/timing.h"

#include <string.h>
#include <time.h>

enum { MOST = 16, DEEPEST = 32 };

typedef struct Stage {
    const char *name;
    double seconds;
    int calls;
} Stage;

static Stage stages[MOST] = { { "rest", 0, 1 } };
static int count = 1, open[DEEPEST], depth; /* open[0] is the rest */
static double since;                        /* processor time up to which everything is charged */
static enum { UNKNOWN, OFF, ON } state;

static bool asked(void)
{
    if (state == UNKNOWN)
        state = cg_debug_value("time") ? ON : OFF;
    return state == ON;
}

static void charge(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    double now = (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
    stages[open[depth < DEEPEST ? depth : DEEPEST - 1]].seconds += now - since;
    since = now;
}

void cg_timing_begin(const char *stage)
{
    int i = 0;
    if (!asked())
        return;
    charge();
    while (i < count && strcmp(stages[i].name, stage) != 0)
        i++;
    if (i == MOST)
        i = 0;
    else if (i == count)
        stages[count++].name = stage;
    stages[i].calls++;
    if (++depth < DEEPEST)
        open[depth] = i;
}

void cg_timing_end(void)
{
    if (!asked())
        return;
    charge();
    if (depth)
        depth--;
}

void cg_timing_print(CgStrbuf *out)
{
    if (!asked())
        return;
    charge();
    for (int i = 1; i <= count; i++) {
        const Stage *s = &stages[i % count];
        cg_strbuf_printf(out, "time: %-14s %9.3f ms", s->name, 1e3 * s->seconds);
        if (s->calls > 1)
            cg_strbuf_printf(out, " in %d", s->calls);
        cg_strbuf_putc(out, '\n');
    }
}
