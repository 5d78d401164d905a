/* tap.h - results of a unit program.
 * Takes conditions; gives lines of TAP on stdout. tap_done is the last thing main returns. */
#ifndef CG_TAP_H
#define CG_TAP_H
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int tap_count, tap_failed;

__attribute__((format(printf, 2, 3))) static inline bool tap_ok(bool good, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    printf("%s %d - ", good ? "ok" : "not ok", ++tap_count);
    vprintf(format, args);
    putchar('\n');
    va_end(args);
    tap_failed += !good;
    return good;
}

/* Two texts that should be equal; shows both when they are not. */
static inline bool tap_is(const char *found, const char *expected, const char *name)
{
    bool good = strcmp(found, expected) == 0;
    tap_ok(good, "%s", name);
    if (!good)
        printf("# found:\n%s\n# expected:\n%s\n", found, expected);
    return good;
}

/* How long what takes so many seconds may take: an emulated machine (run.sh) is slower. */
static inline unsigned tap_seconds(unsigned seconds) { return getenv("EMULATOR") ? 40 * seconds : seconds; }

static inline int tap_done(void)
{
    printf("1..%d\n", tap_count);
    return tap_failed != 0;
}
#endif
