/* srt.c - subtitles (SubRip): blocks of a number, a line "00:01:02,500 --> 00:01:04,000" and lines of text, divided by
 * empty lines. A record is a block; its fields are number, start, end (seconds), text (its lines with \n between). */
#include <cg/reader.h>

#include <stdio.h>
#include <string.h>

enum { NUMBER, START, END, TEXT, NFIELDS };
static const char *const names[NFIELDS] = { "number", "start", "end", "text" };

typedef struct Input {
    CgText rest;
    uint32_t line;
} Input;

/* The next line, without its end; false at the end of the text. */
static bool next_line(Input *in, CgText *out)
{
    if (!in->rest.len)
        return false;
    const char *end = memchr(in->rest.at, '\n', in->rest.len);
    size_t n = end ? (size_t)(end - in->rest.at) : in->rest.len;
    *out = (CgText){ in->rest.at, n };
    if (n && out->at[n - 1] == '\r')
        out->len--;
    in->rest.at += end ? n + 1 : n;
    in->rest.len -= end ? n + 1 : n;
    in->line++;
    return true;
}

/* Two or three digits at most; -1: something else stands there. */
static int digits(CgText t, size_t at, size_t n)
{
    int value = 0;
    for (size_t i = at; i < at + n; i++) {
        if (i >= t.len || t.at[i] < '0' || t.at[i] > '9')
            return -1;
        value = 10 * value + (t.at[i] - '0');
    }
    return value;
}

/* "00:01:02,500" at byte `at`, as seconds in `out`. */
static bool time_of(CgText t, size_t at, char out[32])
{
    int h = digits(t, at, 2), m = digits(t, at + 3, 2), s = digits(t, at + 6, 2), ms = digits(t, at + 9, 3);
    if (h < 0 || m < 0 || s < 0 || ms < 0 || t.at[at + 2] != ':' || t.at[at + 5] != ':' || t.at[at + 8] != ',')
        return false;
    snprintf(out, 32, "%d.%03d", 3600 * h + 60 * m + s, ms);
    return true;
}

static bool is_number(CgText t)
{
    bool good = t.len > 0 && t.len < 10;
    for (size_t i = 0; good && i < t.len; i++)
        good = t.at[i] >= '0' && t.at[i] <= '9';
    return good;
}

/* The lines up to an empty one are the text, as they lie in the file. */
static CgText text_of(Input *in)
{
    CgText line, out = { in->rest.at, 0 };
    while (next_line(in, &line) && line.len)
        out.len = (size_t)(line.at + line.len - out.at);
    return out;
}

static bool records(const char *path, CgText text, CgFields fields, CgRecordFn *each, void *arg, struct CgErr *e)
{
    Input in = { text, fields.before };
    CgText line, part[NFIELDS], value[NFIELDS];
    char start[32], end[32];
    int field[NFIELDS];
    while (next_line(&in, &line)) {
        uint32_t first = in.line;
        if (!line.len)
            continue;
        if (!is_number(line))
            return cg_reader_refuse(e, path, in.line, "a block of subtitles begins with its number");
        part[NUMBER] = line;
        if (!next_line(&in, &line) || line.len < 29 || !time_of(line, 0, start) || !time_of(line, 17, end)
            || memcmp(line.at + 12, " --> ", 5) != 0)
            return cg_reader_refuse(e, path, in.line, "a line \"00:01:02,500 --> 00:01:04,000\" is missing");
        part[START] = (CgText){ start, strlen(start) };
        part[END] = (CgText){ end, strlen(end) };
        part[TEXT] = text_of(&in);
        for (int i = 0; i < fields.n; i++) {
            int k = 0;
            while (k < NFIELDS && strcmp(fields.name[i], names[k]) != 0)
                k++;
            if (k == NFIELDS || i >= NFIELDS)
                return cg_reader_no_field(path, first, fields.name[i], names, NFIELDS, e);
            field[i] = k;
        }
        for (int i = 0; i < fields.n; i++)
            value[i] = part[field[i]];
        if (!each(arg, first, value, e))
            return false;
    }
    return true;
}

static const char *const endings[] = { ".srt", NULL };

static const CgReader reader_srt = {
    .name = "srt",
    .doc = "subtitles (SubRip): fields number, start, end (seconds), text",
    .endings = endings,
    .records = records,
};

CG_READERS(srt, &reader_srt)
