/* tokenizer_bpe_json.c - byte pairs in a tokenizer.json: read, and written.
 * Takes a vocabulary and merges; gives a model. Takes a trained tokenizer; gives a file. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/vec.h"
#include "data/characters.h"
#include "data/tokenizer_bpe.h"
#include "data/tokenizer_bpe_inside.h"
#include "data/tokenizer_model.h"
#include "data/tokenizer_steps.h"

/* ---- reading ---------------------------------------------------------------------------------------------------- */

typedef struct Merges {
    CgArena *arena;
    CgPair *pair;
    int32_t *result;
    size_t n;
} Merges;

/* A merge as "a b" or as ["a", "b"]. */
static bool two_tokens(CgArena *arena, const json_t *merge, const char **left, const char **right)
{
    const char *both = json_string_value(merge), *blank = both ? strchr(both, ' ') : NULL;
    *left = blank ? cg_arena_strndup(arena, both, (size_t)(blank - both)) : json_string_value(json_array_get(merge, 0));
    *right = blank ? blank + 1 : json_string_value(json_array_get(merge, 1));
    return *left && *right && (both || json_array_size(merge) == 2);
}

static bool read_merges(const CgVocabulary *v, const json_t *model, Merges *m, CgErr *e)
{
    const json_t *merges = json_object_get(model, "merges"), *vocab = json_object_get(model, "vocab"), *merge;
    size_t i;
    if (!json_is_array(merges))
        return cg_err(e, CG_ERR_INPUT, "'%s': the model has no list of merges", v->path);
    m->pair = CG_NEWN(m->arena, CgPair, json_array_size(merges) + 1);
    m->result = CG_NEWN(m->arena, int32_t, json_array_size(merges) + 1);
    json_array_foreach(merges, i, merge)
    {
        const char *left, *right;
        if (!two_tokens(m->arena, merge, &left, &right))
            return cg_err(e, CG_ERR_INPUT, "'%s': merge %zu is no pair of tokens", v->path, i);
        const char *made = cg_arena_printf(m->arena, "%s%s", left, right);
        const json_t *ids[3] = { json_object_get(vocab, left), json_object_get(vocab, right),
            json_object_get(vocab, made) };
        if (!ids[0] || !ids[1] || !ids[2])
            return cg_err(e, CG_ERR_INPUT,
                "'%s': merge %zu, '%.40s' and '%.40s', names tokens that are not in the vocabulary", v->path, i, left,
                right);
        m->pair[i] = (CgPair){ (int32_t)json_integer_value(ids[0]), (int32_t)json_integer_value(ids[1]) };
        m->result[i] = (int32_t)json_integer_value(ids[2]);
    }
    m->n = json_array_size(merges);
    return true;
}

static bool read_options(const CgVocabulary *v, const json_t *model, CgBpeModel *parts, CgErr *e)
{
    const char *unknown, *prefix, *suffix;
    const json_t *dropout = json_object_get(model, "dropout");
    bool fallback;
    if (!cg_step_string(model, "unk_token", v->path, &unknown, e)
        || !cg_step_string(model, "continuing_subword_prefix", v->path, &prefix, e)
        || !cg_step_string(model, "end_of_word_suffix", v->path, &suffix, e))
        return false;
    if (*prefix || *suffix)
        return cg_step_refuse(e, v->path, "the model", "BPE with marks at word ends");
    if (dropout && !json_is_null(dropout) && !(json_is_number(dropout) && json_number_value(dropout) == 0))
        return cg_step_refuse(e, v->path, "the model", "BPE with dropout");
    if (!cg_step_flag(model, "byte_fallback", false, v->path, &fallback, e)
        || !cg_step_flag(model, "fuse_unk", false, v->path, &parts->fuse_unknown, e)
        || !cg_step_flag(model, "ignore_merges", false, v->path, &parts->whole_first, e))
        return false;
    parts->unknown = *unknown ? cg_vocabulary_find(v, unknown, strlen(unknown)) : -1;
    if (*unknown && parts->unknown < 0 && !v->bytes)
        return cg_err(e, CG_ERR_INPUT, "'%s': unk_token '%.40s' is not in the vocabulary", v->path, unknown);
    for (int b = 0; b < 256; b++) {
        char name[8];
        snprintf(name, sizeof name, "<0x%02X>", (unsigned)b);
        parts->fallback[b] = fallback ? cg_vocabulary_find(v, name, 6) : -1;
    }
    parts->characters = !v->bytes;
    return true;
}

