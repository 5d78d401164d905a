/* sequence.c - what two sequences of ids have in common.
 * Takes two sequences; gives counts of n-grams, subsequences, edits.
 * Must be exact: n-grams are compared by what they are, never by a hash alone. */
#include "table/sequence.h"

#include <stdlib.h>
#include <string.h>

/* ---- n-grams ------------------------------------------------------------------------------------------- */

/* An n-gram is its first n - 1 ids, known by the slot they lie in (0: none), and its last id: so every key is exact and
 * an n-gram whose beginning is not there need not be looked for. */
typedef struct Grams {
    uint64_t *key;   /* 0 where free */
    uint32_t *count; /* how often it is in the reference and was not matched yet */
    size_t mask;
} Grams;

static uint64_t key_of(uint32_t prefix, int32_t id) { return (uint64_t)prefix << 33 | (uint64_t)(uint32_t)id << 1 | 1; }

static size_t slot_of(const Grams *g, uint64_t key)
{
    size_t i = (size_t)((key * 0x9e3779b97f4a7c15u) >> 29) & g->mask;
    while (g->key[i] && g->key[i] != key)
        i = (i + 1) & g->mask;
    return i;
}

static void count_reference(Grams *g, CgIds reference, int orders, uint32_t *prefix)
{
    for (size_t n = 1; n <= (size_t)orders; n++) {
        for (size_t i = 0; i + n <= reference.len; i++) {
            uint64_t key = key_of(n == 1 ? 0 : prefix[i], reference.at[i + n - 1]);
            size_t slot = slot_of(g, key);
            g->key[slot] = key;
            g->count[slot]++;
            prefix[i] = (uint32_t)slot + 1;
        }
    }
}

static uint64_t take_matches(Grams *g, CgIds candidate, size_t n, uint32_t *prefix)
{
    uint64_t match = 0;
    for (size_t i = 0; i + n <= candidate.len; i++) {
        if (n > 1 && !prefix[i])
            continue;
        uint64_t key = key_of(n == 1 ? 0 : prefix[i], candidate.at[i + n - 1]);
        size_t slot = slot_of(g, key);
        prefix[i] = g->key[slot] ? (uint32_t)slot + 1 : 0;
        if (g->key[slot] && g->count[slot]) {
            g->count[slot]--;
            match++;
        }
    }
    return match;
}

void cg_common_ngrams(CgIds candidate, CgIds reference, int orders, uint64_t *match)
{
    size_t cap = 64, most = candidate.len > reference.len ? candidate.len : reference.len;
    while (cap < 2 * reference.len * (size_t)orders)
        cap *= 2;
    CG_ASSERT(cap < (size_t)1 << 31, "a text of more than 2^27 ids is compared");
    Grams g = { cg_calloc(cap, sizeof *g.key), cg_calloc(cap, sizeof *g.count), cap - 1 };
    uint32_t *prefix = cg_malloc(sizeof *prefix * (most + 1));
    count_reference(&g, reference, orders, prefix);
    for (int n = 1; n <= orders; n++)
        match[n - 1] = take_matches(&g, candidate, (size_t)n, prefix);
    free(g.key);
    free(g.count);
    free(prefix);
}

/* ---- the longest common subsequence --------------------------------------------------------------------- */

/* Ids of both numbered 0, 1, .. by first sight. Gives how many there are. */
static size_t renumber(CgIds a, CgIds b, uint32_t *out_a, uint32_t *out_b)
{
    size_t cap = 64, n = 0;
    while (cap < 2 * (a.len + b.len))
        cap *= 2;
    uint64_t *slot = cg_calloc(cap, sizeof *slot); /* id << 32 | number + 1 */
    for (size_t i = 0; i < a.len + b.len; i++) {
        uint32_t id = (uint32_t)(i < a.len ? a.at[i] : b.at[i - a.len]);
        size_t k = (size_t)((id * 0x9e3779b97f4a7c15u) >> 29) & (cap - 1);
        while (slot[k] && slot[k] >> 32 != id)
            k = (k + 1) & (cap - 1);
        if (!slot[k])
            slot[k] = (uint64_t)id << 32 | ++n;
        *(i < a.len ? &out_a[i] : &out_b[i - a.len]) = (uint32_t)slot[k] - 1;
    }
    free(slot);
    return n;
}

/* 64 places of a at a time, one bit each, against all of b: Crochemore, Iliopoulos, Pinzon, Reid, "A fast and practical
 * bit-vector algorithm for the longest common subsequence problem", 2001. What the sum of one word carries into the
 * next is kept for each place of b. */
size_t cg_common_subsequence(CgIds a, CgIds b)
{
    uint32_t *x = cg_malloc(sizeof *x * (a.len + 1)), *y = cg_malloc(sizeof *y * (b.len + 1));
    uint64_t *mask = cg_calloc(renumber(a, b, x, y) + 1, sizeof *mask);
    uint8_t *carry = cg_calloc(b.len + 1, sizeof *carry);
    size_t longest = 0;
    for (size_t from = 0; from < a.len; from += 64) {
        size_t n = a.len - from < 64 ? a.len - from : 64;
        uint64_t v = ~(uint64_t)0;
        for (size_t i = 0; i < n; i++)
            mask[x[from + i]] |= (uint64_t)1 << i;
        for (size_t k = 0; k < b.len; k++) {
            uint64_t m = mask[y[k]], u = v & m, sum = v + u, with = sum + carry[k];
            carry[k] = (uint8_t)((sum < v) | (with < sum));
            v = with | (v & ~m);
        }
        for (size_t i = 0; i < n; i++)
            mask[x[from + i]] = 0;
        longest += (size_t)__builtin_popcountll(n == 64 ? ~v : ~v & (((uint64_t)1 << n) - 1));
    }
    free(x);
    free(y);
    free(mask);
    free(carry);
    return longest;
}

/* ---- places and edits ----------------------------------------------------------------------------------- */

size_t cg_common_prefix(CgIds a, CgIds b)
{
    size_t i = 0;
    while (i < a.len && i < b.len && a.at[i] == b.at[i])
        i++;
    return i;
}

size_t cg_common_positions(CgIds a, CgIds b)
{
    size_t equal = 0;
    for (size_t i = 0; i < a.len && i < b.len; i++)
        equal += a.at[i] == b.at[i];
    return equal;
}

size_t cg_edit_distance(CgIds a, CgIds b)
{
    size_t *row = cg_malloc(sizeof *row * (b.len + 1)); /* from a[0..i) to b[0..k) */
    for (size_t k = 0; k <= b.len; k++)
        row[k] = k;
    for (size_t i = 0; i < a.len; i++) {
        size_t diagonal = row[0]++;
        for (size_t k = 0; k < b.len; k++) {
            size_t best = diagonal + (a.at[i] != b.at[k]), above = row[k + 1];
            best = above + 1 < best ? above + 1 : best;
            best = row[k] + 1 < best ? row[k] + 1 : best;
            row[k + 1] = best;
            diagonal = above;
        }
    }
    size_t distance = row[b.len];
    free(row);
    return distance;
}
