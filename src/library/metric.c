/* metric.c - scores of one row of an evaluation: a candidate text against a reference.
 * Takes rows of tokens; gives numbers. What a score is, is said in table/metric.h. */
#include "table/metric.h"
#include "library/library.h"

static CgIds ids_of(const CgValue *v)
{
    const CgIdsRow *r = v->held;
    return (CgIds){ r->at, r->n };
}

static CgValue *score(CgSession *x, const CgValue *call, CgValue **args, const char *metric)
{
    CgScoring how = { .smooth = CG_SMOOTH_EXP };
    double number = cg_metric_pair(cg_metric_find(metric), ids_of(args[0]), ids_of(args[1]), &how);
    return cg_value_float(x->elab, number, call->span);
}

/* Words of both texts, numbered alike. */
static CgValue *word_score(CgSession *x, const CgValue *call, CgValue **args, const char *metric)
{
    CgScoring how = { .split = cg_word_split_find("words") };
    CgWords *words = cg_words_new();
    CgStrbuf text[2] = { { 0 } };
    CgIds ids[2];
    for (int i = 0; i < 2; i++) {
        const CgIdsRow *r = args[i]->held;
        if (r->tokenizer)
            cg_tokenizer_decode(r->tokenizer, r->at, r->n, true, &text[i]);
        ids[i] = cg_words_split(words, how.split, cg_strbuf_str(&text[i]), text[i].len);
    }
    CgValue *v = cg_value_float(x->elab, cg_metric_pair(cg_metric_find(metric), ids[0], ids[1], &how), call->span);
    cg_words_free(words);
    cg_strbuf_deinit(&text[0]);
    cg_strbuf_deinit(&text[1]);
    return v;
}

static CgValue *token_f1(CgSession *x, const CgValue *c, CgValue **a) { return score(x, c, a, "token_f1"); }
static CgValue *bleu(CgSession *x, const CgValue *c, CgValue **a) { return score(x, c, a, "bleu"); }
static CgValue *rouge_l(CgSession *x, const CgValue *c, CgValue **a) { return score(x, c, a, "rouge_l"); }
static CgValue *exact(CgSession *x, const CgValue *c, CgValue **a) { return score(x, c, a, "exact"); }
static CgValue *accuracy(CgSession *x, const CgValue *c, CgValue **a) { return score(x, c, a, "accuracy"); }
static CgValue *word_f1(CgSession *x, const CgValue *c, CgValue **a) { return word_score(x, c, a, "token_f1"); }
static CgValue *word_rouge_l(CgSession *x, const CgValue *c, CgValue **a) { return word_score(x, c, a, "rouge_l"); }

static CgValue *decode(CgSession *x, const CgValue *call, CgValue **args)
{
    (void)x;
    (void)call;
    return args[0]; /* a cell of text decodes the tokens it is given */
}

static const char of_two[] = "(candidate: tokens, reference: tokens) -> float";

static const CgFunction fn_token_f1 = { CG_FUNCTION_HERE, .name = "token_f1", .sig = of_two, .traits = CG_ROW,
    .run = token_f1,
    .doc = "Share of tokens two texts have in common, order ignored: 2 common / (candidate + reference)." };
static const CgFunction fn_word_f1 = { CG_FUNCTION_HERE, .name = "word_f1", .sig = of_two, .traits = CG_ROW,
    .run = word_f1, .doc = "As token_f1, over words of the decoded texts." };
static const CgFunction fn_bleu = { CG_FUNCTION_HERE, .name = "bleu", .sig = of_two, .traits = CG_ROW, .run = bleu,
    .doc = "Sentence BLEU-4 over tokens (Papineni et al. 2002), zeros smoothed as sacreBLEU does; in [0, 1]." };
static const CgFunction fn_rouge_l = { CG_FUNCTION_HERE, .name = "rouge_l", .sig = of_two, .traits = CG_ROW,
    .run = rouge_l, .doc = "F score of the longest common subsequence of tokens (Lin 2004)." };
static const CgFunction fn_word_rouge_l = { CG_FUNCTION_HERE, .name = "word_rouge_l", .sig = of_two, .traits = CG_ROW,
    .run = word_rouge_l, .doc = "As rouge_l, over words of the decoded texts." };
static const CgFunction fn_exact = { CG_FUNCTION_HERE, .name = "exact", .sig = of_two, .traits = CG_ROW, .run = exact,
    .doc = "1 when the texts are equal, else 0." };
static const CgFunction fn_accuracy = { CG_FUNCTION_HERE, .name = "accuracy", .sig = of_two, .traits = CG_ROW,
    .run = accuracy, .doc = "Share of places with equal tokens." };
static const CgFunction fn_decode = { CG_FUNCTION_HERE, .name = "decode", .sig = "(tokens: tokens) -> tokens",
    .traits = CG_ROW, .run = decode, .doc = "The text of tokens, as a column of evaluate." };

CG_CLASS(tokens, .article = "tokens")
CG_FUNCTIONS(
    metric, &fn_token_f1, &fn_word_f1, &fn_bleu, &fn_rouge_l, &fn_word_rouge_l, &fn_exact, &fn_accuracy, &fn_decode)
