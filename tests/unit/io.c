/* io.c - do files appear whole or not at all, and do globs find what they say?
 * Takes nothing, works in the folder it is started in; prints TAP. Accuses src/base/io.c. */
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "again.h"
#include "base/io.h"
#include "base/stop.h"
#include "base/strbuf.h"
#include "tap.h"

static bool wrote(const char *path, const char *text)
{
    CgErr e = { 0 };
    bool good = cg_io_write(path, text, strlen(text), &e);
    if (!good)
        printf("# %s\n", e.text);
    return good;
}

static bool holds(const char *path, const char *text)
{
    CgErr e = { 0 };
    CgBytes b;
    bool good = cg_io_read(path, &b, &e) && b.len == strlen(text) && strcmp(b.at, text) == 0;
    cg_io_release(&b);
    return good;
}

static void test_read_and_write(void)
{
    CgErr e = { 0 };
    CgBytes b;
    tap_ok(wrote("a.txt", "first"), "a new file is written");
    tap_ok(holds("a.txt", "first"), "and read");
    tap_ok(wrote("a.txt", "second, longer"), "an old file is replaced");
    tap_ok(holds("a.txt", "second, longer"), "by all of the new one");
    tap_ok(cg_io_map("a.txt", &b, &e) && b.len == 14 && memcmp(b.at, "second, longer", 14) == 0, "a file is mapped");
    cg_io_release(&b);
    tap_ok(wrote("empty", "") && cg_io_map("empty", &b, &e) && b.len == 0, "an empty file is mapped");
    cg_io_release(&b);
    chmod("a.txt", 0640);
    struct stat st = { 0 };
    tap_ok(wrote("a.txt", "third") && stat("a.txt", &st) == 0 && (st.st_mode & 0777) == 0640,
        "the mode of a file is kept");
    tap_ok(symlink("a.txt", "link") == 0 && wrote("link", "fourth") && holds("a.txt", "fourth")
            && lstat("link", &st) == 0 && S_ISLNK(st.st_mode),
        "writing to a link writes its target");
    CgOut *o = cg_io_create("a.txt", &e);
    tap_ok(o && cg_io_put(o, "never", 5, &e), "a file is begun");
    cg_io_abandon(o);
    tap_ok(holds("a.txt", "fourth"), "abandoning keeps the old one");
    CgPaths p;
    tap_ok(!cg_io_glob(".*.tmp", &p, &e), "and leaves no temporary file");
    static char big[300001];
    for (size_t i = 0; i < sizeof big; i++)
        big[i] = (char)(i * 7 % 253);
    e = (CgErr){ 0 };
    o = cg_io_create("big", &e);
    bool good = o != NULL;
    for (size_t at = 0, n = 1; good && at < sizeof big; at += n, n = n * 5 % 90001 + 1)
        good = cg_io_put(o, big + at, at + n > sizeof big ? sizeof big - at : n, &e);
    good = good && cg_io_commit(o, &e) && cg_io_read("big", &b, &e);
    tap_ok(good && b.len == sizeof big && memcmp(b.at, big, b.len) == 0, "pieces of all sizes make one file");
    cg_io_release(&b);
    tap_ok(wrote("/dev/null", "gone"), "a device is written to directly");
}

static void test_folders(void)
{
    CgErr e = { 0 };
    tap_ok(cg_io_mkdirs("d/e/f", &e) && cg_io_is_dir("d/e/f"), "folders are made, with those above");
    tap_ok(cg_io_mkdirs("d/e/f/", &e), "also when they are there");
    tap_ok(cg_io_exists("d") && !cg_io_exists("nowhere"), "existing is seen");
    tap_ok(!cg_io_mkdirs("a.txt/x", &e) && e.kind == CG_ERR_IO, "a file is no folder: %s", e.text);
    e = (CgErr){ 0 };
    tap_ok(wrote("d/gone", "x") && cg_io_remove("d/gone", &e) && !cg_io_exists("d/gone"), "a file is removed");
}

static void test_errors(void)
{
    CgErr e = { 0 };
    CgBytes b;
    CgPaths p;
    tap_ok(!cg_io_read("a.text", &b, &e) && e.kind == CG_ERR_IO, "a missing file is an error");
    tap_is(e.text, "cannot open 'a.text': No such file or directory", "that names the file");
    tap_is(e.hint, "did you mean 'a.txt'?", "and the near one");
    e = (CgErr){ 0 };
    tap_ok(!cg_io_read("date/web.txt", &b, &e), "a missing folder");
    tap_is(e.hint, "there is no folder 'date'", "is named");
    e = (CgErr){ 0 };
    tap_ok(!cg_io_read("d", &b, &e), "a folder is no file");
    tap_is(e.text, "cannot read 'd': Is a directory", "and says so");
    e = (CgErr){ 0 };
    tap_ok(!cg_io_write("no/where/x", "x", 1, &e), "no folder, no file");
    tap_is(e.hint, "there is no folder 'no/where'", "the folder is named");
    e = (CgErr){ 0 };
    tap_ok(!cg_io_glob("nope/*.txt", &p, &e), "a glob without match is an error");
    tap_is(e.text, "no file matches 'nope/*.txt'", "that names the pattern");
    tap_is(e.hint, "there is no folder 'nope'", "and the missing folder");
    e = (CgErr){ 0 };
    cg_err(&e, CG_ERR_INPUT, "first");
    tap_ok(!cg_io_read("nothing", &b, &e) && strcmp(e.text, "first") == 0, "the first error is kept");
}

