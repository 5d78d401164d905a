/* corpus.c - documents, splits, limits and errors of corpora.
 * Takes a folder of its own under TMPDIR; prints TAP. Accuses src/data/corpus*.c and reader*.c. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "base/io.h"
#include "data/corpus.h"
#include "data/draw.h"

static int count, failed;
static char folder[256];

static void ok(bool good, const char *name)
{
    printf("%s %d - %s\n", good ? "ok" : "not ok", ++count, name);
    failed += !good;
}

static const char *path(const char *name)
{
    static char at[4][512];
    static int turn;
    turn = (turn + 1) % 4;
    snprintf(at[turn], sizeof at[turn], "%s/%s", folder, name);
    return at[turn];
}

static void write_file(const char *name, const void *bytes, size_t n)
{
    FILE *f = fopen(path(name), "wb");
    if (!f || fwrite(bytes, 1, n, f) != n || fclose(f))
        exit(99);
}

static void write_text(const char *name, const char *text) { write_file(name, text, strlen(text)); }

static void write_gz(const char *name, const void *bytes, size_t n)
{
    gzFile f = gzopen(path(name), "wb");
    if (!f || gzwrite(f, bytes, (unsigned)n) != (int)n || gzclose(f))
        exit(99);
}

static CgCorpus *load(const char *name, const CgCorpusOpts *opts, CgErr *e)
{
    const char *pattern = path(name);
    *e = (CgErr){ 0 };
    return cg_corpus_load(&pattern, 1, opts, NULL, e);
}

static void refused(const char *name, const CgCorpusOpts *opts, const char *words, const char *test)
{
    CgErr e;
    CgCorpus *c = load(name, opts, &e);
    bool good = !c && strstr(e.text, words);
    ok(good, test);
    if (!good)
        printf("# %s\n", c ? "it was accepted" : e.text);
    cg_corpus_free(c);
}

/* n bytes of lines of random words. */
static char *prose(size_t n, uint64_t seed)
{
    char *text = malloc(n);
    CgDraw d;
    cg_draw_init(&d, seed, 2385, 0);
    for (size_t i = 0; i < n; i++) {
        uint64_t x = cg_draw_below(&d, 61);
        text[i] = x == 0 ? '\n' : x < 11 ? ' ' : (char)('a' + x % 26);
    }
    return text;
}

static bool splits_apart(const CgCorpus *c)
{
    for (size_t i = 0; i < cg_corpus_count(c); i++)
        for (size_t k = 0; k < i; k++) {
            const CgDoc *a = cg_corpus_doc(c, i), *b = cg_corpus_doc(c, k);
            if (a->split != b->split && a->text.len == b->text.len && !memcmp(a->text.at, b->text.at, a->text.len))
                return false;
        }
    return true;
}

static bool glued(const CgCorpus *c, const char *text, size_t n)
{
    size_t at = 0;
    for (size_t i = 0; i < cg_corpus_count(c); i++) {
        CgText t = cg_corpus_doc(c, i)->text;
        if (at + t.len > n || memcmp(text + at, t.at, t.len))
            return false;
        at += t.len;
    }
    return at == n;
}

static bool all_splits(const CgCorpus *c)
{
    return cg_corpus_docs(c, CG_TRAIN) && cg_corpus_docs(c, CG_VALID) && cg_corpus_docs(c, CG_TEST);
}

