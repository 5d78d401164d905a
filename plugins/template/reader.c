/* myname.c - a starting point, to be replaced. The format here is a list: a line is `key: text`, and a record has the
 * fields `key` and `text`. Empty lines are passed over. */
#include <cg/reader.h>

#include <string.h>

static const char *const fields_there_are[] = { "key", "text" };

/* The bytes may be anything, and end anywhere: nothing behind text.len is there. */
static bool records(const char *path, CgText text, CgFields fields, CgRecordFn *each, void *arg, struct CgErr *e)
{
    uint32_t line = fields.before;
    for (size_t at = 0; at < text.len;) {
        const char *from = text.at + at, *end = memchr(from, '\n', text.len - at);
        size_t n = end ? (size_t)(end - from) : text.len - at;
        at += n + 1;
        line++;
        if (n == 0)
            continue;
        const char *colon = memchr(from, ':', n);
        if (!colon)
            return cg_reader_refuse(e, path, line, "a line is `key: text`");
        CgText part[2] = { { from, (size_t)(colon - from) }, { colon + 1, n - (size_t)(colon - from) - 1 } };
        if (part[1].len && part[1].at[0] == ' ') {
            part[1].at++;
            part[1].len--;
        }
        CgText value[2]; /* of the fields that are asked for, each at most once */
        for (int i = 0; i < fields.n; i++) {
            int k = !strcmp(fields.name[i], "key") ? 0 : !strcmp(fields.name[i], "text") ? 1 : -1;
            if (k < 0 || i >= 2)
                return cg_reader_no_field(path, line, fields.name[i], fields_there_are, 2, e);
            value[i] = part[k];
        }
        if (!each(arg, line, value, e))
            return false;
    }
    return true;
}

static const char *const endings[] = { ".myname", NULL };

static const CgReader reader_myname = {
    .name = "myname",
    .doc = "a list: a line is `key: text`",
    .endings = endings,
    .records = records,
    .by_line = true,
};

CG_READERS(myname, &reader_myname)
