/* table.c - are tables selected, sorted, grouped, joined and written as they should be?
 * Takes a file of its own under TMPDIR; prints TAP. Accuses src/table/{table,shape,text,read}.c. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/io.h"
#include "table/table.h"

static int count, failed;

static void ok(bool good, const char *name)
{
    printf("%s %d - %s\n", good ? "ok" : "not ok", ++count, name);
    failed += !good;
}

static void shows(const CgTable *t, const char *want, const char *name)
{
    CgStrbuf b = { 0 };
    if (t)
        cg_table_print(t, 0, 12, &b);
    bool good = t && !strcmp(cg_strbuf_str(&b), want);
    ok(good, name);
    if (!good)
        printf("# got:\n%s# expected:\n%s", cg_strbuf_str(&b), want);
    cg_strbuf_deinit(&b);
}

static CgTable *sample(void)
{
    static const struct {
        const char *who;
        int64_t step;
        double loss;
    } rows[] = {
        { "web", 7, 2.385 },
        { "code", 7, 1.5 },
        { "web", 11, 2.125 },
        { NULL, 11, NAN },
        { "code", 13, 0.0625 },
        { "web", 13, 1.75 },
    };
    CgTable *t = cg_table_new();
    cg_table_add(t, "who", CG_TEXT);
    cg_table_add(t, "step", CG_INT);
    cg_table_add(t, "loss", CG_NUMBER);
    for (size_t i = 0; i < CG_LEN(rows); i++) {
        size_t r = cg_table_row(t);
        cg_table_set(t, r, 0, cg_text(rows[i].who));
        cg_table_set(t, r, 1, cg_whole(rows[i].step));
        cg_table_set(t, r, 2, cg_number(rows[i].loss));
    }
    return t;
}

/* Bytes of the store: all kinds of cells come back, and what is cut short is no table. */
static void packing(const CgTable *t)
{
    CgTable *with = cg_table_copy(t);
    int c = cg_table_add(with, "good", CG_TRUTH);
    cg_table_set(with, 0, c, cg_truth(true));
    cg_table_set(with, 1, c, cg_truth(false));
    cg_table_set(with, 2, 1, CG_MISSING);
    cg_table_set(with, 3, 1, cg_whole(INT64_MIN));
    CgStrbuf b = { 0 }, before = { 0 }, after = { 0 };
    cg_table_pack(with, &b);
    CgTable *back = cg_table_unpack(&(CgBytes){ .at = b.at, .len = b.len });
    cg_table_csv(with, &before);
    if (back)
        cg_table_csv(back, &after);
    ok(back && before.len && !strcmp(cg_strbuf_str(&before), cg_strbuf_str(&after)), "packed cells come back");
    cg_table_free(back);
    size_t tables = 0;
    for (size_t n = 0; n < b.len; n++) {
        CgTable *cut = cg_table_unpack(&(CgBytes){ .at = b.at, .len = n });
        tables += cut != NULL;
        cg_table_free(cut);
    }
    ok(tables == 0, "what is cut short is no table");
    cg_strbuf_deinit(&b);
    cg_strbuf_deinit(&before);
    cg_strbuf_deinit(&after);
    cg_table_free(with);
}