static void cutting(void)
{
    CgErr e;
    size_t n = 7919 * 1021;
    char *text = prose(n, 1);
    write_file("big.txt", text, n);
    CgCorpus *c = load("big.txt", NULL, &e);
    ok(c && glued(c, text, n), "a big file is cut and nothing is lost");
    bool lines = true, joined = true;
    uint32_t line = 1;
    bool numbers = true;
    for (size_t i = 0; c && i < cg_corpus_count(c); i++) {
        const CgDoc *d = cg_corpus_doc(c, i);
        lines &= i + 1 == cg_corpus_count(c) || d->text.at[d->text.len - 1] == '\n';
        joined &= d->joins == (i > 0);
        numbers &= d->line == line;
        for (size_t k = 0; k < d->text.len; k++)
            line += d->text.at[k] == '\n';
    }
    ok(lines && joined, "it is cut at line ends, and says which pieces follow each other");
    ok(numbers, "every piece knows its line");
    ok(c && all_splits(c) && splits_apart(c), "all splits have documents and none is in two");
    double test = c ? (double)cg_corpus_bytes(c, CG_TEST) / (double)n : 0;
    ok(test > 0.005 && test < 0.15, "the test split is near its share");
    CgDigest whole = c ? cg_corpus_digest(c) : (CgDigest){ 0 };
    cg_corpus_free(c);

    c = load("big.txt", &(CgCorpusOpts){ .limit = 1000003 }, &e);
    ok(c && cg_corpus_bytes(c, CG_ALL) == 1000003 && !cg_digest_equal(whole, cg_corpus_digest(c)),
        "the limit cuts to the byte");
    cg_corpus_free(c);
    text[n / 2] = (char)(text[n / 2] ^ 1);
    write_file("big.txt", text, n);
    c = load("big.txt", NULL, &e);
    ok(c && !cg_digest_equal(whole, cg_corpus_digest(c)), "one bit changes the digest");
    cg_corpus_free(c);

    memset(text, 'x', n);
    for (size_t i = 0; i + 1 < n; i += 2)
        memcpy(text + i, "\xc3\xbc", 2);
    write_file("one-line.txt", text, 300001);
    c = load("one-line.txt", NULL, &e);
    bool whole_characters = c && cg_corpus_count(c) > 3;
    for (size_t i = 0; whole_characters && i < cg_corpus_count(c); i++)
        whole_characters = ((unsigned char)cg_corpus_doc(c, i)->text.at[0] & 0xc0) != 0x80;
    ok(whole_characters && glued(c, text, 300001), "one long line is cut between characters");
    cg_corpus_free(c);
    free(text);
}

/* Whether some text of a is in another split of b. */
static bool leaks(const CgCorpus *a, const CgCorpus *b)
{
    for (size_t i = 0; i < cg_corpus_count(a); i++)
        for (size_t k = 0; k < cg_corpus_count(b); k++) {
            const CgDoc *x = cg_corpus_doc(a, i), *y = cg_corpus_doc(b, k);
            if (x->split != y->split && x->text.len == y->text.len && !memcmp(x->text.at, y->text.at, x->text.len))
                return true;
        }
    return false;
}

/* Bytes of the test split of a that are in documents of the train split of b. */
static size_t shared_lines(const CgCorpus *a, const CgCorpus *b)
{
    size_t shared = 0;
    for (size_t i = 0; i < cg_corpus_count(a); i++) {
        const CgDoc *x = cg_corpus_doc(a, i);
        for (size_t k = 0; x->split == CG_TEST && k < cg_corpus_count(b); k++) {
            const CgDoc *y = cg_corpus_doc(b, k);
            const char *found =
                y->split == CG_TRAIN ? memmem(y->text.at, y->text.len, x->text.at, x->text.len / 2) : NULL;
            shared += found ? x->text.len : 0;
        }
    }
    return shared;
}

static void splits(void)
{
    CgErr e = { 0 };
    int leaking = 0;
    CgDraw d;
    cg_draw_init(&d, 2385, 7, 0);
    for (uint64_t i = 0; i < 100; i++) { /* what stands beside a text changes nothing */
        size_t n = 700 + cg_draw_below(&d, 60000), m = 700 + cg_draw_below(&d, 90000);
        char *a = prose(n, 100 + i), *b = prose(m, 300 + i);
        write_file("a.txt", a, n);
        write_file("b.txt", b, m);
        const char *both[2] = { path("b.txt"), path("a.txt") };
        CgCorpus *one = load("a.txt", NULL, &e), *two = cg_corpus_load(both, 2, NULL, NULL, &e);
        CgCorpus *part = load("a.txt", &(CgCorpusOpts){ .limit = n / 2 + 1 }, &e);
        leaking += !one || !two || !part || leaks(one, two) || leaks(part, two) || !splits_apart(two);
        cg_corpus_free(one);
        cg_corpus_free(two);
        cg_corpus_free(part);
        free(a);
        free(b);
    }
    ok(!leaking, "over 100 corpora, no document is in two splits, whatever stands beside it");

    size_t n = 600011;
    char *text = prose(n, 8), *shifted = malloc(n + 777);
    memcpy(shifted, "something else before it, without an end of line; ", 50);
    memcpy(shifted + 50, text, n);
    write_file("a.txt", text, n);
    write_file("b.txt", shifted, n + 50);
    CgCorpus *one = load("a.txt", NULL, &e), *moved = load("b.txt", NULL, &e);
    ok(one && moved && cg_corpus_bytes(one, CG_TEST) > 15000 && shared_lines(one, moved) < 4096,
        "a text that begins elsewhere is split alike");
    const char *both[2] = { path("a.txt"), path("b.txt") };
    CgCorpus *twice = cg_corpus_load(both, 2, NULL, NULL, &e);
    ok(twice && cg_corpus_copies(twice) + 5 > cg_corpus_count(one) && splits_apart(twice), "copies are counted");
    CgCorpus *exact = cg_corpus_load(both, 2, &(CgCorpusOpts){ .unique = CG_UNIQUE_EXACT }, NULL, &e);
    ok(exact && cg_corpus_bytes(exact, CG_ALL) < n + 20000 && cg_corpus_bytes(exact, CG_ALL) >= n,
        "and left out when asked to");
    cg_corpus_free(exact);
    cg_corpus_free(twice);
    cg_corpus_free(one);
    cg_corpus_free(moved);
    free(text);
    free(shifted);
}

