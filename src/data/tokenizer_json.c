/* tokenizer_json.c - byte-level BPE tokenizers as Hugging Face writes them.
 * Takes a tokenizer.json that was parsed; gives a tokenizer.
 * Must not guess: whatever part of the file would change ids and is not understood here is refused by
 * name. */
#include "data/tokenizer_bpe.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

#include "base/arena.h"
#include "base/map.h"
#include "base/vec.h"
#include "data/tokenizer_bpe_inside.h"
#include "data/pretoken.h"

#define MOST_TOKENS 4000000
#define NEAR        64 /* a match that ends so near the end of the window might go on */

typedef struct Reading {
    const char *path;
    json_t *root, *model;
    CgArena *arena;
    CgBpeParts parts;
    int32_t byte_of[512]; /* the byte a character of the alphabet stands for, -1: none */
    CgErr *e;
} Reading;

/* ---- the alphabet: bytes as printable characters, as GPT-2 writes them --------------------------------- */

static void alphabet(int32_t byte_of[512])
{
    int32_t spare = 256;
    for (int i = 0; i < 512; i++)
        byte_of[i] = -1;
    for (int b = 0; b < 256; b++) {
        bool itself = (b >= 33 && b <= 126) || (b >= 161 && b <= 172) || b >= 174;
        byte_of[itself ? b : spare++] = b;
    }
}

/* A token as written to its bytes; false when it holds characters that stand for no byte. */
static bool to_bytes(CgArena *arena, const int32_t byte_of[512], const char *s, CgText *out)
{
    size_t n = strlen(s);
    char *at = CG_NEWN(arena, char, n + 1);
    size_t len = 0;
    for (size_t i = 0; i < n;) {
        utf8proc_int32_t c;
        utf8proc_ssize_t step = utf8proc_iterate((const utf8proc_uint8_t *)s + i, (utf8proc_ssize_t)(n - i), &c);
        if (step <= 0 || c >= 512 || byte_of[c] < 0)
            return false;
        at[len++] = (char)byte_of[c];
        i += (size_t)step;
    }
    *out = (CgText){ at, len };
    return true;
}

/* ---- splitting ----------------------------------------------------------------------------------------- */

typedef struct Pattern {
    pcre2_code *code;
    pcre2_match_data *match;
    pcre2_match_context *limits;
} Pattern;

static void pattern_free(void *arg)
{
    Pattern *p = arg;
    pcre2_match_data_free(p->match);
    pcre2_match_context_free(p->limits);
    pcre2_code_free(p->code);
    free(p);
}

/* Matches and what lies between them are pieces. Only a window of the text is shown to the pattern, or
 * looking at a long text piece by piece would take a time that grows with its square. */
static size_t pattern_split(void *arg, const char *text, size_t len)
{
    Pattern *p = arg;
    for (size_t window = 4096;; window *= 16) {
        size_t seen = len < window ? len : window;
        int code = pcre2_match(p->code, (PCRE2_SPTR)text, seen, 0, 0, p->match, p->limits);
        if (code < 0)
            return seen; /* nothing matches, or only after more work than is allowed */
        const PCRE2_SIZE *at = pcre2_get_ovector_pointer(p->match);
        size_t end = at[0] > 0 ? at[0] : at[1];
        if (seen < len && end + NEAR > seen && window < 1u << 20)
            continue;
        if (end)
            return end;
        size_t one = 1;
        while (one < seen && ((unsigned char)text[one] & 0xc0) == 0x80)
            one++;
        return one;
    }
}

static size_t gpt2_split(void *arg, const char *text, size_t len)
{
    (void)arg;
    return cg_pretoken_gpt2(text, len);
}

static bool refuse(Reading *r, const char *what, const char *which)
{
    cg_err(r->e, CG_ERR_INPUT, "'%s': %s '%s' is not supported", r->path, what, which);
    cg_err_hint(r->e, "byte-level BPE is, as of GPT-2, Llama 3, Qwen and their like");
    return false;
}

static const char *text_in(const json_t *object, const char *key)
{
    const char *s = json_string_value(json_object_get(object, key));
    return s ? s : "";
}

