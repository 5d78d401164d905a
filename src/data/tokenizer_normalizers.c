/* tokenizer_normalizers.c - what a text becomes before it is split.
 * Takes text, and a step of the field "normalizer" of a tokenizer.json; gives the text that step makes of it. What is
 * no UTF-8 must stay as it is. */
#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

#include "data/characters.h"
#include "data/charsmap.h"
#include "data/pattern.h"
#include "data/tokenizer_steps.h"

/* ---- Unicode's normal forms ------------------------------------------------------------------------------------ */

static void normal_form(CgText text, utf8proc_option_t how, CgStrbuf *out)
{
    utf8proc_uint8_t *made = NULL;
    utf8proc_ssize_t n =
        utf8proc_map((const utf8proc_uint8_t *)text.at, (utf8proc_ssize_t)text.len, &made, UTF8PROC_STABLE | how);
    cg_strbuf_write(out, n >= 0 ? (const char *)made : text.at, n >= 0 ? (size_t)n : text.len);
    free(made);
}

#define FORM(id, how)                                            \
    static void id(const void *data, CgText text, CgStrbuf *out) \
    {                                                            \
        (void)data;                                              \
        normal_form(text, (utf8proc_option_t)(how), out);        \
    }
FORM(nfc, UTF8PROC_COMPOSE)
FORM(nfd, UTF8PROC_DECOMPOSE)
FORM(nfkc, UTF8PROC_COMPOSE | UTF8PROC_COMPAT)
FORM(nfkd, UTF8PROC_DECOMPOSE | UTF8PROC_COMPAT)

/* ---- one character after the other ----------------------------------------------------------------------------- */

typedef struct Bert {
    bool clean_text, handle_chinese_chars, strip_accents, lowercase;
} Bert;

static void put(CgStrbuf *out, int32_t c)
{
    char bytes[4];
    cg_strbuf_write(out, bytes, cg_char_put(c, bytes));
}

/* With a dot above for the one capital whose small letter is two characters (SpecialCasing.txt). */
static void put_lower(CgStrbuf *out, int32_t c)
{
    put(out, c == 0x130 ? 'i' : utf8proc_tolower(c));
    if (c == 0x130)
        put(out, 0x307);
}

static void lowercase(const void *data, CgText text, CgStrbuf *out)
{
    (void)data;
    for (size_t i = 0, step; i < text.len; i += step) {
        int32_t c = cg_char_at(text.at + i, text.len - i, &step);
        if (c < 0)
            cg_strbuf_putc(out, text.at[i]);
        else
            put_lower(out, c);
    }
}

static void strip_accents(const void *data, CgText text, CgStrbuf *out)
{
    (void)data;
    for (size_t i = 0, step; i < text.len; i += step)
        if (!cg_char_is_mark(cg_char_at(text.at + i, text.len - i, &step), true))
            cg_strbuf_write(out, text.at + i, step);
}

static bool read_bert(const json_t *step, const char *path, void **data, CgErr *e)
{
    Bert *b = *data = cg_calloc(1, sizeof *b);
    if (!cg_step_flag(step, "clean_text", true, path, &b->clean_text, e)
        || !cg_step_flag(step, "handle_chinese_chars", true, path, &b->handle_chinese_chars, e)
        || !cg_step_flag(step, "lowercase", true, path, &b->lowercase, e)
        || !cg_step_flag(step, "strip_accents", b->lowercase, path, &b->strip_accents, e)) {
        free(b);
        return false;
    }
    return true;
}

static void bert_characters(const Bert *b, CgText text, CgStrbuf *out)
{
    for (size_t i = 0, step; i < text.len; i += step) {
        int32_t c = cg_char_at(text.at + i, text.len - i, &step);
        if (c < 0) {
            cg_strbuf_putc(out, text.at[i]);
        } else if (b->clean_text && (c == 0 || c == 0xfffd || (cg_char_is_control(c)))) {
            continue;
        } else if (b->clean_text && cg_char_is_space(c)) {
            cg_strbuf_putc(out, ' ');
        } else if (b->handle_chinese_chars && cg_char_is_ideograph(c)) {
            cg_strbuf_putc(out, ' ');
            put(out, c);
            cg_strbuf_putc(out, ' ');
        } else {
            put(out, c);
        }
    }
}

