/* pretoken.c - the split of GPT-2, by hand.
 * Takes bytes; gives the length of the first piece.
 * Must not go back over a piece: each byte is looked at twice at most. */
#include "data/pretoken.h"

#include <string.h>

#include "data/characters.h"

typedef enum Sort { OTHER, LETTER, DIGIT, SPACE } Sort;

/* Of ASCII. */
#define L LETTER
#define D DIGIT
#define S SPACE
static const uint8_t ascii[128] = {
    0, 0, 0, 0, 0, 0, 0, 0, 0, S, S, S, S, S, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, /* controls */
    S, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, D, D, D, D, D, D, D, D, D, D, 0, 0, 0, 0, 0, 0, /* ' ' to ? */
    0, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, 0, 0, 0, 0, 0, /* @ to _ */
    0, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, 0, 0, 0, 0, 0, /* ` to DEL */
};
#undef L
#undef D
#undef S

static Sort sort_of_character(const char *s, size_t len, size_t *step)
{
    int32_t c = cg_char_at(s, len, step);
    return cg_char_is_letter(c) ? LETTER : cg_char_is_number(c) ? DIGIT : cg_char_is_space(c) ? SPACE : OTHER;
}

static inline Sort sort_at(const char *s, size_t len, size_t *step)
{
    *step = 1;
    return (unsigned char)*s < 0x80 ? (Sort)ascii[(unsigned char)*s] : sort_of_character(s, len, step);
}

static size_t contraction(const char *s, size_t len)
{
    static const char *const endings[] = { "'s", "'t", "'re", "'ve", "'m", "'ll", "'d" };
    for (size_t i = 0; i < CG_LEN(endings); i++) {
        size_t n = strlen(endings[i]);
        if (n <= len && !memcmp(s, endings[i], n))
            return n;
    }
    return 0;
}

size_t cg_pretoken_gpt2(const char *s, size_t len)
{
    size_t n = *s == '\'' ? contraction(s, len) : 0, step;
    if (n)
        return n;
    /* one blank goes with what follows */
    size_t from = *s == ' ' && len > 1 && sort_at(s + 1, len - 1, &step) != SPACE;
    Sort sort = sort_at(s + from, len - from, &step);
    size_t last = 0; /* where the last character of the run begins */
    for (n = from; n < len && sort_at(s + n, len - n, &step) == sort; n += step)
        last = n;
    if (sort == SPACE && n < len && last > 0)
        return last; /* \s+(?!\S): the last white space is left for what follows */
    return n;
}
