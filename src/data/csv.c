/* csv.c - rows of cells in text with separators.
 * Takes bytes; gives rows. Must not go past the end whatever the quotes say. */
#include "data/csv.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

void cg_csv_init(CgCsv *c, const char *path, const char *at, size_t len)
{
    *c = (CgCsv){ .path = path, .at = at, .end = at + len, .line = 1, .next = 1, .separator = ',' };
    size_t n = strlen(path);
    if (cg_text_ends(path, n, ".tsv") || cg_text_ends(path, n, ".tsv.gz"))
        c->separator = '\t';
}

void cg_csv_deinit(CgCsv *c)
{
    cg_vec_free(&c->cell);
    cg_strbuf_deinit(&c->plain);
}

/* One cell into c->plain; stands at the separator, the line end or the end afterwards. */
static bool take_cell(CgCsv *c, CgErr *e)
{
    if (c->at == c->end || *c->at != '"') {
        while (c->at < c->end && *c->at != c->separator && *c->at != '\n'
            && !(*c->at == '\r' && c->at + 1 < c->end && c->at[1] == '\n'))
            cg_strbuf_putc(&c->plain, *c->at++);
        return true;
    }
    uint32_t opened = c->next;
    for (c->at++; c->at < c->end; c->at++) {
        if (*c->at == '"' && c->at + 1 < c->end && c->at[1] == '"') {
            c->at++;
        } else if (*c->at == '"') {
            c->at++;
            bool over = c->at == c->end || *c->at == c->separator || *c->at == '\n' || *c->at == '\r';
            return over || cg_err(e, CG_ERR_INPUT, "%s:%u: text after the closing quote of a cell", c->path, c->next);
        }
        c->next += *c->at == '\n';
        cg_strbuf_putc(&c->plain, *c->at);
    }
    return cg_err(e, CG_ERR_INPUT, "%s:%u: the quote that opens here is never closed", c->path, opened);
}

bool cg_csv_row(CgCsv *c, CgErr *e)
{
    CG_VEC(size_t) ends = { 0 };
    bool ok = true, more = true;
    while (c->at < c->end && (*c->at == '\n' || *c->at == '\r'))
        c->next += *c->at++ == '\n';
    c->line = c->next;
    c->plain.len = 0;
    c->cell.len = 0;
    if (c->at == c->end)
        return false;
    while (ok && more) {
        ok = take_cell(c, e);
        cg_vec_push(&ends, c->plain.len);
        more = c->at < c->end && *c->at == c->separator;
        c->at += more;
    }
    size_t from = 0;
    for (size_t i = 0; ok && i < ends.len; from = ends.at[i++])
        cg_vec_push(&c->cell, ((CgText){ cg_strbuf_str(&c->plain) + from, ends.at[i] - from }));
    cg_vec_free(&ends);
    return ok;
}

static CgText without_blanks(CgText t)
{
    while (t.len && (*t.at == ' ' || *t.at == '\t'))
        t.at++, t.len--;
    while (t.len && (t.at[t.len - 1] == ' ' || t.at[t.len - 1] == '\t' || t.at[t.len - 1] == '\r'))
        t.len--;
    return t;
}

bool cg_text_number(CgText t, double *out)
{
    char word[64];
    t = without_blanks(t);
    if (!t.len || t.len >= sizeof word)
        return false;
    memcpy(word, t.at, t.len);
    word[t.len] = 0;
    char *end;
    *out = strtod(word, &end);
    return end == word + t.len && !strpbrk(word, "xXpP");
}

bool cg_text_is_beyond(CgText t, double x)
{
    bool digits = false;
    for (size_t i = 0; i < t.len; i++)
        digits |= t.at[i] >= '0' && t.at[i] <= '9';
    return isinf(x) && digits;
}

bool cg_text_is_exact(CgText t, double x)
{
    char digits[400]; /* of the largest double 309 */
    t = without_blanks(t);
    while (t.len > 1 && (*t.at == '+' || *t.at == '-' || *t.at == '0'))
        t.at++, t.len--;
    for (size_t i = 0; i < t.len; i++)
        if (t.at[i] < '0' || t.at[i] > '9')
            return true;
    int n = snprintf(digits, sizeof digits, "%.0f", fabs(x));
    return n == (int)t.len && !memcmp(digits, t.at, t.len);
}
