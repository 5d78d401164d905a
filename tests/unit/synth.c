/* synth.c - is synthetic text the same everywhere, of the size asked for, true and balanced, and is its
 * entropy what it says?
 * Takes nothing; prints TAP. Accuses src/data/synth*.c. */
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/strbuf.h"
#include "data/synth.h"
#include "data/window.h"

static int count, failed;

static void ok(bool good, const char *format, const char *name)
{
    printf("%s %d - ", good ? "ok" : "not ok", ++count);
    printf(format, name);
    printf("\n");
    failed += !good;
}

static CgStrbuf text_of(const char *kind, uint64_t size, uint64_t seed, double knob, double *entropy)
{
    CgErr e = { 0 };
    CgCorpus *c = cg_synth(kind, size, seed, knob, NULL, entropy, &e);
    CgStrbuf b = { 0 };
    for (size_t i = 0; c && i < cg_corpus_count(c); i++)
        cg_strbuf_write(&b, cg_corpus_doc(c, i)->text.at, cg_corpus_doc(c, i)->text.len);
    cg_corpus_free(c);
    return b;
}

/* Written by this program on x86-64; any machine must give them. */
static const struct {
    const char *kind, *digest;
} golden[] = {
    { "markov", "ac0dcb070f660dc627dc0c0b36d3643d" },
    { "grammar", "f55bf2c3a7e2bdab513c98d75d916d23" },
    { "arithmetic", "06624912b00ece9c38e187752e307f0f" },
    { "code", "4dd25ebeb33b2885e3592985113701ae" },
    { "json", "508be6c031ea28413a9eee9167920e66" },
    { "dyck", "77820d46df778c489ceb97599cf4e326" },
    { "noise", "457f9ceb81763ec9a9cae9632fd2ee77" },
    { "phrases", "3faa11abc896741d1562576b442c7179" },
    { "recall", "2413ed75b06ba5371a7e0a001c20a10a" },
};

static void same_everywhere(void)
{
    for (size_t i = 0; i < CG_LEN(golden); i++) {
        CgStrbuf b = text_of(golden[i].kind, 100003, 2385, NAN, NULL);
        char hex[33];
        cg_digest_hex(cg_digest(b.at, b.len), hex);
        bool good = b.len == 100003 && !strcmp(hex, golden[i].digest);
        ok(good, "%s is the same bytes everywhere", golden[i].kind);
        if (!good)
            printf("# %zu bytes, { \"%s\", \"%s\" },\n", b.len, golden[i].kind, hex);
        cg_strbuf_deinit(&b);
        CgStrbuf other = text_of(golden[i].kind, 5003, 2386, NAN, NULL),
                 longer = text_of(golden[i].kind, 5003, 2385, NAN, NULL);
        ok(memcmp(other.at, longer.at, 5003) != 0, "another seed, other %s", golden[i].kind);
        cg_strbuf_deinit(&other);
        cg_strbuf_deinit(&longer);
    }
    ok((size_t)cg_synth_count() == CG_LEN(golden), "%s is tested", "every kind");
}

/* Bits a letter of an order-2 model fitted to the text itself. */
static double measured(const CgStrbuf *b, int order)
{
    static uint32_t seen[27 * 27][64];
    memset(seen, 0, sizeof seen);
    double bits = 0, n = 0;
    static const char chars[] = "etaoinshrdlucmfwypvbgkqjxzETAOINSHRDLUCMFWYPVBGKQJXZ0123456789 \n";
    for (size_t i = 2; i < b->len; i++) {
        int a = b->at[i - 2] == ' ' ? 26 : b->at[i - 2] - 'a', c = b->at[i - 1] == ' ' ? 26 : b->at[i - 1] - 'a';
        int state = order ? a * 27 + c : 0,
            next = order ? (b->at[i] == ' ' ? 26 : b->at[i] - 'a') : (int)(strchr(chars, b->at[i]) - chars);
        if (!order || i % 4096 >= 2)
            seen[state][next]++;
    }
    for (int s = 0; s < 27 * 27; s++) {
        double total = 0;
        for (int k = 0; k < 64; k++)
            total += seen[s][k];
        for (int k = 0; k < 64; k++)
            if (seen[s][k])
                bits -= seen[s][k] * log2(seen[s][k] / total);
        n += total;
    }
    return bits / n;
}