static void *bpe_read(const CgVocabulary *v, const json_t *model, CgErr *e)
{
    CgBpeModel parts = { .size = v->size, .piece = v->piece };
    Merges m = { .arena = cg_arena_new() };
    CgBpe *b = NULL;
    if (read_options(v, model, &parts, e) && read_merges(v, model, &m, e)) {
        parts.merge = m.pair;
        parts.result = m.result;
        parts.nmerges = m.n;
        b = cg_bpe_new(&parts);
    }
    cg_arena_free(m.arena);
    return b;
}

static void bpe_encode(void *data, CgText piece, size_t room, CgTokens *out)
{
    cg_bpe_piece_encode(data, piece, room, out);
}

static void bpe_flush(void *data, CgTokens *out) { cg_bpe_flush(data, out); }

static void bpe_free(void *data) { cg_bpe_free(data); }

static const CgTokenModel model = { "bpe",
    " merges dropout unk_token continuing_subword_prefix end_of_word_suffix fuse_unk byte_fallback ignore_merges ",
    cg_vocabulary_tokens, bpe_read, bpe_encode, bpe_flush, bpe_free };

CgTokenizer *cg_bpe_load(const CgTokenizerFile *file, CgErr *e) { return cg_tokenizer_of_file(file, &model, e); }

/* ---- writing ---------------------------------------------------------------------------------------------------- */

/* A piece in the alphabet of bytes, as a JSON string. */
static void put_piece(const int32_t character[256], CgText piece, CgStrbuf *scratch, CgStrbuf *out)
{
    scratch->len = 0;
    for (size_t i = 0; i < piece.len; i++) {
        char bytes[4];
        cg_strbuf_write(scratch, bytes, cg_char_put(character[(unsigned char)piece.at[i]], bytes));
    }
    cg_json_string(out, cg_strbuf_str(scratch));
}

bool cg_bpe_write(const CgTokenizer *t, const char *reached, CgStrbuf *out)
{
    int32_t byte_of[512], character[256];
    CgStrbuf scratch = { 0 };
    const int32_t *pair;
    if (!cg_bpe_is(t))
        return false;
    cg_byte_alphabet(byte_of);
    for (int32_t c = 0; c < 512; c++)
        if (byte_of[c] >= 0)
            character[byte_of[c]] = c;
    cg_strbuf_puts(out,
        "{\"version\": \"1.0\", \"truncation\": null, \"padding\": null, \"added_tokens\": [], "
        "\"normalizer\": null,\n\"pre_tokenizer\": {\"type\": \"ByteLevel\", \"add_prefix_space\": false, "
        "\"trim_offsets\": true, \"use_regex\": true},\n\"post_processor\": null, \"decoder\": {\"type\": "
        "\"ByteLevel\", \"add_prefix_space\": true, \"trim_offsets\": true, \"use_regex\": true},\n");
    cg_strbuf_printf(out,
        "\"model\": {\"type\": \"BPE\", \"dropout\": null, \"unk_token\": null, \"continuing_subword_prefix\": null, "
        "\"end_of_word_suffix\": null, \"fuse_unk\": false, \"byte_fallback\": false, \"ignore_merges\": "
        "false,\n\"cg\": "
        "{\"end\": %d, \"mark\": %d, \"reached\": %s},\n\"vocab\": {",
        (int)t->end, (int)t->marker, reached);
    for (int32_t i = 0; i < t->size; i++) {
        cg_strbuf_puts(out, i ? ",\n" : "\n");
        put_piece(character, cg_bpe_token(t, i), &scratch, out);
        cg_strbuf_printf(out, ": %d", (int)i);
    }
    cg_strbuf_puts(out, "\n},\n\"merges\": [");
    size_t n = cg_bpe_merges(t, &pair);
    for (size_t i = 0; i < n; i++) {
        cg_strbuf_puts(out, i ? ",\n[" : "\n[");
        put_piece(character, cg_bpe_token(t, pair[2 * i]), &scratch, out);
        cg_strbuf_puts(out, ", ");
        put_piece(character, cg_bpe_token(t, pair[2 * i + 1]), &scratch, out);
        cg_strbuf_putc(out, ']');
    }
    cg_strbuf_puts(out, "\n]}}\n");
    cg_strbuf_deinit(&scratch);
    return true;
}