static void reshaping(const CgTable *t)
{
    CgErr e = { 0 };
    const char *two[] = { "loss", "who" }, *who = "who", *loss = "loss", *steps[] = { "step", "who" };
    CgTable *a = cg_table_select(t, two, 2, &e);
    shows(a, " loss  who\n2.385  web\n1.500  code\n2.125  web\n    -  -\n0.062  code\n1.750  web\n",
        "columns are selected in the order asked for");
    cg_table_free(a);
    a = cg_table_sort(t, &loss, 1, false, &e);
    ok(a && a->column[2].at[0].number == 0.0625 && isnan(a->column[2].at[5].number) && a->column[1].at[1].whole == 7,
        "sorted upwards, missing last");
    CgTable *b = cg_table_sort(a, &who, 1, true, &e);
    ok(b && !strcmp(b->column[0].at[0].text, "web") && b->column[2].at[0].number == 1.75 && b->column[0].at[5].missing,
        "sorted downwards, equal cells stay in order");
    cg_table_free(a);
    cg_table_free(b);
    a = cg_table_sort(t, steps, 2, false, &e);
    ok(a && a->column[2].at[0].number == 1.5 && a->column[2].at[1].number == 2.385 && a->column[0].at[3].missing,
        "equal ones by the second column");
    cg_table_free(a);
    CgTable *other = cg_table_new();
    cg_table_add(other, "who", CG_TEXT);
    cg_table_add(other, "loss", CG_INT);
    size_t r = cg_table_row(other);
    cg_table_set(other, r, 0, cg_text("web"));
    cg_table_set(other, r, 1, cg_whole(99));
    b = cg_table_join(t, other, &who, 1, &e);
    ok(b && b->rows == 3 && b->ncolumns == 4 && cg_table_find(b, "loss_2", NULL) == 3 && b->column[3].at[2].whole == 99,
        "joined by a column");
    cg_table_free(b);
    b = cg_table_copy(other);
    ok(cg_table_extend(b, t, &e) && b->rows == 7 && b->column[1].kind == CG_NUMBER && b->column[1].at[0].number == 99
            && b->column[1].at[1].number == 2.385 && b->column[2].at[0].missing && b->column[2].at[1].whole == 7,
        "rows are appended, whole numbers give way to others");
    ok(cg_table_extend(b, other, &e) && b->column[1].at[7].number == 99, "in both directions");
    cg_table_free(b);
    cg_table_free(other);
}

static void grouping(const CgTable *t)
{
    CgErr e = { 0 };
    CgGroups g;
    const char *by[] = { "who", "step" };
    ok(cg_table_group(t, by, 1, &g, &e) && g.n == 3 && g.of[2] == 0 && g.of[3] == 2 && g.first[1] == 3 && g.row[1] == 2
            && g.row[3] == 1 && g.first[3] == 6,
        "groups by first sight; what is missing is a group");
    CgTable *keys = cg_table_keys(t, by, 1, &g);
    ok(keys->rows == 3 && keys->ncolumns == 1 && !strcmp(keys->column[0].at[1].text, "code")
            && keys->column[0].at[2].missing,
        "with their keys");
    cg_table_free(keys);
    cg_groups_deinit(&g);
    ok(cg_table_group(t, by, 2, &g, &e) && g.n == 6, "of two columns");
    cg_groups_deinit(&g);
    ok(cg_table_group(t, NULL, 0, &g, &e) && g.n == 1 && g.first[1] == 6, "of none: all rows");
    cg_groups_deinit(&g);
    CgTable *many = cg_table_new();
    cg_table_add(many, "k", CG_NUMBER);
    for (int i = 0; i < 100000; i++)
        cg_table_set(many, cg_table_row(many), 0, cg_number(i % 50000 + 0.5));
    const char *k = "k";
    ok(cg_table_group(many, &k, 1, &g, &e) && g.n == 50000 && g.row[1] == 50000, "50,000 groups");
    cg_groups_deinit(&g);
    CgTable *joined = cg_table_join(many, many, &k, 1, &e);
    ok(joined && joined->rows == 200000, "and a join of them");
    cg_table_free(joined);
    cg_table_free(many);
}

static void binning(void)
{
    CgErr e = { 0 };
    CgTable *t = cg_table_new();
    cg_table_add(t, "x", CG_NUMBER);
    for (int i = 0; i < 101; i++)
        cg_table_set(t, cg_table_row(t), 0, i == 17 ? CG_MISSING : cg_number(i * i));
    CgTable *wide = cg_table_bin(t, "x", 5, false, &e), *even = cg_table_bin(t, "x", 5, true, &e);
    const char *bin = "x_bin";
    CgGroups w, v;
    ok(cg_table_group(wide, &bin, 1, &w, &e) && w.n == 6 && wide->column[1].at[0].number == 1000 && w.first[1] == 44
            && wide->column[1].at[50].number == 3000 && wide->column[1].at[17].missing,
        "bins of equal width; a missing cell has none");
    ok(cg_table_group(even, &bin, 1, &v, &e) && v.n == 6 && v.first[1] == 20 && v.first[6] - v.first[5] == 20,
        "bins of equally many rows");
    ok(!cg_table_bin(wide, "x", 5, false, &e) && strstr(e.text, "x_bin"), "a table is binned once by a column");
    e = (CgErr){ 0 };
    ok(!cg_table_bin(t, "x", 0, false, &e) && strstr(e.text, "0 bins"), "no bins");
    cg_groups_deinit(&w);
    cg_groups_deinit(&v);
    cg_table_free(t);
    cg_table_free(wide);
    cg_table_free(even);
}

