/* bpe.c - byte pairs: is the training the plain one, do loaded tokenizers give the ids Hugging Face gives,
 * is damage refused?
 * Takes tests/conformance/tokenizer (made by make.py and merges.py there), and CG_MERGES_TEXTS, a folder of large
 * texts, where it is set; prints TAP. Accuses src/data/tokenizer_bpe*.c, tokenizer_train.c and
 * pretoken.c. */
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include "base/io.h"
#include "base/vec.h"
#include "data/tokenizer_bpe.h"
#include "data/tokenizer_bpe_inside.h"
#include "data/characters.h"
#include "data/pretoken.h"
#include "data/synth.h"

static int count, failed;

static void ok(bool good, const char *name)
{
    printf("%s %d - %s\n", good ? "ok" : "not ok", ++count, name);
    failed += !good;
}

/* ---- the pattern of GPT-2 against its definition, character by character ----------------------------------------- */

typedef enum Sort { OTHER, LETTER, DIGIT, SPACE } Sort;

static Sort sort_at(const char *s, size_t len, size_t *step)
{
    int32_t c = cg_char_at(s, len, step);
    return c < 0               ? OTHER
        : cg_char_is_letter(c) ? LETTER
        : cg_char_is_number(c) ? DIGIT
        : cg_char_is_space(c)  ? SPACE
                               : OTHER;
}

static size_t first_piece(const char *s, size_t len)
{
    static const char *const endings[] = { "'s", "'t", "'re", "'ve", "'m", "'ll", "'d" };
    size_t step, n, last = 0; /* where the last character of the run begins */
    for (size_t i = 0; i < CG_LEN(endings); i++)
        if (strlen(endings[i]) <= len && !memcmp(s, endings[i], strlen(endings[i])))
            return strlen(endings[i]);
    /* one blank goes with what follows */
    size_t from = *s == ' ' && len > 1 && sort_at(s + 1, len - 1, &step) != SPACE;
    Sort sort = sort_at(s + from, len - from, &step);
    for (n = from; n < len && sort_at(s + n, len - n, &step) == sort; n += step)
        last = n;
    return sort == SPACE && n < len && last > 0 ? last : n;
}

/* Those of training: at most 64 bytes, bytes 0 and 1 alone. */
static size_t first_training_piece(const char *s, size_t len)
{
    size_t most = 0;
    while (most < len && most < 4096 && (unsigned char)s[most] > 1)
        most++;
    size_t n = most ? first_piece(s, most) : 1;
    return n < CG_BPE_LONGEST ? n : CG_BPE_LONGEST;
}

/* Texts of what matters to the pattern, cut anywhere. */
static void pieces_are_those_of_the_pattern(void)
{
    static const char *const parts[] = { " ", " ", "  ", "\n", "\t", "a", "Zq", "word", "7", "2385", "'", "'s", "'re",
        "'ll", "'ve'd", "!?", "-", "\xc3\xa9", "\xe4\xb8\xad", "\xf0\x9d\x9f\x98", "\xf0\x9f\x98\x80", "\xc2\xa0",
        "\xe3\x80\x80", "\xe2\x80\x99", "\xff", "\x80", "\xe4\xb8", "\xc2\x85", "abcdefghijklmnopqrstuvwxyz", "\x01" };
    uint64_t state = 2385;
    int wrong = 0, pieces = 0;
    for (int round = 0; round < 20000; round++) {
        char text[400];
        size_t len = 0, want, parts_left;
        for (parts_left = 1 + (state >> 33) % 60; parts_left && len < 300; parts_left--) {
            state = state * 6364136223846793005u + 1442695040888963407u;
            const char *part = parts[(state >> 33) % CG_LEN(parts)];
            memcpy(text + len, part, strlen(part));
            len += strlen(part);
        }
        size_t most = round % 3 ? SIZE_MAX : 1 + (size_t)round % 70, at = 0;
        char *exact = memcpy(malloc(len), text, len); /* so that a byte too many is found */
        CgPretokens walk = cg_pretokens_gpt2((CgText){ exact, len }, most);
        for (CgText piece; cg_pretokens_next(&walk, &piece); at += piece.len, pieces++) {
            want = at < len ? first_piece(text + at, len - at) : 0;
            want = want < most ? want : most;
            wrong += piece.at != exact + at || piece.len != want;
            if (!piece.len || piece.len > len - at)
                break;
        }
        wrong += at != len;
        free(exact);
    }
    printf("# %d pieces\n", pieces);
    ok(!wrong && pieces > 300000, "pieces are those of the pattern of GPT-2, wherever 64 bytes end");
}

