/* tokenizer_splitters.c - where a text is split before a model sees it.
 * Takes text, and a step of the field "pre_tokenizer" of a tokenizer.json; gives pieces of it, in order. Must take a
 * time that grows with the text, whatever is in it. */
#include <stdlib.h>
#include <string.h>

#include "data/characters.h"
#include "data/pattern.h"
#include "data/pretoken.h"
#include "data/tokenizer_steps.h"

/* ---- what becomes of the delimiters a text is split at ---------------------------------------------------------- */

typedef enum Behavior { REMOVED, ISOLATED, MERGED_WITH_PREVIOUS, MERGED_WITH_NEXT, CONTIGUOUS } Behavior;
static const char *const behaviors[] = { "Removed", "Isolated", "MergedWithPrevious", "MergedWithNext", "Contiguous" };

static bool read_behavior(const json_t *step, Behavior otherwise, const char *path, Behavior *out, CgErr *e)
{
    const char *name = cg_step_text(step, "behavior");
    *out = otherwise;
    if (!json_object_get(step, "behavior"))
        return true;
    for (size_t i = 0; i < CG_LEN(behaviors); i++)
        if (!strcmp(name, behaviors[i])) {
            *out = (Behavior)i;
            return true;
        }
    return cg_step_refuse(e, path, "the behavior", name);
}

/* Stretches of a text one after the other, each a delimiter or not; pieces are made of them. */
typedef struct Pieces {
    Behavior behavior;
    CgText text;
    bool first; /* of the text */
    CgPieceFn *emit;
    void *arg;
    size_t from, to; /* what waits for the next stretch */
    bool waits, delimiter;
} Pieces;

static void flush(Pieces *p)
{
    if (p->waits && p->to > p->from)
        p->emit(p->arg, (CgText){ p->text.at + p->from, p->to - p->from }, p->first && p->from == 0);
    p->waits = false;
}

static void add_stretch(Pieces *p, size_t from, size_t to, bool delimiter)
{
    bool joins = false;
    switch (p->behavior) {
    case REMOVED:
        if (delimiter)
            return;
        break;
    case ISOLATED: break;
    case MERGED_WITH_PREVIOUS: joins = delimiter && !p->delimiter; break;
    case MERGED_WITH_NEXT: joins = p->delimiter && !delimiter; break;
    case CONTIGUOUS: joins = p->delimiter == delimiter; break;
    }
    joins = joins && p->waits;
    if (!joins) {
        flush(p);
        p->from = from;
    }
    p->to = to;
    p->waits = true;
    p->delimiter = delimiter;
}

/* ---- patterns --------------------------------------------------------------------------------------------------- */

typedef struct Split {
    CgPattern *pattern;
    Behavior behavior;
    bool invert;
} Split;

static void free_split(void *data)
{
    Split *s = data;
    cg_pattern_free(s->pattern);
    free(s);
}

static bool read_split(const json_t *step, const char *path, void **data, CgErr *e)
{
    Split *s = *data = cg_calloc(1, sizeof *s);
    if (read_behavior(step, ISOLATED, path, &s->behavior, e) && cg_step_flag(step, "invert", false, path, &s->invert, e)
        && (s->pattern = cg_step_pattern(step, path, e)))
        return true;
    free(s);
    return false;
}

static void split(const void *data, CgText text, bool first, CgPieceFn *emit, void *arg)
{
    const Split *s = data;
    Pieces p = { s->behavior, text, first, emit, arg, 0, 0, false, false };
    CgSearch search = cg_pattern_search(s->pattern, text.at, text.len);
    size_t done = 0;
    for (size_t from, to; cg_search_next(&search, &from, &to); done = to) {
        if (from > done)
            add_stretch(&p, done, from, s->invert);
        add_stretch(&p, from, to, !s->invert);
    }
    if (done < text.len)
        add_stretch(&p, done, text.len, s->invert);
    flush(&p);
}

/* ---- sorts of characters ---------------------------------------------------------------------------------------- */

