/* json.h - JSON in both directions.
 * Takes any bytes; gives a string that every reader of JSON accepts, or a value, on jansson. */
#ifndef CG_REPORT_JSON_H
#define CG_REPORT_JSON_H
#include <jansson.h>

#include "base/strbuf.h"

void cg_json_string(CgStrbuf *out, const char *text);
/* json_loadb, which names a byte order mark. Jansson does not look at every allocation of its own: from here on they
 * are ours, and the program ends where there is no memory. */
json_t *cg_json_load(const char *bytes, size_t n, size_t flags, json_error_t *why);
#endif
