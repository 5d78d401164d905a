/* gzip.h - gzip and the deflated entries of zip files.
 * Takes packed bytes; gives them unpacked. Must not swell beyond reason, whatever the bytes say. */
#ifndef CG_GZIP_H
#define CG_GZIP_H
#include "base/io.h"

/* `path` is for messages. On success *out is to be freed by cg_io_release. */
CG_NODISCARD bool cg_gzip_unpack(const char *path, const CgBytes *packed, CgBytes *out, CgErr *e);
/* Raw deflate data of a known size: exactly `size` bytes into `to`. */
CG_NODISCARD bool cg_deflate_unpack(const char *path, const char *packed, size_t n, char *to, size_t size, CgErr *e);
#endif