static bool read_pattern(Reading *r, const json_t *split)
{
    const char *regex = text_in(json_object_get(split, "pattern"), "Regex");
    if (!*regex || strcmp(text_in(split, "behavior"), "Isolated") != 0
        || json_is_true(json_object_get(split, "invert")))
        return refuse(r, "the pre-tokenizer", "Split that is not Isolated by a Regex");
    int code;
    PCRE2_SIZE at;
    Pattern *p = cg_calloc(1, sizeof *p);
    p->code = pcre2_compile(
        (PCRE2_SPTR)regex, strlen(regex), PCRE2_UTF | PCRE2_UCP | PCRE2_MATCH_INVALID_UTF, &code, &at, NULL);
    if (!p->code) {
        char why[128];
        pcre2_get_error_message(code, (PCRE2_UCHAR *)why, sizeof why);
        free(p);
        return cg_err(
            r->e, CG_ERR_INPUT, "'%s': the pattern of the pre-tokenizer is wrong at %zu: %s", r->path, (size_t)at, why);
    }
    (void)pcre2_jit_compile(p->code, PCRE2_JIT_COMPLETE); /* for speed only */
    p->match = pcre2_match_data_create_from_pattern(p->code, NULL);
    p->limits = pcre2_match_context_create(NULL);
    pcre2_set_match_limit(p->limits, 1000000);
    pcre2_set_depth_limit(p->limits, 10000);
    if (r->parts.split_free)
        r->parts.split_free(r->parts.split_arg);
    r->parts.split = pattern_split;
    r->parts.split_arg = p;
    r->parts.split_free = pattern_free;
    return true;
}

static bool read_pre_tokenizer(Reading *r, const json_t *pre)
{
    const char *type = text_in(pre, "type");
    if (!strcmp(type, "Sequence")) {
        json_t *list = json_object_get(pre, "pretokenizers"), *each;
        size_t i;
        int splits = 0;
        json_array_foreach(list, i, each)
        {
            splits += !strcmp(text_in(each, "type"), "Split");
            if (!strcmp(text_in(each, "type"), "Sequence") || !read_pre_tokenizer(r, each))
                return r->e->text[0] ? false : refuse(r, "the pre-tokenizer", "Sequence in a Sequence");
        }
        return splits <= 1 || refuse(r, "the pre-tokenizer", "Sequence of several Splits");
    }
    if (!strcmp(type, "Split"))
        return r->parts.split ? refuse(r, "the pre-tokenizer", "Split after another one") : read_pattern(r, pre);
    if (strcmp(type, "ByteLevel") != 0)
        return refuse(r, "the pre-tokenizer", *type ? type : "none");
    r->parts.blank_first |= json_is_true(json_object_get(pre, "add_prefix_space"));
    if (json_is_false(json_object_get(pre, "use_regex")))
        return true;
    if (r->parts.split)
        return refuse(r, "the pre-tokenizer", "ByteLevel with a pattern after another one");
    r->parts.split = gpt2_split;
    return true;
}

/* ---- tokens and merges --------------------------------------------------------------------------------- */

static bool id_of(Reading *r, const json_t *value, const char *token, int32_t *id)
{
    if (!json_is_integer(value) || json_integer_value(value) < 0 || json_integer_value(value) >= MOST_TOKENS)
        return cg_err(r->e, CG_ERR_INPUT, "'%s': token '%.40s' has no id in 0 .. %d", r->path, token, MOST_TOKENS - 1);
    *id = (int32_t)json_integer_value(value);
    return true;
}

static bool looks_like_end(const char *s)
{
    static const char *const names[] = { "<|endoftext|>", "<|end_of_text|>", "</s>", "<eos>", "<|eot_id|>",
        "<|im_end|>", "[EOS]" };
    for (size_t i = 0; i < CG_LEN(names); i++) {
        if (!strcmp(s, names[i]))
            return true;
    }
    return false;
}

/* An added token that is found wherever it stands, and takes no blanks with it. */
static bool plain_added(Reading *r, const json_t *value)
{
    static const char *const how[] = { "lstrip", "rstrip", "single_word" };
    for (size_t i = 0; i < CG_LEN(how); i++)
        if (json_is_true(json_object_get(value, how[i])))
            return refuse(r, "an added token with", how[i]);
    return true;
}

static bool read_tokens(Reading *r)
{
    json_t *vocab = json_object_get(r->model, "vocab"), *added = json_object_get(r->root, "added_tokens"), *value;
    const char *token;
    size_t i;
    int32_t most = -1, id;
    if (!json_is_object(vocab))
        return cg_err(r->e, CG_ERR_INPUT, "'%s': the model has no vocabulary", r->path);
    json_object_foreach(vocab, token, value)
    {
        if (!id_of(r, value, token, &id))
            return false;
        most = id > most ? id : most;
    }
    json_array_foreach(added, i, value)
    {
        if (!id_of(r, json_object_get(value, "id"), text_in(value, "content"), &id))
            return false;
        most = id > most ? id : most;
    }
    r->parts.size = most + 1;
    r->parts.piece = CG_NEWN(r->arena, CgText, most + 1);
    r->parts.end = r->parts.mark = -1;
    json_object_foreach(vocab, token, value)
    {
        id = (int32_t)json_integer_value(value);
        if (r->parts.piece[id].at)
            return cg_err(r->e, CG_ERR_INPUT, "'%s': two tokens have the id %d", r->path, id);
        if (!to_bytes(r->arena, r->byte_of, token, &r->parts.piece[id]))
            /* a special token among the others */
            r->parts.piece[id] = (CgText){ cg_arena_strdup(r->arena, token), strlen(token) };
    }
    int32_t *found = CG_NEWN(r->arena, int32_t, json_array_size(added) + 1);
    r->parts.added_id = found;
    json_array_foreach(added, i, value)
    {
        const char *content = text_in(value, "content");
        id = (int32_t)json_integer_value(json_object_get(value, "id"));
        const json_t *same = json_object_get(vocab, content);
        if (r->parts.piece[id].at && (!same || json_integer_value(same) != id))
            return cg_err(r->e, CG_ERR_INPUT, "'%s': two tokens have the id %d, one of them the added '%.40s'", r->path,
                id, content);
        r->parts.piece[id] = (CgText){ cg_arena_strdup(r->arena, content), strlen(content) };
        if (*content && !json_is_true(json_object_get(value, "special"))) {
            if (!plain_added(r, value))
                return false;
            found[r->parts.nadded++] = id;
        }
        if (r->parts.end < 0 && looks_like_end(content))
            r->parts.end = id;
        else if (r->parts.mark < 0 && json_is_true(json_object_get(value, "special")))
            r->parts.mark = id;
    }
    if (r->parts.end < 0)
        return cg_err(r->e, CG_ERR_INPUT, "'%s': no added token is named like an end of text", r->path);
    if (r->parts.mark < 0)
        r->parts.mark = r->parts.end;
    return true;
}