/* ---- training against the definition: count every pair of every piece anew for each merge */

typedef struct Piece {
    int32_t *ids;
    size_t len;
} Piece;

static CgPair best_pair(const Piece *piece, size_t n, int size, int *most)
{
    int *counts = calloc((size_t)size * (size_t)size, sizeof *counts);
    CgPair best = { 0, 0 };
    *most = 0;
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k + 1 < piece[i].len; k++)
            counts[piece[i].ids[k] * size + piece[i].ids[k + 1]]++;
    for (int32_t a = 0; a < size; a++)
        for (int32_t b = 0; b < size; b++)
            if (counts[a * size + b] > *most) {
                *most = counts[a * size + b];
                best = (CgPair){ a, b };
            }
    free(counts);
    return best;
}

static bool as_defined(const CgCorpus *c, const CgTokenizer *t)
{
    CG_VEC(Piece) pieces = { 0 };
    for (size_t i = 0; i < cg_corpus_count(c); i++) {
        const CgDoc *d = cg_corpus_doc(c, i);
        CgText text = d->text;
        while (d->split == CG_TRAIN && text.len) {
            size_t n = first_training_piece(text.at, text.len);
            Piece p = { malloc(n * sizeof *p.ids), n };
            for (size_t k = 0; k < n; k++)
                p.ids[k] = (unsigned char)text.at[k];
            cg_vec_push(&pieces, p);
            text.at += n;
            text.len -= n;
        }
    }
    bool same = true;
    CgStrbuf plain = { 0 }, packed = { 0 };
    cg_strbuf_puts(&plain, "cg bpe 1\n");
    for (int32_t made = 256; made < t->size; made++) {
        int most;
        CgPair p = best_pair(pieces.at, pieces.len, made, &most);
        same &= most >= 2;
        cg_strbuf_printf(&plain, "%d %d\n", p.left, p.right);
        for (size_t i = 0; i < pieces.len; i++) {
            size_t to = 0;
            Piece *q = &pieces.at[i];
            for (size_t k = 0; k < q->len; k++) {
                bool hit = k + 1 < q->len && q->ids[k] == p.left && q->ids[k + 1] == p.right;
                q->ids[to++] = hit ? made : q->ids[k];
                k += hit;
            }
            q->len = to;
        }
    }
    cg_bpe_pack(t, &packed);
    same &= !strcmp(cg_strbuf_str(&plain), cg_strbuf_str(&packed));
    for (size_t i = 0; i < pieces.len; i++)
        free(pieces.at[i].ids);
    cg_vec_free(&pieces);
    cg_strbuf_deinit(&plain);
    cg_strbuf_deinit(&packed);
    return same;
}

static bool comes_back(const CgTokenizer *t, const char *text, size_t n, size_t *ids_used)
{
    CgTokens ids = { 0 };
    CgStrbuf back = { 0 };
    cg_tokenizer_encode(t, text, n, &ids);
    cg_tokenizer_decode(t, ids.at, ids.len, false, &back);
    bool same = back.len == n && !memcmp(cg_strbuf_str(&back), text, n);
    *ids_used = ids.len;
    cg_vec_free(&ids);
    cg_strbuf_deinit(&back);
    return same;
}