/* Records that are others with a few words more in front, which no exact comparison finds. */
static void near_copies(void)
{
    CgErr e = { 0 };
    CgText texts[60];
    for (int i = 0; i < 60; i++) {
        char *at = prose(2000, (uint64_t)(500 + i / 2));
        if (i % 2)
            memcpy(at, "seen elsewhere: ", 16);
        texts[i] = (CgText){ at, 2000 - (size_t)(i % 2) * 100 };
    }
    CgCorpus *all = cg_corpus_from_texts("m", texts, 60, &(CgCorpusOpts){ .unique = CG_UNIQUE_EXACT }, &e);
    CgCorpus *few = cg_corpus_from_texts("m", texts, 60, &(CgCorpusOpts){ .unique = CG_UNIQUE_NEAR }, &e);
    ok(all && few && cg_corpus_count(all) == 60 && cg_corpus_count(few) == 30, "near copies are found when asked for");
    for (int i = 0; i < 60; i++)
        free((char *)texts[i].at);
    cg_corpus_free(all);
    cg_corpus_free(few);
}

static void small(void)
{
    CgErr e;
    write_text("tiny.txt", "it was\nthe best\nof times\nit was the\nworst of times\n");
    CgCorpus *c = load("tiny.txt", NULL, &e);
    ok(c && cg_corpus_count(c) == 1 && glued(c, "it was\nthe best\nof times\nit was the\nworst of times\n", 51),
        "five lines are one document, in one split");
    cg_corpus_free(c);
    CgText texts[200];
    char words[200][24];
    for (int i = 0; i < 200; i++) {
        snprintf(words[i], sizeof words[i], "text %d", i / 2);
        texts[i] = (CgText){ words[i], strlen(words[i]) };
    }
    c = cg_corpus_from_texts("memory", texts, 200, NULL, &e);
    ok(c && cg_corpus_count(c) == 200 && all_splits(c) && splits_apart(c), "equal documents fall in the same split");
    cg_corpus_free(c);
    c = cg_corpus_from_texts("memory", texts, 200, &(CgCorpusOpts){ .valid = 0.3, .test = 0 }, &e);
    ok(c && !cg_corpus_docs(c, CG_TEST) && cg_corpus_docs(c, CG_VALID) > 30, "a share of 0 gives no split");
    cg_corpus_free(c);
    c = cg_corpus_from_texts("memory", texts, 5, &(CgCorpusOpts){ .fill = true }, &e);
    ok(c && all_splits(c) && splits_apart(c), "five synthetic documents have three splits");
    cg_corpus_free(c);
    c = cg_corpus_from_texts("memory", &(CgText){ "abcdefghijklmnopq", 17 }, 1, &(CgCorpusOpts){ .fill = true }, &e);
    ok(c && all_splits(c) && glued(c, "abcdefghijklmnopq", 17), "so has one word");
    cg_corpus_free(c);
    c = cg_corpus_from_texts(
        "memory", &(CgText){ "a\na\na\na\na\na\na\na\n", 16 }, 1, &(CgCorpusOpts){ .fill = true }, &e);
    ok(c && splits_apart(c) && !all_splits(c), "one line again and again cannot be split, and is not");
    cg_corpus_free(c);
}

