/* examples.c - rows made of the fields of records.
 * Takes files; gives a dataset in memory. Must not keep a record: its row is all that is left of it. */
#include "data/examples.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/intern.h"
#include "base/strbuf.h"
#include "base/vec.h"
#include "data/reader.h"
#include "data/rows.h"

typedef struct Loading {
    const CgExamples *of;
    CgDataset *rows;
    CG_VEC(const char *) columns; /* of a record that some field asks for */
    const char *source;
    CgExamplesLost lost;
    int64_t records;
    CgTokens ids;
    CgStrbuf text;
} Loading;

/* ---- texts with $names ---------------------------------------------------------------------------------- */

/* The next piece of a text: a literal, or the name of a field. False at its end. */
typedef struct Fragment {
    const char *at;
    size_t len;
    bool name;
} Fragment;

static bool is_word(char c) { return isalnum((unsigned char)c) || c == '_'; }

static bool next_fragment(const char **at, Fragment *out)
{
    const char *p = *at;
    if (!*p)
        return false;
    if (*p != '$') {
        size_t n = strcspn(p, "$");
        *out = (Fragment){ p, n, false };
        *at = p + n;
        return true;
    }
    if (p[1] == '{') {
        size_t n = strcspn(p + 2, "}");
        *out = (Fragment){ p + 2, n, true };
        *at = p + 2 + n + (p[2 + n] == '}');
        return true;
    }
    size_t n = 0;
    while (is_word(p[1 + n]))
        n++;
    *out = n ? (Fragment){ p + 1, n, true } : (Fragment){ p, 1, false };
    *at = p + 1 + (n ? n : p[1] == '$');
    return true;
}

bool cg_example_template_ok(const char *text, CgErr *e)
{
    for (const char *p = text; (p = strchr(p, '$')); p += p[1] == '$' ? 2 : 1) {
        const char *closing = p[1] == '{' ? strchr(p, '}') : NULL;
        if (p[1] == '$' || is_word(p[1]) || (closing && closing > p + 2))
            continue;
        cg_err(e, CG_ERR_INPUT, "'$' in a text is followed by the name of a field: $name or ${name}");
        cg_err_hint(e, "write $$ for a dollar");
        return false;
    }
    return true;
}

static void add_column(Loading *l, const char *name)
{
    for (size_t i = 0; i < l->columns.len; i++)
        if (!strcmp(l->columns.at[i], name))
            return;
    cg_vec_push(&l->columns, name);
}

static void add_template(Loading *l, const char *text)
{
    Fragment p;
    for (const char *at = text; at && next_fragment(&at, &p);)
        if (p.name)
            add_column(l, cg_intern_n(p.at, p.len));
}

static const CgText *value_of(const Loading *l, const CgText *value, const char *name, size_t len)
{
    for (size_t i = 0; i < l->columns.len; i++)
        if (strlen(l->columns.at[i]) == len && !memcmp(l->columns.at[i], name, len))
            return &value[i];
    CG_BUG("a field that nobody asked for");
}

/* ---- the fields of a row -------------------------------------------------------------------------------- */

static const char *with_ending(const char *name, const char *ending)
{
    CgStrbuf b = { 0 };
    cg_strbuf_printf(&b, "%s%s", name, ending);
    const char *interned = cg_intern(cg_strbuf_str(&b));
    cg_strbuf_deinit(&b);
    return interned;
}

int cg_example_fields(const CgExampleField *f, CgField out[CG_EXAMPLE_FIELDS])
{
    if (f->tokens) {
        CgField tokens = { .name = f->name, .dtype = CG_I32, .rank = 1, .dim = { f->length }, .below = f->vocabulary };
        int n = 0;
        tokens.mask = f->answer ? 2 : 1;
        out[n++] = tokens;
        tokens.mask = 1;
        if (f->answer) {
            tokens.name = with_ending(f->name, "_next");
            out[n++] = tokens;
        }
        out[n++] = (CgField){ .name = with_ending(f->name, "_mask"), .dtype = CG_F32, .rank = 1, .dim = { f->length } };
        return n;
    }
    if (f->nclasses) {
        out[0] = (CgField){ .name = f->name, .dtype = CG_I32, .below = f->nclasses };
        return 1;
    }
    out[0] = (CgField){ .name = f->name, .dtype = f->dtype, .below = f->below };
    if (f->size)
        out[0].dim[out[0].rank++] = f->size;
    else if (f->ncolumns > 1)
        out[0].dim[out[0].rank++] = f->ncolumns;
    return 1;
}

