/* json.h - JSON in both directions.
 * Takes any bytes; gives a string that every reader of JSON accepts, or a value, on jansson. */
#ifndef CG_REPORT_JSON_H
#define CG_REPORT_JSON_H
#include <jansson.h>

#include "base/err.h"
#include "base/strbuf.h"

void cg_json_string(CgStrbuf *out, const char *text);
/* json_loadb, whose allocations fail when ours do. */
json_t *cg_json_load(const char *bytes, size_t n, size_t flags, json_error_t *why);
/* Why there is no value: memory, or what `format` says of the data. Always false. */
bool cg_json_fault(CgErr *e, const char *path, const json_error_t *why, const char *format, ...) CG_PRINTF(4, 5);
#endif