static void entropies(void)
{
    static const double knobs[] = { 0.0, 0.3, 0.5, 0.8, 1.0 };
    bool near = true, rising = true;
    double before = -1;
    for (size_t i = 0; i < CG_LEN(knobs); i++) {
        double h;
        CgStrbuf b = text_of("markov", 2000003, 3, knobs[i], &h);
        near &= fabs(measured(&b, 2) - h) < 0.01;
        rising &= h > before;
        before = h;
        cg_strbuf_deinit(&b);
    }
    ok(near, "the entropy of %s is what is measured", "markov");
    ok(rising && fabs(before - log2(27)) < 1e-9, "and grows with the knob up to log2 %s", "27");
    near = rising = true;
    before = 7;
    for (double knob = 0; knob <= 3; knob += 0.5) {
        double h;
        CgStrbuf b = text_of("noise", 500009, 3, knob, &h);
        near &= fabs(measured(&b, 0) - h) < 0.01;
        rising &= h < before && (knob > 0 || h == 6);
        before = h;
        cg_strbuf_deinit(&b);
    }
    ok(near && rising, "the entropy of %s is what is measured, from 6 bits down", "noise");
    double h;
    CgStrbuf b = text_of("grammar", 1009, 3, NAN, &h);
    ok(isnan(h), "%s does not pretend to know its entropy", "grammar");
    cg_strbuf_deinit(&b);
}

/* Bits that the text of a grammar needs, word by word: what stands at each place, and how likely it was there. */
static double bits_of_phrases(char *text, double p)
{
    static const char articles[] = " the a this every ", qualities[] = " old small quiet young brave tall kind tired ";
    double bits = 0;
    bool noun = false; /* the word before was one */
    for (char *word = strtok(text, " .\n"); word; word = strtok(NULL, " .\n")) {
        char padded[32];
        snprintf(padded, sizeof padded, " %s ", word);
        bool that = !strcmp(word, "that");
        if (noun)
            bits -= log2(that ? p : 1 - p);
        noun = false;
        if (strstr(articles, padded)) {
            bits += 2 + 1;
        } else if (strstr(qualities, padded)) {
            bits += 3;
        } else if (!that) {
            noun = word[strlen(word) - 1] != 's';
            bits += 4; /* of a noun, or whether it is a state or a verb and which */
        }
    }
    return bits;
}

static double bits_of_brackets(const CgStrbuf *b, int greatest)
{
    double bits = 0;
    int depth = 0;
    for (size_t i = 0; i < b->len; i++) {
        bool opens = strchr("([{<", b->at[i]), blank = b->at[i] == ' ' || b->at[i] == '\n';
        bits += blank ? 0 : (depth > 0 && depth < greatest) + (opens ? 2 : 0);
        depth += blank ? 0 : opens ? 1 : -1;
    }
    return bits;
}

static void more_entropies(void)
{
    bool near = true;
    for (double knob = 0.125; knob <= 0.5; knob += 0.125) {
        double h;
        CgStrbuf b = text_of("phrases", 1000003, 3, knob, &h);
        double bytes = (double)b.len, bits = bits_of_phrases((char *)(uintptr_t)cg_strbuf_str(&b), knob);
        near &= fabs(bits / bytes - h) < 0.005 * h;
        cg_strbuf_deinit(&b);
    }
    ok(near, "the entropy of %s is that of their derivations", "phrases");
    near = true;
    for (int depth = 1; depth <= 8; depth++) {
        double h;
        CgStrbuf b = text_of("dyck", 1000003, 3, depth, &h);
        near &= fabs(bits_of_brackets(&b, depth) / (double)b.len - h) < 0.005 * h;
        cg_strbuf_deinit(&b);
    }
    ok(near, "the entropy of brackets is that of their %s", "walk");
}

/* Bits of a number of exercises. */
static double bits_of_number(long long v, int most)
{
    double chance = 0, below = 1;
    for (int d = 1; d <= most; d++) {
        below *= 10;
        chance += (double)v < below ? 1 / below / most : 0;
    }
    return -log2(chance);
}

/* Bits that an exercise needs by its question alone: how likely it was drawn in any way. */
static double bits_of_exercise(const char *line, int most)
{
    long long a, b, c, d;
    char sign;
    int read;
    if (sscanf(line, "Calculate %lld%n", &a, &read) == 1) {
        double bits = 2 + 2 + bits_of_number(a, most);
        for (line += read; sscanf(line, " %c %lld%n", &sign, &b, &read) == 2; line += read)
            bits += bits_of_number(b, most) - log2(sign == '-' ? 0.4 : 0.6);
        return bits;
    }
    if (sscanf(line, "Multiply %lld by %lld", &a, &b) == 2)
        return 3 + bits_of_number(a, most) + bits_of_number(b, most);
    if (sscanf(line, "Divide %lld by %lld", &a, &b) == 2)
        return 3 + bits_of_number(b - 1, most) + bits_of_number(a / b, most) + log2((double)b);
    if (sscanf(line, "Solve %lld%c + %lld = %lld", &a, &sign, &b, &c) == 4)
        return 3 + log2(sign == 'x' ? 19 / 2.0 : 19) + 3 + bits_of_number((c - b) / a, most) + bits_of_number(b, most);
    if (sscanf(line, "What comes next: %lld, %lld", &a, &b) == 2)
        return 3 + 2 + bits_of_number(a, most) + bits_of_number(b - a - 1, most);
    if (sscanf(line, "Find the greatest common divisor of %lld and %lld", &a, &b) == 2) {
        double chance = 0, greatest = pow(10, most);
        for (int s = 1; s <= 9; s++)
            if (a % s == 0 && b % s == 0 && (double)(a / s) <= greatest && (double)(b / s) <= greatest)
                chance += exp2(-bits_of_number(a / s - 1, most) - bits_of_number(b / s - 1, most)) / 9;
        return 3 - log2(chance);
    }
    if (sscanf(line, "Which is greater: %lld + %lld or %lld + %lld", &a, &b, &c, &d) == 4)
        return 3 + bits_of_number(a, most) + bits_of_number(b, most) + bits_of_number(c, most)
            + bits_of_number(d, most);
    return 0;
}