static void mistakes(const CgTable *t)
{
    CgErr e = { 0 };
    const char *wrong = "lss", *text = "who", *twice[] = { "step", "step" };
    ok(!cg_table_select(t, &wrong, 1, &e) && strstr(e.text, "no column 'lss'") && strstr(e.hint, "'loss'"),
        "a misspelt column is named with the right one");
    e = (CgErr){ 0 };
    ok(!cg_table_numbers(t, text, &e) && strstr(e.text, "holds text"), "text is no number");
    e = (CgErr){ 0 };
    ok(!cg_table_select(t, twice, 2, &e) && strstr(e.text, "twice"), "no column is selected twice");
    e = (CgErr){ 0 };
    ok(!cg_table_join(t, t, &wrong, 1, &e) && strstr(e.text, "no column 'lss'"),
        "nothing is joined by what is not there");
    e = (CgErr){ 0 };
    CgTable *numbers = cg_table_new();
    cg_table_add(numbers, "who", CG_INT);
    ok(!cg_table_extend(numbers, t, &e) && strstr(e.text, "'who' holds whole numbers"),
        "text does not go below numbers");
    cg_table_free(numbers);
    e = (CgErr){ 0 };
    ok(!cg_table_save(t, "/nowhere/table.xls", &e) && strstr(e.hint, ".csv"), "unknown ends are refused");
}

static void writing(void)
{
    CgTable *t = cg_table_new();
    cg_table_add(t, "text, \"quoted\"", CG_TEXT);
    cg_table_add(t, "x", CG_NUMBER);
    static const char *const texts[] = { "plain", "a,b", "say \"hi\"\n",
        "\xe5\xad\xb8\xe8\x80\x8c\xe6\x99\x82\xe7\xbf\x92\xe4\xb9\x8b\xe4\xb8\x8d", "", NULL, "bad \xff byte \x01" };
    static const double numbers[] = { 0.1, -1e300, NAN, INFINITY, 1.0 / 3, 2385, 5e-324 };
    for (size_t i = 0; i < CG_LEN(texts); i++) {
        cg_table_row(t);
        cg_table_set(t, i, 0, cg_text(texts[i]));
        cg_table_set(t, i, 1, cg_number(numbers[i]));
    }
    CgStrbuf b = { 0 };
    cg_table_csv(t, &b);
    ok(!strcmp(b.at,
           "\"text, \"\"quoted\"\"\",x\r\nplain,0.1\r\n\"a,b\",-1e+300\r\n\"say \"\"hi\"\"\n\",\r\n"
           "\xe5\xad\xb8\xe8\x80\x8c\xe6\x99\x82\xe7\xbf\x92\xe4\xb9\x8b\xe4\xb8\x8d,inf\r\n\"\",0."
           "3333333333333333\r\n,2385\r\n"
           "bad \xff byte \x01,4.94065645841247e-324\r\n"),
        "CSV is quoted and keeps every bit");
    if (strstr(b.at, "0.3333333333333333\r")) {
        double back = strtod("0.3333333333333333", NULL);
        ok(back == 1.0 / 3, "numbers read back");
    }
    b.len = 0;
    cg_table_jsonl(t, &b);
    ok(strstr(b.at, "{\"text, \\\"quoted\\\"\": \"say \\\"hi\\\"\\n\", \"x\": null}\n")
            && strstr(b.at, "\"x\": null}\n{\"text, \\\"quoted\\\"\": \"\",") && strstr(b.at, ": null, \"x\": 2385}\n")
            && strstr(b.at, "\"bad \xef\xbf\xbd byte \\u0001\""),
        "JSON Lines are valid, what is no number is null");
    b.len = 0;
    cg_table_print(t, 5, 9, &b);
    ok(strstr(b.at, "\xe5\xad\xb8\xe8\x80\x8c\xe6\x99\x82\xe7\xbf\x92\xe2\x80\xa6 ")
            && strstr(b.at, "... and 2 more rows\n") && strstr(b.at, "say \"hi\".  "),
        "wide characters are measured and cut, control characters are not shown");
    ok(cg_text_width("\xe5\xad\xb8 a\xcc\x81", 7) == 4, "an accent has no width of its own");
    char path[300];
    const char *tmp = getenv("TMPDIR");
    snprintf(path, sizeof path, "%s/cg-table-%ld.csv", tmp ? tmp : "/tmp", (long)getpid());
    CgErr e = { 0 };
    CgBytes bytes = { 0 };
    bool saved = cg_table_save(t, path, &e) && cg_io_read(path, &bytes, &e);
    b.len = 0;
    cg_table_csv(t, &b);
    ok(saved && bytes.len == b.len && !memcmp(bytes.at, b.at, b.len), "saved as it is written");
    cg_io_release(&bytes);
    unlink(path);
    cg_strbuf_deinit(&b);
    cg_table_free(t);
}

