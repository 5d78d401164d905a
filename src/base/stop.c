/* stop.c - being asked to end by a signal.
 * Takes SIGINT, SIGTERM and SIGHUP; gives whether one came, or ends the process. The one file that catches them. */
#include "base/stop.h"

#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

enum { INTERRUPTED = 130 };

static atomic_bool asked;
static atomic_int listeners;

static void on_signal(int number)
{
    (void)number;
    static const char last[] = "cg: interrupted\n";
    if (!atomic_exchange(&asked, true) && atomic_load(&listeners))
        return;
    (void)!write(STDERR_FILENO, last, sizeof last - 1);
    _exit(INTERRUPTED);
}

void cg_stop_catch(void)
{
    struct sigaction stop = { .sa_handler = on_signal, .sa_flags = SA_RESTART }, ignore = { .sa_handler = SIG_IGN },
                     now;
    sigemptyset(&stop.sa_mask);
    sigemptyset(&ignore.sa_mask);
    sigaction(SIGINT, &stop, NULL);
    sigaction(SIGTERM, &stop, NULL);
    if (sigaction(SIGHUP, NULL, &now) == 0 && now.sa_handler != SIG_IGN) /* nohup */
        sigaction(SIGHUP, &stop, NULL);
    sigaction(SIGXFSZ, &ignore, NULL);
}

void cg_stop_listen(void) { atomic_fetch_add(&listeners, 1); }

void cg_stop_deafen(void) { atomic_fetch_sub(&listeners, 1); }

bool cg_stop_asked(void) { return atomic_load(&asked); }
