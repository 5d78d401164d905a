/* tokenizer_chars.c - the tokenizer of characters.
 * Takes the train splits of corpora; gives one id for each Unicode character that occurs in them, but
 * for U+0000 and U+FFFD, which stand for no text. */
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/map.h"
#include "base/vec.h"
#include "data/characters.h"
#include "data/text.h"
#include "data/tokenizer_kinds.h"
#include "data/tokenizer_steps.h"

enum { END, MARK, UNKNOWN, FIRST }; /* ids; then the characters in the order of their code points */
static const char heading[] = "cg chars 1\n";

typedef struct Chars {
    CG_VEC(int32_t) at; /* code points, ascending */
    CgMap id_of;
} Chars;

static void chars_encode(const CgTokenizer *t, const char *text, size_t len, CgTokens *out)
{
    const Chars *c = t->data;
    for (size_t i = 0, step; i < len; i += step) {
        uint64_t id;
        int32_t point = cg_char_at(text + i, len - i, &step);
        cg_vec_push(out, point >= 0 && cg_map_get(&c->id_of, (uint64_t)point, &id) ? (int32_t)id : UNKNOWN);
    }
}

static void chars_decode(const CgTokenizer *t, const int32_t *ids, size_t n, bool first, CgStrbuf *out)
{
    const Chars *c = t->data;
    (void)first;
    for (size_t i = 0; i < n; i++) {
        char bytes[4];
        if (ids[i] == UNKNOWN)
            cg_strbuf_puts(out, "\xef\xbf\xbd");
        else if (ids[i] >= FIRST)
            cg_strbuf_write(out, bytes, cg_char_put(c->at.at[ids[i] - FIRST], bytes));
    }
}

static void chars_free(CgTokenizer *t)
{
    Chars *c = t->data;
    cg_vec_free(&c->at);
    cg_map_deinit(&c->id_of);
    free(c);
}

static const CgTokenizerKind kind = { "chars", chars_encode, chars_decode, chars_free, NULL };

static void chars_pack(const CgTokenizer *t, CgStrbuf *out)
{
    const Chars *c = t->data;
    cg_strbuf_puts(out, heading);
    for (size_t i = 0; i < c->at.len; i++) {
        char bytes[4];
        cg_strbuf_write(out, bytes, cg_char_put(c->at.at[i], bytes));
    }
}

/* Takes the characters. */
static CgTokenizer *of_characters(Chars *c)
{
    CgTokenizer *t = cg_calloc(1, sizeof *t);
    CgStrbuf packed = { 0 };
    for (size_t i = 0; i < c->at.len; i++)
        cg_map_put(&c->id_of, (uint64_t)c->at.at[i], FIRST + i);
    *t = (CgTokenizer){ .kind = &kind, .size = (int32_t)(FIRST + c->at.len), .end = END, .marker = MARK, .data = c };
    chars_pack(t, &packed);
    t->digest = cg_digest(packed.at, packed.len);
    cg_strbuf_deinit(&packed);
    return t;
}

enum { POINTS = 0x110000 };

static bool see(void *arg, const CgDoc *d, CgErr *e)
{
    bool *seen = arg;
    (void)e;
    for (size_t at = 0, step; d->split == CG_TRAIN && at < d->text.len; at += step) {
        int32_t point = cg_char_at(d->text.at + at, d->text.len - at, &step);
        if (point > 0 && point != 0xfffd)
            seen[point] = true;
    }
    return true;
}

static bool see_part(const CgCorpus *part, bool *seen, CgErr *e)
{
    if (cg_corpus_random_tokens(part))
        return cg_err(e, CG_ERR_INPUT, "random tokens are no text that has characters");
    return cg_corpus_walk(part, see, seen, e);
}

static CgTokenizer *chars_train(CgCorpus *const *corpora, int n, int size, CgErr *e)
{
    bool *seen = cg_calloc(POINTS, sizeof *seen), good = true;
    Chars *c = cg_calloc(1, sizeof *c);
    (void)size;
    for (int i = 0; i < n; i++)
        for (int k = 0; k < cg_corpus_nparts(corpora[i]); k++)
            good = good && see_part(cg_corpus_component(corpora[i], k), seen, e);
    for (int32_t i = 0; i < POINTS; i++)
        if (seen[i])
            cg_vec_push(&c->at, i);
    free(seen);
    if (good)
        return of_characters(c);
    cg_vec_free(&c->at);
    free(c);
    return NULL;
}

static CgTokenizer *chars_unpack(const char *bytes, size_t n, CgErr *e)
{
    Chars *c = cg_calloc(1, sizeof *c);
    bool good = n >= strlen(heading) && !memcmp(bytes, heading, strlen(heading));
    for (size_t i = strlen(heading), step; good && i < n; i += step) {
        int32_t point = cg_char_at(bytes + i, n - i, &step);
        good = point > 0 && (!c->at.len || point > c->at.at[c->at.len - 1]);
        cg_vec_push(&c->at, point);
    }
    if (good)
        return of_characters(c);
    cg_err(e, CG_ERR_INPUT, "the characters of a tokenizer are damaged at character %zu", c->at.len);
    cg_vec_free(&c->at);
    free(c);
    return NULL;
}

/* As byte pairs without merges, of characters. */
static bool chars_write(const CgTokenizer *t, const char *reached, CgStrbuf *out)
{
    const Chars *c = t->data;
    if (t->kind != &kind)
        return false;
    cg_strbuf_printf(out,
        "{\"version\": \"1.0\", \"truncation\": null, \"padding\": null, \"added_tokens\": [], \"normalizer\": null,\n"
        "\"pre_tokenizer\": null, \"post_processor\": null, \"decoder\": {\"type\": \"Fuse\"},\n\"model\": {\"type\": "
        "\"BPE\", \"dropout\": null, \"unk_token\": \"\xef\xbf\xbd\", \"continuing_subword_prefix\": null, "
        "\"end_of_word_suffix\": null, \"fuse_unk\": false, \"byte_fallback\": false, \"ignore_merges\": "
        "false,\n\"cg\": "
        "{\"end\": 0, \"mark\": 1, \"reached\": %s},\n\"vocab\": {\n\"<end>\": 0,\n\"<mark>\": 1,\n\"\xef\xbf\xbd\": 2",
        reached);
    for (size_t i = 0; i < c->at.len; i++) {
        char bytes[5] = { 0 };
        cg_char_put(c->at.at[i], bytes);
        cg_strbuf_puts(out, ",\n");
        cg_json_string(out, bytes);
        cg_strbuf_printf(out, ": %zu", FIRST + i);
    }
    cg_strbuf_puts(out, "\n},\n\"merges\": []}}\n");
    return true;
}

CG_TOKENIZER(chars, .version = 1, .train = chars_train, .end = END, .marker = MARK, .pack = chars_pack,
    .unpack = chars_unpack, .write = chars_write,
    .doc =
        "The tokenizer with one id for each character of the train split of a corpus, or of several, in the order of "
        "their code points; end 0, mark 1, and 2 for characters that are not among them.")
