/* data_shown.c - what `show` prints of corpora and datasets.
 * Takes them; gives how much there is, of which types, and what the first row holds. Reads one row and no more. */
#include <stdlib.h>
#include <string.h>

#include "library/library.h"
#include "run/tensor.h"

enum { MOST_NUMBERS = 6, MOST_TEXT = 60 }; /* of a field of the first row */

/* The text that tokens stand for, in quotes: its beginning, without what fills it up. */
static void print_tokens(const CgTokenizer *t, const int32_t *ids, int64_t n, CgStrbuf *out)
{
    CgStrbuf text = { 0 };
    while (n > 0 && ids[n - 1] == t->end)
        n--;
    cg_tokenizer_decode(t, ids, (size_t)n, CG_PLAIN, &text);
    size_t shown = text.len < MOST_TEXT ? text.len : MOST_TEXT;
    while (shown < text.len && shown > 0 && ((unsigned char)cg_strbuf_str(&text)[shown] & 0xC0) == 0x80)
        shown--; /* between characters */
    char *begin = cg_strdup(cg_strbuf_str(&text));
    begin[shown] = 0;
    cg_string_print(begin, out);
    cg_strbuf_puts(out, shown < text.len ? " .." : "");
    free(begin);
    cg_strbuf_deinit(&text);
}

static void print_numbers(const CgField *f, void *row, CgStrbuf *out)
{
    CgTensor t = { .dtype = f->dtype, .rank = f->rank, .data = row };
    int64_t n = cg_field_count(f);
    for (int64_t i = f->rank - 1, step = 1; i >= 0; step *= f->dim[i--]) {
        t.dim[i] = f->dim[i];
        t.stride[i] = step;
    }
    cg_strbuf_puts(out, f->rank ? "[" : "");
    for (int64_t i = 0; i < n && i < MOST_NUMBERS; i++) {
        cg_strbuf_puts(out, i ? ", " : "");
        cg_tensor_print(&t, i, out);
    }
    cg_strbuf_puts(out, n > MOST_NUMBERS ? ", .." : "");
    cg_strbuf_puts(out, f->rank ? "]" : "");
}

static void print_type(const CgField *f, CgStrbuf *out)
{
    const CgDim *dim[CG_MAX_RANK];
    for (int i = 0; i < f->rank; i++)
        dim[i] = cg_dim_int(f->dim[i]);
    CgType type = cg_type(f->dtype, f->rank, dim);
    cg_type_print(&type, out);
    if (f->below)
        cg_strbuf_printf(out, " below %lld", (long long)f->below);
}

void cg_dataset_shown(const void *held, CgStrbuf *out)
{
    const CgDataset *d = held;
    void **row = cg_calloc((size_t)d->nfields + 1, sizeof *row);
    CgStrbuf *type = cg_calloc((size_t)d->nfields + 1, sizeof *type);
    size_t name = 0, width = 0;
    for (int i = 0; i < d->nfields; i++) {
        row[i] = cg_calloc(cg_field_bytes(&d->field[i]) + 1, 1);
        print_type(&d->field[i], &type[i]);
        name = strlen(d->field[i].name) > name ? strlen(d->field[i].name) : name;
        width = type[i].len > width ? type[i].len : width;
    }
    if (d->rows)
        cg_dataset_read(d, 0, 1, row);
    cg_strbuf_printf(out, "%lld row%s\n", (long long)d->rows, d->rows == 1 ? "" : "s");
    for (int i = 0; i < d->nfields; i++) {
        cg_strbuf_printf(out, "  %-*s  ", (int)name, d->field[i].name);
        cg_strbuf_printf(out, d->rows ? "%-*s  " : "%.*s", (int)width, cg_strbuf_str(&type[i]));
        if (d->rows && d->tokenizer[i])
            print_tokens(d->tokenizer[i], row[i], cg_field_count(&d->field[i]), out);
        else if (d->rows)
            print_numbers(&d->field[i], row[i], out);
        cg_strbuf_putc(out, '\n');
        cg_strbuf_deinit(&type[i]);
        free(row[i]);
    }
    free(type);
    free(row);
}

/* ---- corpora ---------------------------------------------------------------------------------------------------- */

static void print_split(const CgCorpus *c, CgSplit s, CgStrbuf *out)
{
    uint64_t tokens = 0;
    for (int i = 0; i < cg_corpus_nparts(c); i++) {
        const CgRandomTokens *of = cg_corpus_random_tokens(cg_corpus_component(c, i));
        for (int k = CG_TRAIN; of && k < CG_ALL; k++)
            tokens += s == CG_ALL || k == (int)s ? cg_random_tokens_split(of, (CgSplit)k) : 0;
    }
    size_t n = cg_corpus_docs(c, s);
    if (tokens)
        cg_strbuf_printf(out, "%llu tokens%s", (unsigned long long)tokens, n ? ", " : "");
    if (n || !tokens)
        cg_strbuf_printf(
            out, "%zu document%s, %llu bytes", n, n == 1 ? "" : "s", (unsigned long long)cg_corpus_bytes(c, s));
}

void cg_corpus_shown(const void *held, CgStrbuf *out)
{
    static const char *const splits[] = { "train", "valid", "test" };
    cg_strbuf_printf(out, "%s: ", cg_corpus_name(held));
    print_split(held, CG_ALL, out);
    for (int s = CG_TRAIN; s < CG_ALL; s++) {
        cg_strbuf_printf(out, "\n  %-5s  ", splits[s]);
        print_split(held, (CgSplit)s, out);
    }
    cg_strbuf_putc(out, '\n');
}

void cg_split_shown(const void *held, CgStrbuf *out)
{
    const CgCorpusSplit *s = held;
    cg_strbuf_printf(out, "%s: ", cg_corpus_name(s->corpus));
    print_split(s->corpus, s->which, out);
    cg_strbuf_putc(out, '\n');
}
