/* cmd_why.c - cg why A B [--store=FOLDER].
 * Takes two runs, RUN or RUN:NAME for one value of it, or two scripts; prints which values differ and the smallest set
 * of differences between the two that makes them: lines, options, the seed, data. Builds nothing. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "experiment/why.h"
#include "tool/tool.h"

/* "3", "3:lm", "x.cg" or "x.cg:lm". */
typedef struct Named {
    char *of;
    const char *value; /* NULL: all of it */
    int64_t run;       /* 0: it is a script */
} Named;

static Named read_name(const char *arg)
{
    Named n = { cg_strdup(arg), NULL, 0 };
    char *colon = cg_io_exists(arg) ? NULL : strchr(n.of, ':'), *end;
    if (colon) {
        *colon = 0;
        n.value = colon + 1;
    }
    long long run = strtoll(n.of, &end, 10);
    n.run = *n.of && !*end && run > 0 ? run : 0;
    return n;
}

static bool same_causes(const CgWhyResult *a, const CgWhyResult *b, size_t n)
{
    return a->by_version == b->by_version && a->unsure == b->unsure && !memcmp(a->cause, b->cause, n);
}

static void print_label(const CgWhyResult *r)
{
    printf("%s", r->label[0]);
    if (strcmp(r->label[0], r->label[1]) != 0)
        printf(" and %s", r->label[1]);
}

static void print_cause(const CgWhyCause *c)
{
    int width = (int)(strlen(c->place[0]) > strlen(c->place[1]) ? strlen(c->place[0]) : strlen(c->place[1]));
    for (int i = 0; i < 2; i++)
        printf("  %-*s  %s\n", width, c->place[i], *c->text[i] ? c->text[i] : "(nothing)");
    putchar('\n');
}

/* The first lines that the texts have not both. */
static void print_versions(const char *a, const char *b)
{
    int said = 0;
    for (const char *at = b; *at; at += strcspn(at, "\n"), at += *at == '\n') {
        size_t n = strcspn(at, "\n");
        char *line = cg_malloc(n + 3);
        snprintf(line, n + 3, "\n%.*s\n", (int)n, at);
        bool first = !strncmp(a, line + 1, n + 1);
        if (!first && !strstr(a, line) && said++ < 8)
            printf("  %.*s\n", (int)n, at);
        free(line);
    }
    if (said > 8)
        printf("  and %d more\n", said - 8);
    putchar('\n');
}

static void print_results(const CgWhy *w, const CgWhySide side[2])
{
    size_t n = w->causes.len;
    bool *told = cg_calloc(w->results.len + 1, 1), *matters = cg_calloc(n + 1, 1);
    for (size_t i = 0; i < w->results.len; i++) {
        const CgWhyResult *r = &w->results.at[i];
        if (told[i])
            continue;
        for (size_t k = i; k < w->results.len; k++)
            if (same_causes(r, &w->results.at[k], n)) {
                printf("%s", k > i ? ", " : "");
                print_label(&w->results.at[k]);
                told[k] = true;
            }
        puts(r->by_version  ? ": not because of the scripts; what is built in was another version:\n"
                : r->unsure ? ": nothing that the runs noted explains it\n"
                            : ":\n");
        if (r->by_version)
            print_versions(side[0].versions, side[1].versions);
        for (size_t k = 0; k < n; k++)
            if (r->cause[k]) {
                print_cause(&w->causes.at[k]);
                matters[k] = true;
            }
    }
    size_t idle = 0;
    for (size_t k = 0; k < n; k++)
        if (!matters[k])
            printf("%s%s",
                idle++ ? ", " : "no reason for any of it: ", w->causes.at[k].place[*w->causes.at[k].text[0] == 0]);
    if (idle)
        putchar('\n');
    free(told);
    free(matters);
}

static void print_names(const char *what, const char *const *at, size_t n)
{
    for (size_t i = 0; i < n; i++)
        printf("%s%s", i ? ", " : what, at[i]);
    if (n)
        putchar('\n');
}

static void print(const CgWhy *w, const CgWhySide side[2])
{
    printf("%s and %s: %zu of %zu values differ\n\n", side[0].name, side[1].name, w->results.len,
        w->results.len + w->same.len);
    print_results(w, side);
    print_names("the same: ", w->same.at, w->same.len);
    for (int i = 0; i < 2; i++) {
        char what[80];
        snprintf(what, sizeof what, "only of %s: ", side[i].name);
        print_names(what, w->only[i].at, w->only[i].len);
    }
}

static bool read_side(const Named *n, CgStore **store, const char *folder, CgWhySide *out, CgErr *e)
{
    if (!n->run)
        return cg_why_of_script(n->of, out, e);
    return (*store || (*store = cg_store_open_named(folder, e))) && cg_why_of_run(*store, n->run, out, e);
}

static int why(const Named n[2], const char *folder)
{
    CgErr e = { 0 };
    CgStore *store = NULL;
    CgWhySide side[2] = { 0 };
    CgWhy w = { 0 };
    const char *const of[2] = { n[0].value, n[1].value };
    bool good = read_side(&n[0], &store, folder, &side[0], &e) && read_side(&n[1], &store, folder, &side[1], &e)
        && cg_why_find(&side[0], &side[1], of, &w, &e);
    if (good)
        print(&w, side);
    cg_why_free(&w);
    for (int i = 0; i < 2; i++)
        cg_why_side_free(&side[i]);
    if (store)
        cg_store_close(store);
    return good ? CG_EXIT_OK : cg_complain("why", &e);
}

static int command(int argc, char **argv)
{
    const char *store = NULL;
    const CgOption options[] = {
        { .name = "store", .arg = "FOLDER", .value = &store, .help = "where runs are kept; $CG_STORE or .cg" },
    };
    static const char synopsis[] =
        "A B\nsays why values of two runs differ: A and B are numbers of cg runs, RUN:NAME for one value, or scripts";
    int code;
    if (!cg_options(&argc, argv, synopsis, options, CG_LEN(options), &code))
        return code;
    if (argc != 3)
        return cg_usage("why", "two runs or two scripts are needed");
    Named n[2] = { read_name(argv[1]), read_name(argv[2]) };
    if (!n[0].value != !n[1].value)
        code = cg_usage("why", "one value is compared with one value: %s:NAME", n[0].value ? n[1].of : n[0].of);
    else
        code = why(n, store);
    free(n[0].of);
    free(n[1].of);
    return code;
}

CG_COMMAND(why, "says why values of two runs differ", command)