static void digits(void)
{
    static const struct {
        double x[3];
        const char *want;
    } cases[] = {
        { { 0.91234567, 0.4, 1 }, "     x\n0.9123\n0.4000\n1.0000\n" },
        { { 12.3456, 1.5, -7 }, "    x\n12.35\n 1.50\n-7.00\n" },
        { { 1, 2, 31 }, " x\n 1\n 2\n31\n" },
        { { 123456.78, 2, 3 }, "       x\n123456.8\n     2.0\n     3.0\n" },
        { { 0.00123, 0.002, 0.003 }, "       x\n0.001230\n0.002000\n0.003000\n" },
        { { 1.5e-7, 2e-7, 3.25e-6 }, "        x\n  1.5e-07\n    2e-07\n 3.25e-06\n" },
    };
    for (size_t i = 0; i < CG_LEN(cases); i++) {
        CgTable *t = cg_table_new();
        cg_table_add(t, "x", CG_NUMBER);
        for (int k = 0; k < 3; k++)
            cg_table_set(t, cg_table_row(t), 0, cg_number(cases[i].x[k]));
        CgStrbuf b = { 0 };
        cg_table_print(t, 0, 0, &b);
        bool good = i == 5 ? strstr(b.at, "1.5e-07") != NULL : !strcmp(b.at, cases[i].want);
        ok(good, "sensible digits");
        if (!good)
            printf("# got:\n%s", b.at);
        cg_strbuf_deinit(&b);
        cg_table_free(t);
    }
}

/* A table of all kinds: what is written reads back. */
static void reading(void)
{
    static const char *const ends[] = { ".csv", ".jsonl" };
    CgTable *t = cg_table_new();
    for (int i = 0; i < 4; i++)
        cg_table_add(t, (const char *[]){ "a, b", "n", "k", "right" }[i],
            (CgCellKind[]){ CG_TEXT, CG_NUMBER, CG_INT, CG_TRUTH }[i]);
    for (size_t r = 0; r < 5; r++) {
        cg_table_row(t);
        if (r == 2)
            continue;
        cg_table_set(t, r, 0, cg_text((const char *[]){ "", "x\"y\"\nz", NULL, "12", "\xc3\xbc" }[r]));
        cg_table_set(t, r, 1, cg_number((double[]){ 0.1, -2.5e-300, 0, 7, 1.0 / 3 }[r]));
        cg_table_set(t, r, 2, cg_whole((int64_t[]){ 9007199254740993, -1, 0, 3, 4 }[r]));
        cg_table_set(t, r, 3, cg_truth(r % 2));
    }
    for (size_t k = 0; k < CG_LEN(ends); k++) {
        char path[300];
        const char *tmp = getenv("TMPDIR");
        CgErr e = { 0 };
        snprintf(path, sizeof path, "%s/cg-table-%ld%s", tmp ? tmp : "/tmp", (long)getpid(), ends[k]);
        bool saved = cg_table_save(t, path, &e);
        CgTable *back = saved ? cg_table_read(path, &e) : NULL;
        CgStrbuf a = { 0 }, b = { 0 };
        cg_table_csv(t, &a);
        if (back)
            cg_table_csv(back, &b);
        bool kinds = back && back->ncolumns == 4;
        for (int i = 0; kinds && i < 4; i++)
            kinds = back->column[i].kind == t->column[i].kind;
        ok(kinds && !strcmp(cg_strbuf_str(&a), cg_strbuf_str(&b)), ends[k]);
        if (!kinds)
            printf("# %s\n%s\n%s\n", e.text, cg_strbuf_str(&a), cg_strbuf_str(&b));
        unlink(path);
        cg_strbuf_deinit(&a);
        cg_strbuf_deinit(&b);
        cg_table_free(back);
    }
    cg_table_free(t);
    static const struct {
        const char *end, *text, *says;
    } wrong[] = { { ".csv", "a,b\n1,2,3\n", ":2: more cells" }, { ".csv", "a,b\n1\n", ":2: 1 cells" },
        { ".csv", "a,a\n", ":1: two columns" }, { ".csv", "a\n\"x\n", ":2: a quote" }, { ".csv", "", "is empty" },
        { ".jsonl", "{\"a\": 1}\n{\"a\": [1]}\n", ":2: 'a'" }, { ".jsonl", "{\"a\": 1}\n{\"a\": \"x\"}\n", ":2: 'a'" },
        { ".jsonl", "7\n", ":1: not an object" }, { ".jsonl", "{\"a\": 1, \"a\": 2}\n", ":1: not an object" } };
    for (size_t k = 0; k < CG_LEN(wrong); k++) {
        char path[300];
        const char *tmp = getenv("TMPDIR");
        CgErr e = { 0 };
        snprintf(path, sizeof path, "%s/cg-table-%ld%s", tmp ? tmp : "/tmp", (long)getpid(), wrong[k].end);
        bool written = cg_io_write(path, wrong[k].text, strlen(wrong[k].text), &e);
        ok(written && !cg_table_read(path, &e) && strstr(e.text, wrong[k].says), wrong[k].says);
        unlink(path);
    }
}

