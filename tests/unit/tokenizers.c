/* tokenizers.c - do the kinds of tokenizer.json give the ids and texts that Hugging Face gives, is each part that would
 * be misunderstood refused by name, and is what was trained here written as such a file?
 * Takes tests/conformance/tokenizer (kinds.py there made it), and CG_TOKENIZER_TEXT, a large text, where it is set;
 * prints TAP. Accuses src/data/tokenizer_*.c, charsmap.c, pattern.c, characters.c. */
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>
#include <zlib.h>

#include "base/io.h"
#include "base/vec.h"
#include "data/synth.h"
#include "data/tokenizer_bpe.h"
#include "data/tokenizer_kinds.h"
#include "tap.h"

static const char *const names[] = { "gpt2", "roberta", "llama3", "deepseek", "llama2", "gemma", "mistral", "unigram",
    "bert", "words", "t5" };

static const char *conformance(const char *name)
{
    static char path[4096];
    const char *srcdir = getenv("srcdir");
    snprintf(path, sizeof path, "%s/tests/conformance/tokenizer/%s", srcdir ? srcdir : ".", name);
    return path;
}

static CgTokenizer *of_kind(const char *name)
{
    char file[64];
    CgErr e = { 0 };
    snprintf(file, sizeof file, "kinds/%s.json", name);
    CgTokenizer *t = cg_tokenizer_load(conformance(file), NULL, -1, &e);
    tap_ok(t != NULL, "%s is read %s", name, e.text);
    return t;
}

/* As the reference has them: without the end of a document, which it adds to none. */
static void ids_of(const CgTokenizer *t, const char *text, size_t len, CgTokens *out)
{
    out->len = 0;
    cg_tokenizer_begin(t, out);
    cg_tokenizer_encode(t, text, len, out);
    for (int i = 0; i < t->nafter; i++)
        cg_vec_push(out, t->after[i]);
}

static bool same_ids(const CgTokens *got, const json_t *want)
{
    bool same = json_is_array(want) && got->len == json_array_size(want);
    for (size_t i = 0; same && i < got->len; i++)
        same = got->at[i] == json_integer_value(json_array_get(want, i));
    return same;
}

/* A text without the U+FFFD in which the reference writes each byte that is no UTF-8. */
static void without_marks(const char *s, size_t n, CgStrbuf *out)
{
    out->len = 0;
    for (size_t i = 0; i < n; i++)
        if (n - i >= 3 && !memcmp(s + i, "\xef\xbf\xbd", 3))
            i += 2;
        else
            cg_strbuf_putc(out, s[i]);
}

static void compare(const char *name, const char *cases)
{
    CgTokenizer *t = of_kind(name);
    char key[32], *rest = strdup(cases), *all = rest;
    int texts = 0, ids_differ = 0, texts_differ = 0, parts_differ = 0;
    snprintf(key, sizeof key, "%s_text", name);
    for (char *line = strsep(&rest, "\n"); t && line && *line; line = strsep(&rest, "\n"), texts++) {
        json_t *row = json_loads(line, 0, NULL);
        const char *text = json_string_value(json_object_get(row, "text")),
                   *back = json_string_value(json_object_get(row, key));
        CgTokens ids = { 0 };
        CgStrbuf got = { 0 }, parts = { 0 }, plain = { 0 }, want = { 0 };
        ids_of(t, text, strlen(text), &ids);
        ids_differ += !same_ids(&ids, json_object_get(row, name));
        /* the reference leaves special tokens out, and nothing else */
        CgTokens said = { 0 };
        for (size_t i = 0; i < ids.len; i++)
            if (!t->kind->special || !t->kind->special(t, ids.at[i]))
                cg_vec_push(&said, ids.at[i]);
        cg_tokenizer_decode(t, said.at, said.len, 0, &got);
        for (size_t i = 0; i < said.len; i++)
            cg_tokenizer_decode(t, said.at + i, 1, i ? CG_WITHIN : 0, &parts);
        parts_differ += parts.len != got.len || memcmp(cg_strbuf_str(&parts), cg_strbuf_str(&got), got.len) != 0;
        without_marks(cg_strbuf_str(&got), got.len, &plain);
        without_marks(back, strlen(back), &want);
        bool same = !strcmp(cg_strbuf_str(&plain), cg_strbuf_str(&want));
        texts_differ += !same;
        if (!same)
            printf("# %s: %s, not %s\n", name, cg_strbuf_str(&plain), cg_strbuf_str(&want));
        cg_vec_free(&ids);
        cg_vec_free(&said);
        cg_strbuf_deinit(&got);
        cg_strbuf_deinit(&parts);
        cg_strbuf_deinit(&plain);
        cg_strbuf_deinit(&want);
        json_decref(row);
    }
    free(all);
    tap_ok(texts > 50 && !ids_differ, "%s: the ids of %d texts (%d differ)", name, texts, ids_differ);
    tap_ok(texts > 50 && !texts_differ, "%s: the texts of these ids (%d differ)", name, texts_differ);
    tap_ok(!parts_differ, "%s: token by token the same text", name);
    cg_tokenizer_free(t);
}