static void encodings(void)
{
    CgErr e;
    const char *plain = "gr\xc3\xbc\xc3\x9f \xf0\x9f\x99\x82\n";
    write_text("mark.txt", "\xef\xbb\xbfgr\xc3\xbc\xc3\x9f \xf0\x9f\x99\x82\n");
    CgCorpus *c = load("mark.txt", NULL, &e);
    ok(c && glued(c, plain, strlen(plain)), "a byte order mark is no text");
    cg_corpus_free(c);
    static const unsigned short units[] = { 'g', 'r', 0xfc, 0xdf, ' ', 0xd83d, 0xde42, '\n' };
    for (int big = 0; big < 2; big++) {
        char bytes[2 + sizeof units];
        memcpy(bytes, big ? "\xfe\xff" : "\xff\xfe", 2);
        for (size_t i = 0; i < sizeof units / 2; i++) {
            bytes[2 + 2 * i + (size_t)big] = (char)(units[i] & 255);
            bytes[3 + 2 * i - (size_t)big] = (char)(units[i] >> 8);
        }
        write_file("wide.txt", bytes, sizeof bytes);
        c = load("wide.txt", NULL, &e);
        ok(c && glued(c, plain, strlen(plain)), big ? "UTF-16 becomes UTF-8, big-endian too" : "UTF-16 becomes UTF-8");
        cg_corpus_free(c);
        write_file("half.txt", bytes, sizeof bytes - 4);
        refused("half.txt", NULL, "half a character", "half a pair of UTF-16 is refused");
    }
    write_file("bare.txt", "p\0l\0a\0i\0n\0 \0t\0e\0x\0t\0", 20);
    refused("bare.txt", NULL, "looks like UTF-16", "UTF-16 that does not say so is refused");
    write_text("t.csv", "\xef\xbb\xbftext,n\n\"one, two\",3\n\n\"say \"\"so\"\"\nhere\",4\r\n");
    c = load("t.csv", NULL, &e);
    ok(c && cg_corpus_count(c) == 2 && !strncmp(cg_corpus_doc(c, 0)->text.at, "one, two", 8)
            && !strncmp(cg_corpus_doc(c, 1)->text.at, "say \"so\"\nhere", 13) && cg_corpus_doc(c, 1)->line == 4,
        "cells of CSV lose their quotes, rows know their line");
    cg_corpus_free(c);
    write_text("u.csv", "text,n\none,2\nthree\n");
    refused("u.csv", NULL, "u.csv:3: 1 cells", "a row that lacks a cell is named");
    write_text("v.csv", "text,n\n\"one,2\n");
    refused("v.csv", NULL, "v.csv:2: the quote that opens here", "a quote without end is named");
}

