/* io.c - files: the one seam to the outside world.
 * Takes paths; gives bytes, or an error that names the path and, where a near name exists, suggests it.
 * Must not leave half a file behind: what is written appears whole or not at all. */
#include "base/io.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/stop.h"
#include "base/strbuf.h"
#include "base/suggest.h"
#include "base/vec.h"

#define BUFFER ((size_t)1 << 16)

/* ---- calls that may fail --------------------------------------------------------------------------------------- */

static bool must_fail(void) { return cg_fault_call(CG_CALL_LOOK); }

static int do_open(const char *path, int flags, mode_t mode)
{
    CgSystemCall call = flags & O_CREAT ? CG_CALL_CHANGE : CG_CALL_LOOK;
    int fd = cg_fault_call(call) ? -1 : open(path, flags | O_CLOEXEC, mode);
    cg_fault_done(call);
    return fd;
}

static bool do_write(int fd, const char *bytes, size_t n)
{
    while (n) {
        ssize_t k = cg_fault_call(CG_CALL_WRITE) ? -1 : write(fd, bytes, cg_fault_bytes(CG_CALL_WRITE, n));
        cg_fault_done(CG_CALL_WRITE);
        if (k < 0 && errno == EINTR)
            continue;
        if (k < 0)
            return false;
        bytes += k;
        n -= (size_t)k;
    }
    return true;
}

/* fsync, close, rename, unlink and mkdir, by what they give. */
static bool changed(int result)
{
    cg_fault_done(CG_CALL_CHANGE);
    return result == 0;
}

static bool may_change(void) { return !cg_fault_call(CG_CALL_CHANGE); }

static bool do_unlink(const char *path)
{
    if (!may_change())
        return false;
    cg_fault_replaces(NULL, path);
    return changed(remove(path));
}

/* ---- near names --------------------------------------------------------------------------------------------- */

/* The folder part of a path, malloc'd; "." when there is none. */
static char *folder_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    if (!slash)
        return cg_strdup(".");
    size_t n = slash == path ? 1 : (size_t)(slash - path);
    char *s = cg_malloc(n + 1);
    memcpy(s, path, n);
    s[n] = 0;
    return s;
}

/* After ENOENT: says which folder is missing, or offers the nearest name in the last folder that exists. */
static void hint_missing(const char *path, CgErr *e)
{
    char *want = cg_strdup(path), *folder = folder_of(want);
    while (!cg_io_is_dir(folder) && strcmp(folder, ".") != 0 && strcmp(folder, "/") != 0) {
        free(want);
        want = folder;
        folder = folder_of(want);
    }
    const char *slash = strrchr(want, '/');
    const char *base = slash ? slash + 1 : want;
    CgSuggest near;
    CgPaths names;
    CgErr unread = { 0 };
    cg_suggest_init(&near, base);
    (void)!cg_io_names(folder, &names, &unread);
    for (size_t i = 0; i < names.len; i++)
        if (names.at[i][0] != '.')
            cg_suggest_offer(&near, names.at[i]);
    bool here = strcmp(folder, ".") == 0 && strncmp(want, "./", 2) != 0;
    CgStrbuf before = { 0 };
    if (!here)
        cg_strbuf_printf(&before, "%s%s", folder, strcmp(folder, "/") == 0 ? "" : "/");
    if (!cg_err_meant(e, &near, cg_strbuf_str(&before)) && strcmp(want, path) != 0)
        cg_err_hint(e, "there is no folder '%s'", want);
    cg_paths_free(&names);
    cg_strbuf_deinit(&before);
    free(want);
    free(folder);
}

static bool cannot(CgErr *e, const char *doing, const char *path)
{
    int why = errno;
    cg_err_errno(e, doing, path);
    if (why == ENOENT && strcmp(doing, "open") == 0)
        hint_missing(path, e);
    return false;
}

/* ---- reading ------------------------------------------------------------------------------------------------ */

/* A file that has an end: a pipe or a device would keep us for ever. -1 and a mistake where it is none. */
static int open_file(const char *path, struct stat *st, CgErr *e)
{
    int fd = do_open(path, O_RDONLY | O_NONBLOCK, 0);
    if (fd < 0) {
        cannot(e, "open", path);
        return -1;
    }
    if (must_fail() || fstat(fd, st) != 0) {
        cannot(e, "read", path);
    } else if (!S_ISREG(st->st_mode) && !S_ISDIR(st->st_mode)) { /* reading a folder says what it is */
        cg_err(e, CG_ERR_IO, "'%s' is not a file", path);
        cg_err_hint(e, "it is a %s; give a file with the same contents", S_ISFIFO(st->st_mode) ? "pipe" : "device");
    } else {
        return fd;
    }
    close(fd);
    return -1;
}

