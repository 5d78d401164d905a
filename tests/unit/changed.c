/* changed.c - does checking bear whatever a slip makes of a script? Takes srcdir: in the scripts that come with cg a
 * token is left out, doubled, exchanged for another one of the tree, or two neighbours change places; in every other
 * one a number, string, name or truth value becomes another one. Each is checked in a process of its own: it ends by
 * itself within five seconds of processor time, whatever is reported. Fifty; 5,000 with CG_TEST_ALL in the environment,
 * or so many as that says (make mutants). Prints TAP. Accuses src/lang, src/elab, src/stage. */
#include <ctype.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/io.h"
#include "experiment/experiment.h"
#include "tap.h"

enum { SECONDS = 5 };

typedef enum Kind { BLANK, NAME, INT, FLOAT, STRING, TRUTH, SIGN } Kind;

typedef struct Word {
    size_t script;
    uint32_t from, to; /* bytes of it */
    Kind kind;
} Word;

typedef struct Scripts {
    CG_VEC(char *) path;
    CG_VEC(CgBytes) text;
    CG_VEC(Word) words;
} Scripts;

static uint64_t state = 2385;

/* xorshift64* (Vigna 2016): the same changes on every machine. */
static size_t below(size_t n)
{
    state ^= state >> 12;
    state ^= state << 25;
    state ^= state >> 27;
    return (size_t)((state * UINT64_C(0x2545f4914f6cdd1d)) >> 33) % n;
}

/* The token at *i, roughly: enough to change it. */
static Kind kind_at(const char *t, size_t n, size_t *i)
{
    size_t from = *i;
    char c = t[(*i)++];
    if (c == '#')
        while (*i < n && t[*i] != '\n')
            ++*i;
    if (isspace((unsigned char)c) || c == '#')
        return BLANK;
    if (c == '"') {
        while (*i < n && t[*i] != '"' && t[*i] != '\n')
            *i += t[*i] == '\\' && *i + 1 < n ? 2 : 1;
        *i += *i < n;
        return STRING;
    }
    if (isdigit((unsigned char)c)) {
        while (*i < n
            && (isalnum((unsigned char)t[*i]) || t[*i] == '_' || (t[*i] == '.' && isdigit((unsigned char)t[*i + 1]))))
            ++*i;
        return memchr(t + from, '.', *i - from) || memchr(t + from, 'e', *i - from) ? FLOAT : INT;
    }
    if (!isalpha((unsigned char)c) && c != '_')
        return SIGN;
    while (*i < n && (isalnum((unsigned char)t[*i]) || t[*i] == '_'))
        ++*i;
    bool truth = (*i - from == 4 && !memcmp(t + from, "true", 4)) || (*i - from == 5 && !memcmp(t + from, "false", 5));
    return truth ? TRUTH : NAME;
}

static void add_script(Scripts *s, const char *path)
{
    CgErr err = { 0 };
    CgBytes text;
    if (!cg_io_read(path, &text, &err))
        return;
    const char *t = text.at;
    for (size_t i = 0; i < text.len;) {
        size_t from = i;
        Kind kind = kind_at(t, text.len, &i);
        if (kind != BLANK)
            cg_vec_push(&s->words, ((Word){ s->path.len, (uint32_t)from, (uint32_t)i, kind }));
    }
    cg_vec_push(&s->path, cg_strdup(path));
    cg_vec_push(&s->text, text);
}

static void put_word(const Scripts *s, const Word *w, CgStrbuf *out)
{
    cg_strbuf_write(out, (const char *)s->text.at[w->script].at + w->from, w->to - w->from);
}

/* Another value of the kind of a token, or a token of another kind. */
static void put_value(const Scripts *s, const Word *w, CgStrbuf *out)
{
    static const char *const ints[] = { "0", "1", "-1", "2", "7", "1000000", "2147483648", "281474976710656",
        "9223372036854775807" };
    static const char *const floats[] = { "0.0", "-1.0", "1e-300", "1e300", "0.5", "3" };
    static const char *const strings[] = { "\"\"", "\"qzx\"", "\"a/b.csv\"", "\"*\"", "\"0\"" };
    static const char *const names[] = { "none", "inf", "true", "batch", "x", "tok", "[]", "{}", "fill(0.5, [2, 3])" };
#define ONE_OF(list) cg_strbuf_puts(out, list[below(CG_LEN(list))])
    switch (w->kind) {
    case INT: ONE_OF(ints); break;
    case FLOAT: ONE_OF(floats); break;
    case STRING: ONE_OF(strings); break;
    case TRUTH: cg_strbuf_puts(out, w->to - w->from == 4 ? "false" : "true"); break;
    default:
        if (below(2))
            ONE_OF(names);
        else
            put_word(s, &s->words.at[below(s->words.len)], out);
    }
#undef ONE_OF
}

static bool is_value(Kind kind) { return kind != BLANK && kind != SIGN; }