/* The ids of all documents of a large text: how many, and their checksum. */
static void compare_large(const char *path)
{
    CgErr e = { 0 };
    CgBytes text = { 0 };
    json_t *known = json_load_file(conformance("large.json"), 0, NULL);
    bool good = cg_io_read(path, &text, &e);
    tap_ok(
        good && (json_int_t)text.len == json_integer_value(json_object_get(known, "bytes")), "the text of large.json");
    for (size_t k = 0; good && k < CG_LEN(names); k++) {
        const json_t *want = json_object_get(json_object_get(known, "kinds"), names[k]);
        CgTokenizer *t = of_kind(names[k]);
        CgTokens ids = { 0 };
        uLong crc = crc32(0, NULL, 0);
        size_t count = 0;
        clock_t begin = clock();
        for (char *at = text.at, *end = at + text.len; t && at <= end;) {
            char *stop = memchr(at, 1, (size_t)(end - at));
            stop = stop ? stop : end;
            ids_of(t, at, (size_t)(stop - at), &ids);
            count += ids.len;
            crc = crc32(crc, (const Bytef *)ids.at, (uInt)(ids.len * sizeof *ids.at));
            at = stop + 1;
        }
        bool same = (json_int_t)count == json_integer_value(json_array_get(want, 0))
            && (json_int_t)crc == json_integer_value(json_array_get(want, 1));
        tap_ok(same, "%s: %zu ids of %zu bytes, %.1f MB/s", names[k], count, text.len,
            (double)text.len / 1e6 / ((double)(clock() - begin) / CLOCKS_PER_SEC));
        cg_vec_free(&ids);
        cg_tokenizer_free(t);
    }
    cg_io_release(&text);
    json_decref(known);
}

/* ---- what is refused -------------------------------------------------------------------------------------------- */

static const char sound[] =
    "{\"version\":\"1.0\",\"truncation\":null,\"padding\":null,\"added_tokens\":[{\"id\":9,\"content\":\"</"
    "s>\",\"single_word\":"
    "false,\"lstrip\":false,\"rstrip\":false,\"normalized\":false,\"special\":true}],\"normalizer\":{\"type\":"
    "\"Sequence\","
    "\"normalizers\":[{\"type\":\"NFC\"},{\"type\":\"Replace\",\"pattern\":{\"String\":\"x\"},\"content\":\"a\"}]},"
    "\"pre_tokenizer\":{\"type\":\"Split\",\"pattern\":{\"Regex\":\"b+\"},\"behavior\":\"Isolated\",\"invert\":false},"
    "\"post_processor\":{\"type\":\"TemplateProcessing\",\"single\":[{\"Sequence\":{\"id\":\"A\",\"type_id\":0}},{"
    "\"SpecialToken\":"
    "{\"id\":\"</s>\",\"type_id\":0}}],\"pair\":[],\"special_tokens\":{\"</s>\":{\"id\":\"</"
    "s>\",\"ids\":[9],\"tokens\":[\"</s>\"]}}},"
    "\"decoder\":{\"type\":\"Fuse\"},\"model\":{\"type\":\"BPE\",\"dropout\":null,\"unk_token\":\"u\",\"continuing_"
    "subword_prefix\":"
    "null,\"end_of_word_suffix\":null,\"fuse_unk\":false,\"byte_fallback\":false,\"ignore_merges\":false,\"vocab\":{"
    "\"a\":0,"
    "\"b\":1,\"u\":2,\"ab\":3,\"abb\":4},\"merges\":[[\"a\",\"b\"],\"ab b\"]}}";

