/* metric.c - do scores agree with those of sacreBLEU, rouge-score and SQuAD's script, and is the order of arguments
 * right? Takes tests/conformance/metrics/pairs.jsonl (made by make.py there; or the file named by CG_PAIRS); prints
 * TAP. With
 * --speed it says how long 2,000 pairs take. Accuses src/table/{metric*,words,stem,sequence}.c. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <jansson.h>

#include "base/intern.h"
#include "table/metric.h"
#include "tap.h"

static void near(double got, double want, const char *name)
{
    tap_ok(fabs(got - want) <= 1e-9, "%s (%.12g, expected %.12g)", name, got, want);
}

static const CgMetric *find(const char *name)
{
    const CgMetric *m;
    for (size_t i = 0; (m = cg_metric_at(i)); i++)
        if (!strcmp(m->name, name))
            return m;
    return NULL;
}

/* "bleu 13a exp": a metric, a split, perhaps a smoothing. */
static const CgMetric *parse_way(const char *name, CgScoring *how)
{
    char metric[32] = "", split[32] = "", smooth[32] = "exp";
    sscanf(name, "%31s %31s %31s", metric, split, smooth);
    const CgMetric *m = find(metric);
    *how = (CgScoring){ .split = cg_word_split_find(*split ? split : m->split), .choice = cg_intern(smooth) };
    return m;
}

static double score_of(CgWords *w, const CgMetric *m, const CgScoring *how, json_t *pair, double *sums)
{
    const json_t *c = json_array_get(pair, 0), *r = json_array_get(pair, 1);
    CgIds candidate = cg_words_split(w, how->split, json_string_value(c), json_string_length(c));
    CgIds reference = cg_words_split(w, how->split, json_string_value(r), json_string_length(r));
    m->count(candidate, reference, sums);
    return cg_metric_pair(m, candidate, reference, how);
}

static json_t *lines_of(const char *path)
{
    json_t *lines = json_array();
    FILE *f = fopen(path, "r");
    json_t *line;
    while (f && (line = json_loadf(f, JSON_DISABLE_EOF_CHECK, NULL)))
        json_array_append_new(lines, line);
    if (f)
        fclose(f);
    return lines;
}

static void reference_values(void)
{
    char path[4096];
    const char *srcdir = getenv("srcdir"), *other = getenv("CG_PAIRS");
    snprintf(path, sizeof path, "%s/tests/conformance/metrics/pairs.jsonl", srcdir ? srcdir : ".");
    json_t *lines = lines_of(other ? other : path), *names = json_array_get(lines, 0);
    size_t count = json_array_size(lines);
    if (!tap_ok(count > 200, "there are more than 200 pairs"))
        return;
    const json_t *corpus = json_object_get(json_array_get(lines, count - 1), "corpus");
    for (size_t k = 0; k < json_array_size(names); k++) {
        CgScoring how;
        const char *name = json_string_value(json_array_get(names, k));
        const CgMetric *m = parse_way(name, &how);
        CgWords *w = cg_words_new();
        double worst = 0, sums[CG_MAX_COUNTS] = { 0 };
        size_t worst_at = 0;
        if (!strncmp(name, "edit", 4))
            how.split = cg_word_split_find("none");
        for (size_t i = 1; i + 1 < count; i++) {
            json_t *pair = json_array_get(lines, i);
            double want = json_number_value(json_array_get(json_array_get(pair, 2), k));
            double off = fabs(score_of(w, m, &how, pair, sums) - want);
            if (off > worst) {
                worst = off;
                worst_at = i;
            }
        }
        tap_ok(worst <= 1e-9, "%s as elsewhere (off by %.1e in line %zu)", name, worst, worst_at + 1);
        how.corpus = true;
        if (k < json_array_size(corpus))
            near(m->score(sums, &how), json_number_value(json_array_get(corpus, k)), "and of the corpus");
        cg_words_free(w);
    }
    json_decref(lines);
}

