/* malformed.c - is each of 400 files that are not what they should be refused, with its place?
 * Makes a sound file of each format, which must be read, and from it files that are cut, or changed where that makes
 * them wrong; prints TAP. Accuses src/data, src/table/read.c, src/store. */
#include <stdlib.h>
#include <unistd.h>
#include <zlib.h>

#include "base/json.h"
#include "data/corpus.h"
#include "data/tensor_file.h"
#include "data/tokenizer_kinds.h"
#include "store/store.h"
#include "table/table.h"
#include "tap.h"

/* Whether a file is read; else e says why. */
typedef bool ReadFn(const char *path, CgErr *e);

static bool read_tensors(const char *path, CgErr *e)
{
    CgTensors t;
    bool good = cg_tensors_read(path, &t, e);
    if (good)
        cg_tensors_free(&t);
    return good;
}

static bool read_tokenizer(const char *path, CgErr *e)
{
    CgTokenizer *t = cg_tokenizer_load(path, NULL, -1, e);
    cg_tokenizer_free(t);
    return t != NULL;
}

static bool read_corpus(const char *path, CgErr *e)
{
    CgCorpus *c = cg_corpus_load(&path, 1, NULL, NULL, e);
    cg_corpus_free(c);
    return c != NULL;
}

static bool read_table(const char *path, CgErr *e)
{
    CgTable *t = cg_table_read(path, e);
    cg_table_free(t);
    return t != NULL;
}

static void write_file(const char *path, const void *at, size_t n)
{
    CgErr e = { 0 };
    if (!cg_io_write(path, at, n, &e)) {
        fprintf(stderr, "%s\n", e.text);
        exit(99);
    }
}

static int tried;

/* A line, element or field besides the name of the file, where the format has such. */
static bool has_place(const char *text, const char *path, const char *place)
{
    return strstr(text, path) && (!place || strstr(text, place));
}

static void refused(const char *path, const char *what, int at, ReadFn *read, const char *place, int *bad)
{
    CgErr e = { 0 };
    tried++;
    bool good = read(path, &e);
    if (!good && (e.kind == CG_ERR_INPUT || e.kind == CG_ERR_IO) && has_place(e.text, path, place))
        return;
    printf("# %s, %s %d: %s\n", path, what, at, good ? "is read" : e.text);
    ++*bad;
}

/* A replacement of the first `from`. */
typedef struct Edit {
    const char *from, *to;
} Edit;

static void edit(const char *path, const CgBytes *sound, Edit x, int i, ReadFn *read, const char *place, int *bad)
{
    size_t n = strlen(x.from), m = strlen(x.to), at = 0;
    while (at + n <= sound->len && memcmp(sound->at + at, x.from, n) != 0)
        at++;
    if (at + n > sound->len) {
        printf("# %s: no '%s' there\n", path, x.from);
        ++*bad;
        return;
    }
    CgStrbuf b = { 0 };
    cg_strbuf_write(&b, sound->at, at);
    cg_strbuf_write(&b, x.to, m);
    cg_strbuf_write(&b, sound->at + at + n, sound->len - at - n);
    write_file(path, b.at, b.len);
    cg_strbuf_deinit(&b);
    refused(path, x.to, i, read, place, bad);
}

/* The file at `path` is sound; then it is cut at `cuts` places, and changed by each edit. */
static void format(const char *path, ReadFn *read, int cuts, const Edit *edits, const char *place)
{
    CgBytes sound;
    CgErr e = { 0 };
    int bad = 0, before = tried;
    if (!tap_ok(read(path, &e), "%s is read when it is sound", path))
        printf("# %s\n", e.text);
    if (!cg_io_read(path, &sound, &e))
        exit(99);
    for (int i = 0; i < cuts; i++) {
        size_t n = 1 + (sound.len - 2) * (size_t)i / (size_t)cuts;
        write_file(path, sound.at, n);
        refused(path, "cut after", (int)n, read, NULL, &bad);
    }
    for (int i = 0; edits[i].from; i++)
        edit(path, &sound, edits[i], i, read, place, &bad);
    cg_io_release(&sound);
    tap_ok(!bad, "%d files of '%s' that are wrong are refused with their place", tried - before, path);
}