static bool read_merges(Reading *r)
{
    json_t *vocab = json_object_get(r->model, "vocab"), *merges = json_object_get(r->model, "merges"), *value;
    size_t n = json_array_size(merges), i;
    if (!json_is_array(merges))
        return cg_err(r->e, CG_ERR_INPUT, "'%s': the model has no list of merges", r->path);
    CgPair *pair = CG_NEWN(r->arena, CgPair, n + 1);
    int32_t *result = CG_NEWN(r->arena, int32_t, n + 1);
    json_array_foreach(merges, i, value)
    {
        const char *both = json_string_value(value), *blank = both ? strchr(both, ' ') : NULL;
        const char *left = json_string_value(json_array_get(value, 0)),
                   *right = json_string_value(json_array_get(value, 1));
        if (blank) {
            left = cg_arena_strndup(r->arena, both, (size_t)(blank - both));
            right = blank + 1;
        }
        if (!left || !right)
            return cg_err(r->e, CG_ERR_INPUT, "'%s': merge %zu is no pair of tokens", r->path, i);
        const char *made = cg_arena_printf(r->arena, "%s%s", left, right);
        json_t *ids[3] = { json_object_get(vocab, left), json_object_get(vocab, right), json_object_get(vocab, made) };
        if (!ids[0] || !ids[1] || !ids[2])
            return cg_err(r->e, CG_ERR_INPUT,
                "'%s': merge %zu, '%.40s' and '%.40s', names tokens that are not in the vocabulary", r->path, i, left,
                right);
        pair[i] = (CgPair){ (int32_t)json_integer_value(ids[0]), (int32_t)json_integer_value(ids[1]) };
        result[i] = (int32_t)json_integer_value(ids[2]);
    }
    r->parts.merge = pair;
    r->parts.result = result;
    r->parts.nmerges = n;
    return true;
}

static bool read_model(Reading *r)
{
    const char *normalizer = text_in(json_object_get(r->root, "normalizer"), "type");
    if (json_is_true(json_object_get(r->model, "byte_fallback")))
        return refuse(r, "the model", "BPE with byte_fallback");
    if (*text_in(r->model, "continuing_subword_prefix") || *text_in(r->model, "end_of_word_suffix"))
        return refuse(r, "the model", "BPE with marks at word ends");
    if (json_number_value(json_object_get(r->model, "dropout")) > 0)
        return refuse(r, "the model", "BPE with dropout");
    r->parts.nfc = !strcmp(normalizer, "NFC");
    r->parts.some_bytes = true;
    if (*normalizer && !r->parts.nfc)
        return refuse(r, "the normalizer", normalizer);
    r->parts.whole_first = json_is_true(json_object_get(r->model, "ignore_merges"));
    if (!read_pre_tokenizer(r, json_object_get(r->root, "pre_tokenizer")))
        return false;
    if (!r->parts.split)
        return refuse(r, "the pre-tokenizer", "ByteLevel without a pattern");
    return read_tokens(r) && read_merges(r);
}

CgTokenizer *cg_bpe_load(const CgTokenizerFile *file, CgErr *e)
{
    Reading r = { .path = file->path, .root = file->root, .model = file->model, .arena = cg_arena_new(), .e = e };
    CgTokenizer *t = NULL;
    alphabet(r.byte_of);
    struct {
        CgDigest file;
        uint64_t rule;
    } name = { file->digest, 3 };
    r.parts.digest = cg_digest(&name, sizeof name);
    if (read_model(&r))
        t = cg_bpe_build(&r.parts, e);
    else if (r.parts.split_free)
        r.parts.split_free(r.parts.split_arg);
    cg_arena_free(r.arena);
    return t;
}
