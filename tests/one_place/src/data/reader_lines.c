/* reader_lines.c - a record a line, which has one field.
 * Takes text; gives `line` of each. */
#include "data/reader.h"

static bool records(const char *path, CgText text, CgFields fields, CgRecordFn *each, void *arg, CgErr *e)
{
    static const char *const has[] = { "line" };
    CgText value[8];
    uint32_t line = 1;
    for (int f = 0; f < fields.n; f++)
        if (f >= 8 || strcmp(fields.name[f], has[0]) != 0)
            return cg_reader_no_field(path, line, fields.name[f], has, 1, e);
    for (size_t from = 0, to; from < text.len; from = to + 1, line++) {
        for (to = from; to < text.len && text.at[to] != '\n';)
            to++;
        for (int f = 0; f < fields.n; f++)
            value[f] = (CgText){ text.at + from, to - from };
        if (!each(arg, line, value, e))
            return !e->text[0];
    }
    return true;
}

CG_READER(lines, .endings = (const char *const[]){ ".lines", NULL }, .doc = "a record a line", .records = records)