/* ---- tensors --------------------------------------------------------------------------------------------------- */

static void tensors(void)
{
    static float x[15] = { 2.385F, -1.5F, 7 };
    static int32_t ids[7] = { 3, 1, 4, 1, 5, 9, 2 };
    CgNamed named[2] = { { (char[]){ "x" },
                             { .data = x, .dtype = CG_F32, .rank = 2, .dim = { 3, 5 }, .stride = { 5, 1 } } },
        { (char[]){ "ids" }, { .data = ids, .dtype = CG_I32, .rank = 1, .dim = { 7 }, .stride = { 1 } } } };
    CgErr e = { 0 };
    static const Edit st[] = { { "\"F32\"", "\"F99\"" }, { "\"F32\"", "\"F64\"" }, { "[3,5]", "[3,6]" },
        { "[3,5]", "[-3,5" }, { "[3,5]", "[3.5]" }, { "\"ids\"", "\"x\"" }, { "[0,28]", "[0,29]" },
        { "[0,28]", "[4,32]" }, { "\"dtype\"", "\"type\"" }, { "\"ids\"", "\"\\u001b\"" }, { "{", "[" },
        { "\"shape\"", "\"shape " }, { "[3,5]", "[99999999999999999999]" }, { "[3,5]", "[4294967296,4294967296]" },
        { "\"ids\"", "\"i\xff\"" }, { "[7]", "7" }, { NULL, NULL } };
    if (!cg_safetensors_write("t.safetensors", named, 2, NULL, NULL, 0, &e))
        exit(99);
    format("t.safetensors", read_tensors, 50, st, NULL);
    static const Edit npy[] = { { "NUMPY", "NUMPX" }, { "'<f4'", "'>f4'" }, { "'<f4'", "'|O'" }, { "False", "Fals" },
        { "(3, 5)", "(3, 6)" }, { "(3, 5)", "(-3, 5)" }, { "(3, 5)", "(3  5" }, { "'descr'", "'desc'" },
        { "'shape'", "'\x1b'" }, { NULL, NULL } };
    if (!cg_tensors_write("t.npy", named, 1, NULL, NULL, 0, &e))
        exit(99);
    format("t.npy", read_tensors, 40, npy, NULL);
    static const unsigned char idx[] = { 0, 0, 8, 2, 0, 0, 0, 3, 0, 0, 0, 5, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13,
        14, 15 };
    static const Edit ix[] = { { "\x08\x02", "\x07\x02" }, { "\x08\x02", "\x08\x09" }, { "\x03", "\x04" },
        { NULL, NULL } };
    write_file("t.idx", idx, sizeof idx);
    if (cg_tensor_format_find("t.idx"))
        format("t.idx", read_tensors, 20, ix, NULL);
    static const Edit csv[] = { { "2,3", "2" }, { "2,3", "2,x" }, { "2,3", "2,3,4" }, { "5,6", "\"5,6" },
        { NULL, NULL } };
    write_file("t.csv", "a,b\n1,2\n2,3\n5,6\n", 16);
    if (cg_tensor_format_find("t.csv"))
        format("t.csv", read_tensors, 0, csv, NULL);
}

/* ---- texts ----------------------------------------------------------------------------------------------------- */