/* All there is to read, of at first about `cap` bytes; closes fd. */
static bool read_all(int fd, const char *path, size_t cap, CgBytes *out, CgErr *e)
{
    char *at = cg_fault_memory() ? NULL : malloc(cap + 1);
    size_t len = 0;
    for (ssize_t k = 1; at && k;) {
        if (len == cap) {
            cap *= 2;
            char *wider = cg_fault_memory() ? NULL : realloc(at, cap + 1);
            if (!wider)
                free(at);
            at = wider;
            continue;
        }
        k = cg_fault_call(CG_CALL_READ) ? -1 : read(fd, at + len, cg_fault_bytes(CG_CALL_READ, cap - len));
        if (k < 0 && errno == EINTR)
            continue;
        if (k < 0) {
            cannot(e, "read", path);
            close(fd);
            free(at);
            return false;
        }
        len += (size_t)k;
    }
    close(fd);
    if (!at)
        return cg_err(e, CG_ERR_MEMORY, "not enough memory to read '%s' (%zu bytes)", path, cap);
    at[len] = 0;
    *out = (CgBytes){ at, len, false };
    return true;
}

bool cg_io_read(const char *path, CgBytes *out, CgErr *e)
{
    struct stat st;
    *out = (CgBytes){ 0 };
    int fd = open_file(path, &st, e);
    return fd >= 0 && read_all(fd, path, st.st_size > 0 ? (size_t)st.st_size + 1 : 4096, out, e);
}

bool cg_io_read_stdin(CgBytes *out, CgErr *e)
{
    *out = (CgBytes){ 0 };
    int fd = dup(STDIN_FILENO);
    return fd >= 0 ? read_all(fd, "stdin", 4096, out, e) : cannot(e, "read", "stdin");
}

bool cg_io_map(const char *path, CgBytes *out, CgErr *e)
{
    *out = (CgBytes){ 0 };
    struct stat st;
    int fd = open_file(path, &st, e);
    if (fd < 0)
        return false;
    if (!S_ISREG(st.st_mode) || st.st_size == 0) { /* what is empty cannot be mapped */
        close(fd);
        return cg_io_read(path, out, e);
    }
    size_t len = (size_t)st.st_size;
    void *at = must_fail() ? MAP_FAILED : mmap(NULL, len, PROT_READ, MAP_PRIVATE, fd, 0);
    bool ok = at != MAP_FAILED || cannot(e, "map", path);
    close(fd);
    if (ok)
        *out = (CgBytes){ at, len, true };
    return ok;
}

void cg_io_release(CgBytes *b)
{
    if (b->mapped)
        munmap(b->at, b->len);
    else
        free(b->at);
    *b = (CgBytes){ 0 };
}

/* ---- reading in pieces -------------------------------------------------------------------------------------- */

struct CgIn {
    int fd;
    char *path;
};

CgIn *cg_io_open(const char *path, uint64_t *bytes, CgErr *e)
{
    struct stat st;
    int fd = open_file(path, &st, e);
    if (fd < 0)
        return NULL;
    CgIn *f = cg_malloc(sizeof *f);
    *f = (CgIn){ fd, cg_strdup(path) };
    *bytes = (uint64_t)st.st_size;
    return f;
}

bool cg_io_read_at(const CgIn *f, uint64_t at, void *out, size_t n, CgErr *e)
{
    for (size_t done = 0; done < n;) {
        size_t most = cg_fault_bytes(CG_CALL_READ, n - done);
        ssize_t k =
            cg_fault_call(CG_CALL_READ) ? -1 : pread(f->fd, (char *)out + done, most, (off_t)(at + (uint64_t)done));
        if (k < 0 && errno == EINTR)
            continue;
        if (k < 0)
            return cannot(e, "read", f->path);
        if (!k)
            return cg_err(e, CG_ERR_INPUT, "'%s' is shorter than it was", f->path);
        done += (size_t)k;
    }
    return true;
}

void cg_io_close(CgIn *f)
{
    if (!f)
        return;
    close(f->fd);
    free(f->path);
    free(f);
}

