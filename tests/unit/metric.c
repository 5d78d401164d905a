/* metric.c - do the scores agree with those of sacreBLEU, NLTK and rouge-score, and is the order of
 * arguments right?
 * Takes tests/conformance/metrics/cases.tsv (made by make.py there); prints TAP. Accuses
 * src/table/metric.c. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "table/metric.h"

static int count, failed;

static void ok(bool good, const char *name)
{
    printf("%s %d - %s\n", good ? "ok" : "not ok", ++count, name);
    failed += !good;
}

static void near(double got, double want, const char *name)
{
    bool good = fabs(got - want) <= 1e-9;
    ok(good, name);
    if (!good)
        printf("# got %.12g, expected %.12g\n", got, want);
}

static CgIds parse_ids(char *text, int32_t *into)
{
    CgIds ids = { into, 0 };
    for (char *word = strtok(text, " "); word; word = strtok(NULL, " "))
        into[ids.len++] = (int32_t)strtol(word, NULL, 10);
    return ids;
}

static void reference_values(void)
{
    char path[4096], line[1 << 14];
    const char *srcdir = getenv("srcdir");
    snprintf(path, sizeof path, "%s/tests/conformance/metrics/cases.tsv", srcdir ? srcdir : ".");
    FILE *f = fopen(path, "r");
    if (!f) {
        ok(false, "the reference values are there");
        return;
    }
    static int32_t a[2048], b[2048];
    double worst[5] = { 0 };
    int pairs = 0;
    CgBleu all = { 0 };
    while (fgets(line, sizeof line, f)) {
        double want[5];
        if (line[0] == '#')
            continue;
        if (sscanf(line, "corpus\t%lf\t%lf", &want[0], &want[1]) == 2) {
            near(cg_bleu_corpus(&all, CG_BLEU_EXP), want[0], "corpus BLEU, exp, as sacreBLEU");
            near(cg_bleu_corpus(&all, CG_BLEU_NONE), want[1], "corpus BLEU, none, as sacreBLEU");
            continue;
        }
        char *second = strchr(line, '\t'), *numbers = second ? strchr(second + 1, '\t') : NULL;
        if (!numbers
            || sscanf(numbers + 1, "%lf\t%lf\t%lf\t%lf\t%lf", &want[0], &want[1], &want[2], &want[3], &want[4]) != 5)
            continue;
        *second = *numbers = 0;
        CgIds c = parse_ids(line, a), r = parse_ids(second + 1, b);
        double got[5] = { cg_metric_f1(c, r), cg_metric_rouge_l(c, r), cg_metric_bleu(c, r, CG_BLEU_EXP),
            cg_metric_bleu(c, r, CG_BLEU_NONE), cg_metric_bleu(c, r, CG_BLEU_FLOOR) };
        for (int i = 0; i < 5; i++)
            worst[i] = fmax(worst[i], fabs(got[i] - want[i]));
        cg_bleu_add(&all, c, r);
        pairs++;
    }
    fclose(f);
    ok(pairs > 100, "there are more than 100 pairs");
    near(worst[0], 0, "token F1 as by counting");
    near(worst[1], 0, "ROUGE-L as rouge-score");
    near(worst[2], 0, "sentence BLEU, exp, as sacreBLEU");
    near(worst[3], 0, "sentence BLEU, none, as sacreBLEU");
    near(worst[4], 0, "sentence BLEU, floor, as NLTK's method 1");
}

static void order_of_arguments(void)
{
    static const int32_t full[] = { 2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31 };
    CgIds reference = { full, 11 }, cut = { full, 7 };
    double shortened = cg_metric_bleu(cut, reference, CG_BLEU_EXP),
           padded = cg_metric_bleu(reference, cut, CG_BLEU_EXP);
    near(shortened, exp(1 - 11.0 / 7.0), "a candidate cut short pays the brevity penalty alone");
    ok(padded != shortened && padded < 1, "candidate and reference are not the same place");
}

static void edges(void)
{
    static const int32_t some[] = { 2, 3, 5 }, other[] = { 7, 11 }, turned[] = { 5, 3, 2 };
    CgIds none = { some, 0 }, x = { some, 3 }, y = { other, 2 }, z = { turned, 3 };
    near(cg_metric_f1(none, none), 1, "two empty texts are equal");
    near(cg_metric_f1(none, x) + cg_metric_rouge_l(x, none) + cg_metric_bleu(none, x, CG_BLEU_EXP)
            + cg_metric_accuracy(none, x) + cg_metric_exact(none, x),
        0, "an empty candidate scores nothing");
    near(cg_metric_bleu(x, y, CG_BLEU_FLOOR), 0, "nothing in common is 0 whatever the smoothing");
    near(cg_metric_f1(x, z), 1, "F1 does not see order");
    near(cg_metric_rouge_l(x, z), 1.0 / 3, "ROUGE-L does");
    near(cg_metric_accuracy(x, z), 1.0 / 3, "accuracy counts equal places");
    near(cg_metric_exact(x, z), 0, "a turned text is not exact");
    near(cg_metric_exact(x, x), 1, "a text is itself");
    static const int32_t longer[] = { 2, 3, 5, 7, 11 };
    near(cg_metric_accuracy(x, (CgIds){ longer, 5 }), 0.6, "what is missing counts as wrong");
}

static void words(void)
{
    CgWords *w = cg_words_new();
    static const char text[] = "It's foo_1 \xc3\xbc"
                               "ber \xe5\xad\xb8\xe8\x80\x8c\xe3\x80\x82 It\xff";
    CgIds ids = cg_words_split(w, text, sizeof text - 1);
    ok(ids.len == 10, "letters run together, ideographs and signs stand alone");
    ok(ids.len == 10 && ids.at[0] == ids.at[8] && ids.at[0] != ids.at[3], "equal words have equal ids");
    CgIds a = cg_words_split(w, "the cat  sat.", 13), b = cg_words_split(w, "the\ncat sat .", 13);
    near(cg_metric_exact(a, b), 1, "white space does not count");
    CgIds c = cg_words_split(w, "The cat sat.", 12);
    near(cg_metric_f1(c, a), 0.75, "case does");
    ok(cg_words_split(w, " \t\n", 3).len == 0, "white space holds no words");
    cg_words_free(w);
}

int main(void)
{
    reference_values();
    order_of_arguments();
    edges();
    words();
    ok(!strcmp(cg_bleu_signature(false, "tokens", CG_BLEU_EXP),
           "bleu4|level:sentence|units:tokens|smooth:exp|eff:yes|case:mixed|cg:1"),
        "a score can be signed");
    printf("1..%d\n", count);
    return failed != 0;
}
