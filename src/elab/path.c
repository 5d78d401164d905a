/* path.c - paths of names with dots between them, and patterns of them.
 * Takes texts; gives texts. Knows no instance but for its path. */
#include <string.h>

#include "data/text.h"
#include "elab/elab.h"

CgAtom cg_path_join(const char *a, const char *b)
{
    char small[200];
    size_t n = strlen(a), m = strlen(b);
    if (!n)
        return cg_intern_n(b, m);
    if (n + 1 + m > sizeof small)
        return cg_intern_printf("%s.%s", a, b);
    memcpy(small, a, n);
    small[n] = '.';
    memcpy(small + n + 1, b, m);
    return cg_intern_n(small, n + 1 + m);
}

bool cg_path_is_auxiliary(const char *path) { return path[0] == '@'; }

enum { MOST_STARS = 16 };

/* What stood for the stars of a pattern. */
typedef struct Stars {
    int n;
    CgText at[MOST_STARS];
} Stars;

/* One segment: each `*` stands for any characters. */
static bool segment_fits(CgText pattern, CgText name, Stars *s)
{
    const char *p = pattern.at, *q = name.at, *end = p + pattern.len, *back = NULL, *mark = NULL;
    int star = -1; /* the one at `back` */
    while (q < name.at + name.len || (p < end && *p == '*')) {
        if (p < end && *p == '*') {
            if (s->n == MOST_STARS)
                return false;
            back = p++;
            mark = q;
            star = s->n;
            s->at[s->n++] = (CgText){ q, 0 };
        } else if (p < end && *p == *q) {
            p++, q++;
        } else if (back) {
            p = back + 1;
            q = ++mark;
            s->at[star].len = (size_t)(mark - s->at[star].at);
        } else {
            return false;
        }
    }
    return p == end;
}

/* The pattern is of the path, or of what the path is below; *rest is what stands behind it. */
static bool fits(const char *pattern, const char *path, Stars *s, const char **rest)
{
    for (;;) {
        size_t n = strcspn(pattern, "."), m = strcspn(path, ".");
        if (!segment_fits((CgText){ pattern, n }, (CgText){ path, m }, s))
            return false;
        pattern += n;
        path += m;
        *rest = path;
        if (!*pattern)
            return true;
        if (!*path)
            return false;
        pattern++, path++;
    }
}

bool cg_path_matches(const char *pattern, const char *path)
{
    Stars s = { 0 };
    const char *rest;
    return fits(pattern, path, &s, &rest);
}

bool cg_path_fits(const char *pattern, const char *path)
{
    Stars s = { 0 };
    const char *rest;
    return fits(pattern, path, &s, &rest) && !*rest;
}

CgAtom cg_path_rename(const char *pattern, const char *to, const char *path)
{
    Stars s = { 0 };
    const char *rest;
    if (!fits(pattern, path, &s, &rest))
        return NULL;
    CgStrbuf out = { 0 };
    int star = 0;
    for (; *to; to++)
        if (*to == '*' && star < s.n) {
            cg_strbuf_write(&out, s.at[star].at, s.at[star].len);
            star++;
        } else {
            cg_strbuf_putc(&out, *to);
        }
    cg_strbuf_puts(&out, rest + (!out.len && *rest == '.'));
    CgAtom name = cg_intern(cg_strbuf_str(&out));
    cg_strbuf_deinit(&out);
    return name;
}

const char *cg_path_within(const char *part, const char *path)
{
    size_t n = part ? strlen(part) : 0;
    if (!n)
        return path;
    return !strncmp(path, part, n) && path[n] == '.' ? path + n + 1 : NULL;
}

const char *cg_path_below(const CgInstance *submodule, const char *path)
{
    size_t n = strlen(submodule->path);
    return n ? path + n + 1 : path;
}
