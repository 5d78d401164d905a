/* reader.h - formats of text and records: what a corpus or a set of examples is read from.
 * Takes files; gives text, or records of named fields. One file a format, which ends in its entry, CG_READER. */
#ifndef CG_DATA_READER_H
#define CG_DATA_READER_H
#include "base/digest.h"
#include "base/io.h"
#include "data/text.h"

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
/* Those of a plugin, whose file has the digest `origin`: all of them or none. While nothing is read. */
CG_NODISCARD bool cg_readers_add(const CgReaderSet *set, CgDigest origin, CgErr *e);
CgDigest cg_reader_origin(const CgReader *r); /* of the plugin it is from; zero for what is built in */
#endif