static void records(void)
{
    CgErr e;
    write_text("r.jsonl",
        "{\"q\": \"one\", \"a\": \"eins\"}\n\n{\"q\": \"tw\\u00f6\", \"a\": "
        "\"z\\nwei\"}\n{\"a\": \"drei\", \"q\": \"three\"}");
    CgCorpus *c = load("r.jsonl", &(CgCorpusOpts){ .fields = (const char *[]){ "q", "a" }, .nfields = 2 }, &e);
    ok(c && cg_corpus_count(c) == 3 && !strncmp(cg_corpus_doc(c, 1)->text.at, "tw\xc3\xb6\nz\nwei", 10)
            && cg_corpus_doc(c, 2)->line == 4,
        "fields are joined by a newline, lines are known");
    cg_corpus_free(c);
    refused("r.jsonl", NULL, "r.jsonl:1: this record has no field 'text'", "a missing field is named with its place");
    refused("r.jsonl", &(CgCorpusOpts){ .fields = (const char *[]){ "Q" }, .nfields = 1 },
        ":1: this record has no field 'Q'", "names are exact");
    write_text("bad.jsonl", "{\"text\": \"fine\"}\n{\"text\": }\n");
    refused("bad.jsonl", NULL, "bad.jsonl:2: not a JSON value", "a broken line is named");
    write_text("null.jsonl", "{\"text\": null}\n");
    refused("null.jsonl", NULL, "null.jsonl:1: field 'text' is null", "a field of the wrong kind is named");
    write_text("others.jsonl",
        "{\"id\": 123456789012345678901234567890, \"text\": \"first\"}\n{\"score\": -1e999, \"text\": \"x\\\\ud83d\"}\n"
        "{\"text\": \"half \\ud83d of a pair, and \\ud83d\\ude42\", \"n\": [1e999]}\n");
    c = load("others.jsonl", NULL, &e);
    ok(c && cg_corpus_count(c) == 3 && !strncmp(cg_corpus_doc(c, 1)->text.at, "x\\ud83d", 7)
            && !strncmp(cg_corpus_doc(c, 2)->text.at, "half \xef\xbf\xbd of a pair, and \xf0\x9f\x99\x82", 27),
        "numbers beyond all bounds and half a pair are no reason to refuse a record");
    cg_corpus_free(c);
    write_text("list.jsonl", "[\"text\"]\n");
    refused("list.jsonl", NULL, "list.jsonl:1: not a JSON object", "a line that is no record is named");
    write_text("twice.jsonl", "{\"text\": \"a\", \"text\": \"b\"}\n");
    refused("twice.jsonl", NULL, "twice.jsonl:1: ", "two fields of one name are refused");
    write_text("deep.jsonl", "{\"text\": [[[[[[");
    refused("deep.jsonl", NULL, "deep.jsonl:1: not a JSON value", "a line cut off is refused");
    refused("tiny.txt", &(CgCorpusOpts){ .fields = (const char *[]){ "q" }, .nfields = 1 }, "has no file of records",
        "a field without records is a mistake");
}

static void packed(void)
{
    CgErr e;
    char *text = prose(200003, 2);
    write_gz("p.txt.gz", text, 200003);
    CgCorpus *c = load("p.txt.gz", NULL, &e);
    ok(c && glued(c, text, 200003), "gzip is unpacked");
    cg_corpus_free(c);
    CgErr ignore = { 0 };
    CgBytes one = { 0 };
    if (!cg_io_read(path("p.txt.gz"), &one, &ignore))
        exit(99);
    write_file("cut.txt.gz", one.at, one.len / 2);
    refused("cut.txt.gz", NULL, "is cut off", "half a gzip file is refused");
    char *two = malloc(2 * one.len);
    memcpy(two, one.at, one.len);
    memcpy(two + one.len, one.at, one.len);
    write_file("two.txt.gz", two, 2 * one.len);
    c = load("two.txt.gz", NULL, &e);
    ok(c && cg_corpus_bytes(c, CG_ALL) == 400006, "two gzip files glued together are both read");
    cg_corpus_free(c);
    one.at[one.len / 3] = (char)(one.at[one.len / 3] ^ 0x55);
    write_file("hurt.txt.gz", one.at, one.len);
    refused("hurt.txt.gz", NULL, "is damaged", "a damaged gzip file is refused");
    write_text("not.txt.gz", "plain text, no gzip at all");
    refused("not.txt.gz", NULL, "is damaged", "text that only pretends is refused");
    free(two);
    free(text);
    cg_io_release(&one);
    gzFile bomb = gzopen(path("bomb.txt.gz"), "wb9");
    static char zeros[1 << 20];
    for (int i = 0; i < 80; i++)
        if (gzwrite(bomb, zeros, sizeof zeros) != (int)sizeof zeros)
            exit(99);
    gzclose(bomb);
    refused("bomb.txt.gz", NULL, "unpacks to more than 64 MB", "a bomb is refused");
    write_gz("r.jsonl.gz", "{\"text\": \"a b\"}\n{\"text\": \"c d\"}\n{\"text\": \"e f\"}\n", 48);
    c = load("r.jsonl.gz", NULL, &e);
    ok(c && cg_corpus_count(c) == 3, "JSON Lines may be packed too");
    cg_corpus_free(c);
}

