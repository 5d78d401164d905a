/* tokenizer_joiners.c - how tokens become text again.
 * Takes a token as the vocabulary has it, and a step of the field "decoder" of a tokenizer.json; gives what it is in a
 * text: the text of tokens is that of each, put together. Steps that must see more than one token are refused. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "data/characters.h"
#include "data/pattern.h"
#include "data/tokenizer_steps.h"

/* The token with what stands there from `from` to `to` replaced. */
static void put_in(CgStrbuf *token, size_t from, size_t to, const char *with)
{
    CgStrbuf out = { 0 };
    cg_strbuf_write(&out, token->at, from);
    cg_strbuf_puts(&out, with);
    cg_strbuf_write(&out, token->at + to, token->len - to);
    cg_strbuf_deinit(token);
    *token = out;
}

static bool begins(const CgStrbuf *token, const char *with)
{
    size_t n = strlen(with);
    return token->len >= n && !memcmp(cg_strbuf_str(token), with, n);
}

static void bytes(const void *data, bool first, CgStrbuf *token)
{
    int32_t byte_of[512];
    char *out = cg_malloc(token->len + 1);
    size_t len;
    (void)data;
    (void)first;
    cg_byte_alphabet(byte_of);
    if (cg_bytes_of_token(byte_of, cg_strbuf_str(token), out, &len)) {
        token->len = 0;
        cg_strbuf_write(token, out, len);
    }
    free(out);
}

/* <0x0A> */
static void byte_fallback(const void *data, bool first, CgStrbuf *token)
{
    unsigned byte;
    int end = 0;
    (void)data;
    (void)first;
    if (token->len == 6 && sscanf(cg_strbuf_str(token), "<0x%2x>%n", &byte, &end) == 1 && end == 6) {
        token->len = 0;
        cg_strbuf_putc(token, (char)byte);
    }
}

static void fuse(const void *data, bool first, CgStrbuf *token)
{
    (void)data;
    (void)first;
    (void)token;
}

/* ---- patterns --------------------------------------------------------------------------------------------------- */

static void replace(const void *data, bool first, CgStrbuf *token)
{
    CgStrbuf out = { 0 };
    (void)first;
    cg_replace_apply(data, (CgText){ cg_strbuf_str(token), token->len }, &out);
    cg_strbuf_deinit(token);
    *token = out;
}

/* ---- ends ------------------------------------------------------------------------------------------------------- */

typedef struct Strip {
    char content[5];
    int64_t start;
} Strip;

static bool read_strip(const json_t *step, const char *path, void **data, CgErr *e)
{
    const char *content = cg_step_text(step, "content");
    const json_t *start = json_object_get(step, "start"), *stop = json_object_get(step, "stop");
    size_t length = 0;
    if (!*content || cg_char_at(content, strlen(content), &length) < 0 || content[length] || !json_is_integer(start)
        || !json_is_integer(stop) || json_integer_value(start) < 0)
        return cg_err(e, CG_ERR_INPUT, "'%s': the decoder 'Strip' has no content, start and stop", path);
    if (json_integer_value(stop) != 0)
        return cg_step_refuse(e, path, "the decoder 'Strip' with a", "stop");
    Strip *s = *data = cg_calloc(1, sizeof *s);
    memcpy(s->content, content, length + 1);
    s->start = json_integer_value(start);
    return true;
}

static void strip(const void *data, bool first, CgStrbuf *token)
{
    const Strip *s = data;
    for (int64_t i = 0; first && i < s->start && begins(token, s->content); i++)
        put_in(token, 0, strlen(s->content), "");
}

typedef struct Metaspace {
    char blank[5];
    bool drop; /* the one a text begins with */
} Metaspace;

static bool read_metaspace(const json_t *step, const char *path, void **data, CgErr *e)
{
    const char *blank = cg_step_text(step, "replacement"), *scheme = cg_step_text(step, "prepend_scheme");
    size_t length = 0;
    bool prefix, split;
    if (!cg_step_flag(step, "add_prefix_space", true, path, &prefix, e)
        || !cg_step_flag(step, "split", true, path, &split, e))
        return false;
    if (!*blank || cg_char_at(blank, strlen(blank), &length) < 0 || blank[length])
        return cg_err(e, CG_ERR_INPUT, "'%s': the replacement of 'Metaspace' is not one character", path);
    Metaspace *m = *data = cg_calloc(1, sizeof *m);
    memcpy(m->blank, blank, length + 1);
    m->drop = *scheme ? strcmp(scheme, "never") != 0 : prefix;
    return true;
}

static void metaspace(const void *data, bool first, CgStrbuf *token)
{
    const Metaspace *m = data;
    size_t n = strlen(m->blank);
    for (size_t i = 0; i + n <= token->len; i++)
        if (!memcmp(token->at + i, m->blank, n))
            put_in(token, i, i + n, first && m->drop && i == 0 ? "" : " ");
}

/* ---- words ------------------------------------------------------------------------------------------------------ */

typedef struct Wordpiece {
    char *prefix;
    bool cleanup;
} Wordpiece;

static void free_wordpiece(void *data)
{
    Wordpiece *w = data;
    free(w->prefix);
    free(w);
}

static bool read_wordpiece(const json_t *step, const char *path, void **data, CgErr *e)
{
    const char *prefix = json_string_value(json_object_get(step, "prefix"));
    bool cleanup;
    if (!cg_step_flag(step, "cleanup", true, path, &cleanup, e))
        return false;
    Wordpiece *w = *data = cg_calloc(1, sizeof *w);
    *w = (Wordpiece){ cg_strdup(prefix ? prefix : "##"), cleanup };
    return true;
}

static void wordpiece(const void *data, bool first, CgStrbuf *token)
{
    static const char *const tidy[][2] = { { " .", "." }, { " ?", "?" }, { " !", "!" }, { " ,", "," }, { " ' ", "'" },
        { " n't", "n't" }, { " 'm", "'m" }, { " do not", " don't" }, { " 's", "'s" }, { " 've", "'ve" },
        { " 're", "'re" } };
    const Wordpiece *w = data;
    if (!first && *w->prefix && begins(token, w->prefix))
        put_in(token, 0, strlen(w->prefix), "");
    else if (!first)
        put_in(token, 0, 0, " ");
    for (size_t k = 0; w->cleanup && k < CG_LEN(tidy); k++) {
        size_t n = strlen(tidy[k][0]);
        for (size_t i = 0; i + n <= token->len; i++)
            if (!memcmp(token->at + i, tidy[k][0], n)) {
                put_in(token, i, i + n, tidy[k][1]);
                i += strlen(tidy[k][1]);
                i -= i > 0;
            }
    }
}

static const CgStepKind kinds[] = {
    { "ByteLevel", " add_prefix_space use_regex trim_offsets ", .decode = bytes, .traits = CG_STEP_BYTES },
    { "ByteFallback", .decode = byte_fallback },
    { "Fuse", .decode = fuse, .traits = CG_STEP_FUSE },
    { "Replace", " pattern content ", cg_replace_read, cg_replace_free, .decode = replace },
    { "Strip", " content start stop ", read_strip, free, .decode = strip, .traits = CG_STEP_EACH },
    { "Metaspace", " replacement prepend_scheme split add_prefix_space str_rep ", read_metaspace, free,
        .decode = metaspace },
    { "WordPiece", " prefix cleanup ", read_wordpiece, free_wordpiece, .decode = wordpiece },
};

CgStepChain *cg_joiner_read(const json_t *step, const char *path, CgErr *e)
{
    return cg_steps_read(step, "decoder", "decoders", kinds, CG_LEN(kinds), path, e);
}