/* The text of the script with the change at word i; what was done. */
static const char *change(const Scripts *s, size_t i, bool value, CgStrbuf *out)
{
    const Word *w = &s->words.at[i], *next = i + 1 < s->words.len ? &s->words.at[i + 1] : w;
    const CgBytes *text = &s->text.at[w->script];
    size_t from = w->from, to = w->to;
    const char *did = "a value";
    cg_strbuf_write(out, text->at, from);
    if (value) {
        put_value(s, w, out);
    } else {
        switch (below(4)) {
        case 0: did = "left out"; break;
        case 1:
            did = "doubled";
            put_word(s, w, out);
            cg_strbuf_putc(out, ' ');
            put_word(s, w, out);
            break;
        case 2:
            did = "exchanged";
            put_word(s, &s->words.at[below(s->words.len)], out);
            break;
        default:
            did = "moved";
            if (next->script == w->script && next->from >= to) {
                put_word(s, next, out);
                cg_strbuf_putc(out, ' ');
                put_word(s, w, out);
                to = next->to;
            }
        }
    }
    cg_strbuf_write(out, (const char *)text->at + to, text->len - to);
    return did;
}

/* In a process of its own. */
static int check(const char *path)
{
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        unsigned seconds = tap_seconds(SECONDS);
        setitimer(ITIMER_PROF, &(struct itimerval){ .it_value.tv_sec = (time_t)seconds }, NULL);
        alarm(20 * seconds); /* and waits for nothing */
        CgSessionOpts opts = { .quiet = true, .checking = true };
        CgStrbuf said = { 0 };
        CgSession *x = cg_experiment_new(path, &opts);
        cg_diags_text(x->diags, &said, false);
        cg_strbuf_deinit(&said);
        cg_experiment_free(x);
        _exit(0);
    }
    int status = 0;
    return child > 0 && waitpid(child, &status, 0) == child ? status : -1;
}

static void report(const Scripts *s, size_t i, const char *did, int status, const CgStrbuf *text)
{
    const Word *w = &s->words.at[i];
    CgErr err = { 0 };
    char kept[64];
    snprintf(kept, sizeof kept, "changed-%zu.cg", i);
    if (!cg_io_write(kept, cg_strbuf_str(text), text->len, &err))
        printf("# %s\n", err.text);
    printf("# %s, byte %u, %s: ", s->path.at[w->script], w->from, did);
    if (WIFSIGNALED(status) && (WTERMSIG(status) == SIGPROF || WTERMSIG(status) == SIGALRM))
        printf("not checked in %u s of processor time\n", tap_seconds(SECONDS));
    else if (WIFSIGNALED(status))
        printf("ends by signal %d\n", WTERMSIG(status));
    else
        printf("ends with code %d\n", WEXITSTATUS(status));
}

int main(void)
{
    static const char *const folders[] = { "examples", "examples/paper", "graphs", "stdlib", "tests/lang",
        "tests/errors", "bench" };
    const char *srcdir = getenv("srcdir"), *all = getenv("CG_TEST_ALL");
    static Scripts s;
    char to[64];
    int failed = 0, most = all ? atoi(all) : 50, done = 0;
    CgStrbuf modules = { 0 };
    cg_strbuf_printf(&modules, "%s/tests/modules", srcdir ? srcdir : ".");
    setenv("CG_PATH", cg_strbuf_str(&modules), 1);
    cg_strbuf_deinit(&modules);
    snprintf(to, sizeof to, "changed-%ld.cg", (long)getpid());
    for (size_t i = 0; i < CG_LEN(folders); i++) {
        CgStrbuf glob = { 0 };
        CgErr err = { 0 };
        CgPaths paths = { 0 };
        cg_strbuf_printf(&glob, "%s/%s/*.cg", srcdir ? srcdir : ".", folders[i]);
        if (cg_io_glob(cg_strbuf_str(&glob), &paths, &err))
            for (size_t k = 0; k < paths.len; k++)
                add_script(&s, paths.at[k]);
        cg_strbuf_deinit(&glob);
        cg_paths_free(&paths);
    }
    tap_ok(s.words.len > 10000, "%zu scripts, %zu tokens", s.path.len, s.words.len);
    most = most ? most : 5000;
    while (done < most && s.words.len) {
        size_t i = below(s.words.len);
        bool value = done % 2;
        if (value && !is_value(s.words.at[i].kind))
            continue;
        CgStrbuf text = { 0 };
        CgErr err = { 0 };
        const char *did = change(&s, i, value, &text);
        int status = cg_io_write(to, cg_strbuf_str(&text), text.len, &err) ? check(to) : -1;
        if (status && ++failed)
            report(&s, i, did, status, &text);
        cg_strbuf_deinit(&text);
        done++;
    }
    unlink(to);
    tap_ok(!failed, "%d changed scripts: %d are not checked to an end", done, failed);
    return tap_done();
}
