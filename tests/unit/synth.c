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