static int64_t nanoseconds(struct timespec t) { return (int64_t)t.tv_sec * 1000000000 + (int64_t)t.tv_nsec; }

/* Times of files advance by the tick of the clock, or by seconds on file systems that keep no more. */
bool cg_io_mark(const char *path, CgFileMark *out)
{
    enum { TICK = 50000000, COARSE = 2000000000 };
    struct stat st;
    struct timespec now;
    *out = (CgFileMark){ 0 };
    if (stat(path, &st) != 0 || !S_ISREG(st.st_mode) || clock_gettime(CLOCK_REALTIME, &now) != 0)
        return false;
    *out = (CgFileMark){ (uint64_t)st.st_dev, (uint64_t)st.st_ino, (uint64_t)st.st_size, nanoseconds(st.st_mtim),
        nanoseconds(st.st_ctim) };
    bool coarse = st.st_mtim.tv_nsec == 0 && st.st_ctim.tv_nsec == 0;
    return nanoseconds(now) - out->changed > (coarse ? COARSE : TICK);
}

/* ---- writing ------------------------------------------------------------------------------------------------ */

struct CgOut {
    int fd;
    char *path, *temporary; /* temporary is NULL when writing straight to a device or a pipe */
    char *buffer;
    size_t used;
};

static void out_free(CgOut *o)
{
    if (o->temporary)
        cg_stop_deafen();
    free(o->path);
    free(o->temporary);
    free(o->buffer);
    free(o);
}

/* `name` in the folder that `path` lies in, or as it is when it begins at the root. */
static char *beside(const char *path, const char *name)
{
    const char *slash = strrchr(path, '/');
    CgStrbuf b = { 0 };
    cg_strbuf_printf(&b, "%.*s%s", slash && *name != '/' ? (int)(slash + 1 - path) : 0, path, name);
    return cg_strbuf_take(&b);
}

char *cg_io_target(const char *path)
{
    char *at = cg_strdup(path), *real = NULL, link[4096];
    for (int links = 0; links < 40 && !(real = realpath(at, NULL)); links++) { /* or what it names is not there yet */
        ssize_t n = readlink(at, link, sizeof link - 1);
        if (n < 0)
            break;
        link[n] = 0;
        char *next = beside(at, link);
        free(at);
        at = next;
    }
    if (!real) {
        char *folder = folder_of(at), *there = realpath(folder, NULL);
        const char *slash = strrchr(at, '/');
        CgStrbuf b = { 0 };
        cg_strbuf_printf(&b, "%s/%s", there ? there : folder, slash ? slash + 1 : at);
        real = cg_strbuf_take(&b);
        free(folder);
        free(there);
    }
    free(at);
    return real;
}

/* Where the file really is when `path` is a link; a copy of path when it is not. */
static char *target_of(const char *path)
{
    struct stat st;
    return lstat(path, &st) == 0 && S_ISLNK(st.st_mode) ? cg_io_target(path) : cg_strdup(path);
}

/* Names of temporary files: ".NAME.NUMBER-SERIAL.tmp" with a random number for each process. The numbers of processes
 * meet where two containers share a folder, and again when one is restarted. */
static uint64_t process_number(void)
{
    static _Atomic uint64_t number;
    static _Atomic long owner; /* a child of fork is another process */
    if (atomic_load(&owner) != (long)getpid()) {
        uint64_t bits = 0;
        if (getrandom(&bits, sizeof bits, GRND_NONBLOCK) != (ssize_t)sizeof bits) {
            struct timespec now;
            clock_gettime(CLOCK_REALTIME, &now);
            bits = ((uint64_t)now.tv_sec << 30 ^ (uint64_t)now.tv_nsec) * 0x9e3779b97f4a7c15u ^ (uint64_t)getpid();
        }
        atomic_store(&number, bits);
        atomic_store(&owner, (long)getpid());
    }
    return atomic_load(&number);
}

void cg_io_sweep_once(const char *folder)
{
    static _Atomic uint64_t swept[256];
    uint64_t hash = process_number() | 1;
    for (const char *at = folder; *at; at++)
        hash = (hash ^ (unsigned char)*at) * 0x100000001b3u;
    if (atomic_exchange(&swept[hash % 256], hash) != hash)
        cg_io_sweep(folder);
}

static bool still_named(int fd, const char *path);