static double of(const char *metric, CgIds candidate, CgIds reference)
{
    return cg_metric_pair(find(metric), candidate, reference, &(CgScoring){ 0 });
}

static void order_of_arguments(void)
{
    static const int32_t full[] = { 2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31 };
    CgIds reference = { full, 11 }, cut = { full, 7 };
    near(of("bleu", cut, reference), exp(1 - 11.0 / 7.0), "a candidate cut short pays the brevity penalty alone");
    tap_ok(of("bleu", reference, cut) < 1, "candidate and reference are not the same place");
    near(of("exact_prefix", cut, reference), 7.0 / 11, "the prefix is a share of the reference");
    near(of("exact_prefix", reference, cut), 1, "all of it is there");
}

static void edges(void)
{
    static const int32_t some[] = { 2, 3, 5 }, other[] = { 7, 11 }, turned[] = { 5, 3, 2 },
                         longer[] = { 2, 3, 5, 7, 11 };
    CgIds none = { some, 0 }, x = { some, 3 }, y = { other, 2 }, z = { turned, 3 };
    for (size_t i = 0; cg_metric_at(i); i++) {
        const char *name = cg_metric_at(i)->name;
        bool counts = !strcmp(name, "first_error") || !strcmp(name, "edit_distance");
        near(of(name, none, none), !counts, name);
        near(of(name, none, x), !strcmp(name, "edit_distance") ? 3 : 0, "an empty candidate scores nothing");
    }
    near(of("bleu", x, y), 0, "nothing in common is 0");
    near(of("token_f1", x, z), 1, "F1 does not see order");
    near(of("rouge_l", x, z), 1.0 / 3, "ROUGE-L does");
    near(of("accuracy", x, z), 1.0 / 3, "accuracy counts equal places");
    near(of("exact", x, z), 0, "a turned text is not exact");
    near(of("exact", x, x), 1, "a text is itself");
    near(of("accuracy", x, (CgIds){ longer, 5 }), 0.6, "what is missing counts as wrong");
    near(of("first_error", (CgIds){ (int32_t[]){ 2, 3, 7 }, 3 }, x), 2, "two tokens are right");
}

/* The bit-vector against the table of the textbook, over lengths around the 64 of a word. */
static void long_sequences(void)
{
    int32_t a[300], b[300];
    size_t table[301][301] = { { 0 } }, worst = 0;
    uint32_t state = 2385;
    for (int round = 0; round < 40; round++) {
        size_t n = 40 + (size_t)round * 6, m = 290 - (size_t)round * 5;
        for (size_t i = 0; i < 300; i++) {
            state = state * 1664525 + 1013904223;
            a[i] = (int32_t)(state >> 28);
            state = state * 1664525 + 1013904223;
            b[i] = (int32_t)(state >> 28) - 3;
        }
        for (size_t i = 0; i < n; i++)
            for (size_t k = 0; k < m; k++) {
                size_t up = table[i][k + 1], left = table[i + 1][k];
                table[i + 1][k + 1] = a[i] == b[k] ? table[i][k] + 1 : up > left ? up : left;
            }
        size_t got = cg_common_subsequence((CgIds){ a, n }, (CgIds){ b, m });
        worst += got > table[n][m] ? got - table[n][m] : table[n][m] - got;
    }
    tap_ok(worst == 0, "subsequences of 40 to 290 ids are as long as they should be");
}

