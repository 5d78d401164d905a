/* tokenizer_wordpiece.c - the longest token a word begins with, again and again (Schuster and Nakajima 2012; BERT).
 * Takes words; gives tokens, or the unknown one for a word that is not made of tokens. */
#include <stdlib.h>
#include <string.h>

#include "base/vec.h"
#include "data/characters.h"
#include "data/tokenizer_model.h"
#include "data/tokenizer_steps.h"

typedef struct Wordpiece {
    const CgVocabulary *vocabulary;
    char *prefix; /* of a token that goes on with a word */
    size_t nprefix, longest;
    int64_t most; /* characters of a word; a longer one is unknown */
    int32_t unknown;
    CgStrbuf word; /* prefix and what is left of the word */
} Wordpiece;

static int64_t count(CgText word)
{
    int64_t n = 0;
    for (size_t i = 0, step; i < word.len; i += step, n++)
        cg_char_at(word.at + i, word.len - i, &step);
    return n;
}

static void wordpiece_encode(void *data, CgText word, size_t room, CgTokens *out)
{
    (void)room;
    Wordpiece *w = data;
    size_t before = out->len;
    bool good = count(word) <= w->most;
    for (size_t from = 0; good && from < word.len;) {
        w->word.len = 0;
        cg_strbuf_write(&w->word, w->prefix, from ? w->nprefix : 0);
        size_t lead = w->word.len, n = word.len - from < w->longest ? word.len - from : w->longest;
        cg_strbuf_write(&w->word, word.at + from, n);
        int32_t id = -1;
        for (; n > 0 && (id = cg_vocabulary_find(w->vocabulary, w->word.at, lead + n)) < 0; n--) {}
        good = id >= 0;
        if (good)
            cg_vec_push(out, id);
        from += n;
    }
    if (good)
        return;
    out->len = before;
    cg_vec_push(out, w->unknown);
}

static void wordpiece_free(void *data)
{
    Wordpiece *w = data;
    free(w->prefix);
    cg_strbuf_deinit(&w->word);
    free(w);
}

static void *wordpiece_read(const CgVocabulary *v, const json_t *model, CgErr *e)
{
    const json_t *most = json_object_get(model, "max_input_chars_per_word");
    const char *unknown = cg_step_text(model, "unk_token"), *prefix;
    int32_t id = cg_vocabulary_find(v, unknown, strlen(unknown));
    if (v->bytes) {
        cg_step_refuse(e, v->path, "the model", "WordPiece of bytes");
        return NULL;
    }
    if (!cg_step_string(model, "continuing_subword_prefix", v->path, &prefix, e))
        return NULL;
    if (id < 0 || (most && (!json_is_integer(most) || json_integer_value(most) < 0))) {
        cg_err(e, CG_ERR_INPUT,
            id < 0 ? "'%s': unk_token '%.40s' is not in the vocabulary"
                   : "'%s': max_input_chars_per_word is no number of characters",
            v->path, unknown);
        return NULL;
    }
    Wordpiece *w = cg_calloc(1, sizeof *w);
    *w = (Wordpiece){ .vocabulary = v,
        .prefix = cg_strdup(json_is_string(json_object_get(model, "continuing_subword_prefix")) ? prefix : "##"),
        .most = most ? json_integer_value(most) : 100,
        .unknown = id };
    w->nprefix = strlen(w->prefix);
    for (int32_t i = 0; i < v->size; i++)
        w->longest = v->piece[i].len > w->longest ? v->piece[i].len : w->longest;
    return w;
}

static const CgTokenModel model = { "wordpiece", " unk_token continuing_subword_prefix max_input_chars_per_word ",
    cg_vocabulary_tokens, wordpiece_read, wordpiece_encode, NULL, wordpiece_free };

static CgTokenizer *wordpiece_load(const CgTokenizerFile *file, CgErr *e)
{
    return cg_tokenizer_of_file(file, &model, e);
}

CG_TOKENIZER(wordpiece, .version = 1, .model = "WordPiece", .load = wordpiece_load)
