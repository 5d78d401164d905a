/* rows.c - rows out of records: what they hold, their splits, and what is made of the rows of others.
 * Takes a folder of its own under TMPDIR; prints TAP. Accuses src/data/{examples,rows,rows_of,dataset}.c. */
#include <stdlib.h>
#include <unistd.h>

#include "base/io.h"
#include "data/examples.h"
#include "data/rows.h"
#include "tap.h"

static char folder[256];

static const char *path(const char *name)
{
    static char at[4][512];
    static int turn;
    turn = (turn + 1) % 4;
    snprintf(at[turn], sizeof at[turn], "%s/%s", folder, name);
    return at[turn];
}

static void write_text(const char *name, const char *text)
{
    CgErr e = { 0 };
    if (!cg_io_write(path(name), text, strlen(text), &e))
        exit(99);
}

static CgDataset *load(const char *name, const CgExampleField *field, int n, CgErr *e)
{
    CgExamplesLost lost;
    const char *pattern = path(name);
    *e = (CgErr){ 0 };
    return cg_examples_load(&(CgExamples){ .path = &pattern, .npaths = 1, .field = field, .n = n }, &lost, e);
}

static void refused(const char *name, CgExampleField field, const char *words)
{
    CgErr e;
    CgDataset *d = load(name, &field, 1, &e);
    if (!tap_ok(!d && strstr(e.text, words), "%s", words))
        printf("# %s\n", d ? "it was accepted" : e.text);
    cg_dataset_free(d);
}

#define NUMBER(column)                                                                     \
    {                                                                                      \
        .name = "x", .columns = (const char *[]){ column }, .ncolumns = 1, .dtype = CG_F32 \
    }

static void records(const CgTokenizer *t)
{
    CgErr e;
    write_text("qa.jsonl",
        "{\"q\": \"2+2\", \"a\": \"4\", \"v\": [1, 2.5], \"n\": 3, \"ok\": true}\n"
        "{\"q\": \"10-7\", \"a\": \"3$\", \"v\": [-1, 0], \"n\": 4, \"ok\": false}\n");
    CgExampleField fields[] = {
        { .name = "text",
            .tokens = true,
            .end = true,
            .tokenizer = t,
            .vocabulary = 256,
            .text = "$q=",
            .answer = "${a}",
            .length = 8 },
        { .name = "price",
            .tokens = true,
            .tokenizer = t,
            .vocabulary = 256,
            .text = "$$$a",
            .length = 4,
            .too_long = CG_TOO_LONG_CUT,
            .end = true },
        { .name = "v", .columns = (const char *[]){ "v" }, .ncolumns = 1, .size = 2, .dtype = CG_F32 },
        { .name = "both", .columns = (const char *[]){ "n", "ok" }, .ncolumns = 2, .dtype = CG_I32, .below = 5 },
        { .name = "class",
            .columns = (const char *[]){ "a" },
            .ncolumns = 1,
            .classes = (const char *[]){ "4", "3$" },
            .nclasses = 2 },
    };
    CgDataset *d = load("qa.jsonl", fields, 5, &e);
    if (!tap_ok(d && d->rows == 2 && d->nfields == 8, "two rows of five fields, which are eight: %s", e.text))
        return;
    int32_t text[16], next[16], price[8], both[4], class[2];
    float mask[16], price_mask[8], v[4];
    void *out[] = { text, next, mask, price, price_mask, v, both, class };
    tap_ok(cg_dataset_read(d, 0, 7, out) == 2, "there are two to be read");
    static const float answer0[8] = { 0, 0, 0, 1, 1 }, answer1[8] = { 0, 0, 0, 0, 1, 1, 1 };
    tap_ok(!memcmp(mask, answer0, sizeof answer0) && !memcmp(mask + 8, answer1, sizeof answer1),
        "the mask is of the answer and its end");
    tap_ok(text[0] == '2' && text[3] == '=' && next[3] == '4' && next[4] == 0 && text[4] == '4' && text[5] == 0,
        "the answer follows the text");
    tap_ok(price[0] == '$' && price[1] == '4' && price[2] == 0 && price_mask[2] == 1 && price_mask[3] == 0
            && price[6] == '$',
        "$$ is a dollar, the end is counted, what is filled up is not");
    tap_ok(v[1] == 2.5f && v[2] == -1 && both[0] == 3 && both[1] == 1 && both[2] == 4 && both[3] == 0 && class[1] == 1,
        "lists, several columns, truth values, classes");
    CgOrigin from = cg_dataset_origin(d, 1);
    tap_ok(from.line == 2 && strstr(from.source, "qa.jsonl"), "a row knows its file and line");
    cg_dataset_free(d);
    refused("qa.jsonl", (CgExampleField)NUMBER("q"), "qa.jsonl:1: 'q' is '2+2', no number");
    write_text("large.jsonl", "{\"n\": 1e40}\n");
    refused("large.jsonl", (CgExampleField)NUMBER("n"), "large.jsonl:1: 'n' is '1e40', no number that f32 has");
    refused("qa.jsonl", (CgExampleField)NUMBER("N"), "qa.jsonl:1: this record has no field 'N'");
    refused("qa.jsonl",
        (CgExampleField){ .name = "x", .columns = (const char *[]){ "n" }, .ncolumns = 1, .dtype = CG_I32, .below = 4 },
        "qa.jsonl:2: 'n' is 4, which is not below 4");
    refused("qa.jsonl",
        (CgExampleField){ .name = "x", .columns = (const char *[]){ "v" }, .ncolumns = 1, .size = 3, .dtype = CG_F32 },
        "qa.jsonl:1: 'v' is no list of 3 numbers");
    refused("qa.jsonl",
        (CgExampleField){ .name = "x",
            .columns = (const char *[]){ "a" },
            .ncolumns = 1,
            .classes = (const char *[]){ "4" },
            .nclasses = 1 },
        "qa.jsonl:2: 'a' is '3$', which is none of its 1 classes");
    refused("qa.jsonl", (CgExampleField){ .name = "x", .tokens = true, .tokenizer = t, .text = "$q", .length = 3 },
        "qa.jsonl:2: 'x' has 4 tokens, its length is 3");
    CgErr why = { 0 };
    tap_ok(!cg_example_template_ok("a $ b", &why) && cg_example_template_ok("$$ ${a b}$c", &why),
        "a dollar alone is no name");
}