static void training(void)
{
    CgErr e = { 0 };
    size_t used;
    static const char *const kinds[] = { "grammar", "code", "noise", "dyck" };
    for (size_t i = 0; i < CG_LEN(kinds); i++) {
        CgCorpus *c = cg_synth(kinds[i], 20011, 3, NAN, NULL, NULL, &e);
        CgTokenizer *t = cg_bpe_train(&c, 1, 331, &e);
        ok(t && t->size == 331 && as_defined(c, t), kinds[i]);
        cg_tokenizer_free(t);
        cg_corpus_free(c);
    }
    char runs[4096];
    for (int i = 0; i < 4096; i++)
        runs[i] = (char)(i % 61 < 60 ? 'a' + i / 61 % 3 : ' ');
    CgCorpus *c = cg_corpus_from_texts("runs", &(CgText){ runs, 4096 }, 1, NULL, &e);
    CgTokenizer *t = cg_bpe_train(&c, 1, 300, &e);
    ok(t && as_defined(c, t), "runs of one letter");
    ok(t->size < 300, "a text with few pairs gives few tokens");
    cg_tokenizer_free(t);
    cg_corpus_free(c);

    CgCorpus *two[2] = { cg_synth("grammar", 200003, 3, NAN, NULL, NULL, &e),
        cg_synth("code", 300007, 3, NAN, NULL, NULL, &e) };
    t = cg_bpe_train(two, 2, 500, &e);
    CgTokenizer *again = cg_bpe_train(two, 2, 500, &e);
    ok(t && t->size == 500 && cg_digest_equal(t->digest, again->digest), "the same text gives the same tokenizer");
    const CgDoc *d = cg_corpus_doc(two[0], 3);
    ok(comes_back(t, d->text.at, d->text.len, &used) && used * 2 < d->text.len,
        "text comes back from less than half as many tokens");
    char all[1024];
    for (int i = 0; i < 1024; i++)
        all[i] = (char)(i * 179 + i / 256 * 13);
    ok(comes_back(t, all, 1024, &used), "so does any run of bytes");
    memset(all, '=', 1024);
    ok(comes_back(t, all, 1024, &used), "and a long run of one");
    CgStrbuf packed = { 0 };
    cg_bpe_pack(t, &packed);
    CgTokenizer *unpacked = cg_bpe_unpack(packed.at, packed.len, &e);
    ok(unpacked && cg_digest_equal(unpacked->digest, t->digest) && unpacked->size == 500,
        "a tokenizer can be kept as text");
    int refused = 0, tries = 0;
    for (size_t cut = 0; cut < packed.len; cut += 997, tries++) {
        CgErr why = { 0 };
        CgTokenizer *bad = cg_bpe_unpack(packed.at, cut, &why);
        refused += !bad && why.text[0];
        if (bad && packed.at[cut - 1] == '\n')
            refused++;
        cg_tokenizer_free(bad);
    }
    ok(refused == tries, "half of it is refused, unless it ends with a line");
    static const char *const bad[] = { "", "cg bpe 1\n256 1\n", "cg bpe 1\n-1 1\n", "cg bpe 1\n1 2", "cg bpe 1\n01 2\n",
        "cg bpe 1\n1  2\n", "cg bpe 2\n", "cg bpe 1\n97 97\n256 256\n257 257\n258 258\n259 259\n260 260\n261 261\n",
        "cg bpe 1\n99999999999999999999 1\n" };
    for (size_t i = 0; i < CG_LEN(bad); i++) {
        CgErr why = { 0 };
        CgTokenizer *b = cg_bpe_unpack(bad[i], strlen(bad[i]), &why);
        ok(!b && strstr(why.text, "damaged"), "damaged merges are refused");
        cg_tokenizer_free(b);
    }
    CgErr why = { 0 };
    ok(!cg_bpe_train(two, 2, 255, &why) && strstr(why.text, "255 tokens"), "fewer than the bytes cannot be");
    cg_strbuf_deinit(&packed);
    cg_tokenizer_free(t);
    cg_tokenizer_free(again);
    cg_tokenizer_free(unpacked);
    cg_corpus_free(two[0]);
    cg_corpus_free(two[1]);
}

/* ---- merges that Hugging Face's trainer learned of the same texts */

static const char *conformance(const char *name);

