/* suggest.c - "did you mean".
 * Takes a misspelt name and candidates; gives the nearest one if it is near enough, and the list of them.
 * Must not suggest wildly: the distance stays below a third of the word, and ties go to the alphabet. */
#include "base/suggest.h"

#include <ctype.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#define LONGEST 63

enum { EDIT = 4, SWAP = 3, CASE = 1, FAR = INT_MAX / 2, MOST_LISTED = 12 };

static int least(int a, int b) { return a < b ? a : b; }

/* Optimal string alignment (Damerau 1964), weighted: another case is nearly nothing, two neighbours swapped are less
 * than two edits. */
static int distance(const char *a, size_t na, const char *b, size_t nb)
{
    int row[3][LONGEST + 1]; /* i-2, i-1, i; by length of b's prefix */
    for (size_t j = 0; j <= nb; j++)
        row[0][j] = row[1][j] = (int)j * EDIT;
    for (size_t i = 1; i <= na; i++) {
        int *now = row[(i + 1) % 3], *last = row[i % 3], *before = row[(i + 2) % 3];
        now[0] = (int)i * EDIT;
        for (size_t j = 1; j <= nb; j++) {
            unsigned char x = (unsigned char)a[i - 1], y = (unsigned char)b[j - 1];
            int change = x == y ? 0 : tolower(x) == tolower(y) ? CASE : EDIT;
            now[j] = least(last[j - 1] + change, least(last[j], now[j - 1]) + EDIT);
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                now[j] = least(now[j], before[j - 2] + SWAP);
        }
    }
    return row[(na + 1) % 3][nb];
}

void cg_suggest_init(CgSuggest *s, const char *word)
{
    s->word = word;
    s->best = NULL;
    s->distance = FAR;
    s->n = 0;
    s->all[0] = 0;
}

static const char more[] = ", ...";

static bool is_cut(const CgSuggest *s)
{
    size_t used = strlen(s->all);
    return used + 1 > sizeof more && !strcmp(s->all + used + 1 - sizeof more, more);
}

/* Appends the candidate, or an ellipsis where it does not fit; after an ellipsis nothing does. */
static void list(CgSuggest *s, const char *candidate)
{
    size_t used = strlen(s->all), n = strlen(candidate), room = sizeof s->all - sizeof more;
    if (is_cut(s))
        return;
    bool fits = used + 2 + n <= room;
    if (fits || used)
        snprintf(s->all + used, sizeof s->all - used, "%s%s", used ? ", " : "", fits ? candidate : "...");
}

void cg_suggest_offer(CgSuggest *s, const char *candidate)
{
    size_t na = strlen(s->word), nb = strlen(candidate);
    list(s, candidate);
    s->n++;
    if (na == 0 || nb == 0 || na > LONGEST || nb > LONGEST)
        return;
    int limit = EDIT * (na / 3 > 1 ? (int)(na / 3) : 1);
    int d = distance(s->word, na, candidate, nb);
    size_t shorter = na < nb ? na : nb, longer = na < nb ? nb : na;
    if (shorter >= 4 && 2 * shorter > longer && !strncmp(s->word, candidate, shorter)) /* optim for optimizer */
        d = least(d, limit);
    if (d > limit || (na == 1 && nb == 1 && d >= EDIT))
        return;
    if (d < s->distance || (d == s->distance && strcmp(candidate, s->best) < 0)) {
        s->best = candidate;
        s->distance = d;
    }
}

const char *cg_suggest_best(const CgSuggest *s) { return s->best; }

bool cg_err_meant(CgErr *e, const CgSuggest *near, const char *before)
{
    if (near->best)
        cg_err_hint(e, "did you mean '%s%s'?", before, near->best);
    return near->best != NULL;
}

bool cg_suggest_is_slip(const CgSuggest *s) { return s->distance < EDIT; }

bool cg_suggest_list(const CgSuggest *s, CgStrbuf *out)
{
    if (!s->n || s->n > MOST_LISTED || is_cut(s))
        return false;
    cg_strbuf_puts(out, s->all);
    return true;
}