static void gzip(const char *path, const char *text, size_t n)
{
    static unsigned char out[8192];
    z_stream z = { 0 };
    if (deflateInit2(&z, 9, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK)
        exit(99);
    z.next_in = (Bytef *)(uintptr_t)text;
    z.avail_in = (uInt)n;
    z.next_out = out;
    z.avail_out = sizeof out;
    if (deflate(&z, Z_FINISH) != Z_STREAM_END)
        exit(99);
    write_file(path, out, sizeof out - z.avail_out);
    deflateEnd(&z);
}

static void texts(void)
{
    static const char line[] =
        "{\"text\": \"one line, \\u00e9 and \\ud83d\\ude00\", \"n\": [1, 2.5, null], \"of\": {\"a\": true}}";
    static const Edit jsonl[] = { { "\"text\"", "\"txt\"" }, { "\"text\"", "\"te\x1bxt\"" }, { "[1, 2.5", "[1,, 2" },
        { "true", "ture" }, { "\"n\"", "\"text\"" }, { "{", "[" }, { "\\u00e9", "\\uzzzz" }, { "one", "\xff\xfe" },
        { "}}", "}}}" }, { NULL, NULL } };
    write_file("t.jsonl", line, sizeof line - 1);
    format("t.jsonl", read_corpus, 50, jsonl, ":1");
    static const Edit none[] = { { NULL, NULL } };
    char text[600];
    for (size_t i = 0; i < sizeof text; i++)
        text[i] = (char)(i % 61 == 60 ? '\n' : 'a' + i * i % 23);
    gzip("t.txt.gz", text, sizeof text);
    format("t.txt.gz", read_corpus, 60, none, NULL);
    static const Edit rows[] = { { "1,x", "1" }, { "1,x", "1,\"x" }, { "2,y", "2,y,z" }, { "a,b", "a,a" },
        { "a,b", "" }, { NULL, NULL } };
    write_file("table.csv", "a,b\n1,x\n2,y\n", 12);
    format("table.csv", read_table, 0, rows, NULL);
    static const Edit objects[] = { { "{\"a\"", "[\"a\"" }, { "1}", "1" }, { "2}", "{\"b\": 2}}" },
        { "\"a\": 1", "\"a\": 1, \"a\": 2" }, { NULL, NULL } };
    write_file("table.jsonl", "{\"a\": 1}\n{\"a\": 2}\n", 18);
    format("table.jsonl", read_table, 0, objects, ":");
}

static void tokenizers(void)
{
    CgStrbuf b = { 0 };
    cg_strbuf_puts(&b, "{\"model\": {\"type\": \"BPE\", \"vocab\": {");
    for (int i = 0; i < 256; i++) { /* the alphabet of bytes */
        bool shown = (i >= '!' && i <= '~') || (i >= 0xa1 && i <= 0xac) || i >= 0xae;
        static int hidden;
        int code = shown ? i : 256 + hidden++;
        cg_strbuf_printf(&b, "\"\\u%04x\": %d, ", (unsigned)code, i);
    }
    cg_strbuf_puts(&b,
        "\"th\": 256, \"the\": 257}, \"merges\": [\"t h\", \"th e\"]}, \"pre_tokenizer\": {\"type\": "
        "\"ByteLevel\", \"add_prefix_space\": false}, \"added_tokens\": [{\"id\": 258, \"content\": \"<|endoftext|>\", "
        "\"special\": true}]}");
    static const Edit edits[] = { { "\"BPE\"", "\"BPX\"" }, { "\"t h\"", "\"t q\"" }, { "\"th\": 256", "\"th\": 255" },
        { "\"th\": 256", "\"th\": -1" }, { "\"th\": 256", "\"th\": 99999999999" }, { "[\"t h\", \"th e\"]", "7" },
        { "\"t h\"", "[\"t\"]" }, { "ByteLevel", "Bytelevel" }, { "{\"model\"", "{\"modl\"" },
        { "\"vocab\"", "\"vcab\"" }, { "258, \"content\"", "258, \"cont\"" }, { "258", "3" }, { NULL, NULL } };
    write_file("tokenizer.json", b.at, b.len);
    cg_strbuf_deinit(&b);
    format("tokenizer.json", read_tokenizer, 50, edits, NULL);
}

/* ---- the store ------------------------------------------------------------------------------------------------- */

typedef struct Heard {
    char text[600];
} Heard;

static void hear(void *arg, const char *sentence)
{
    Heard *h = arg;
    snprintf(h->text, sizeof h->text, "%s", sentence);
}

static const CgDigest key = { 0x2385, 0x1113 };
static bool checkpoint;

/* The value, or the newest checkpoint, under the key; what is passed over is said with its path. */
static bool read_store(const char *path, CgErr *e)
{
    CgErr err = { 0 };
    Heard heard = { "" };
    CgStore *s = cg_store_open("store", &err);
    CgBytes bytes;
    uint64_t step;
    if (!s)
        exit(99);
    cg_store_listen(s, hear, &heard);
    char *found = checkpoint ? cg_stage_find(s, key, UINT64_MAX, &step) : NULL;
    bool good = checkpoint ? found != NULL : cg_store_get(s, key, &bytes);
    if (good && !checkpoint)
        cg_io_release(&bytes);
    free(found);
    cg_store_close(s);
    (void)path;
    return good || cg_err(e, CG_ERR_INPUT, "%s", heard.text);
}

static void stores(void)
{
    static const Edit value[] = { { "value", "valve" }, { "\n", "" }, { NULL, NULL } };
    CgErr e = { 0 };
    CgStore *s = cg_store_open("store", &e);
    cg_store_listen(s, NULL, NULL);
    static const char text[] = "a value of 1013 numbers\n, and more of it";
    char *path = cg_store_path(s, key), sum[300];
    if (!cg_store_put(s, key, text, sizeof text, &e))
        exit(99);
    format(path, read_store, 20, value, NULL);
    snprintf(sum, sizeof sum, "%s.sum", path);
    if (!cg_store_put(s, key, text, sizeof text, &e))
        exit(99);
    /* of a seal, what is named is the file it vouches for */
    CgBytes sound;
    int bad = 0, before = tried;
    if (!cg_io_read(sum, &sound, &e))
        exit(99);
    for (int i = 0; i < 20; i++) {
        write_file(sum, sound.at, (sound.len - 1) * (size_t)i / 20);
        refused(path, "seal cut", i, read_store, NULL, &bad);
    }
    write_file(sum, sound.at, sound.len);
    cg_io_release(&sound);
    tap_ok(!bad, "%d values whose seal is wrong are passed over by name", tried - before);
    free(path);
    checkpoint = true;
    path = cg_stage_begin(s, key, 7, &e);
    write_file(path, text, sizeof text);
    if (!cg_stage_seal(s, key, 7, &e))
        exit(99);
    format(path, read_store, 20, value, NULL);
    free(path);
    cg_store_close(s);
    (void)!unlink("store/index.db");
    bad = 0;
    for (int i = 1; i <= 10; i++) {
        char junk[2000];
        for (int k = 0; k < i * 200; k++)
            junk[k] = (char)(k * k * 31 + i);
        write_file("store/index.db", junk, (size_t)i * 200);
        s = cg_store_open("store", &e);
        Heard heard = { "" };
        cg_store_listen(s, hear, &heard);
        CgErr why = { 0 };
        CgTable *t = cg_store_runs(s, &why);
        tried++;
        if (t || (!strstr(heard.text, "index.db") && !strstr(why.text, "index.db"))) {
            printf("# index of %d bytes: %s; %s\n", i * 200, heard.text, why.text);
            bad++;
        }
        cg_table_free(t);
        cg_store_close(s);
    }
    tap_ok(!bad, "10 indexes that are none are refused by name");
}

int main(void)
{
    char folder[] = "/tmp/cg-malformed.XXXXXX";
    if (!mkdtemp(folder) || chdir(folder) != 0)
        return 99;
    tensors();
    texts();
    tokenizers();
    stores();
    tap_ok(tried >= 400, "%d files", tried);
    (void)!system("rm -rf -- \"$PWD\"");
    return tap_done();
}