static void encode(Loading *l, const CgTokenizer *t, const char *text, const CgText *value)
{
    Fragment p;
    l->text.len = 0;
    for (const char *at = text; next_fragment(&at, &p);) {
        CgText v = p.name ? *value_of(l, value, p.at, p.len) : (CgText){ p.at, p.len };
        cg_strbuf_write(&l->text, v.at, v.len);
    }
    cg_tokenizer_encode(t, cg_strbuf_str(&l->text), l->text.len, &l->ids);
}

typedef enum Fit { FITS, DROPPED, WRONG } Fit;

static Fit too_long(Loading *l, const CgExampleField *f, uint32_t line, size_t tokens, size_t question, CgErr *e)
{
    bool empty = f->answer && question > (size_t)f->length; /* of a row whose answer is cut away nothing counts */
    if (f->too_long == CG_TOO_LONG_DROP)
        return DROPPED;
    if (f->too_long == CG_TOO_LONG_CUT && !empty) {
        l->lost.cut++;
        return FITS;
    }
    cg_err(e, CG_ERR_INPUT, "%s:%u: '%s' has %zu tokens, its length is %lld%s", l->source, line, f->name, tokens,
        (long long)f->length, f->too_long == CG_TOO_LONG_CUT ? ", and nothing is left of its answer" : "");
    cg_err_hint(e,
        f->too_long == CG_TOO_LONG_CUT ? "a greater length, or too_long = \"drop\""
                                       : "a greater length, or too_long = \"cut\" or \"drop\"");
    return WRONG;
}

static Fit put_tokens(
    Loading *l, const CgExampleField *f, uint32_t line, const CgText *value, void *const *out, CgErr *e)
{
    const CgTokenizer *t = f->tokenizer;
    size_t length = (size_t)f->length, shift = f->answer ? 1 : 0;
    l->ids.len = 0;
    cg_tokenizer_begin(t, &l->ids);
    encode(l, t, f->text, value);
    size_t question = l->ids.len;
    if (f->answer)
        encode(l, t, f->answer, value);
    if (f->end)
        cg_vec_push(&l->ids, t->end);
    size_t n = l->ids.len;
    Fit fit = n > length + shift ? too_long(l, f, line, n, question, e) : FITS;
    if (fit != FITS)
        return fit;
    int32_t *tokens = out[0], *next = f->answer ? out[1] : NULL;
    float *mask = out[1 + shift];
    for (size_t i = 0; i < length; i++) {
        tokens[i] = i < n ? l->ids.at[i] : t->end;
        if (next)
            next[i] = i + 1 < n ? l->ids.at[i + 1] : t->end;
        mask[i] = f->answer ? i + 1 < n && i + 1 >= question : i < n;
    }
    return FITS;
}