static void too_long(const CgTokenizer *t)
{
    CgErr e;
    refused("qa.jsonl",
        (CgExampleField){ .name = "x",
            .tokens = true,
            .tokenizer = t,
            .text = "$q=",
            .answer = "${a}",
            .length = 4,
            .too_long = CG_TOO_LONG_CUT },
        "qa.jsonl:2: 'x' has 7 tokens, its length is 4, and nothing is left of its answer");
    CgExampleField drop = {
        .name = "x", .tokens = true, .tokenizer = t, .text = "$q", .length = 3, .too_long = CG_TOO_LONG_DROP
    };
    CgDataset *d = load("qa.jsonl", &drop, 1, &e);
    tap_ok(d && d->rows == 1 && cg_dataset_origin(d, 0).line == 1, "what is too long is dropped when asked to");
    cg_dataset_free(d);
}

static void lines(const CgTokenizer *t)
{
    CgErr e = { 0 };
    CgExamplesLost lost;
    write_text("a.de", "eins\nzwei\r\n\ndrei");
    write_text("a.en", "one\ntwo\n\nthree\n");
    write_text("b.en", "one\ntwo\n");
    CgExampleField fields[] = { { .name = "x", .tokens = true, .tokenizer = t, .text = "$de", .length = 6 },
        { .name = "y", .tokens = true, .tokenizer = t, .text = "$en", .length = 6 } };
    CgExamples of = { .path = (const char *[]){ path("a.de"), path("a.en") },
        .npaths = 2,
        .column = (const char *[]){ "de", "en" },
        .field = fields,
        .n = 2 };
    CgDataset *d = cg_examples_load(&of, &lost, &e);
    int32_t x[24], y[24];
    void *out[] = { x, NULL, y, NULL };
    bool good = d && d->rows == 4 && cg_dataset_read(d, 0, 4, out) == 4;
    tap_ok(good && x[6] == 'z' && x[10] == 0 && y[8] == 'o' && x[18] == 'd' && y[12] == 0,
        "lines of two files go together");
    cg_dataset_free(d);
    of.path = (const char *[]){ path("a.de"), path("b.en") };
    tap_ok(!cg_examples_load(&of, &lost, &e) && strstr(e.text, "do not have as many lines: one ends before line 3"),
        "files of different lengths are refused");
    e = (CgErr){ 0 };
    of.column = (const char *[]){ "de", "fr" };
    tap_ok(!cg_examples_load(&of, &lost, &e) && strstr(e.text, "no file is given for 'en'"), "names without a file");
}

/* n rows whose field x is their number, or what `shown` times it is below. */
static CgDataset *numbers(int n, int from)
{
    CgField x = { .name = "x", .dtype = CG_I32 };
    CgDataset *d = cg_rows_new(&x, 1, false);
    for (int i = 0; i < n; i++) {
        int32_t value = from + i;
        *(int32_t *)cg_rows_add(d, (CgOrigin){ "made", i + 1, 0 }, cg_hash64(&value, sizeof value, 7))[0] = value;
    }
    cg_rows_done(d);
    return d;
}