/* A new file that is locked as long as it is written: what is not locked was left by a writer that died. */
static int create_temporary(const char *folder, const char *base, char **name)
{
    static atomic_uint serial;
    for (;;) {
        CgStrbuf b = { 0 };
        cg_strbuf_printf(&b, "%s/.%.200s.%016llx-%u.tmp", folder, base, (unsigned long long)process_number(),
            atomic_fetch_add(&serial, 1));
        *name = cg_strbuf_take(&b);
        int fd = do_open(*name, O_WRONLY | O_CREAT | O_EXCL, 0666);
        bool locked = fd >= 0 && flock(fd, LOCK_EX) == 0; /* where locks do not work nothing is swept either */
        if (fd >= 0)
            cg_fault_wrote(*name);
        if (fd < 0 || !locked || still_named(fd, *name))
            return fd;
        close(fd); /* somebody swept it before it was locked */
        free(*name);
    }
}

/* Which of our own descriptors a path means, which may stand in the middle of a file; -1: none. */
static int descriptor_of(const char *path)
{
    int fd = -1, end = 0;
    if (!strcmp(path, "/dev/stdout"))
        return STDOUT_FILENO;
    if (!strcmp(path, "/dev/stderr"))
        return STDERR_FILENO;
    return sscanf(path, "/dev/fd/%9d%n", &fd, &end) == 1 && !path[end] ? fd : -1;
}

/* A pipe or a device, to be written to as it is; a pipe that nobody reads would be waited for. */
static int open_straight(const char *path)
{
    int fd = do_open(path, O_WRONLY | O_NONBLOCK, 0);
    if (fd >= 0 && fcntl(fd, F_SETFL, O_WRONLY) == 0)
        return fd;
    int why = errno;
    if (fd >= 0)
        close(fd);
    errno = why;
    return -1;
}

CgOut *cg_io_create(const char *path, CgErr *e)
{
    CgOut *o = cg_calloc(1, sizeof *o);
    struct stat st;
    bool there = stat(path, &st) == 0;
    int own = descriptor_of(path);
    o->buffer = cg_malloc(BUFFER); /* before there is a file that would be left */
    o->path = target_of(path);
    if (own >= 0) {
        fflush(stdout);
        o->fd = fcntl(own, F_DUPFD_CLOEXEC, 0);
    } else if (there && S_ISDIR(st.st_mode)) {
        errno = EISDIR;
        o->fd = -1;
    } else if (there && !S_ISREG(st.st_mode)) {
        o->fd = open_straight(path);
    } else {
        char *folder = folder_of(o->path);
        const char *slash = strrchr(o->path, '/'), *base = slash ? slash + 1 : o->path;
        cg_io_sweep_once(folder);
        cg_stop_listen(); /* the first signal waits until the file is in its place, or gone */
        o->fd = create_temporary(folder, base, &o->temporary);
        free(folder);
        if (o->fd >= 0 && there)
            (void)!fchmod(o->fd, st.st_mode & 07777); /* keeping the mode is a courtesy */
    }
    if (o->fd < 0) {
        int why = errno;
        if (why == ENXIO) {
            cg_err(e, CG_ERR_IO, "cannot write '%s': it is a pipe that nobody reads", path);
            cg_err_hint(e, "begin to read it first, or name a file");
        } else {
            cg_err_errno(e, "write", path);
        }
        if (why == ENOENT) {
            char *folder = folder_of(o->path);
            cg_err_hint(e, "there is no folder '%s'", folder);
            free(folder);
        }
        out_free(o);
        return NULL;
    }
    return o;
}

static bool flush(CgOut *o, CgErr *e)
{
    size_t n = o->used;
    o->used = 0;
    return do_write(o->fd, o->buffer, n) || cg_err_errno(e, "write", o->path);
}

bool cg_io_put(CgOut *o, const void *bytes, size_t n, CgErr *e)
{
    if (o->used + n > BUFFER && !flush(o, e))
        return false;
    if (n >= BUFFER)
        return do_write(o->fd, bytes, n) || cg_err_errno(e, "write", o->path);
    if (n)
        memcpy(o->buffer + o->used, bytes, n);
    o->used += n;
    return true;
}

void cg_io_abandon(CgOut *o)
{
    if (!o)
        return;
    if (o->fd >= 0)
        close(o->fd);
    if (o->temporary)
        unlink(o->temporary);
    out_free(o);
}

