/* debug.c - the developers' switches.
 * Takes CG_DEBUG=name,name=value,..; gives the value of one. Must not do anything itself. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"

const char *cg_debug_value(const char *name)
{
    static _Thread_local char value[64];
    const char *at = getenv("CG_DEBUG");
    size_t n = strlen(name);
    while (at && *at) {
        size_t len = strcspn(at, ",");
        if (len >= n && memcmp(at, name, n) == 0 && (len == n || at[n] == '=')) {
            size_t from = len == n ? n : n + 1;
            snprintf(value, sizeof value, "%.*s", (int)(len - from), at + from);
            return value;
        }
        at += len;
        if (*at == ',')
            at++;
    }
    return NULL;
}