static void bert(const void *data, CgText text, CgStrbuf *out)
{
    const Bert *b = data;
    CgStrbuf clean = { 0 }, bare = { 0 };
    bert_characters(b, text, &clean);
    if (b->strip_accents) {
        CgStrbuf apart = { 0 };
        nfd(NULL, (CgText){ cg_strbuf_str(&clean), clean.len }, &apart);
        for (size_t i = 0, step; i < apart.len; i += step)
            if (!cg_char_is_mark(cg_char_at(apart.at + i, apart.len - i, &step), false))
                cg_strbuf_write(&bare, apart.at + i, step);
        cg_strbuf_deinit(&apart);
    }
    const CgStrbuf *last = b->strip_accents ? &bare : &clean;
    if (b->lowercase)
        lowercase(NULL, (CgText){ cg_strbuf_str(last), last->len }, out);
    else
        cg_strbuf_write(out, cg_strbuf_str(last), last->len);
    cg_strbuf_deinit(&clean);
    cg_strbuf_deinit(&bare);
}

/* ---- ends of a text -------------------------------------------------------------------------------------------- */

typedef struct Strip {
    bool left, right;
} Strip;

static bool read_strip(const json_t *step, const char *path, void **data, CgErr *e)
{
    Strip *s = *data = cg_calloc(1, sizeof *s);
    if (cg_step_flag(step, "strip_left", true, path, &s->left, e)
        && cg_step_flag(step, "strip_right", true, path, &s->right, e))
        return true;
    free(s);
    return false;
}

static void strip(const void *data, CgText text, CgStrbuf *out)
{
    const Strip *s = data;
    size_t step, end = 0;
    while (s->left && text.len && cg_char_is_space(cg_char_at(text.at, text.len, &step)))
        text = (CgText){ text.at + step, text.len - step };
    for (size_t i = 0; i < text.len; i += step)
        if (!cg_char_is_space(cg_char_at(text.at + i, text.len - i, &step)))
            end = i + step;
    cg_strbuf_write(out, text.at, s->right ? end : text.len);
}

static bool read_prepend(const json_t *step, const char *path, void **data, CgErr *e)
{
    const char *s = json_string_value(json_object_get(step, "prepend"));
    if (!s)
        return cg_err(e, CG_ERR_INPUT, "'%s': the normalizer 'Prepend' has no string 'prepend'", path);
    *data = cg_strdup(s);
    return true;
}

static void prepend(const void *data, CgText text, CgStrbuf *out)
{
    if (text.len)
        cg_strbuf_puts(out, data);
    cg_strbuf_write(out, text.at, text.len);
}

/* ---- SentencePiece's table ------------------------------------------------------------------------------------- */

static bool read_precompiled(const json_t *step, const char *path, void **data, CgErr *e)
{
    const char *map = json_string_value(json_object_get(step, "precompiled_charsmap"));
    if (!map)
        return cg_err(e, CG_ERR_INPUT, "'%s': the normalizer 'Precompiled' has no 'precompiled_charsmap'", path);
    return (*data = cg_charsmap_read(map, path, e)) != NULL;
}

static void precompiled(const void *data, CgText text, CgStrbuf *out) { cg_charsmap_apply(data, text, out); }
static void free_precompiled(void *data) { cg_charsmap_free(data); }

static const CgStepKind kinds[] = {
    { "NFC", .normalize = nfc },
    { "NFD", .normalize = nfd },
    { "NFKC", .normalize = nfkc },
    { "NFKD", .normalize = nfkd },
    { "Lowercase", .normalize = lowercase },
    { "StripAccents", .normalize = strip_accents },
    { "BertNormalizer", " clean_text handle_chinese_chars strip_accents lowercase ", read_bert, free,
        .normalize = bert },
    { "Strip", " strip_left strip_right ", read_strip, free, .normalize = strip },
    { "Prepend", " prepend ", read_prepend, free, .normalize = prepend },
    { "Replace", " pattern content ", cg_replace_read, cg_replace_free, .normalize = cg_replace_apply },
    { "Precompiled", " precompiled_charsmap ", read_precompiled, free_precompiled, .normalize = precompiled },
};

CgStepChain *cg_normalizer_read(const json_t *step, const char *path, CgErr *e)
{
    return cg_steps_read(step, "normalizer", "normalizers", kinds, CG_LEN(kinds), path, e);
}