static void exercises(void)
{
    bool near = true;
    double h;
    for (int most = 1; most <= 4; most++) {
        CgStrbuf b = text_of("arithmetic", 8000003, 3, most, &h);
        double bytes = (double)b.len, bits = 0;
        char *rest = (char *)(uintptr_t)cg_strbuf_str(&b);
        for (char *line = strsep(&rest, "\n"); rest; line = strsep(&rest, "\n"))
            bits += bits_of_exercise(line, most);
        near &= fabs(bits / bytes - h) < 0.003 * h;
        printf("# %d: %.6f, measured %.6f\n", most, h, bits / bytes);
        cg_strbuf_deinit(&b);
    }
    ok(near, "the entropy of %s is that of their questions", "exercises");
    ok(isnan(cg_synth_entropy(cg_synth_find("arithmetic"), 5)), "and not known of %s digits", "five");
}

typedef struct Counts {
    double n, of[600];
    int32_t most;
} Counts;

static void count_id(void *arg, int32_t id)
{
    Counts *c = arg;
    c->n++;
    c->of[id < 600 && id >= 0 ? id : 0]++;
    c->most = id > c->most ? id : c->most;
}

static void tokens(void)
{
    bool near = true, falling = true;
    double before = 10;
    for (double exponent = 0; exponent <= 3; exponent += 0.5) {
        CgRandomTokens r = { .vocabulary = 600, .size = 1, .exponent = exponent, .seed = 7 };
        Counts c = { 0 };
        cg_random_tokens_draw(&r, 0, 2000000, count_id, &c);
        double bits = 0, h = cg_random_tokens_entropy(&r);
        for (int i = 0; i < 600; i++)
            bits -= c.of[i] > 0 ? c.of[i] / c.n * log2(c.of[i] / c.n) : 0;
        near &= fabs(bits - h) < 0.005 && c.most < 600;
        falling &= h < before;
        before = h;
    }
    ok(near && falling, "random tokens of %s have the entropy they say", "every exponent");
    CgErr e = { 0 };
    CgRandomTokens of = { .vocabulary = 300, .size = 1000, .seed = 1 };
    CgCorpus *c = cg_corpus_random(&of, &e);
    CgTokenizer *t = cg_tokenizer_bytes();
    CgDataset *w = cg_windows_new(c, CG_TRAIN, t, &(CgWindowOpts){ .length = 8 }, NULL, &e);
    ok(!w && strstr(e.text, "below 300 are none of a tokenizer of 256"), "refused: a vocabulary larger than %s",
        "the tokenizer's");
    cg_corpus_free(c);
    of.vocabulary = 256;
    e = (CgErr){ 0 };
    c = cg_corpus_random(&of, &e);
    w = cg_windows_new(c, CG_ALL, t, &(CgWindowOpts){ .length = 9 }, NULL, &e);
    ok(w && w->rows == 111 && !strcmp(cg_dataset_origin(w, 3).source, "random tokens"), "windows of %s",
        "random tokens");
    cg_dataset_free(w);
    cg_corpus_free(c);
    cg_tokenizer_free(t);
    of.exponent = 0.3;
    ok(!cg_corpus_random(&of, &e) && strstr(e.text, "in halves"), "refused: an exponent of %s", "0.3");
}

static void answers(void)
{
    CgStrbuf b = text_of("recall", 100003, 9, 7, NULL);
    char *rest = (char *)(uintptr_t)cg_strbuf_str(&b);
    bool good = true;
    int lines = 0;
    for (char *line = strsep(&rest, "\n"); rest; line = strsep(&rest, "\n"), lines++) {
        char facts[64] = "", question = 0, answer = 0;
        good &= sscanf(line, "{\"facts\": \"%63[a-z0-9 ]\", \"question\": \"%c\", \"answer\": \"%c\"}", facts,
                    &question, &answer)
            == 3;
        const char *fact = strchr(facts, question);
        good &= strlen(facts) == 20 && fact && fact[1] == answer && !strchr(fact + 1, question);
    }
    ok(good && lines > 1000, "every question of %s has its answer", "recall");
    cg_strbuf_deinit(&b);
}

