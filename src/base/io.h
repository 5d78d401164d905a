/* io.h - files: the one seam to the outside world.
 * Takes paths; gives bytes, or an error that names the path. Tests make calls fail (fault.h).
 * No other file of src/ calls open, read, write, rename, mmap, mkdir or opendir (tests/layers.sh checks). */
#ifndef CG_IO_H
#define CG_IO_H
#include "base/err.h"

typedef struct CgBytes {
    char *at;
    size_t len;
    bool mapped;
} CgBytes;

/* Files alone: a pipe or a device is refused. */
CG_NODISCARD bool cg_io_read(const char *path, CgBytes *out, CgErr *e); /* whole file; NUL after the end, not counted */
CG_NODISCARD bool cg_io_read_stdin(CgBytes *out, CgErr *e);
CG_NODISCARD bool cg_io_map(const char *path, CgBytes *out, CgErr *e); /* read-only mapping; no NUL */
void cg_io_release(CgBytes *b);
/* A file that is read in pieces, by any thread. */
typedef struct CgIn CgIn;
CG_NODISCARD CgIn *cg_io_open(const char *path, uint64_t *bytes, CgErr *e);
/* Exactly n bytes; a file that ends before them is an error. */
CG_NODISCARD bool cg_io_read_at(const CgIn *f, uint64_t at, void *out, size_t n, CgErr *e);
void cg_io_close(CgIn *f); /* NULL is fine */
/* What tells a file from what it was, or from another, without reading it: its number, size and times. False where
 * there is no file, or it was changed so shortly ago that another change could not be told from that. */
typedef struct CgFileMark {
    uint64_t device, number, bytes;
    int64_t modified, changed; /* nanoseconds since 1970 */
} CgFileMark;
CG_NODISCARD bool cg_io_mark(const char *path, CgFileMark *out);
/* Temporary sibling, write, fsync, rename, fsync of the folder: the old file or the new one, never a mixture. A device,
 * a pipe that somebody reads and /dev/stdout are written to as they are. */
typedef struct CgOut CgOut;
CG_NODISCARD CgOut *cg_io_create(const char *path, CgErr *e);
CG_NODISCARD bool cg_io_put(CgOut *o, const void *bytes, size_t n, CgErr *e);
CG_NODISCARD bool cg_io_commit(CgOut *o, CgErr *e); /* o is gone either way */
void cg_io_abandon(CgOut *o);
CG_NODISCARD bool cg_io_write(const char *path, const void *bytes, size_t n, CgErr *e); /* the three above in one */
CG_NODISCARD bool cg_io_mkdirs(const char *path, CgErr *e);
char *cg_io_real(const char *path); /* absolute, links resolved, malloc'd; NULL if there is no such file */
/* The same of a file that need not be there: where cg_io_create would put it, also through links to nothing. */
char *cg_io_target(const char *path);
bool cg_io_exists(const char *path);
bool cg_io_stat(const char *path, uint64_t *bytes, int64_t *modified /* seconds since 1970 */);
bool cg_io_is_dir(const char *path);
bool cg_io_is_file(const char *path); /* neither a folder nor a pipe or a device */
CG_NODISCARD bool cg_io_rename(const char *from, const char *to, CgErr *e);
CG_NODISCARD bool cg_io_remove(const char *path, CgErr *e); /* a file, or a folder that is empty */
/* One process at a time: the holder of a lock on the file `path` (made if need be, removed by cg_io_unlock). While
 * another process holds it, `waiting` is called ten times a second with the number of the call, from 0; when it returns
 * false the wait ends with CG_ERR_INTERRUPTED. A process that dies lets go. */
typedef struct CgLock CgLock;
typedef bool CgWaitFn(void *arg, int call);
CG_NODISCARD CgLock *cg_io_lock(const char *path, CgWaitFn *waiting, void *arg, CgErr *e);
void cg_io_unlock(CgLock *l);
bool cg_io_lock_alone(
    const CgLock *l); /* files cannot be locked here: others are refused, and who dies must be tidied up after */
/* Removes what writers that died in the middle left in a folder; gives how many files that were. A folder is swept
 * before a process writes to it for the first time. */
int cg_io_sweep(const char *folder);
void cg_io_sweep_once(const char *folder); /* the first time in this process */
typedef struct CgPaths {
    char **at;
    size_t len;
} CgPaths;
void cg_paths_free(CgPaths *p);
CG_NODISCARD bool cg_io_names(
    const char *folder, CgPaths *out, CgErr *e);                    /* in a folder, hidden ones too, but . and .. */
char *cg_io_joined(const char *folder, const char *name, size_t n); /* folder/name; n: bytes of name */
/* What tells a file or folder from another one, whatever links lead there; false: it is not there. */
typedef struct CgPlace {
    uint64_t device, number;
} CgPlace;
CG_NODISCARD bool cg_io_place(const char *path, CgPlace *out);

/* ---- globs (glob.c) ---- */

/* A file, a folder (all regular files below it, recursively, hidden ones left out) or a glob with * ? [..] and **;
 * sorted by bytes. No match is an error that names the pattern. */
CG_NODISCARD bool cg_io_glob(const char *pattern, CgPaths *out, CgErr *e);
CG_NODISCARD bool cg_io_files(const char *folder, CgPaths *out, CgErr *e); /* below a folder; none is fine */
#endif
