/* options.c - the options of a command.
 * Takes argv and a table; gives the values, and argv without them.
 * Must not guess: an unknown option, a missing or an unwanted argument is an error that names the near option. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/suggest.h"
#include "base/vec.h"
#include "tool/tool.h"

void cg_options_help(const char *command, const char *synopsis, const CgOption *options, size_t n)
{
    printf("usage: cg %s %s\n", command, synopsis);
    if (n)
        puts("\noptions:");
    for (size_t i = 0; i < n; i++) {
        char left[64];
        const char *arg = options[i].arg;
        int at = options[i].letter ? snprintf(left, sizeof left, "-%c, ", options[i].letter) : 0;
        snprintf(left + at, sizeof left - (size_t)at, "--%s%s%s", options[i].name, arg ? "=" : "", arg ? arg : "");
        printf("  %-22s %s\n", left, options[i].help);
    }
}

/* The memory of lists. It is main's to free, so that a command may return anywhere. */
static CG_VEC(const char **) lists;

static void add(CgStrings *list, const char *value, int most)
{
    if (!list->at) {
        list->at = cg_calloc((size_t)most, sizeof *list->at);
        cg_vec_push(&lists, list->at);
    }
    list->at[list->len++] = value;
}

void cg_options_free(void)
{
    for (size_t i = 0; i < lists.len; i++)
        free(lists.at[i]);
    cg_vec_free(&lists);
}

static const CgOption *find(const CgOption *options, size_t n, const char *name, size_t len)
{
    for (size_t i = 0; i < n; i++) {
        if (strlen(options[i].name) == len && memcmp(options[i].name, name, len) == 0)
            return &options[i];
    }
    return NULL;
}

static const CgOption *find_letter(const CgOption *options, size_t n, char letter)
{
    for (size_t i = 0; i < n; i++) {
        if (letter && options[i].letter == letter)
            return &options[i];
    }
    return NULL;
}

static int unknown(const char *command, const CgOption *options, size_t n, const char *name, size_t len)
{
    char word[64];
    snprintf(word, sizeof word, "%.*s", (int)len, name);
    CgSuggest near;
    cg_suggest_init(&near, word);
    for (size_t i = 0; i < n; i++)
        cg_suggest_offer(&near, options[i].name);
    const char *best = cg_suggest_best(&near);
    if (!best && find(options, n, "set", 3))
        return cg_usage(
            command, "there is no option '--%s'; an option of the script is set by --set %s=VALUE", word, word);
    return best ? cg_usage(command, "there is no option '--%s'; did you mean '--%s'?", word, best)
                : cg_usage(command, "there is no option '--%s'", word);
}

bool cg_assignment(const char *text, char **name, const char **value)
{
    const char *equals = strchr(text, '=');
    if (!equals || equals == text)
        return false;
    *name = cg_strdup(text);
    (*name)[equals - text] = 0;
    *value = equals + 1;
    return true;
}

bool cg_options(int *argc, char **argv, const char *synopsis, const CgOption *options, size_t n, int *exit)
{
    const char *command = argv[0];
    int kept = 1;
    for (int i = 1; i < *argc; i++) {
        if (strcmp(argv[i], "--") == 0) {
            while (++i < *argc)
                argv[kept++] = argv[i];
            break;
        }
        if (argv[i][0] != '-' || !argv[i][1]) { /* "-" alone is stdin */
            argv[kept++] = argv[i];
            continue;
        }
        const CgOption *brief = argv[i][1] != '-' ? find_letter(options, n, argv[i][1]) : NULL;
        if (argv[i][1] != '-' && strcmp(argv[i], "-h") != 0 && !brief) {
            *exit = cg_usage(command, "there is no option '%s'", argv[i]);
            return false;
        }
        const char *name = argv[i][1] == '-' ? argv[i] + 2 : "help";
        size_t len = strcspn(name, "=");
        const CgOption *o = brief ? brief : find(options, n, name, len);
        if (!o && len == 4 && memcmp(name, "help", 4) == 0) {
            cg_options_help(command, synopsis, options, n);
            *exit = CG_EXIT_OK;
            return false;
        }
        if (!o) {
            *exit = unknown(command, options, n, name, len);
            return false;
        }
        const char *value = name[len] ? name + len + 1 : NULL;
        if (brief)
            value = argv[i][2] ? argv[i] + 2 : NULL;
        if (o->flag && value) {
            *exit = cg_usage(command, "'--%s' takes no argument", o->name);
            return false;
        }
        if (!o->flag && !value && i + 1 < *argc)
            value = argv[++i];
        if (!o->flag && (!value || (!*value && strcmp(o->arg, "TEXT") != 0))) { /* an empty folder would be the root */
            *exit = cg_usage(command, "'--%s' needs an argument: --%s=%s", o->name, o->name, o->arg);
            return false;
        }
        if (o->once && *o->value) {
            *exit = cg_usage(command, "'--%s' is given twice", o->name);
            return false;
        }
        if (o->flag)
            *o->flag = true;
        else if (o->value)
            *o->value = value;
        else
            add(o->list, value, *argc);
    }
    argv[kept] = NULL;
    *argc = kept;
    return true;
}

bool cg_option_number(
    const char *command, const char *option, const char *text, int64_t least, int64_t most, int64_t *out)
{
    char *end = NULL;
    if (!text)
        return true;
    errno = 0;
    long long n = strtoll(text, &end, 10);
    if (end != text && !*end && !errno && n >= least && n <= most) {
        *out = n;
        return true;
    }
    if (least == INT64_MIN)
        cg_usage(command, "--%s takes a whole number, not '%s'", option, text);
    else
        cg_usage(command, "--%s takes a whole number from %lld to %lld, not '%s'", option, (long long)least,
            (long long)most, text);
    return false;
}

bool cg_option_bytes(const char *command, const char *option, const char *text, uint64_t least, uint64_t *out)
{
    static const char *const units[] = { "", "KiB", "MiB", "GiB", "TiB" };
    char *end = NULL;
    if (!text)
        return true;
    errno = 0;
    unsigned long long n = strtoull(text, &end, 10);
    for (unsigned i = 0; i < CG_LEN(units) && end != text && !errno && *text != '-'; i++)
        if (!strcmp(end, units[i]) && n <= UINT64_MAX >> 10 * i && n >= least) {
            *out = (uint64_t)n << 10 * i;
            return true;
        }
    cg_usage(command, "--%s takes bytes, or a number of KiB, MiB, GiB or TiB, from %llu on, not '%s'", option,
        (unsigned long long)least, text);
    return false;
}

bool cg_option_threads(const char *command, const char *text, int *out)
{
    int64_t n = 0;
    bool good = cg_option_number(command, "threads", text, 1, 256, &n);
    *out = (int)n;
    return good;
}