static void folders(void)
{
    CgErr e;
    mkdir(path("d"), 0755);
    mkdir(path("d/e"), 0755);
    write_text("d/b.txt", "second file\n");
    write_text("d/a.txt", "first file\n");
    write_text("d/e/c.txt", "third, below\n");
    write_file("d/x.bin",
        "\x7f"
        "ELF\0\0\0",
        7);
    CgCorpus *c = load("d", NULL, &e);
    ok(c && cg_corpus_count(c) >= 3 && !strncmp(cg_corpus_doc(c, 0)->text.at, "first", 5),
        "folders are read below and in order");
    ok(c && cg_corpus_passed_over(c) == 1, "binary files in folders are passed over, and counted");
    CgDigest d = c ? cg_corpus_digest(c) : (CgDigest){ 0 };
    cg_corpus_free(c);
    const char *both[] = { path("d/**/*.txt"), path("d/a.txt") };
    c = cg_corpus_load(both, 2, NULL, NULL, &e);
    ok(c && cg_digest_equal(d, cg_corpus_digest(c)), "a file found twice is read once; the digest is of contents");
    cg_corpus_free(c);
    link(path("d/a.txt"), path("hard.txt"));
    symlink("d", path("soft"));
    const char *names[] = { path("d/../d/a.txt"), path("hard.txt"), path("soft/a.txt"), path("d/**/*.txt") };
    c = cg_corpus_load(names, 4, NULL, NULL, &e);
    ok(c && cg_corpus_count(c) == 3, "by whatever path and link it is found");
    cg_corpus_free(c);
    c = load("d/x.bin", NULL, &e);
    ok(c && cg_corpus_bytes(c, CG_ALL) == 7, "a file named outright is read whatever it holds");
    cg_corpus_free(c);
    refused("nothing.txt", NULL, "nothing.txt", "a missing file is named");
    write_text("empty.txt", "");
    refused("empty.txt", NULL, "holds no text", "an empty corpus is a mistake");
    write_text("x.parquet", "PAR1");
    refused("x.parquet", NULL, "packed in a way", "formats not read are said so");
    refused(
        "tiny.txt", &(CgCorpusOpts){ .valid = 0.7, .test = 0.4 }, "sum to less than 1", "shares above one are refused");
}

static void mixtures(void)
{
    CgErr e = { 0 };
    CgCorpus *a = load("tiny.txt", NULL, &e), *b = load("big.txt", NULL, &e), *c = load("p.txt.gz", NULL, &e);
    CgCorpus *ab = cg_corpus_mix((CgCorpus *[]){ a, b }, (double[]){ 1, 3 }, 2, &e);
    CgCorpus *abc = cg_corpus_mix((CgCorpus *[]){ ab, c }, (double[]){ 4, 1 }, 2, &e);
    ok(abc && cg_corpus_nparts(abc) == 3 && fabs(cg_corpus_share(abc, 1) - 0.6) < 1e-12,
        "a mixture of mixtures is one of their parts");
    CgCorpus *s = cg_corpus_shuffle_tokens(abc, 7);
    uint64_t seed;
    ok(cg_corpus_nparts(s) == 3 && cg_corpus_shuffled(cg_corpus_component(s, 2), &seed) && seed == 7
            && cg_corpus_count(cg_corpus_component(s, 2)) == cg_corpus_count(c),
        "a shuffled mixture is a mixture of shuffled parts");
    ok(!cg_digest_equal(cg_corpus_digest(s), cg_corpus_digest(abc)), "and another value");
    ok(!cg_corpus_mix((CgCorpus *[]){ a, b }, (double[]){ 1, 0 }, 2, &e) && strstr(e.text, "share 2"),
        "a share of nothing is a mistake");
    cg_corpus_free(a);
    cg_corpus_free(b);
    cg_corpus_free(c);
    cg_corpus_free(ab);
    cg_corpus_free(abc);
    ok(cg_corpus_bytes(s, CG_ALL) > 8000000, "parts live as long as their last owner");
    cg_corpus_free(s);
}

int main(void)
{
    const char *tmp = getenv("TMPDIR");
    snprintf(folder, sizeof folder, "%s/cg-corpus-XXXXXX", tmp ? tmp : "/tmp");
    if (!mkdtemp(folder))
        return 99;
    cutting();
    splits();
    near_copies();
    small();
    encodings();
    records();
    packed();
    folders();
    mixtures();
    char remove[300];
    snprintf(remove, sizeof remove, "rm -rf '%s'", folder);
    if (system(remove))
        return 99;
    printf("1..%d\n", count);
    return failed != 0;
}