/* Each character that is one of a sort is a delimiter. */
static void split_at(bool (*is)(int32_t), Behavior behavior, CgText text, bool first, CgPieceFn *emit, void *arg)
{
    Pieces p = { behavior, text, first, emit, arg, 0, 0, false, false };
    size_t done = 0;
    for (size_t i = 0, step; i < text.len; i += step) {
        if (!is(cg_char_at(text.at + i, text.len - i, &step)))
            continue;
        if (i > done)
            add_stretch(&p, done, i, false);
        add_stretch(&p, i, i + step, true);
        done = i + step;
    }
    if (done < text.len)
        add_stretch(&p, done, text.len, false);
    flush(&p);
}

static bool read_digits(const json_t *step, const char *path, void **data, CgErr *e)
{
    Behavior *b = *data = cg_calloc(1, sizeof *b);
    bool each;
    if (!cg_step_flag(step, "individual_digits", false, path, &each, e)) {
        free(b);
        return false;
    }
    *b = each ? ISOLATED : CONTIGUOUS;
    return true;
}

static void digits(const void *data, CgText text, bool first, CgPieceFn *emit, void *arg)
{
    split_at(cg_char_is_number, *(const Behavior *)data, text, first, emit, arg);
}

static bool read_punctuation(const json_t *step, const char *path, void **data, CgErr *e)
{
    Behavior *b = *data = cg_calloc(1, sizeof *b);
    if (read_behavior(step, ISOLATED, path, b, e))
        return true;
    free(b);
    return false;
}

static void punctuation(const void *data, CgText text, bool first, CgPieceFn *emit, void *arg)
{
    split_at(cg_char_is_punctuation, *(const Behavior *)data, text, first, emit, arg);
}

static void whitespace_split(const void *data, CgText text, bool first, CgPieceFn *emit, void *arg)
{
    (void)data;
    split_at(cg_char_is_space, REMOVED, text, first, emit, arg);
}

typedef struct Onward {
    CgPieceFn *emit;
    void *arg;
} Onward;

static void split_punctuation(void *arg, CgText piece, bool first)
{
    const Onward *o = arg;
    split_at(cg_char_is_punctuation, ISOLATED, piece, first, o->emit, o->arg);
}

static void bert(const void *data, CgText text, bool first, CgPieceFn *emit, void *arg)
{
    Onward o = { emit, arg };
    (void)data;
    split_at(cg_char_is_space, REMOVED, text, first, split_punctuation, &o);
}

/* \w+|[^\w\s]+ */
static void whitespace(const void *data, CgText text, bool first, CgPieceFn *emit, void *arg)
{
    enum { NONE, WORD, OTHER } sort, before = NONE;
    size_t from = 0;
    (void)data;
    for (size_t i = 0, step; i < text.len; i += step, before = sort) {
        int32_t c = cg_char_at(text.at + i, text.len - i, &step);
        sort = cg_char_is_word(c) ? WORD : cg_char_is_space(c) ? NONE : OTHER;
        if (sort == before)
            continue;
        if (before != NONE)
            emit(arg, (CgText){ text.at + from, i - from }, first && from == 0);
        from = i;
    }
    if (before != NONE)
        emit(arg, (CgText){ text.at + from, text.len - from }, first && from == 0);
}

/* ---- bytes ------------------------------------------------------------------------------------------------------ */

typedef struct Bytes {
    bool blank_first, regex;
} Bytes;

static bool read_bytes(const json_t *step, const char *path, void **data, CgErr *e)
{
    Bytes *b = *data = cg_calloc(1, sizeof *b);
    if (cg_step_flag(step, "add_prefix_space", true, path, &b->blank_first, e)
        && cg_step_flag(step, "use_regex", true, path, &b->regex, e))
        return true;
    free(b);
    return false;
}

