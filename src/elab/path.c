/* path.c - paths of names with dots between them, and patterns of them.
 * Takes texts; gives texts. Knows no instance but for its path. */
#include <string.h>

#include "elab/elab.h"

CgAtom cg_path_join(const char *a, const char *b) { return cg_intern_printf("%s%s%s", a, *a ? "." : "", b); }

bool cg_path_is_auxiliary(const char *path) { return path[0] == '@'; }

bool cg_path_matches(const char *pattern, const char *path)
{
    for (;;) {
        size_t n = strcspn(pattern, "."), m = strcspn(path, ".");
        bool star = n == 1 && *pattern == '*';
        if (!star) {
            /* within a segment `*` stands for any characters */
            const char *p = pattern, *q = path, *back = NULL, *mark = NULL;
            while (q < path + m) {
                if (p < pattern + n && *p == '*') {
                    back = p++;
                    mark = q;
                } else if (p < pattern + n && *p == *q) {
                    p++, q++;
                } else if (back) {
                    p = back + 1;
                    q = ++mark;
                } else {
                    return false;
                }
            }
            while (p < pattern + n && *p == '*')
                p++;
            if (p != pattern + n)
                return false;
        }
        pattern += n;
        path += m;
        if (!*pattern)
            return true;
        if (!*path)
            return false;
        pattern++, path++;
    }
}

const char *cg_path_below(const CgInstance *part, const char *path)
{
    size_t n = strlen(part->path);
    return n ? path + n + 1 : path;
}