static void found(const char *pattern, const char *expected)
{
    CgErr e = { 0 };
    CgPaths p;
    CgStrbuf b = { 0 };
    if (cg_io_glob(pattern, &p, &e)) {
        for (size_t i = 0; i < p.len; i++)
            cg_strbuf_printf(&b, "%s%s", i ? " " : "", p.at[i]);
        cg_paths_free(&p);
    } else {
        cg_strbuf_puts(&b, e.text);
    }
    tap_is(cg_strbuf_str(&b), expected, pattern);
    cg_strbuf_deinit(&b);
}

static void test_globs(void)
{
    CgErr e = { 0 };
    tap_ok(cg_io_mkdirs("g/sub/deep", &e) && cg_io_mkdirs("g/.hidden", &e) && cg_io_mkdirs("g/void", &e)
            && wrote("g/b.txt", "") && wrote("g/a.txt", "") && wrote("g/a.py", "") && wrote("g/.secret.txt", "")
            && wrote("g/sub/c.txt", "") && wrote("g/sub/deep/d.txt", "") && wrote("g/.hidden/h.txt", "")
            && wrote("g/[odd].txt", ""),
        "files to be found");
    found("g/*.txt", "g/[odd].txt g/a.txt g/b.txt");
    found("g/?.py", "g/a.py");
    found("g/[ab].txt", "g/a.txt g/b.txt");
    found("g/[!a].txt", "g/b.txt");
    found("g/[odd].txt", "g/[odd].txt");
    found("g/**/*.txt", "g/[odd].txt g/a.txt g/b.txt g/sub/c.txt g/sub/deep/d.txt");
    found("g/**", "g/[odd].txt g/a.py g/a.txt g/b.txt g/sub/c.txt g/sub/deep/d.txt");
    found("**/deep/*", "g/sub/deep/d.txt");
    found("g/*/c.txt", "g/sub/c.txt");
    found("g/.*.txt", "g/.secret.txt");
    found("g", "g/[odd].txt g/a.py g/a.txt g/b.txt g/sub/c.txt g/sub/deep/d.txt");
    found("g/", "g/[odd].txt g/a.py g/a.txt g/b.txt g/sub/c.txt g/sub/deep/d.txt");
    found("g/a.txt", "g/a.txt");
    found("./g/a.*", "./g/a.py ./g/a.txt");
    found("g/void", "the folder 'g/void' holds no files");
    tap_ok(symlink("..", "g/sub/up") == 0, "a link that goes round in a circle");
    found("g/**/d.txt", "g/sub/deep/d.txt");
}

/* Fails the n-th system call of one write, for n = 1 until it succeeds: the file is always the old or the new one. */
static void test_failing_calls(void)
{
    bool whole = true, said = true;
    int n = 1;
    for (bool done = false; !done && n < 40; n++) {
        char text[32];
        snprintf(text, sizeof text, "fault=eio:%d", n);
        wrote("torn", "old");
        fflush(stdout);
        pid_t child = fork();
        if (child == 0) {
            setenv("CG_DEBUG", text, 1);
            again("--write-once", NULL);
        }
        int status = 99;
        waitpid(child, &status, 0);
        int code = WIFEXITED(status) ? WEXITSTATUS(status) : 99;
        whole = whole && (holds("torn", "new") || (code == 1 && holds("torn", "old")));
        said = said && (code == 0 || code == 1);
        done = code == 0;
    }
    tap_ok(whole, "a failing call leaves the old file or the new one");
    tap_ok(said, "and is reported");
    tap_ok(n > 6 && n < 40, "every call of a write was made to fail (%d)", n - 2);
    CgErr e = { 0 };
    CgPaths p;
    tap_ok(!cg_io_glob(".torn*", &p, &e), "no temporary file is left");
}

/* A signal while a file is written waits until it is in its place; the next one, or one at another time, does not. */
static int code_after(bool within, int signals)
{
    int status;
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        CgErr e = { 0 };
        cg_stop_catch();
        dup2(open("/dev/null", O_WRONLY), STDERR_FILENO);
        CgOut *o = within ? cg_io_create("signalled", &e) : NULL;
        for (int i = 0; i < signals; i++)
            raise(i ? SIGINT : SIGTERM);
        _exit(o && cg_io_put(o, "whole", 5, &e) && cg_io_commit(o, &e) && cg_stop_asked() ? 0 : 1);
    }
    waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static void test_signals(void)
{
    CgErr e = { 0 };
    CgPaths p;
    tap_ok(code_after(true, 1) == 0 && holds("signalled", "whole"), "a file is finished after a signal");
    tap_ok(!cg_io_glob(".*.tmp", &p, &e), "and no temporary one is left");
    tap_ok(code_after(true, 2) == 130 && holds("signalled", "whole"), "the second signal ends the process at once");
    tap_ok(code_after(false, 1) == 130, "so does the first where nothing is written");
    tap_ok(cg_io_sweep(".") == 1 && !cg_io_glob(".*.tmp", &p, &e), "what that left is swept");
}

int main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "--write-once") == 0) {
        CgErr e = { 0 };
        return !cg_io_write("torn", "new", 3, &e);
    }
    char folder[] = "/tmp/cg-io.XXXXXX";
    if (!mkdtemp(folder) || chdir(folder) != 0)
        return 99;
    test_read_and_write();
    test_folders();
    test_errors();
    test_globs();
    test_failing_calls();
    test_signals();
    (void)!system("rm -rf -- \"$PWD\"");
    return tap_done();
}
