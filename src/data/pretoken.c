/* pretoken.c - the split of GPT-2, by hand.
 * Takes bytes; gives pieces. Must not go back over a piece: a character is looked at twice at most.
 * Where pieces begin follows from sets of bytes: 64 at a time are a set, as in Langdale and Lemire, "Parsing gigabytes
 * of JSON per second", VLDB Journal 28, 2019. */
#include "data/pretoken.h"

#include <pthread.h>
#include <string.h>

#include "data/characters.h"

typedef enum Sort { OTHER, LETTER, DIGIT, SPACE, NONE } Sort;
enum { SORTS = 4, TABLE = 0x10000 };

static uint8_t sort_table[TABLE];
static pthread_once_t once = PTHREAD_ONCE_INIT;

static Sort sort_of(int32_t c)
{
    return cg_char_is_letter(c) ? LETTER : cg_char_is_number(c) ? DIGIT : cg_char_is_space(c) ? SPACE : OTHER;
}

static void fill_table(void)
{
    for (int32_t c = 0; c < TABLE; c++)
        sort_table[c] = (uint8_t)sort_of(c);
}

static Sort sort_at(const char *s, size_t len, size_t *step)
{
    int32_t c = cg_char_at(s, len, step);
    return c < 0 ? OTHER : c < TABLE ? (Sort)sort_table[c] : sort_of(c);
}

/* ---- sets of 64 bytes: bit i is byte i ------------------------------------------------------------------------- */

typedef struct Sets {
    uint64_t of[SORTS];          /* of ASCII, until characters are put in */
    uint64_t blank, quote, high; /* ' ', '\'', not ASCII */
    uint64_t last_space;         /* white space before something else, of several only the last */
} Sets;

typedef signed char Bytes __attribute__((vector_size(16))); /* those that are not ASCII are below 0 */
typedef char Chars __attribute__((vector_size(16)));

/* The top bits of bytes, the first one's lowest. */
static inline uint64_t top_bits(Bytes x)
{
#if defined(__SSE2__)
    return (uint64_t)__builtin_ia32_pmovmskb128((Chars)x);
#else
    uint64_t half[2];
    memcpy(half, &x, sizeof half);
    for (int i = 0; i < 2; i++)
        half[i] = (half[i] >> 7 & UINT64_C(0x0101010101010101)) * UINT64_C(0x0102040810204080) >> 56;
    return half[0] | half[1] << 8;
#endif
}

/* 255 where a byte is between two, else 0. */
static inline Bytes between(Bytes x, signed char first, signed char last) { return (x >= first) & (x <= last); }

static void classify(const char *s, Sets *out)
{
    Sets sets = { .blank = 0 };
    for (unsigned i = 0; i < 64; i += 16) {
        Bytes x;
        memcpy(&x, s + i, 16);
        sets.of[LETTER] |= top_bits(between(x | 0x20, 'a', 'z')) << i;
        sets.of[DIGIT] |= top_bits(between(x, '0', '9')) << i;
        sets.of[SPACE] |= top_bits(between(x, '\t', '\r')) << i;
        sets.blank |= top_bits(x == ' ') << i;
        sets.quote |= top_bits(x == '\'') << i;
        sets.high |= top_bits(x) << i;
    }
    sets.of[SPACE] |= sets.blank;
    *out = sets;
}

/* The first n of 64, n <= 64. */
static uint64_t below(size_t n) { return n < 64 ? (UINT64_C(1) << n) - 1 : UINT64_MAX; }

/* Characters that are not ASCII: all bytes of one are of its sort. */
static void put_characters(CgPretokens *p, const char *s, size_t len, Sets *sets)
{
    uint64_t high = sets->high & ~below(p->rest);
    sets->of[p->sort % SORTS] |= below(p->rest);
    p->rest = 0;
    while (high) {
        size_t i = (size_t)__builtin_ctzll(high), step, next;
        Sort sort = sort_at(s + i, len - i, &step);
        uint64_t bytes = below(step) << i;
        sets->of[sort] |= bytes;
        high &= ~bytes;
        if (i + step > 64) {
            p->rest = (uint8_t)(i + step - 64);
            p->sort = (uint8_t)sort;
        }
        if (sort == SPACE && i + step < len && sort_at(s + i + step, len - i - step, &next) != SPACE)
            sets->last_space |= UINT64_C(1) << i;
    }
}

