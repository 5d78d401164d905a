/* json.h - strings in JSON.
 * Takes any bytes; gives a string that every reader of JSON accepts. */
#ifndef CG_REPORT_JSON_H
#define CG_REPORT_JSON_H
#include "base/strbuf.h"

void cg_json_string(CgStrbuf *out, const char *text);
#endif