/* Makes the rename itself survive a power cut. Some file systems refuse to sync folders: that is no failure. */
static bool sync_folder(const char *path)
{
    char *folder = folder_of(path);
    int fd = do_open(folder, O_RDONLY | O_DIRECTORY, 0);
    bool ok = fd >= 0 && may_change() && (changed(fsync(fd)) || errno == EINVAL || errno == ENOTSUP);
    if (ok)
        cg_fault_folder_synced(folder);
    if (fd >= 0)
        close(fd);
    free(folder);
    return ok;
}

static bool sync_bytes(const CgOut *o)
{
    if (!may_change() || !changed(fsync(o->fd)))
        return false;
    cg_fault_synced(o->temporary);
    return true;
}

bool cg_io_rename(const char *from, const char *to, CgErr *e)
{
    if (!may_change())
        return cg_err_errno(e, "write", to);
    cg_fault_replaces(from, to);
    if (!changed(rename(from, to)))
        return cg_err_errno(e, "write", to);
    return sync_folder(to) || cg_err_errno(e, "sync the folder of", to);
}

bool cg_io_commit(CgOut *o, CgErr *e)
{
    bool ok = flush(o, e);
    if (ok && o->temporary && !sync_bytes(o))
        ok = cg_err_errno(e, "write", o->path);
    int fd = o->fd;
    o->fd = -1;
    bool closed = may_change();
    closed = changed(close(fd)) && closed;
    if (!closed && ok)
        ok = cg_err_errno(e, "write", o->path);
    if (ok && o->temporary)
        ok = cg_io_rename(o->temporary, o->path, e);
    if (ok)
        out_free(o);
    else
        cg_io_abandon(o);
    return ok;
}

bool cg_io_write(const char *path, const void *bytes, size_t n, CgErr *e)
{
    CgOut *o = cg_io_create(path, e);
    if (!o)
        return false;
    if (!cg_io_put(o, bytes, n, e)) {
        cg_io_abandon(o);
        return false;
    }
    return cg_io_commit(o, e);
}

/* ---- folders ------------------------------------------------------------------------------------------------ */

bool cg_io_mkdirs(const char *path, CgErr *e)
{
    char *part = cg_strdup(path);
    bool ok = true;
    for (char *at = part + 1; ok && part[0]; at++) {
        if (*at && *at != '/')
            continue;
        char kept = *at;
        *at = 0;
        if (!(may_change() && changed(mkdir(part, 0777))) && !(errno == EEXIST && cg_io_is_dir(part)))
            ok = cg_err_errno(e, "make the folder", part);
        *at = kept;
        if (!kept)
            break;
    }
    free(part);
    return ok;
}

char *cg_io_real(const char *path) { return realpath(path, NULL); }

bool cg_io_exists(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0;
}

bool cg_io_stat(const char *path, uint64_t *bytes, int64_t *modified)
{
    struct stat st;
    if (stat(path, &st) != 0)
        return false;
    *bytes = (uint64_t)st.st_size;
    *modified = (int64_t)st.st_mtime;
    return true;
}