typedef struct Edit {
    const char *from, *to, *words;
} Edit;
static const Edit edits[] = {
    { "\"version\":\"1.0\",", "\"version\":\"1.0\",\"extra\":1,", "the field 'extra'" },
    { "\"truncation\":null", "\"truncation\":{\"max_length\":8}", "the field 'truncation'" },
    { "\"padding\":null", "\"padding\":{\"length\":8}", "the field 'padding'" },
    { "\"id\":9,", "\"id\":-1,", "token '</s>' has no id" },
    { "\"id\":9,", "\"id\":1.5,", "token '</s>' has no id" },
    { "\"id\":9,", "\"id\":3,", "two tokens have the id 3" },
    { "\"single_word\":false", "\"single_word\":0", "'single_word' of" },
    { "\"lstrip\":false", "\"upper\":false", "an added token with 'upper'" },
    { "</s>\",\"single", "stop\",\"single", "named like an end of text" },
    { "{\"type\":\"NFC\"}", "{\"type\":\"Nmt\"}", "the normalizer 'Nmt'" },
    { "{\"type\":\"NFC\"}", "{\"type\":\"NFC\",\"form\":1}", "'NFC' with the option 'form'" },
    { "{\"type\":\"NFC\"}", "{\"form\":1}", "the normalizer 'without type'" },
    { "{\"type\":\"NFC\"}", "7", "'normalizer' is no step" },
    { "{\"type\":\"NFC\"}", "{\"type\":\"Prepend\"}", "no string 'prepend'" },
    { "{\"type\":\"NFC\"}", "{\"type\":\"Strip\",\"strip_left\":3}", "'strip_left' of 'Strip'" },
    { "{\"type\":\"NFC\"}", "{\"type\":\"BertNormalizer\",\"lowercase\":1}", "'lowercase' of 'BertNormalizer'" },
    { "{\"type\":\"NFC\"}", "{\"type\":\"Precompiled\"}", "no 'precompiled_charsmap'" },
    { "{\"type\":\"NFC\"}", "{\"type\":\"Precompiled\",\"precompiled_charsmap\":\"AAAA\"}", "is damaged" },
    { "{\"type\":\"NFC\"}", "{\"type\":\"Precompiled\",\"precompiled_charsmap\":\"$$$$$$$$\"}", "is damaged" },
    { "\"normalizers\":[", "\"normalizer\":[", "Sequence of 'normalizer' has no list" },
    { "{\"String\":\"x\"}", "{\"String\":\"\"}", "the pattern of 'Replace'" },
    { "{\"String\":\"x\"}", "{\"Text\":\"x\"}", "the pattern of 'Replace'" },
    { "{\"String\":\"x\"}", "{\"Regex\":\"(x\"}", "the Regex is wrong at byte 2 of 2" },
    { "\"content\":\"a\"", "\"content\":4", "no string 'content'" },
    { "{\"type\":\"Split\"", "{\"type\":\"UnicodeScripts\"", "the pre_tokenizer 'UnicodeScripts'" },
    { "\"Isolated\"", "\"Joined\"", "the behavior 'Joined'" },
    { "\"invert\":false", "\"invert\":\"no\"", "'invert' of 'Split'" },
    { "{\"Regex\":\"b+\"}", "{\"Regex\":\"b++++(\"}", "is wrong at" },
    { "{\"Regex\":\"b+\"}", "\"b+\"", "the pattern of 'Split'" },
    { "{\"type\":\"Split\",\"pattern\":{\"Regex\":\"b+\"},\"behavior\":\"Isolated\",\"invert\":false}",
        "{\"type\":\"Metaspace\",\"replacement\":\"__\"}", "is not one character" },
    { "{\"type\":\"Split\",\"pattern\":{\"Regex\":\"b+\"},\"behavior\":\"Isolated\",\"invert\":false}",
        "{\"type\":\"Metaspace\",\"replacement\":\"_\",\"prepend_scheme\":\"last\"}", "the prepend_scheme 'last'" },
    { "{\"type\":\"Split\",\"pattern\":{\"Regex\":\"b+\"},\"behavior\":\"Isolated\",\"invert\":false}",
        "{\"type\":\"Sequence\",\"pretokenizers\":[{\"type\":\"ByteLevel\"},{\"type\":\"Digits\"}]}",
        "a pre_tokenizer behind 'ByteLevel'" },
    { "{\"type\":\"TemplateProcessing\"", "{\"type\":\"Other\"", "the post_processor 'Other'" },
    { "\"ids\":[9]", "\"ids\":[]", "has no ids of '</s>'" },
    { "\"ids\":[9]", "\"ids\":[10]", "whose id is no token" },
    { "{\"Sequence\":{\"id\":\"A\",\"type_id\":0}},", "", "no place for one text" },
    { "{\"type\":\"Fuse\"}", "{\"type\":\"CTC\"}", "the decoder 'CTC'" },
    { "{\"type\":\"Fuse\"}", "{\"type\":\"Strip\",\"content\":\"a\",\"start\":0,\"stop\":1}", "'Strip' with a 'stop'" },
    { "{\"type\":\"Fuse\"}", "{\"type\":\"Strip\",\"content\":\"ab\",\"start\":0,\"stop\":0}", "no content, start" },
    { "{\"type\":\"Fuse\"}", "{\"type\":\"Replace\",\"pattern\":{\"String\":\"a\"}}", "no string 'content'" },
    { "\"type\":\"BPE\"", "\"type\":\"WordLevel\"", "the model 'WordLevel'" },
    { "\"type\":\"BPE\"", "\"type\":\"Unigram\"", "the option of the model, 'dropout'" },
    { "\"dropout\":null", "\"dropout\":0.1", "BPE with dropout" },
    { "\"dropout\":null", "\"drop\":null", "the option of the model, 'drop'" },
    { "\"unk_token\":\"u\"", "\"unk_token\":\"v\"", "unk_token 'v' is not in the vocabulary" },
    { "\"end_of_word_suffix\":null", "\"end_of_word_suffix\":\"</w>\"", "BPE with marks at word ends" },
    { "\"byte_fallback\":false", "\"byte_fallback\":1", "'byte_fallback' of" },
    { "\"a\":0", "\"a\":\"0\"", "token 'a' has no id" },
    { "\"a\":0", "\"a\":1", "two tokens have the id 1" },
    { "\"a\":0", "\"a\":4000000", "token 'a' has no id" },
    { "\"vocab\":{", "\"vocab\":[{", ":1:" },
    { "\"abb\":4", "\"abc\":4", "merge 1, 'ab' and 'b'" },
    { "\"ab b\"", "\"abb\"", "merge 1 is no pair" },
    { "\"ab b\"", "[\"ab\"]", "merge 1 is no pair" },
    { "\"merges\":[[\"a\",\"b\"],\"ab b\"]", "\"merges\":{}", "no list of merges" },
    { "\"merges\":", "\"cg\":{\"end\":99,\"mark\":1},\"merges\":", "'cg' of the model" },
};

