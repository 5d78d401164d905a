/* glob.c - which files a pattern or a folder stands for.
 * Takes a pattern with * ? [..] and **, or a folder; gives paths, sorted by bytes, each once. Reads folders through
 * io.c; a link that goes round in a circle ends there. */
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "base/io.h"
#include "base/vec.h"

/* Folders from the start to here, so that a link back to one of them ends the walk. */
typedef struct Above {
    const struct Above *up;
    CgPlace place;
} Above;

typedef struct Walk {
    CG_VEC(char *) found;
    CgErr *e;
    bool failed;
} Walk;

static bool has_wildcard(const char *s, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (s[i] == '*' || s[i] == '?' || s[i] == '[')
            return true;
    }
    return false;
}

static int by_bytes(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

/* The names in a folder, "" being the one we are in; false, and a mistake, when it cannot be read. */
static bool names_in(Walk *w, const char *folder, CgPaths *names)
{
    w->failed = !cg_io_names(*folder ? folder : ".", names, w->e);
    return !w->failed;
}

static void walk(Walk *w, const char *folder, const char *pattern, const Above *up);

/* One name of a folder against the first component of the pattern (n bytes; `rest` follows its slash, NULL at the end).
 */
static void walk_name(
    Walk *w, const char *folder, const char *name, const char *component, const char *rest, const Above *up)
{
    if (fnmatch(component, name, FNM_PERIOD) != 0)
        return;
    char *path = cg_io_joined(folder, name, strlen(name));
    if (rest && cg_io_is_dir(path))
        walk(w, path, rest, up);
    else if (!rest && cg_io_is_file(path))
        cg_vec_push(&w->found, cg_strdup(path));
    free(path);
}

/* `**`: the rest of the pattern here, and the whole again in every folder below that is not hidden. */
static void walk_deep(Walk *w, const char *folder, const char *pattern, const char *rest, const Above *up)
{
    walk(w, folder, rest ? rest : "*", up);
    CgPaths names;
    if (w->failed || !names_in(w, folder, &names))
        return;
    for (size_t i = 0; i < names.len; i++) {
        char *path = cg_io_joined(folder, names.at[i], strlen(names.at[i]));
        if (names.at[i][0] != '.' && !w->failed && cg_io_is_dir(path))
            walk(w, path, pattern, up);
        free(path);
    }
    cg_paths_free(&names);
}

static void walk(Walk *w, const char *folder, const char *pattern, const Above *up)
{
    Above here = { .up = up };
    if (w->failed || !cg_io_place(*folder ? folder : ".", &here.place))
        return;
    while (*pattern == '/')
        pattern++;
    size_t n = strcspn(pattern, "/");
    const char *rest = pattern[n] ? pattern + n + 1 : NULL;
    if (n == 2 && memcmp(pattern, "**", 2) == 0) {
        for (const Above *a = up; a; a = a->up) {
            if (a->place.device == here.place.device && a->place.number == here.place.number)
                return;
        }
        walk_deep(w, folder, pattern, rest, &here);
        return;
    }
    if (!has_wildcard(pattern, n)) {
        char *path = cg_io_joined(folder, pattern, n);
        if (rest)
            walk(w, path, rest, NULL);
        else if (cg_io_is_file(path))
            cg_vec_push(&w->found, cg_strdup(path));
        free(path);
        return;
    }
    char *component = cg_malloc(n + 1);
    memcpy(component, pattern, n);
    component[n] = 0;
    CgPaths names;
    if (names_in(w, folder, &names)) {
        for (size_t i = 0; i < names.len; i++)
            walk_name(w, folder, names.at[i], component, rest, NULL);
        cg_paths_free(&names);
    }
    free(component);
}

static void sort_unique(char **at, size_t *len)
{
    if (!*len)
        return;
    qsort(at, *len, sizeof *at, by_bytes);
    size_t kept = 1;
    for (size_t i = 1; i < *len; i++) {
        if (strcmp(at[i], at[kept - 1]) == 0)
            free(at[i]);
        else
            at[kept++] = at[i];
    }
    *len = kept;
}

bool cg_io_files(const char *folder, CgPaths *out, CgErr *e)
{
    Walk w = { .e = e };
    walk(&w, folder, "**", NULL);
    *out = (CgPaths){ w.found.at, w.found.len };
    sort_unique(out->at, &out->len);
    if (w.failed)
        cg_paths_free(out);
    return !w.failed;
}

bool cg_io_glob(const char *pattern, CgPaths *out, CgErr *e)
{
    *out = (CgPaths){ 0 };
    Walk w = { .e = e };
    bool folder = cg_io_is_dir(pattern), there = folder || cg_io_exists(pattern);
    if (folder)
        walk(&w, pattern, "**", NULL);
    else if (there)
        cg_vec_push(&w.found, cg_strdup(pattern)); /* also a name that happens to hold a bracket */
    else if (has_wildcard(pattern, strlen(pattern)))
        walk(&w, pattern[0] == '/' ? "/" : "", pattern, NULL);
    else {
        uint64_t bytes;
        cg_io_close(cg_io_open(pattern, &bytes, e)); /* says what is missing */
        return false;
    }
    *out = (CgPaths){ w.found.at, w.found.len };
    sort_unique(out->at, &out->len);
    if (!w.failed && out->len)
        return true;
    cg_paths_free(out);
    if (w.failed)
        return false;
    if (folder)
        return cg_err(e, CG_ERR_IO, "the folder '%s' holds no files", pattern);
    cg_err(e, CG_ERR_IO, "no file matches '%s'", pattern);
    size_t fixed = strcspn(pattern, "*?[");
    while (fixed && pattern[fixed - 1] != '/')
        fixed--;
    char *start = cg_malloc(fixed + 1);
    memcpy(start, pattern, fixed);
    start[fixed > 1 ? fixed - 1 : fixed] = 0;
    if (*start && !cg_io_is_dir(start))
        cg_err_hint(e, "there is no folder '%s'", start);
    free(start);
    return false;
}
