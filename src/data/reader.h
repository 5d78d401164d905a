/* reader.h - formats of text and records: what a corpus or a set of examples is read from.
 * Takes files; gives text, or records of named fields. One file a format, which ends in its entry, CG_READER. */
#ifndef CG_READER_H
#define CG_READER_H
#include "base/io.h"
#include "data/text.h"

/* value[i] is field i of the record on `line`, borrowed; a number is as it was written, a list is JSON. False stops the
 * reading: with an error in e, or because nothing more is wanted. */
typedef bool CgRecordFn(void *arg, uint32_t line, const CgText *value, CgErr *e);

typedef struct CgFields {
    const char *const *name;
    int n;
    uint32_t before; /* lines of the file that stand before the text */
} CgFields;

/* One of the three functions says what kind of format it is. Names in messages are `path`. */
typedef struct CgReader {
    const char *name, *doc;
    const char *const *endings; /* of names of files; ends with NULL */
    /* Packed bytes: what they hold is read by the rest of the file's name. */
    bool (*unpack)(const char *path, const CgBytes *packed, CgBytes *out, CgErr *e);
    /* Records: calls `each` for every one, in order. A record without a field asked for is an error. */
    bool (*records)(const char *path, CgText text, CgFields fields, CgRecordFn *each, void *arg, CgErr *e);
    bool by_line; /* a record is a line: a file can be read in pieces that end with lines */
    /* One text: where it is among the bytes, which may be changed for others (`bytes` is then released and set). */
    bool (*text)(const char *path, CgBytes *bytes, CgText *out, CgErr *e);
} CgReader;

/* The last line of the file of a format. */
#define CG_READER(reader, ...)                \
    extern const CgReader cg_reader_##reader; \
    const CgReader cg_reader_##reader = { .name = #reader, __VA_ARGS__ };

/* A file in memory, unpacked. *how reads it: a format of records or text; text when the name says nothing. NULL when
 * the file cannot be read, or is packed in a way that is not known here (e->text is empty for a file met in a folder:
 * `named` is false, and it is passed over). */
CG_NODISCARD const CgReader *cg_reader_open(const char *path, bool named, CgBytes *out, CgErr *e);
const CgReader *cg_reader_at(size_t i); /* NULL past the last */
/* The same by the file's name alone; NULL where it is packed. */
const CgReader *cg_reader_of(const char *path);
/* "this record has no field 'x'" at path:line, with what it has, by name. Always false. */
bool cg_reader_no_field(const char *path, uint32_t line, const char *field, const char *const *has, size_t n, CgErr *e);
#endif