static void splits(void)
{
    CgDataset *all = numbers(2003, 0), *later = numbers(2003, 700);
    char in[3][2800] = { 0 }, there[3][2800] = { 0 };
    int64_t sum = 0;
    bool apart = true, same = true;
    for (int s = 0; s < 3; s++)
        for (int which = 0; which < 2; which++) {
            CgDataset *d = cg_rows_split(which ? later : all, (CgSplit)s);
            sum += which ? 0 : d->rows;
            for (int64_t i = 0; i < d->rows; i++) {
                int32_t x;
                void *out[] = { &x };
                cg_dataset_read(d, i, 1, out);
                (which ? there : in)[s][x] = 1;
            }
            cg_dataset_free(d);
        }
    for (int x = 0; x < 2003; x++)
        apart &= in[0][x] + in[1][x] + in[2][x] == 1;
    for (int x = 700; x < 2003; x++)
        same &= in[0][x] == there[0][x] && in[1][x] == there[1][x];
    tap_ok(sum == 2003 && apart, "every row is in one split");
    tap_ok(same, "the same whatever stands beside it");
    cg_dataset_free(all);
    cg_dataset_free(later);
}

static void others(void)
{
    CgErr e = { 0 };
    CgDataset *a = numbers(100, 0), *b = numbers(60, 1000);
    CgDataset *both = cg_rows_chain((CgDataset *[]){ a, b, a }, 3, &e), *once = cg_rows_unique(both, false, &e);
    CgDataset *mix = cg_rows_mix((CgDataset *[]){ a, b }, (double[]){ 3, 1 }, 2, &e);
    int32_t x[300];
    void *out[] = { x };
    tap_ok(both && both->rows == 260 && cg_dataset_read(both, 0, 300, out) == 260 && x[100] == 1000 && x[160] == 0,
        "one after the other");
    tap_ok(
        once->rows == 160 && cg_dataset_origin(once, 130).line == 31, "each once, and they know where they are from");
    int64_t of_a = 0;
    bool exact = mix && mix->rows > 130 && mix->rows < 137;
    for (int64_t step = 0; exact && step < 50; step++) {
        cg_dataset_batch(mix, 5, step, 7, out);
        for (int k = 0; k < 7; k++) {
            of_a += x[k] < 1000;
            double off = 0.75 * (double)(step * 7 + k + 1) - (double)of_a;
            exact &= off < 1 && off > -1;
        }
    }
    tap_ok(exact, "a mixture keeps its shares at every row");
    CgDataset *c = numbers(60, 2000), *beside = cg_rows_mix((CgDataset *[]){ a, c }, (double[]){ 1, 1 }, 2, &e);
    CgDataset *nested = cg_rows_mix((CgDataset *[]){ mix, beside, a }, (double[]){ 1, 1, 2 }, 3, &e);
    int times[3000] = { 0 }, most = 0;
    for (int64_t i = 0; nested && i < nested->rows; i++) {
        cg_dataset_read(nested, i, 1, out);
        most = ++times[x[0]] > most ? times[x[0]] : most;
    }
    tap_ok(nested && nested->rows > 121 && nested->rows < 126 && most == 1,
        "what several parts share is there once, with all its shares");
    cg_dataset_free(nested);
    cg_dataset_free(beside);
    cg_dataset_free(c);
    int seen[100] = { 0 };
    bool epochs = true;
    for (int64_t step = 0; step < 20; step++) {
        cg_dataset_batch(a, 9, step, 10, out);
        for (int k = 0; k < 10; k++)
            seen[x[k]]++;
        for (int k = 0; step == 9 && k < 100; k++)
            epochs &= seen[k] == 1;
    }
    tap_ok(epochs && x[0] != 90, "a training sees every row once an epoch, in another order each");
    int32_t again[10];
    void *to[] = { again };
    cg_dataset_batch(a, 9, 19, 10, to);
    tap_ok(!memcmp(again, x, sizeof again), "a batch is a function of its step");
    CgField y = { .name = "y", .dtype = CG_F32 };
    CgDataset *other = cg_rows_new(&y, 1, false);
    cg_rows_done(other);
    tap_ok(
        !cg_rows_chain((CgDataset *[]){ a, other }, 2, &e) && strstr(e.text, "the rows differ: x: i32[] and y: f32[]"),
        "rows that differ do not go together");
    CgDataset *used[] = { a, b, both, once, mix, other };
    for (size_t i = 0; i < CG_LEN(used); i++)
        cg_dataset_free(used[i]);
}

int main(void)
{
    const char *tmp = getenv("TMPDIR");
    snprintf(folder, sizeof folder, "%s/cg-rows-XXXXXX", tmp ? tmp : "/tmp");
    if (!mkdtemp(folder))
        return 99;
    CgTokenizer *t = cg_tokenizer_bytes();
    records(t);
    too_long(t);
    lines(t);
    splits();
    others();
    cg_tokenizer_free(t);
    char remove[300];
    snprintf(remove, sizeof remove, "rm -rf '%s'", folder);
    if (system(remove))
        return 99;
    return tap_done();
}
