/* table.c - are tables selected, sorted, grouped, joined and written as they should be?
 * Takes a file of its own under TMPDIR; prints TAP. Accuses src/table/table.c and table_text.c. */
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

static void reshaping(const CgTable *t)
{
    CgErr e = { 0 };
    const char *two[] = { "loss", "who" }, *who = "who", *loss = "loss";
    CgTable *a = cg_table_select(t, two, 2, &e);
    shows(a, " loss  who\n2.385  web\n1.500  code\n2.125  web\n    -  -\n0.062  code\n1.750  web\n",
        "columns are selected in the order asked for");
    cg_table_free(a);
    a = cg_table_sort(t, "loss", false, &e);
    ok(a && a->column[2].at[0].number == 0.0625 && isnan(a->column[2].at[5].number) && a->column[1].at[1].whole == 7,
        "sorted upwards, missing last");
    CgTable *b = cg_table_sort(a, "who", true, &e);
    ok(b && !strcmp(b->column[0].at[0].text, "web") && b->column[2].at[0].number == 1.75 && b->column[0].at[5].missing,
        "sorted downwards, equal cells stay in order");
    cg_table_free(a);
    cg_table_free(b);
    a = cg_table_group(t, &who, 1, &loss, 1, CG_MEAN, &e);
    ok(a && a->rows == 3 && fabs(a->column[2].at[0].number - (2.385 + 2.125 + 1.75) / 3) < 1e-12
            && a->column[1].at[0].whole == 3 && a->column[2].at[2].missing,
        "means by group, in order of first sight");
    cg_table_free(a);
    a = cg_table_group(t, NULL, 0, &loss, 1, CG_MEDIAN, &e);
    ok(a && a->rows == 1 && a->column[1].at[0].number == 1.75 && a->column[0].at[0].whole == 6,
        "one group of all, missing cells left out");
    cg_table_free(a);
    a = cg_table_pivot(t, "step", "who", "loss", &e);
    ok(a && a->ncolumns == 4 && a->rows == 3 && a->column[cg_table_find(a, "code", NULL)].at[2].number == 0.0625
            && a->column[cg_table_find(a, "code", NULL)].at[1].missing,
        "a pivot has one column for each value");
    cg_table_free(a);
    bool rows[6] = { true, false, false, false, true, false };
    a = cg_table_keep(t, rows);
    b = cg_table_append(a, t, &e);
    ok(b && b->rows == 8 && b->column[1].at[1].whole == 13 && b->column[1].at[2].whole == 7,
        "rows are kept and appended");
    cg_table_free(b);
    CgTable *other = cg_table_new();
    cg_table_add(other, "who", CG_TEXT);
    cg_table_add(other, "loss", CG_INT);
    size_t r = cg_table_row(other);
    cg_table_set(other, r, 0, cg_text("web"));
    cg_table_set(other, r, 1, cg_whole(99));
    b = cg_table_join(t, other, "who", &e);
    ok(b && b->rows == 3 && b->ncolumns == 4 && cg_table_find(b, "loss.2", NULL) == 3 && b->column[3].at[2].whole == 99,
        "joined by a column");
    cg_table_free(b);
    b = cg_table_append(other, t, &e);
    ok(b && b->rows == 7 && b->column[1].kind == CG_NUMBER && b->column[1].at[0].number == 99
            && b->column[1].at[1].number == 2.385,
        "whole numbers give way to others");
    cg_table_free(a);
    cg_table_free(b);
    cg_table_free(other);
}

static void binning(void)
{
    CgErr e = { 0 };
    CgTable *t = cg_table_new();
    cg_table_add(t, "x", CG_NUMBER);
    for (int i = 0; i < 101; i++)
        cg_table_set(t, cg_table_row(t), 0, i == 17 ? CG_MISSING : cg_number(i * i));
    CgTable *wide = cg_table_bin(t, "x", 5, false, &e), *even = cg_table_bin(t, "x", 5, true, &e);
    const char *bin = "x.bin", *x = "x";
    CgTable *w = cg_table_group(wide, &bin, 1, &x, 1, CG_MEAN, &e),
            *v = cg_table_group(even, &bin, 1, &x, 1, CG_LOW, &e);
    CgTable *high = cg_table_group(even, &bin, 1, &x, 1, CG_HIGH, &e);
    ok(w && w->rows == 6 && w->column[0].at[0].number == 1000 && w->column[1].at[0].whole == 44
            && w->column[0].at[2].number == 3000 && w->column[1].at[1].whole == 1 && w->column[0].at[1].missing,
        "bins of equal width; a missing cell has none");
    ok(v && v->rows == 6 && v->column[1].at[0].whole == 20 && v->column[1].at[5].whole == 20,
        "bins of equally many rows");
    ok(v && v->column[2].at[5].number < 8130 && high->column[2].at[5].number > 8130, "an interval holds the mean");
    ok(!cg_table_bin(wide, "x", 5, false, &e) && strstr(e.text, "x.bin"), "a table is binned once by a column");
    e = (CgErr){ 0 };
    ok(!cg_table_bin(t, "x", 0, false, &e) && strstr(e.text, "0 bins"), "no bins");
    CgTable *all[] = { t, wide, even, w, v, high };
    for (size_t i = 0; i < CG_LEN(all); i++)
        cg_table_free(all[i]);
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
    ok(!cg_table_group(t, &text, 1, &text, 1, CG_MEAN, &e) && strstr(e.text, "holds text"), "text has no mean");
    e = (CgErr){ 0 };
    ok(!cg_table_pivot(t, "who", "who", "loss", &e) && e.text[0], "rows and columns differ");
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

int main(void)
{
    CgTable *t = sample();
    shows(t,
        "who   step   loss\nweb      7  2.385\ncode     7  1.500\nweb     11  2.125\n-       11      "
        "-\ncode    13  0.062\nweb     13  1.750\n",
        "columns are aligned");
    reshaping(t);
    binning();
    mistakes(t);
    writing();
    digits();
    cg_table_free(t);
    printf("1..%d\n", count);
    return failed != 0;
}