/* ---- where pieces begin ---------------------------------------------------------------------------------------- */

static size_t contraction(const char *s, size_t len)
{
    if (len >= 2 && (s[1] == 's' || s[1] == 't' || s[1] == 'm' || s[1] == 'd'))
        return 2;
    if (len >= 3 && (!memcmp(s + 1, "re", 2) || !memcmp(s + 1, "ve", 2) || !memcmp(s + 1, "ll", 2)))
        return 3;
    return 0;
}

/* A contraction at the beginning of a piece is one, whatever follows. */
static uint64_t part_contractions(CgPretokens *p, const char *s, size_t len, uint64_t quote, uint64_t starts)
{
    for (uint64_t left = starts & quote; left;) {
        size_t i = (size_t)__builtin_ctzll(left), n = contraction(s + i, len - i);
        uint64_t behind = i < 63 ? ~below(i + 1) : 0;
        if (n) {
            starts &= ~(below(n - 1) << 1 << i);
            starts |= i + n < 64 ? UINT64_C(1) << (i + n) : 0;
            p->forced = i + n >= 64 ? p->seen + i + n : SIZE_MAX;
        }
        left = starts & quote & behind;
    }
    return starts;
}

/* The next 64 bytes, or what is left. */
static void look(CgPretokens *p)
{
    const char *s = p->text + p->seen;
    size_t len = p->len - p->seen, n = len < 64 ? len : 64, step;
    char few[64] = { 0 };
    Sets sets;
    if (n < 64)
        memcpy(few, s, n);
    classify(n < 64 ? few : s, &sets);
    uint64_t ascii_space = sets.of[SPACE], last = p->sort, forced = p->forced - p->seen;
    if (sets.high)
        put_characters(p, s, len, &sets);
    sets.of[OTHER] = ~(sets.of[LETTER] | sets.of[DIGIT] | sets.of[SPACE]);
    uint64_t begins[SORTS], space = sets.of[SPACE];
    for (unsigned k = 0; k < SORTS; k++)
        begins[k] = sets.of[k] & ~(sets.of[k] << 1 | (last == k));
    bool goes_on = n == 64 && len > 64 && space >> 63 && sort_at(s + 64, len - 64, &step) != SPACE;
    uint64_t space_next = space >> 1 | (uint64_t)!goes_on << 63 | (n < 64 ? ~below(n - 1) : 0);
    uint64_t starts = (begins[OTHER] | begins[LETTER] | begins[DIGIT]) & ~(sets.blank << 1 | p->after_blank);
    starts |= begins[SPACE] | sets.last_space | (ascii_space & ~space_next);
    if (p->forced != SIZE_MAX)
        starts = (starts & ~below(forced)) | UINT64_C(1) << forced;
    p->forced = SIZE_MAX;
    starts = part_contractions(p, s, len, sets.quote, starts) & below(n);
    for (unsigned k = 0; k < SORTS && !p->rest; k++)
        if (sets.of[k] >> 63)
            p->sort = (uint8_t)k;
    p->after_blank = sets.blank >> 63;
    p->starts = p->seen ? starts : starts & ~UINT64_C(1);
    p->seen += 64;
}

CgPretokens cg_pretokens_gpt2(CgText text, size_t most)
{
    pthread_once(&once, fill_table);
    return (CgPretokens){ .text = text.at, .len = text.len, .most = most, .forced = SIZE_MAX, .sort = NONE };
}

bool cg_pretokens_look(CgPretokens *p, CgText *piece)
{
    while (!p->starts && p->seen < p->len && p->seen - p->from <= p->most)
        look(p);
    if (p->starts)
        return cg_pretokens_next(p, piece);
    *piece = (CgText){ p->text + p->from, p->len - p->from };
    p->from = p->len;
    if (piece->len > p->most)
        cg_pretokens_cut(p, piece);
    return piece->len > 0;
}

void cg_pretokens_cut(CgPretokens *p, CgText *piece)
{
    piece->len = p->most;
    const char *rest = piece->at + p->most;
    *p = cg_pretokens_gpt2((CgText){ rest, p->len - (size_t)(rest - p->text) }, p->most);
}
