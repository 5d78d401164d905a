/* metric.c - scores of a candidate text against a reference: of one row, or of two columns of texts as a corpus.
 * Takes tokens, strings or columns of texts; gives numbers. What a score is, is said in table/metric_*.c. Tokens that
 * end a text, mark a place (`end` and `mark` of the tokenizer) or stand around each text are no part of it: they count
 * in no score. */
#include "table/metric.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "library/library.h"

enum { CANDIDATE, REFERENCE, WORDS, CHOICE };

/* ---- how a call scores ---------------------------------------------------------------------------------- */

static const CgMetric *metric_of(const CgValue *call) { return call->function->of; }

static bool is_text(const CgValue *v) { return v->kind == CG_VALUE_STR || cg_value_class(v) == &cg_class_labels; }

static CgScoring scoring_of(const CgValue *call)
{
    const CgMetric *m = metric_of(call);
    bool text = is_text(call->at[CANDIDATE]) || is_text(call->at[REFERENCE]);
    const CgValue *words = call->at[WORDS];
    CgScoring how = { .corpus = cg_value_class(call->at[CANDIDATE]) == &cg_class_labels };
    if (words->kind == CG_VALUE_STR)
        how.split = cg_word_split_find(words->s);
    else
        how.split = text || m->words ? cg_word_split_find(m->split) : NULL;
    if (m->choice)
        how.choice = call->at[CHOICE]->s;
    return how;
}

static const char *sign(const CgValue *call)
{
    CgScoring how = scoring_of(call);
    CgStrbuf out = { 0 };
    cg_metric_sign(metric_of(call), &how, &out);
    const char *signature = cg_intern(cg_strbuf_str(&out));
    cg_strbuf_deinit(&out);
    return signature;
}

static CgValue *build_score(CgElab *e, CgFrame *f, const CgArguments *a)
{
    bool columns[2];
    (void)f;
    for (int i = 0; i < 2; i++)
        columns[i] = cg_value_class(a->at[i]) == &cg_class_labels;
    if (columns[0] != columns[1]) {
        cg_elab_error(e, CG_E0318, a->span[columns[0]],
            "a column of texts is scored against another one, not against %s", cg_value_kind_name(a->at[columns[0]]));
        return cg_value_poison(e);
    }
    if (a->at[WORDS]->kind == CG_VALUE_STR && strcmp(a->at[WORDS]->s, "tokens") != 0
        && !cg_word_split_find(a->at[WORDS]->s)) {
        CgSuggest near;
        cg_suggest_init(&near, a->at[WORDS]->s);
        cg_suggest_offer(&near, "tokens");
        for (size_t i = 0; cg_word_split_at(i); i++)
            cg_suggest_offer(&near, cg_word_split_at(i)->name);
        CgDiag *d = cg_elab_error(e, CG_E0317, a->span[WORDS], "there is no way '%s' to split a text", a->at[WORDS]->s);
        CgStrbuf all = { 0 };
        for (size_t i = 0; cg_word_split_at(i); i++)
            cg_strbuf_printf(&all, ", \"%s\"", cg_word_split_at(i)->name);
        if (!cg_diag_meant(d, &near))
            cg_diag_help(d, "there are \"tokens\"%s", cg_strbuf_str(&all));
        cg_strbuf_deinit(&all);
        return cg_value_poison(e);
    }
    return cg_function_later(e, a, 0);
}

/* ---- one pair ------------------------------------------------------------------------------------------- */

/* Tokens that are text; `room` is to be freed. */
static CgIds ids_of(const CgIdsRow *r, int32_t **room)
{
    const CgTokenizer *t = r->tokenizer;
    size_t n = 0;
    *room = cg_malloc(sizeof **room * (r->n + 1));
    for (size_t i = 0; i < r->n; i++)
        if (!t || !cg_tokenizer_frames(t, r->at[i]))
            (*room)[n++] = r->at[i];
    return (CgIds){ *room, n };
}

static CgIds words_of(CgWords *words, const CgWordSplit *split, const CgValue *v)
{
    CgStrbuf text = { 0 };
    if (v->kind == CG_VALUE_STR)
        cg_strbuf_puts(&text, v->s);
    else {
        const CgIdsRow *r = v->held;
        cg_tokenizer_decode(r->tokenizer, r->at, r->n, CG_PLAIN, &text);
    }
    CgIds ids = cg_words_split(words, split, cg_strbuf_str(&text), text.len);
    cg_strbuf_deinit(&text);
    return ids;
}

static CgValue *no_text(CgSession *x, const CgValue *call)
{
    CgErr err = { 0 };
    cg_err(&err, CG_ERR_INPUT, "these tokens are of no tokenizer: there is no text to split");
    cg_session_err(x, call->span, &err);
    return NULL;
}