static void words(void)
{
    CgWords *w = cg_words_new();
    const CgWordSplit *split = cg_word_split_find("words");
    static const char text[] = "It's foo_1 \xc3\xbc"
                               "ber \xe5\xad\xb8\xe8\x80\x8c\xe3\x80\x82 It\xff";
    CgIds ids = cg_words_split(w, split, text, sizeof text - 1);
    tap_ok(ids.len == 10, "letters run together, ideographs and signs stand alone");
    tap_ok(ids.len == 10 && ids.at[0] == ids.at[8] && ids.at[0] != ids.at[3], "equal words have equal ids");
    CgIds a = cg_words_split(w, split, "the cat  sat.", 13), b = cg_words_split(w, split, "the\ncat sat .", 13);
    near(of("exact", a, b), 1, "white space does not count");
    CgIds c = cg_words_split(w, split, "The cat sat.", 12);
    near(of("token_f1", c, a), 0.75, "case does");
    tap_ok(cg_words_split(w, split, " \t\n", 3).len == 0, "white space holds no words");
    for (size_t i = 0; cg_word_split_at(i); i++) {
        CgIds raw = cg_words_split(w, cg_word_split_at(i), text, sizeof text - 1);
        tap_ok(raw.len > 1 && cg_words_split(w, cg_word_split_at(i), "", 0).len == 0, "%s", cg_word_split_at(i)->name);
    }
    cg_words_free(w);
}

static void signature(const char *metric, const char *want)
{
    CgStrbuf s = { 0 };
    CgScoring how;
    const CgMetric *m = parse_way(metric, &how);
    cg_metric_sign(m, &how, &s);
    tap_ok(!strcmp(cg_strbuf_str(&s), want), "%s", cg_strbuf_str(&s));
    cg_strbuf_deinit(&s);
}

/* 2,000 pairs of 70 words, and of 313 bytes, on one thread, splitting included. */
static void speed(void)
{
    enum { PAIRS = 2000, ROOM = 8192 };
    char *text = malloc((size_t)2 * PAIRS * ROOM);
    size_t *len = calloc((size_t)2 * PAIRS, sizeof *len);
    uint32_t state = 2385;
    if (!text || !len)
        abort();
    for (size_t i = 0; i < (size_t)2 * PAIRS; i++) {
        for (int word = 0; word < 70; word++) {
            state = state * 1664525 + 1013904223;
            uint32_t which = (state >> 20) * (state >> 20) >> 13; /* few words are frequent */
            len[i] += (size_t)snprintf(
                text + i * ROOM + len[i], 64, "%sw%u%s", word ? " " : "", which, which % 11 == 0 ? "," : "");
        }
    }
    static const char *const ways[] = { "bleu 13a", "bleu words", "rouge_l words", "rouge_l rouge", "chrf char",
        "bleu bytes", "rouge_l bytes", "token_f1 words" };
    for (size_t k = 0; k < CG_LEN(ways); k++) {
        CgScoring how;
        const CgMetric *m = parse_way(ways[k], &how);
        double best = INFINITY, sum = 0;
        for (int round = 0; round < 5; round++) {
            clock_t from = clock();
            CgWords *w = cg_words_new();
            for (size_t i = 0; i < PAIRS; i++) {
                bool bytes = how.split->at == CG_SPLIT_BYTES;
                CgIds c = cg_words_split(w, how.split, text + 2 * i * ROOM, bytes ? 313 : len[2 * i]);
                CgIds r = cg_words_split(w, how.split, text + (2 * i + 1) * ROOM, bytes ? 313 : len[2 * i + 1]);
                sum += cg_metric_pair(m, c, r, &how);
            }
            cg_words_free(w);
            best = fmin(best, (double)(clock() - from) / CLOCKS_PER_SEC);
        }
        printf("# %s: %.1f ms (mean %.3f)\n", ways[k], best * 1e3, sum / 5 / PAIRS);
    }
    free(text);
    free(len);
}

int main(int argc, char **argv)
{
    if (argc > 1 && !strcmp(argv[1], "--speed"))
        return speed(), 0;
    reference_values();
    order_of_arguments();
    edges();
    long_sequences();
    words();
    signature("bleu 13a exp", "bleu|level:sentence|words:13a|smooth:exp|eff:yes|case:mixed|cg:1");
    signature("bleu char floor", "bleu|level:sentence|words:char|smooth:floor[0.10]|eff:yes|case:mixed|cg:1");
    signature("rouge_l stem", "rouge_l|level:sentence|words:stem|cg:1");
    return tap_done();
}
