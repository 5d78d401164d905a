/* pretoken.c - the split of GPT-2, by hand.
 * Takes bytes; gives the length of the first piece.
 * Must not go back over a piece: each byte is looked at twice at most. */
#include "data/pretoken.h"

#include <string.h>
#include <utf8proc.h>

typedef enum Sort { LETTER, DIGIT, SPACE, OTHER } Sort;

static Sort sort_at(const char *s, size_t len, size_t *step)
{
    unsigned char first = (unsigned char)*s;
    *step = 1;
    if (first < 0x80) {
        if ((first | 0x20) >= 'a' && (first | 0x20) <= 'z')
            return LETTER;
        if (first >= '0' && first <= '9')
            return DIGIT;
        bool space = first == ' ' || (first >= '\t' && first <= '\r') || (first >= 0x1c && first <= 0x1f);
        return space ? SPACE : OTHER;
    }
    utf8proc_int32_t c;
    utf8proc_ssize_t n = utf8proc_iterate((const utf8proc_uint8_t *)s, (utf8proc_ssize_t)(len < 4 ? len : 4), &c);
    if (n <= 0)
        return OTHER;
    *step = (size_t)n;
    if (c == 0x85)
        return SPACE;
    switch (utf8proc_category(c)) {
    case UTF8PROC_CATEGORY_LU:
    case UTF8PROC_CATEGORY_LL:
    case UTF8PROC_CATEGORY_LT:
    case UTF8PROC_CATEGORY_LM:
    case UTF8PROC_CATEGORY_LO: return LETTER;
    case UTF8PROC_CATEGORY_ND:
    case UTF8PROC_CATEGORY_NL:
    case UTF8PROC_CATEGORY_NO: return DIGIT;
    case UTF8PROC_CATEGORY_ZS:
    case UTF8PROC_CATEGORY_ZL:
    case UTF8PROC_CATEGORY_ZP: return SPACE;
    default: return OTHER;
    }
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