static CgValue *score_pair(CgSession *x, const CgValue *call, CgValue **args, const CgMetric *m, const CgScoring *how)
{
    CgIds ids[2];
    int32_t *room[2] = { NULL, NULL };
    CgWords *words = how->split ? cg_words_new() : NULL;
    bool good = true;
    for (int i = 0; i < 2; i++) {
        const CgIdsRow *r = args[i]->kind == CG_VALUE_OBJECT ? args[i]->held : NULL;
        good &= !how->split || !r || r->tokenizer;
        if (good)
            ids[i] = how->split ? words_of(words, how->split, args[i]) : ids_of(r, &room[i]);
    }
    double number = good ? cg_metric_pair(m, ids[0], ids[1], how) : 0;
    cg_words_free(words);
    free(room[0]);
    free(room[1]);
    return good ? cg_value_float(x->elab, number, call->span) : no_text(x, call);
}

/* ---- two columns ---------------------------------------------------------------------------------------- */

static CgValue *score_corpus(CgSession *x, const CgValue *call, CgValue **args, const CgMetric *m, const CgScoring *how)
{
    const CgNumbers *a = args[0]->held, *b = args[1]->held;
    double counts[CG_MAX_COUNTS] = { 0 };
    CgWords *words = cg_words_new();
    CgErr err = { 0 };
    if (a->n != b->n)
        cg_err(&err, CG_ERR_INPUT, "a column of %zu rows and one of %zu", a->n, b->n);
    for (size_t i = 0; a->n == b->n && i < a->n; i++) {
        const char *text[2] = { a->text[i] ? a->text[i] : "", b->text[i] ? b->text[i] : "" };
        CgIds ids[2];
        for (int k = 0; k < 2; k++)
            ids[k] = cg_words_split(words, how->split, text[k], strlen(text[k]));
        m->count(ids[0], ids[1], counts);
    }
    cg_words_free(words);
    if (err.kind) {
        cg_session_err(x, call->span, &err);
        return NULL;
    }
    return cg_value_float(x->elab, a->n ? m->score(counts, how) : NAN, call->span);
}

static CgValue *run_score(CgSession *x, const CgValue *call, CgValue **args)
{
    const CgMetric *m = metric_of(call);
    CgScoring how = scoring_of(call);
    return how.corpus ? score_corpus(x, call, args, m, &how) : score_pair(x, call, args, m, &how);
}

static CgValue *decode(CgSession *x, const CgValue *call, CgValue **args)
{
    (void)x;
    (void)call;
    return args[0]; /* a cell of text decodes the tokens it is given */
}

/* ---- the functions -------------------------------------------------------------------------------------- */

/* Metric i as a function. Its version is that of the score, and of what is done here to texts before. */
static bool score(size_t i, CgFunction *out)
{
    enum { BEFORE = 2 };
    const CgMetric *m = cg_metric_at(i);
    if (!m)
        return false;
    *out = (CgFunction){ .name = m->name,
        .sig = cg_intern_printf("(candidate: tokens | str | labels, reference: tokens | str | labels, "
                                "words: str | none = none%s%s) -> float",
            m->choice ? ", " : "", m->choice ? m->choice : ""),
        .doc = m->doc,
        .build = build_score,
        .run = run_score,
        .traits = CG_ROW,
        .sign = sign,
        .version = BEFORE + m->version,
        .file = m->file,
        .line = m->line,
        .of = m };
    return true;
}

static const CgFunction fn_scores = { .each = score };
static const CgFunction fn_decode = { CG_FUNCTION_HERE, .name = "decode", .sig = "(tokens: tokens) -> tokens",
    .traits = CG_ROW, .run = decode, .doc = "The text of tokens, as a column of evaluate." };

static void text_of(const void *held, CgStrbuf *out)
{
    const CgIdsRow *r = held;
    if (r->tokenizer)
        cg_tokenizer_decode(r->tokenizer, r->at, r->n, CG_PLAIN, out);
    for (size_t i = 0; !r->tokenizer && i < r->n; i++)
        cg_strbuf_printf(out, "%s%d", i ? " " : "", (int)r->at[i]);
}

static void show_tokens(const void *held, CgStrbuf *out)
{
    text_of(held, out);
    cg_strbuf_putc(out, '\n');
}

static bool save_tokens(const void *held, const char *path, CgErr *err)
{
    CgStrbuf text = { 0 };
    text_of(held, &text);
    bool good = cg_io_write(path, cg_strbuf_str(&text), text.len, err);
    cg_strbuf_deinit(&text);
    return good;
}

CG_CLASS(tokens, .article = "tokens", .doc = "A row of ids, or a text a model wrote; what scores such as bleu compare.",
    .show = show_tokens, .save = save_tokens)
CG_FUNCTIONS(metric, &fn_scores, &fn_decode)