static void refused(void)
{
    char path[300];
    const char *tmp = getenv("TMPDIR");
    int wrong = 0;
    snprintf(path, sizeof path, "%s/cg-tokenizers-%ld.json", tmp ? tmp : "/tmp", (long)getpid());
    for (size_t i = 0; i <= CG_LEN(edits); i++) {
        CgErr e = { 0 };
        CgStrbuf text = { 0 };
        const char *at = i < CG_LEN(edits) ? strstr(sound, edits[i].from) : sound;
        cg_strbuf_write(&text, sound, (size_t)(at - sound));
        cg_strbuf_puts(&text, i < CG_LEN(edits) ? edits[i].to : "");
        cg_strbuf_puts(&text, at + (i < CG_LEN(edits) ? strlen(edits[i].from) : 0));
        if (!cg_io_write(path, text.at, text.len, &e))
            exit(99);
        CgTokenizer *t = cg_tokenizer_load(path, NULL, -1, &e);
        bool good = i < CG_LEN(edits) ? !t && strstr(e.text, edits[i].words) && strstr(e.text, path) : t != NULL;
        wrong += !good;
        if (!good)
            printf("# edit %zu, %s: %s\n", i, i < CG_LEN(edits) ? edits[i].to : "none", t ? "is read" : e.text);
        cg_tokenizer_free(t);
        cg_strbuf_deinit(&text);
    }
    unlink(path);
    tap_ok(!wrong, "%zu files are refused by what is wrong with them (%d are not)", CG_LEN(edits), wrong);
}

/* ---- what is written -------------------------------------------------------------------------------------------- */

