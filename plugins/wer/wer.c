/* wer.c - the word error rate: substitutions, deletions and insertions that make the candidate the reference, by word
 * of the reference (as in speech recognition; Levenshtein 1966, Morris et al. 2004). */
#include <cg/function.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct Words {
    const char **at;
    size_t *len;
    size_t n;
} Words;

static bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

/* Split at blanks; false where there is no memory. */
static bool split(const char *text, Words *out)
{
    size_t most = strlen(text) / 2 + 1;
    out->at = malloc(sizeof *out->at * most);
    out->len = malloc(sizeof *out->len * most);
    for (const char *at = text; out->at && out->len && *at;) {
        while (is_blank(*at))
            at++;
        const char *from = at;
        while (*at && !is_blank(*at))
            at++;
        if (at > from) {
            out->at[out->n] = from;
            out->len[out->n++] = (size_t)(at - from);
        }
    }
    return out->at && out->len;
}

static bool same(const Words *a, size_t i, const Words *b, size_t k)
{
    return a->len[i] == b->len[k] && !memcmp(a->at[i], b->at[k], a->len[i]);
}

/* The least number of edits, a row of the table at a time; -1: no memory. */
static double edits(const Words *a, const Words *b)
{
    size_t *row = malloc(sizeof *row * (b->n + 1));
    for (size_t k = 0; row && k <= b->n; k++)
        row[k] = k;
    for (size_t i = 0; row && i < a->n; i++) {
        size_t diagonal = row[0];
        row[0] = i + 1;
        for (size_t k = 0; k < b->n; k++) {
            size_t best = diagonal + !same(a, i, b, k);
            diagonal = row[k + 1];
            if (row[k + 1] + 1 < best)
                best = row[k + 1] + 1;
            if (row[k] + 1 < best)
                best = row[k] + 1;
            row[k + 1] = best;
        }
    }
    double least = row ? (double)row[b->n] : -1;
    free(row);
    return least;
}

static CgValue *run_wer(CgSession *x, const CgValue *call, CgValue **args)
{
    char *text[2] = { cg_value_text(args[0]), cg_value_text(args[1]) };
    Words candidate = { 0 }, reference = { 0 };
    double least = -1;
    bool texts = text[0] && text[1];
    if (texts && split(text[0], &candidate) && split(text[1], &reference))
        least = edits(&candidate, &reference);
    free(candidate.at);
    free(candidate.len);
    free(reference.at);
    free(reference.len);
    free(text[0]);
    free(text[1]);
    if (!texts)
        return cg_give_mistake(x, call, "these tokens are of no tokenizer: there are no words");
    if (least < 0)
        return cg_give_mistake(x, call, "there is no memory");
    return cg_give_number(x, call, reference.n ? least / (double)reference.n : candidate.n ? INFINITY : 0);
}

static const CgFunction fn_wer = {
    CG_FUNCTION_HERE,
    .name = "wer",
    .sig = "(candidate: tokens | str, reference: tokens | str) -> float",
    .doc = "The word error rate: edits of words that make the candidate the reference, by word of the reference. "
           "Words are what blanks divide; 0 is best, and it may be above 1.",
    .run = run_wer,
    .traits = CG_ROW,
};

CG_FUNCTIONS(wer, &fn_wer)
