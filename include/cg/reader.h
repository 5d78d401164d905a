/* reader.h - what a format of text or records is.
 * Takes bytes of a file; gives its text, or records of named fields: what a corpus, examples and tables are read from.
 */
#ifndef CG_READER_H
#define CG_READER_H

#include <cg/op.h>

#ifdef __cplusplus
extern "C" {
#endif

struct CgErr;   /* why something failed */
struct CgBytes; /* of a file */

/* A stretch of bytes that belongs to somebody else; no NUL ends it. */
typedef struct CgText {
    const char *at;
    size_t len;
} CgText;

/* value[i] is field i of the record on `line`, borrowed; a number is as it was written, a list is JSON. False stops the
 * reading: with an error in e, or because nothing more is wanted. */
typedef bool CgRecordFn(void *arg, uint32_t line, const CgText *value, struct CgErr *e);

typedef struct CgFields {
    const char *const *name;
    int n;
    uint32_t before; /* lines of the file that stand before the text */
} CgFields;

/* One of the three functions says what kind of format it is. Names in messages are `path`. They may run in any thread,
 * several at once; any bytes may be given to them. */
typedef struct CgReader {
    const char *name, *doc;
    const char *const *endings; /* of names of files, ".csv"; ends with NULL */
    /* Packed bytes: what they hold is read by the rest of the file's name. Not in a plugin. */
    bool (*unpack)(const char *path, const struct CgBytes *packed, struct CgBytes *out, struct CgErr *e);
    /* Records: calls `each` for every one, in order, until it gives false. A record without a field asked for is an
     * error. False after an error, or when `each` gave false. */
    bool (*records)(const char *path, CgText text, CgFields fields, CgRecordFn *each, void *arg, struct CgErr *e);
    bool by_line; /* a record is a line: a file can be read in pieces that end with lines */
    /* One text: where it is among the bytes, which may be changed for others (`bytes` is then released and set). Not in
     * a plugin. */
    bool (*text)(const char *path, struct CgBytes *bytes, CgText *out, struct CgErr *e);
} CgReader;

/* "PATH:LINE: ...". Always false, so that `return cg_reader_refuse(...)` reads well. An error already there is kept. */
CG_API bool cg_reader_refuse(struct CgErr *e, const char *path, uint32_t line, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* "this record has no field 'x'" at path:line, with what it has, by name. Always false. */
CG_API bool cg_reader_no_field(
    const char *path, uint32_t line, const char *field, const char *const *has, size_t n, struct CgErr *e);

typedef struct CgReaderSet {
    int abi;            /* CG_ABI */
    size_t reader_size; /* sizeof(CgReader) */
    const char *name;
    const CgReader *const *readers; /* ends with NULL */
} CgReaderSet;

/* The last line of a plugin with readers: CG_READERS(set, &a, &b). */
#ifdef CG_PLUGIN
    #define CG_READERS(set, ...)                                                \
        static const CgReader *const cg_readers_list[] = { __VA_ARGS__, NULL }; \
        CG_API const CgReaderSet cg_plugin_readers = { CG_ABI, sizeof(CgReader), #set, cg_readers_list };
#endif

#ifdef __cplusplus
}
#endif
#endif