static bool put_number(const Loading *l, const CgExampleField *f, uint32_t line, const char *name, CgText text,
    int64_t at, void *out, CgErr *e)
{
    double x;
    int shown = (int)(text.len < 40 ? text.len : 40);
    if (text.len == 4 && !memcmp(text.at, "true", 4))
        x = 1;
    else if (text.len == 5 && !memcmp(text.at, "false", 5))
        x = 0;
    else if (!cg_text_number(text, &x)) {
        cg_err(e, CG_ERR_INPUT, "%s:%u: '%s' is '%.*s', no number", l->source, line, name, shown, text.at);
        if (text.len)
            cg_err_hint(e,
                "words of a few kinds are numbered by field(\"%s\", classes = [..]), texts are read by "
                "field(\"%s\", tok, length = ..)",
                name, name);
        return false;
    }
    bool whole = f->dtype == CG_I32 || f->dtype == CG_I64;
    if (cg_text_is_beyond(text, f->dtype == CG_F32 ? (double)(float)x : x))
        return cg_err(e, CG_ERR_INPUT, "%s:%u: '%s' is '%.*s', no number that %s has", l->source, line, name, shown,
            text.at, cg_dtype_name(f->dtype));
    if (!cg_text_is_exact(text, f->dtype == CG_F32 ? (double)(float)x : x)) {
        cg_err(e, CG_ERR_INPUT, "%s:%u: '%s' is '%.*s', which has no exact place among numbers of type %s", l->source,
            line, name, shown, text.at, cg_dtype_name(f->dtype));
        cg_err_hint(e, "numbers with a point are rounded; integers are exact to 2^24 as f32, to 2^53 as f64 and i64");
        return false;
    }
    if (f->dtype == CG_BOOL && x != 0 && x != 1)
        return cg_err(
            e, CG_ERR_INPUT, "%s:%u: '%s' is '%.*s', neither true nor false", l->source, line, name, shown, text.at);
    if (whole && (x != floor(x) || fabs(x) > (f->dtype == CG_I32 ? 2147483647.0 : 9007199254740992.0)))
        return cg_err(
            e, CG_ERR_INPUT, "%s:%u: '%s' is '%.*s', no integer that fits", l->source, line, name, shown, text.at);
    if (whole && f->below && (x < 0 || x >= (double)f->below))
        return cg_err(e, CG_ERR_INPUT, "%s:%u: '%s' is %.*s, which is not below %lld", l->source, line, name, shown,
            text.at, (long long)f->below);
    switch (f->dtype) {
    case CG_I32: ((int32_t *)out)[at] = (int32_t)x; break;
    case CG_I64: ((int64_t *)out)[at] = (int64_t)x; break;
    case CG_F64: ((double *)out)[at] = x; break;
    case CG_BOOL: ((uint8_t *)out)[at] = x != 0; break;
    default: ((float *)out)[at] = (float)x;
    }
    return true;
}

/* "[1, 2.5]": exactly `size` numbers. */
static bool put_list(const Loading *l, const CgExampleField *f, uint32_t line, CgText text, void *out, CgErr *e)
{
    int64_t n = 0;
    const char *at = text.at, *end = text.at + text.len;
    bool ok = text.len >= 2 && *at == '[' && end[-1] == ']';
    for (at++, end--; ok && at < end; n++) {
        const char *comma = memchr(at, ',', (size_t)(end - at)), *stop = comma ? comma : end;
        if (n < f->size && !put_number(l, f, line, f->columns[0], (CgText){ at, (size_t)(stop - at) }, n, out, e))
            return false;
        at = stop + 1;
    }
    return (ok && n == f->size)
        || cg_err(e, CG_ERR_INPUT, "%s:%u: '%s' is no list of %lld numbers", l->source, line, f->columns[0],
            (long long)f->size);
}

static bool put_class(const Loading *l, const CgExampleField *f, uint32_t line, CgText text, void *out, CgErr *e)
{
    for (int i = 0; i < f->nclasses; i++)
        if (strlen(f->classes[i]) == text.len && !memcmp(f->classes[i], text.at, text.len)) {
            *(int32_t *)out = i;
            return true;
        }
    CgStrbuf all = { 0 };
    for (int i = 0; i < f->nclasses && all.len < 200; i++)
        cg_strbuf_printf(&all, "%s%s", i ? ", " : "", f->classes[i]);
    cg_err(e, CG_ERR_INPUT, "%s:%u: '%s' is '%.*s', which is none of its %d classes", l->source, line, f->columns[0],
        (int)(text.len < 40 ? text.len : 40), text.at, f->nclasses);
    cg_err_hint(e, "they are %s", cg_strbuf_str(&all));
    cg_strbuf_deinit(&all);
    return false;
}

static Fit put_field(
    Loading *l, const CgExampleField *f, uint32_t line, const CgText *value, void *const *out, CgErr *e)
{
    if (f->tokens)
        return put_tokens(l, f, line, value, out, e);
    bool ok = true;
    for (int i = 0; ok && i < f->ncolumns; i++) {
        CgText v = *value_of(l, value, f->columns[i], strlen(f->columns[i]));
        ok = f->nclasses ? put_class(l, f, line, v, out[0], e)
            : f->size    ? put_list(l, f, line, v, out[0], e)
                         : put_number(l, f, line, f->columns[i], v, i, out[0], e);
    }
    return ok ? FITS : WRONG;
}

/* What the row is made from: the text of a document of a corpus with these fields, so that both have one split however
 * they are encoded. */