/* The merges of a text, all of it one document. */
static void merges_of(CgText text, int size, CgStrbuf *out)
{
    CgErr e = { 0 };
    CgCorpus *c = cg_corpus_from_texts("text", &text, 1, &(CgCorpusOpts){ .shares = true, .block = 1 << 24 }, &e);
    CgTokenizer *t = c ? cg_bpe_train(&c, 1, size, &e) : NULL;
    out->len = 0;
    if (t)
        cg_bpe_pack(t, out);
    cg_tokenizer_free(t);
    cg_corpus_free(c);
}

static void merges_are_those_of_others(void)
{
    static const char *const names[] = { "english", "scripts", "bytes" };
    CgStrbuf got = { 0 };
    CgErr e = { 0 };
    for (size_t i = 0; i < CG_LEN(names); i++) {
        CgBytes text = { 0 }, want = { 0 };
        char file[64];
        snprintf(file, sizeof file, "merges/%s.txt", names[i]);
        bool good = cg_io_read(conformance(file), &text, &e);
        snprintf(file, sizeof file, "merges/%s.bpe", names[i]);
        good = good && cg_io_read(conformance(file), &want, &e);
        merges_of((CgText){ text.at, text.len }, 1000, &got);
        ok(good && got.len == want.len && want.len > 1000 && !memcmp(got.at, want.at, got.len), names[i]);
        cg_io_release(&text);
        cg_io_release(&want);
    }
    const char *folder = getenv("CG_MERGES_TEXTS"), *name;
    json_t *known = json_load_file(conformance("merges/large.json"), 0, NULL), *value;
    json_object_foreach(folder ? known : NULL, name, value)
    {
        char path[4096];
        CgBytes text = { 0 };
        snprintf(path, sizeof path, "%s/%s", folder, name);
        bool good = cg_io_read(path, &text, &e);
        merges_of((CgText){ text.at, text.len < 4 << 20 ? text.len : 4 << 20 }, 8000, &got);
        uLong crc = crc32(0, (const Bytef *)got.at, (uInt)got.len);
        ok(good && (json_int_t)crc == json_integer_value(json_array_get(value, 1)), name);
        cg_io_release(&text);
    }
    json_decref(known);
    cg_strbuf_deinit(&got);
}

/* ---- files of others */

static const char *conformance(const char *name)
{
    static char path[4096];
    const char *srcdir = getenv("srcdir");
    snprintf(path, sizeof path, "%s/tests/conformance/tokenizer/%s", srcdir ? srcdir : ".", name);
    return path;
}

static bool same_ids(const CgTokens *got, const json_t *want)
{
    bool same = got->len == json_array_size(want);
    for (size_t i = 0; same && i < got->len; i++)
        same = got->at[i] == json_integer_value(json_array_get(want, i));
    return same;
}

/* The ids that a file of cases has under `key`, and whether all texts come back. */
static int as_told(const CgTokenizer *t, const char *cases, const char *key, bool *good, bool *back)
{
    CgErr e = { 0 };
    CgBytes bytes = { 0 };
    int texts = 0;
    *good = *back = cg_io_read(conformance(cases), &bytes, &e);
    char *rest = *good ? bytes.at : NULL;
    for (char *line = strsep(&rest, "\n"); line && *line; line = strsep(&rest, "\n"), texts++) {
        json_t *row = json_loads(line, 0, NULL);
        const char *text = json_string_value(json_object_get(row, "text"));
        CgTokens ids = { 0 };
        size_t used;
        cg_tokenizer_encode(t, text, strlen(text), &ids);
        bool same = same_ids(&ids, json_object_get(row, key));
        if (!same)
            printf("# %s differs: %.200s\n", key, line);
        *good &= same;
        *back &= comes_back(t, text, strlen(text), &used);
        cg_vec_free(&ids);
        json_decref(row);
    }
    cg_io_release(&bytes);
    return texts;
}