static void bytes(const void *data, CgText text, bool first, CgPieceFn *emit, void *arg)
{
    const Bytes *b = data;
    CgStrbuf led = { 0 };
    if (b->blank_first && *text.at != ' ') {
        cg_strbuf_putc(&led, ' ');
        cg_strbuf_write(&led, text.at, text.len);
        text = (CgText){ led.at, led.len };
    }
    CgPretokens pieces = cg_pretokens_gpt2(text, SIZE_MAX);
    if (!b->regex)
        emit(arg, text, first);
    for (CgText piece; b->regex && cg_pretokens_next(&pieces, &piece); first = false)
        emit(arg, piece, first);
    cg_strbuf_deinit(&led);
}

/* ---- blanks as a character of their own ------------------------------------------------------------------------- */

typedef enum Prepend { ALWAYS, FIRST, NEVER } Prepend;

typedef struct Metaspace {
    char blank[5];
    Prepend prepend;
    bool split;
} Metaspace;

static bool read_metaspace(const json_t *step, const char *path, void **data, CgErr *e)
{
    static const char *const schemes[] = { "always", "first", "never" };
    const char *blank = cg_step_text(step, "replacement"), *scheme = cg_step_text(step, "prepend_scheme");
    bool prefix, split;
    size_t length = 0;
    if (!cg_step_flag(step, "add_prefix_space", true, path, &prefix, e)
        || !cg_step_flag(step, "split", true, path, &split, e))
        return false;
    if (!*blank || cg_char_at(blank, strlen(blank), &length) < 0 || blank[length])
        return cg_err(e, CG_ERR_INPUT, "'%s': the replacement of 'Metaspace' is not one character", path);
    Metaspace *m = *data = cg_calloc(1, sizeof *m);
    memcpy(m->blank, blank, length + 1);
    m->split = split;
    m->prepend = prefix ? ALWAYS : NEVER;
    for (size_t i = 0; i < CG_LEN(schemes); i++)
        if (!strcmp(scheme, schemes[i])) {
            m->prepend = (Prepend)i;
            return true;
        }
    if (!*scheme)
        return true;
    free(m);
    return cg_step_refuse(e, path, "the prepend_scheme", scheme);
}

static void metaspace(const void *data, CgText text, bool first, CgPieceFn *emit, void *arg)
{
    const Metaspace *m = data;
    CgStrbuf out = { 0 };
    size_t n = strlen(m->blank);
    bool led = *text.at == ' ' || (text.len >= n && !memcmp(text.at, m->blank, n));
    if (!led && (m->prepend == ALWAYS || (m->prepend == FIRST && first)))
        cg_strbuf_puts(&out, m->blank);
    for (size_t i = 0; i < text.len; i++)
        if (text.at[i] == ' ')
            cg_strbuf_puts(&out, m->blank);
        else
            cg_strbuf_putc(&out, text.at[i]);
    size_t from = 0;
    for (size_t i = n; m->split && i + n <= out.len; i++)
        if (!memcmp(out.at + i, m->blank, n)) {
            emit(arg, (CgText){ out.at + from, i - from }, first && from == 0);
            from = i;
        }
    emit(arg, (CgText){ out.at + from, out.len - from }, first && from == 0);
    cg_strbuf_deinit(&out);
}

static const CgStepKind kinds[] = {
    { "ByteLevel", " add_prefix_space use_regex trim_offsets ", read_bytes, free, .split = bytes,
        .traits = CG_STEP_BYTES },
    { "Split", " pattern behavior invert ", read_split, free_split, .split = split },
    { "Digits", " individual_digits ", read_digits, free, .split = digits },
    { "Punctuation", " behavior ", read_punctuation, free, .split = punctuation },
    { "Whitespace", .split = whitespace },
    { "WhitespaceSplit", .split = whitespace_split },
    { "BertPreTokenizer", .split = bert },
    { "Metaspace", " replacement prepend_scheme split add_prefix_space str_rep ", read_metaspace, free,
        .split = metaspace },
};

CgStepChain *cg_splitter_read(const json_t *step, const char *path, CgErr *e)
{
    return cg_steps_read(step, "pre_tokenizer", "pretokenizers", kinds, CG_LEN(kinds), path, e);
}