static CgText text_of(Loading *l, const CgText *value)
{
    l->text.len = 0;
    for (size_t i = 0; i < l->columns.len; i++) {
        if (i)
            cg_strbuf_putc(&l->text, '\n');
        cg_strbuf_write(&l->text, value[i].at, value[i].len);
    }
    return (CgText){ cg_strbuf_str(&l->text), l->text.len };
}

static bool add_row(void *arg, uint32_t line, const CgText *value, CgErr *e)
{
    Loading *l = arg;
    if (l->of->limit && l->records == l->of->limit)
        return false;
    l->records++;
    CgText text = text_of(l, value);
    void **out = cg_rows_add(l->rows, (CgOrigin){ l->source, line, 0 }, cg_split_hash(text.at, text.len));
    cg_rows_text(l->rows, text);
    int at = 0;
    for (int f = 0; f < l->of->n; f++) {
        CgField made[CG_EXAMPLE_FIELDS];
        Fit fit = put_field(l, &l->of->field[f], line, value, out + at, e);
        if (fit == WRONG)
            return false;
        if (fit == DROPPED) {
            cg_rows_drop(l->rows);
            l->lost.dropped++;
            return true;
        }
        at += cg_example_fields(&l->of->field[f], made);
    }
    return true;
}

/* ---- reading ------------------------------------------------------------------------------------------- */

static bool read_records(Loading *l, const char *pattern, CgErr *e)
{
    CgPaths paths = { 0 };
    if (!cg_io_glob(pattern, &paths, e))
        return false;
    CgFields fields = { l->columns.at, (int)l->columns.len, 0 };
    for (size_t i = 0; i < paths.len && !e->text[0]; i++) {
        CgBytes bytes;
        const char *path = paths.at[i];
        const CgReader *how = cg_reader_open(path, true, &bytes, e);
        l->source = cg_intern(path);
        if (how && !how->records) {
            cg_err(e, CG_ERR_INPUT, "'%s' holds no records with fields", path);
            cg_err_hint(e, "examples are read from .jsonl and .csv, or from files of lines: { name: \"file.txt\" }");
        } else if (how && !how->records(path, (CgText){ bytes.at, bytes.len }, fields, add_row, l, e)) {
            i = paths.len; /* enough, or a mistake */
        }
        cg_io_release(&bytes);
    }
    cg_paths_free(&paths);
    return !e->text[0];
}

/* The lines of several files, side by side. */
static bool read_lines(Loading *l, CgErr *e)
{
    int n = l->of->npaths;
    CgBytes *bytes = cg_calloc((size_t)n + 1, sizeof *bytes);
    CgText *rest = cg_calloc((size_t)n + 1, sizeof *rest), *value = cg_calloc(l->columns.len + 1, sizeof *value);
    bool ok = true, more = true;
    for (int i = 0; ok && i < n; i++) {
        const CgReader *how = cg_reader_open(l->of->path[i], true, &bytes[i], e);
        ok = how
            && (how->text ? how->text(l->of->path[i], &bytes[i], &rest[i], e)
                          : cg_err(e, CG_ERR_INPUT, "'%s' is no file of lines", l->of->path[i]));
    }
    l->source = cg_intern(n ? l->of->path[0] : "");
    for (uint32_t line = 1; ok && more; line++) {
        int ended = 0;
        for (int i = 0; i < n; i++) {
            ended += rest[i].len == 0;
            const char *stop = rest[i].len ? memchr(rest[i].at, '\n', rest[i].len) : NULL;
            CgText v = { rest[i].at, stop ? (size_t)(stop - rest[i].at) : rest[i].len };
            rest[i].at += v.len + (stop != NULL);
            rest[i].len -= v.len + (stop != NULL);
            v.len -= v.len && v.at[v.len - 1] == '\r';
            for (size_t k = 0; k < l->columns.len; k++)
                if (!strcmp(l->columns.at[k], l->of->column[i]))
                    value[k] = v;
        }
        if (ended && ended < n)
            ok = cg_err(e, CG_ERR_INPUT,
                "'%s' and the files beside it do not have as many lines: one ends before line %u", l->of->path[0],
                line);
        more = ok && !ended && add_row(l, line, value, e);
        ok = ok && !e->text[0];
    }
    for (int i = 0; i < n; i++)
        cg_io_release(&bytes[i]);
    free(bytes);
    free(rest);
    free(value);
    return ok;
}