static void balanced(void)
{
    CgStrbuf b = text_of("dyck", 300007, 5, 11, NULL);
    char open[64];
    int depth = 0, deepest = 0;
    bool good = true;
    for (size_t i = 0; good && i < b.len; i++) {
        const char *opens = strchr("([{<", b.at[i]), *closes = strchr(")]}>", b.at[i]);
        if (opens)
            open[depth++] = ")]}>"[opens - strchr("([{<", '(')];
        else if (closes)
            good = depth > 0 && open[--depth] == b.at[i];
        deepest = depth > deepest ? depth : deepest;
    }
    ok(good && deepest == 11, "brackets balance and reach the depth of the %s", "knob");
    cg_strbuf_deinit(&b);
}

static void true_sums(void)
{
    bool good = true;
    int lines = 0;
    for (double digits = 1; digits <= 6; digits++) {
        CgStrbuf b = text_of("arithmetic", 200003, 9, digits, NULL);
        char *rest = (char *)cg_strbuf_str(&b);
        for (char *line = strsep(&rest, "\n"); rest; line = strsep(&rest, "\n")) {
            long long x, y, z, r;
            char sign;
            if (sscanf(line, "%lld = %lld * %lld + %lld", &x, &y, &z, &r) == 4)
                good &= x == y * z + r && r < z;
            else if (sscanf(line, "%lld %c %lld = %lld", &x, &sign, &y, &z) == 4)
                good &= z == (sign == '+' ? x + y : sign == '-' ? x - y : x * y);
            else
                continue;
            lines++;
        }
        cg_strbuf_deinit(&b);
    }
    ok(good && lines > 10000, "every line of %s is true", "arithmetic");
}

static void records(void)
{
    CgStrbuf b = text_of("json", 300007, 9, 300, NULL);
    char *rest = (char *)cg_strbuf_str(&b);
    bool good = true;
    int lines = 0;
    for (char *line = strsep(&rest, "\n"); rest; line = strsep(&rest, "\n"), lines++) {
        json_t *value = json_loads(line, JSON_REJECT_DUPLICATES, NULL);
        good &= json_is_object(value) && json_object_size(value) >= 3;
        json_decref(value);
    }
    ok(good && lines > 1000, "every line of %s can be read", "json");
    cg_strbuf_deinit(&b);
}

static void splits(void)
{
    CgErr e = { 0 };
    for (int i = 0; i < cg_synth_count(); i++) {
        CgCorpus *c = cg_synth(cg_synth_kind(i)->name, 300007, 1, NAN, NULL, NULL, &e);
        ok(c && cg_corpus_docs(c, CG_TRAIN) && cg_corpus_docs(c, CG_VALID) && cg_corpus_docs(c, CG_TEST),
            "%s has three splits", cg_synth_kind(i)->name);
        cg_corpus_free(c);
    }
    CgCorpus *c = cg_synth("noise", 1, 1, NAN, NULL, NULL, &e);
    ok(c && cg_corpus_bytes(c, CG_ALL) == 1, "%s byte can be had", "one");
    cg_corpus_free(c);
}

static void refused(const char *kind, uint64_t size, double knob, const char *words, const char *hint)
{
    CgErr e = { 0 };
    CgCorpus *c = cg_synth(kind, size, 1, knob, NULL, NULL, &e);
    bool good = !c && strstr(e.text, words) && strstr(e.hint, hint);
    ok(good, "refused: %s", words);
    if (!good)
        printf("# %s (%s)\n", e.text, e.hint);
    cg_corpus_free(c);
}

int main(void)
{
    same_everywhere();
    entropies();
    more_entropies();
    exercises();
    tokens();
    answers();
    balanced();
    true_sums();
    records();
    splits();
    refused("gramar", 100, NAN, "no kind of synthetic text is called 'gramar'", "did you mean 'grammar'");
    refused("quux", 100, NAN, "no kind of synthetic text is called 'quux'", "there are arithmetic, code");
    refused("dyck", 100, 65, "the knob of 'dyck' is 65; it goes from 1 to 64 in whole numbers", "");
    refused("dyck", 100, 2.5, "in whole numbers", "");
    refused("noise", 100, 0.25, "in halves", "");
    refused("markov", 100, -0.1, "goes from 0 to 1", "");
    refused("code", 0, NAN, "0 bytes", "");
    printf("1..%d\n", count);
    return failed != 0;
}