bool cg_io_is_dir(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

bool cg_io_is_file(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISREG(st.st_mode);
}

bool cg_io_remove(const char *path, CgErr *e) { return do_unlink(path) || cg_err_errno(e, "remove", path); }

bool cg_io_place(const char *path, CgPlace *out)
{
    struct stat st;
    if (stat(path, &st) != 0)
        return false;
    *out = (CgPlace){ (uint64_t)st.st_dev, (uint64_t)st.st_ino };
    return true;
}

bool cg_io_names(const char *folder, CgPaths *out, CgErr *e)
{
    CG_VEC(char *) names = { 0 };
    *out = (CgPaths){ 0 };
    DIR *d = must_fail() ? NULL : opendir(folder);
    if (!d)
        return cg_err_errno(e, "open the folder", folder);
    errno = 0;
    for (struct dirent *entry; !must_fail() && (entry = readdir(d));) {
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            cg_vec_push(&names, cg_strdup(entry->d_name));
        errno = 0;
    }
    int why = errno; /* 0: at the end; else there are more names than these */
    closedir(d);
    *out = (CgPaths){ names.at, names.len };
    if (!why)
        return true;
    cg_paths_free(out);
    errno = why;
    return cg_err_errno(e, "read the folder", folder);
}

void cg_paths_free(CgPaths *p)
{
    for (size_t i = 0; i < p->len; i++)
        free(p->at[i]);
    free(p->at);
    *p = (CgPaths){ 0 };
}

char *cg_io_joined(const char *folder, const char *name, size_t n)
{
    CgStrbuf b = { 0 };
    cg_strbuf_puts(&b, folder);
    if (b.len && b.at[b.len - 1] != '/')
        cg_strbuf_putc(&b, '/');
    cg_strbuf_write(&b, name, n);
    return cg_strbuf_take(&b);
}

/* ---- locks -------------------------------------------------------------------------------------------------- */

struct CgLock {
    int fd;
    char *path;
    bool alone; /* the file is there only while it is held: nothing else works here */
};

/* Whether the file that was locked is still the one of that name: its last holder may have removed it meanwhile. */
static bool still_named(int fd, const char *path)
{
    struct stat held, named;
    return fstat(fd, &held) == 0 && stat(path, &named) == 0 && held.st_dev == named.st_dev
        && held.st_ino == named.st_ino;
}

static CgLock *lock_of(int fd, const char *path, bool alone)
{
    CgLock *l = cg_calloc(1, sizeof *l);
    *l = (CgLock){ fd, cg_strdup(path), alone };
    return l;
}

/* For file systems without locks: a file created exclusively. A process that dies leaves it behind, so none waits. */
static CgLock *lock_alone(const char *path, CgErr *e)
{
    CgStrbuf b = { 0 };
    cg_strbuf_printf(&b, "%s.alone", path);
    int fd = do_open(cg_strbuf_str(&b), O_WRONLY | O_CREAT | O_EXCL, 0666), why = errno;
    CgLock *l = fd < 0 ? NULL : lock_of(fd, cg_strbuf_str(&b), true);
    if (l)
        unlink(path); /* it locks nothing */
    if (!l && why == EEXIST) {
        cg_err(e, CG_ERR_IO, "files cannot be locked here, and another process seems to work on '%s'", path);
        cg_err_hint(e, "when none does, remove '%s'", cg_strbuf_str(&b));
    } else if (!l) {
        errno = why;
        cg_err_errno(e, "lock", path);
    }
    cg_strbuf_deinit(&b);
    return l;
}

bool cg_io_lock_alone(const CgLock *l) { return l->alone; }

CgLock *cg_io_lock(const char *path, CgWaitFn *waiting, void *arg, CgErr *e)
{
    for (int call = 0;;) {
        int fd = do_open(path, O_RDWR | O_CREAT, 0666);
        if (fd < 0) {
            cannot(e, "open", path);
            return NULL;
        }
        bool held = !cg_fault_call(CG_CALL_LOCK) && flock(fd, LOCK_EX | LOCK_NB) == 0;
        int why = errno;
        if (held && still_named(fd, path))
            return lock_of(fd, path, false);
        close(fd);
        if (!held && (why == ENOLCK || why == ENOSYS || why == EOPNOTSUPP))
            return lock_alone(path, e);
        if (held)
            continue;
        if (why != EWOULDBLOCK && why != EINTR) {
            errno = why;
            cg_err_errno(e, "lock", path);
            return NULL;
        }
        if (waiting && !waiting(arg, call++)) {
            cg_err(e, CG_ERR_INTERRUPTED, "interrupted while waiting for '%s'", path);
            return NULL;
        }
        nanosleep(&(struct timespec){ .tv_nsec = 100000000 }, NULL);
    }
}

void cg_io_unlock(CgLock *l)
{
    if (!l)
        return;
    unlink(l->path);
    close(l->fd);
    free(l->path);
    free(l);
}

/* ".NAME.NUMBER-SERIAL.tmp" with a number of 16 hexadecimal digits. */
static bool is_temporary(const char *name)
{
    size_t n = strlen(name);
    if (name[0] != '.' || n < 24 || strcmp(name + n - 4, ".tmp") != 0)
        return false;
    const char *end = name + n - 4, *at = end;
    while (at > name && at[-1] >= '0' && at[-1] <= '9')
        at--;
    if (at == end || at - name < 19 || at[-1] != '-' || at[-18] != '.')
        return false;
    return strspn(at - 17, "0123456789abcdef") == 16;
}

int cg_io_sweep(const char *folder)
{
    int removed = 0;
    DIR *d = opendir(folder);
    for (struct dirent *entry; d && (entry = readdir(d));) {
        if (!is_temporary(entry->d_name))
            continue;
        char *path = cg_io_joined(folder, entry->d_name, strlen(entry->d_name));
        int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
        if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0)
            removed += unlink(path) == 0;
        if (fd >= 0)
            close(fd);
        free(path);
    }
    if (d)
        closedir(d);
    return removed;
}
