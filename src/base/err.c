/* err.c - a mistake met by a layer that knows no source text.
 * Takes a kind and words; gives a value the caller turns into a diagnostic.
 * Must not print, and must not overwrite the first mistake by its consequences. */
#include "base/err.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/strbuf.h"

/* What names and files hold goes to a terminal one day: nothing there that it would obey. */
static void print(char *to, size_t room, const char *format, va_list args) CG_PRINTF(3, 0);
static void print(char *to, size_t room, const char *format, va_list args)
{
    CgStrbuf plain = { 0 };
    vsnprintf(to, room, format, args);
    cg_strbuf_plain(&plain, to);
    snprintf(to, room, "%s", cg_strbuf_str(&plain));
    cg_strbuf_deinit(&plain);
}

bool cg_err(CgErr *e, CgErrKind kind, const char *format, ...)
{
    if (!e || e->kind != CG_ERR_NONE)
        return false;
    va_list args;
    va_start(args, format);
    e->kind = kind;
    print(e->text, sizeof e->text, format, args);
    va_end(args);
    return false;
}

void cg_err_add(CgErr *e, const char *format, ...)
{
    size_t n = strlen(e->text);
    va_list args;
    va_start(args, format);
    print(e->text + n, sizeof e->text - n, format, args);
    va_end(args);
}

bool cg_err_errno(CgErr *e, const char *doing, const char *path)
{
    int why = errno;
    return cg_err(e, why == ENOMEM ? CG_ERR_MEMORY : CG_ERR_IO, "cannot %s '%s': %s", doing, path, strerror(why));
}

void cg_err_hint(CgErr *e, const char *format, ...)
{
    if (!e || e->hint[0])
        return;
    va_list args;
    va_start(args, format);
    print(e->hint, sizeof e->hint, format, args);
    va_end(args);
}