typedef struct Documents {
    Loading *l;
    const CgCorpus *component;
    CgFields fields;
    CgText *value;
} Documents;

static bool add_document(void *arg, const CgDoc *doc, CgErr *e)
{
    static const char *const has[] = { "text" };
    Documents *d = arg;
    const char *path = d->l->source = cg_intern(cg_corpus_file(d->component, doc->file));
    CgText text = doc->text;
    if (cg_corpus_of_records(d->component)) {
        CgFields fields = d->fields;
        fields.before = doc->line - 1;
        bool whole = !doc->joins && text.len && text.at[text.len - 1] == '\n'; /* the last one is cut off at the size */
        return !whole || cg_reader_of("records.jsonl")->records(path, text, fields, add_row, d->l, e);
    }
    for (int i = 0; i < d->fields.n; i++) {
        if (strcmp(d->fields.name[i], has[0]) != 0)
            return cg_reader_no_field(path, doc->line, d->fields.name[i], has, 1, e);
        d->value[i] = text;
    }
    return add_row(d->l, doc->line, d->value, e);
}

/* The documents of a corpus; of a mixture, those of its parts. */
static bool read_documents(Loading *l, const CgCorpus *c, CgErr *e)
{
    bool ok = true;
    CgText *value = cg_calloc(l->columns.len + 1, sizeof *value);
    for (int i = 0; ok && i < cg_corpus_nparts(c); i++) {
        Documents d = { l, cg_corpus_component(c, i), { l->columns.at, (int)l->columns.len, 0 }, value };
        ok = cg_corpus_random_tokens(d.component) || cg_corpus_shuffled(d.component, &(uint64_t){ 0 })
            ? cg_err(e, CG_ERR_INPUT, "'%s' is of tokens, which are no documents", cg_corpus_name(c))
            : cg_corpus_walk(d.component, add_document, &d, e) || !e->text[0];
    }
    free(value);
    return ok;
}

/* Names asked for that no file of lines has. */
static bool check_lines(const Loading *l, CgErr *e)
{
    for (size_t k = 0; k < l->columns.len; k++) {
        bool known = false;
        for (int i = 0; i < l->of->npaths; i++)
            known |= !strcmp(l->columns.at[k], l->of->column[i]);
        if (!known)
            return cg_err(e, CG_ERR_INPUT, "no file is given for '%s'", l->columns.at[k]);
    }
    return true;
}

CgDataset *cg_examples_load(const CgExamples *of, CgExamplesLost *what, CgErr *e)
{
    Loading l = { .of = of };
    CgField *field = cg_calloc((size_t)(of->n * CG_EXAMPLE_FIELDS) + 1, sizeof *field);
    int n = 0;
    for (int f = 0; f < of->n; f++) {
        n += cg_example_fields(&of->field[f], field + n);
        add_template(&l, of->field[f].text);
        add_template(&l, of->field[f].answer);
        for (int i = 0; i < of->field[f].ncolumns; i++)
            add_column(&l, of->field[f].columns[i]);
    }
    l.rows = cg_rows_new(field, n, false);
    bool ok = true;
    if (of->corpus)
        ok = read_documents(&l, of->corpus, e);
    else if (of->column)
        ok = check_lines(&l, e) && read_lines(&l, e);
    for (int i = 0; ok && !of->column && i < of->npaths; i++)
        ok = read_records(&l, of->path[i], e);
    if (ok && !l.rows->rows)
        ok = cg_err(e, CG_ERR_INPUT,
            l.lost.dropped ? "all %lld examples are too long and were dropped" : "there are no examples",
            (long long)l.lost.dropped);
    for (int f = 0, k = 0; f < of->n; f++) {
        int made = cg_example_fields(&of->field[f], field + k);
        for (int i = 0; i < made; i++, k++)
            l.rows->tokenizer[k] = of->field[f].tokens && field[k].dtype == CG_I32 ? of->field[f].tokenizer : NULL;
    }
    cg_rows_done(l.rows);
    *what = l.lost;
    free(field);
    cg_vec_free(&l.columns);
    cg_vec_free(&l.ids);
    cg_strbuf_deinit(&l.text);
    if (ok)
        return l.rows;
    cg_dataset_free(l.rows);
    return NULL;
}