static void loading(void)
{
    CgErr e = { 0 };
    CgTokenizer *gpt2 = cg_tokenizer_load(conformance("gpt2.json"), NULL, -1, &e),
                *llama = gpt2 ? cg_tokenizer_load(conformance("llama.json"), NULL, -1, &e) : NULL,
                *added = llama ? cg_tokenizer_load(conformance("added.json"), NULL, -1, &e) : NULL;
    ok(gpt2 && llama && added, "the files can be read");
    if (!added) {
        printf("# %s\n", e.text);
        return;
    }
    ok(gpt2->size == 580 && gpt2->end == 1 && gpt2->marker == 0, "size and special tokens are known");
    ok(!cg_bpe_is(gpt2), "a loaded tokenizer is its file, not its merges");
    bool good[3], back[3];
    int texts = as_told(gpt2, "cases.jsonl", "gpt2", &good[0], &back[0]);
    ok(texts > 30 && good[0], "ids of the GPT-2 pattern are those of Hugging Face");
    as_told(llama, "cases.jsonl", "llama", &good[1], &back[1]);
    ok(good[1], "ids of the Llama 3 pattern too");
    texts = as_told(added, "added.jsonl", "added", &good[2], &back[2]);
    ok(texts == 10 && good[2], "and those of tokens that were added, and of pieces of thousands of bytes");
    ok(back[0] && back[1] && back[2], "all texts come back");
    char bytes[30011];
    for (int i = 0; i < 30011; i++)
        bytes[i] = (char)(i * i % 251 + i / 999);
    size_t used;
    ok(comes_back(gpt2, bytes, sizeof bytes, &used) && comes_back(llama, bytes, sizeof bytes, &used),
        "bytes that are no UTF-8 come back");
    memset(bytes, ' ', sizeof bytes);
    ok(comes_back(llama, bytes, sizeof bytes, &used), "30000 blanks come back");
    cg_tokenizer_free(gpt2);
    cg_tokenizer_free(llama);
    cg_tokenizer_free(added);
}

/* What the file says when `from` in it is replaced by `to`. */
static void broken(const char *file, const char *from, const char *to, const char *words, const char *name)
{
    CgErr e = { 0 };
    CgBytes b = { 0 };
    char path[300];
    const char *tmp = getenv("TMPDIR");
    snprintf(path, sizeof path, "%s/cg-bpe-%ld.json", tmp ? tmp : "/tmp", (long)getpid());
    if (!cg_io_read(conformance(file), &b, &e))
        exit(99);
    char *at = strstr(b.at, from);
    CgStrbuf text = { 0 };
    if (at) {
        cg_strbuf_write(&text, b.at, (size_t)(at - b.at));
        cg_strbuf_puts(&text, to);
        cg_strbuf_puts(&text, at + strlen(from));
    }
    if (!cg_io_write(path, cg_strbuf_str(&text), text.len, &e))
        exit(99);
    CgTokenizer *t = cg_tokenizer_load(path, NULL, -1, &e);
    bool good = at && !t && strstr(e.text, words);
    ok(good, name);
    if (!good)
        printf("# %s\n", t ? "accepted" : e.text);
    cg_tokenizer_free(t);
    cg_io_release(&b);
    cg_strbuf_deinit(&text);
    unlink(path);
}

int main(void)
{
    pieces_are_those_of_the_pattern();
    training();
    merges_are_those_of_others();
    loading();
    broken("gpt2.json", "\"id\": 1", "\"id\": -1", "has no id", "negative ids are refused");
    broken("gpt2.json", "\"id\": 1", "\"id\": 99999999999", "has no id", "huge ids are refused");
    broken("gpt2.json", "endoftext", "stopofstory", "two tokens have the id",
        "an added token with another's id is refused");
    broken("gpt2.json", "\"a\": ", "\"aaaaaaa\": ", "", "a missing letter is noticed");
    broken("gpt2.json", "\"dropout\": null", "\"dropout\": 0.1", "BPE with dropout", "random merges are refused");
    broken("gpt2.json", "\"version\"", "version", ":2:", "broken JSON is refused with its line");
    broken("llama.json", "(?i:", "(?i:((((", "is wrong at", "a broken pattern is refused");
    printf("1..%d\n", count);
    return failed != 0;
}