static void forms(void)
{
    CgTable *t = cg_table_new();
    cg_table_add(t, "who|_", CG_TEXT);
    cg_table_add(t, "f1", CG_NUMBER);
    t->column[1].format = (CgFormat){ .percent = true };
    cg_table_sign(t, 1, "token_f1|cg:1");
    static const double values[] = { 0.7215, 0.5, 0.25 };
    static const CgSpread spreads[] = { { 0.7085, 0.7345 }, { 0.4, 0.51 }, { NAN, NAN } };
    for (size_t r = 0; r < 3; r++) {
        cg_table_row(t);
        cg_table_set(t, r, 0, cg_text("50% & x_1"));
        cg_table_set(t, r, 1, cg_number(values[r]));
        cg_table_spread(t, r, 1, spreads[r]);
    }
    shows(t,
        "who|_                      f1\n50% & x_1         72.2 \xc2\xb1 1.3%\n50% & x_1  50.0 [40.0, 51.0]%\n"
        "50% & x_1               25.0%\nf1: token_f1|cg:1\n",
        "shares in percent with intervals, and the signature");
    CgStrbuf b = { 0 };
    cg_table_markdown(t, &b);
    ok(strstr(cg_strbuf_str(&b), "| who\\|_ | f1 |\n|---|---:|\n| 50% & x_1 | 72.2 \xc2\xb1 1.3% |\n"), "Markdown");
    b.len = 0;
    cg_table_latex(t, &b);
    ok(strstr(cg_strbuf_str(&b), "{lr}\n\\toprule\nwho$|$\\_ & f1 \\\\\n")
            && strstr(b.at, "50\\% \\& x\\_1 & 72.2 $\\pm$ 1.3\\% \\\\"),
        "LaTeX");
    b.len = 0;
    cg_table_csv(t, &b);
    ok(strstr(cg_strbuf_str(&b), "who|_,f1,f1_low,f1_high\r\n50% & x_1,0.7215,0.7085,0.7345\r\n")
            && strstr(b.at, ",0.25,,\r\n"),
        "CSV has the ends");
    cg_strbuf_deinit(&b);
    cg_table_free(t);
}

int main(void)
{
    CgTable *t = sample();
    shows(t,
        "who   step   loss\nweb      7  2.385\ncode     7  1.500\nweb     11  2.125\n-       11      "
        "-\ncode    13  0.062\nweb     13  1.750\n",
        "columns are aligned");
    reshaping(t);
    packing(t);
    grouping(t);
    binning();
    mistakes(t);
    writing();
    digits();
    reading();
    forms();
    cg_table_free(t);
    printf("1..%d\n", count);
    return failed != 0;
}