static void written(
    const char *name, CgTokenizer *t, bool (*write)(const CgTokenizer *, const char *, CgStrbuf *), const char *text)
{
    CgErr e = { 0 };
    CgStrbuf json = { 0 };
    char path[300];
    const char *tmp = getenv("TMPDIR");
    snprintf(path, sizeof path, "%s/cg-written-%ld.json", tmp ? tmp : "/tmp", (long)getpid());
    bool good = t && write(t, "[]", &json) && cg_io_write(path, json.at, json.len, &e);
    CgTokenizer *back = good ? cg_tokenizer_load(path, NULL, -1, &e) : NULL;
    CgTokens a = { 0 }, b = { 0 };
    if (back) {
        cg_tokenizer_encode(t, text, strlen(text), &a);
        cg_tokenizer_encode(back, text, strlen(text), &b);
    }
    tap_ok(back && back->size == t->size && back->end == t->end && back->marker == t->marker && a.len == b.len
            && !memcmp(a.at, b.at, a.len * sizeof *a.at),
        "%s: what was trained is written, and read back %s", name, e.text);
    unlink(path);
    cg_vec_free(&a);
    cg_vec_free(&b);
    cg_strbuf_deinit(&json);
    cg_tokenizer_free(back);
    cg_tokenizer_free(t);
}

static const CgTokenizerMaker *maker(const char *name)
{
    const CgTokenizerMaker *m;
    for (size_t i = 0; (m = cg_tokenizer_at(i)); i++)
        if (!strcmp(m->name, name))
            return m;
    return NULL;
}

static void trained(void)
{
    static const char text[] =
        "A text with words, 2385 of them:\n\n  \"größer\" and 東京の日本語日本語日本語日本語日本語"
        "日本語日本語 \x01 and so on";
    CgErr e = { 0 };
    CgCorpus *c = cg_synth("code", 60007, 3, NAN, NULL, NULL, &e);
    written("bpe", maker("bpe")->train(&c, 1, 400, &e), maker("bpe")->write, text);
    CgTokenizer *chars = maker("chars")->train(&c, 1, 0, &e);
    CgStrbuf packed = { 0 };
    maker("chars")->pack(chars, &packed);
    CgTokenizer *again = maker("chars")->unpack(packed.at, packed.len, &e);
    tap_ok(again && cg_digest_equal(again->digest, chars->digest) && again->size == chars->size && chars->size > 30,
        "characters are kept as text");
    CgTokens ids = { 0 };
    CgStrbuf back = { 0 };
    cg_tokenizer_encode(chars, "def \xc3\xa9(x)", 8, &ids);
    cg_tokenizer_end(chars, &ids);
    cg_tokenizer_decode(chars, ids.at, ids.len, CG_PLAIN, &back);
    tap_ok(ids.len == 8 && ids.at[4] == 2 && ids.at[7] == 0 && !strcmp(cg_strbuf_str(&back), "def \xef\xbf\xbd(x"),
        "a character that did not occur is unknown");
    CgErr why = { 0 };
    tap_ok(!maker("chars")->unpack("cg chars 1\nba", 13, &why) && strstr(why.text, "damaged at character 2"),
        "characters out of order are damage");
    written("chars", chars, maker("chars")->write, text);
    cg_tokenizer_free(again);
    cg_corpus_free(c);
    cg_vec_free(&ids);
    cg_strbuf_deinit(&back);
    cg_strbuf_deinit(&packed);
}

/* Twice the text takes about twice the time. */
static void linear(const char *name)
{
    enum { SIZE = 2 << 20 };
    CgTokenizer *t = of_kind(name);
    char *text = malloc(2 * SIZE);
    double seconds[2] = { 0, 0 };
    CgTokens ids = { 0 };
    for (size_t i = 0; i < 2 * SIZE; i++)
        text[i] = "abcdefghijklmnopqrstuvwxyzthewordand"[(i * i + i / 7) % 36];
    for (size_t k = 0; t && k < 2; k++) {
        clock_t begin = clock();
        ids.len = 0;
        cg_tokenizer_encode(t, text, (size_t)SIZE << k, &ids);
        seconds[k] = (double)(clock() - begin) / CLOCKS_PER_SEC;
    }
    tap_ok(t && seconds[1] < 3.5 * seconds[0] + 0.05,
        "%s: a line of 4 MB without blanks takes %.2f s, half of it %.2f s", name, seconds[1], seconds[0]);
    free(text);
    cg_vec_free(&ids);
    cg_tokenizer_free(t);
}

int main(void)
{
    CgErr e = { 0 };
    CgBytes cases = { 0 };
    const char *large = getenv("CG_TOKENIZER_TEXT");
    if (!tap_ok(cg_io_read(conformance("kinds.jsonl"), &cases, &e), "the cases %s", e.text))
        return tap_done();
    for (size_t i = 0; i < CG_LEN(names); i++)
        compare(names[i], cases.at);
    cg_io_release(&cases);
    refused();
    trained();
    for (size_t i = 0; i < CG_LEN(names); i++)
        linear(names[i]);
    if (large)
        compare_large(large);
    return tap_done();
}
