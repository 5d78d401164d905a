/* tokenizer_bpe.c - encoding and decoding with byte pairs.
 * Takes text; gives ids: inside each piece the pair of least rank is merged, the leftmost first, until none
 * is left.
 * Must not depend on what was encoded before: the memory of pieces is for speed only. */
#include "data/tokenizer_bpe.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/map.h"
#include "base/vec.h"
#include "data/characters.h"
#include "data/tokenizer_bpe_inside.h"
#include "data/pretoken.h"

#define SHORT    64         /* ids of a piece whose pairs are gone through for each merge; longer ones use a heap */
#define LOW      512        /* ids whose pairs have a table: the bytes are there, and the first that were merged */
#define SET_BITS 15         /* of a word's hash, that say in which set it is */
#define REMEMBER (1u << 16) /* longer pieces */

/* What was encoded: words in sets of four, two to a line of the processor's cache, or one longer piece to a line. */
enum { WORD_BYTES = 15, WORD_IDS = 4, SET = 4, KNOWN_BYTES = 26, KNOWN_IDS = 9, WAITING = 16 };

typedef struct Word {
    uint64_t text[2];      /* and its length in the last byte; 0: nothing is remembered here */
    int32_t ids[WORD_IDS]; /* and how many there are in the last byte */
} Word;

typedef struct Known {
    char text[KNOWN_BYTES];
    uint8_t len, nids; /* len 0: nothing is remembered here */
    int32_t ids[KNOWN_IDS];
} Known;

/* A short piece whose set is on its way from memory. */
typedef struct Waiting {
    uint64_t text[2]; /* as a Word has it */
    Word *set;
} Waiting;

/* A pair: its rank, UINT32_MAX in a free place, and what it becomes. */
typedef struct Slot {
    CgPair pair;
    uint32_t rank;
    int32_t made;
} Slot;

struct CgBpe {
    CgArena *arena;
    CgText *piece;        /* (size) */
    uint32_t (*low)[LOW]; /* of ids below LOW, the rank of left, right; UINT32_MAX: never merged */
    Slot *slot;           /* of all others, by hash: a power of two of them, a half at most in use */
    size_t slot_mask;
    unsigned bit_shift;
    uint8_t *filter; /* eight bits a slot, by hash: none of the pairs whose bit is 0 is there (Bloom, CACM 13, 1970) */
    int32_t *made;   /* of each rank, what the pair becomes */
    CgMap whole;     /* hash of a piece -> id; only with whole_first */
    CgMap letter;    /* the bytes of a character -> id; only with characters */
    int32_t byte[256];
    CG_VEC(CgPair) merges;
    CgBpeModel how;     /* all but piece, merge and result */
    Word (*words)[SET]; /* by hash; those that came first are first */
    Known *known;       /* (REMEMBER) by hash */
    Waiting waiting[WAITING];
    unsigned nwaiting;
};

/* The bit of a pair in the filter; an eighth of it is where the pair is looked for. */
static inline size_t bit_of(const CgBpe *b, CgPair p)
{
    return ((uint64_t)(uint32_t)p.left << 32 | (uint32_t)p.right) * UINT64_C(0x9e3779b97f4a7c15) >> b->bit_shift;
}

/* Where a pair is, or the free place where it belongs. */
static inline Slot *find_slot(const CgBpe *b, CgPair p, size_t bit)
{
    size_t i = bit / 8;
    while (b->slot[i].rank != UINT32_MAX && (b->slot[i].pair.left != p.left || b->slot[i].pair.right != p.right))
        i = (i + 1) & b->slot_mask;
    return &b->slot[i];
}

/* The rank of a pair, UINT32_MAX when it is never merged, and what it becomes. */
static inline uint32_t rank_of(const CgBpe *b, int32_t left, int32_t right, int32_t *made)
{
    if ((left | right) < LOW) {
        uint32_t rank = b->low[left][right];
        *made = b->made[rank == UINT32_MAX ? 0 : rank];
        return rank;
    }
    CgPair p = { left, right };
    size_t bit = bit_of(b, p);
    *made = -1;
    if (!(b->filter[bit / 8] >> bit % 8 & 1))
        return UINT32_MAX;
    const Slot *s = find_slot(b, p, bit);
    *made = s->made;
    return s->rank;
}

static void put_merges(CgBpe *b, const CgBpeModel *model)
{
    size_t size = 64;
    for (b->bit_shift = 64 - 9; size < 2 * model->nmerges; b->bit_shift--)
        size *= 2;
    b->slot_mask = size - 1;
    b->filter = cg_calloc(size, 1);
    b->slot = cg_malloc(size * sizeof *b->slot);
    b->low = cg_malloc(LOW * sizeof *b->low);
    b->made = cg_calloc(model->nmerges + 1, sizeof *b->made);
    memset(b->slot, 0xff, size * sizeof *b->slot);
    memset(b->low, 0xff, LOW * sizeof *b->low);
    for (uint32_t i = 0; i < model->nmerges; i++) {
        CgPair p = model->merge[i];
        cg_vec_push(&b->merges, p);
        b->made[i] = model->result[i];
        if ((p.left | p.right) < LOW) {
            b->low[p.left][p.right] = i;
            continue;
        }
        size_t bit = bit_of(b, p);
        *find_slot(b, p, bit) = (Slot){ p, i, b->made[i] };
        b->filter[bit / 8] |= (uint8_t)(1 << bit % 8);
    }
}

/* ---- pieces of up to 64 ids: those that are left are a set of bits ---------------------------------------------- */

static uint64_t behind(uint64_t set, unsigned at) { return at < 63 ? set >> (at + 1) << (at + 1) : 0; }

/* Of the pair at `at`: a smaller number for a smaller rank and, of equal ones, for the first. UINT64_MAX: never merged.
 */
static inline uint64_t turn_of(const CgBpe *b, const int32_t *ids, uint64_t left, unsigned at, int32_t made[SHORT])
{
    uint64_t others = behind(left, at);
    uint32_t rank = others ? rank_of(b, ids[at], ids[__builtin_ctzll(others)], &made[at]) : UINT32_MAX;
    return rank == UINT32_MAX ? UINT64_MAX : (uint64_t)rank << 6 | at;
}

/* ids[0..n), n <= SHORT: merged in place; gives how many are left. */
static size_t merge_short(const CgBpe *b, int32_t *ids, size_t n)
{
    int32_t made[SHORT]; /* of the pair at each place, what it becomes */
    uint64_t turn[SHORT + 1], left = n < 64 ? (UINT64_C(1) << n) - 1 : UINT64_MAX;
    for (unsigned i = 0; i < n; i++)
        turn[i] = turn_of(b, ids, left, i, made);
    turn[n] = UINT64_MAX;
    for (;;) {
        uint64_t best = UINT64_MAX, other = UINT64_MAX;
        for (size_t i = 0; i < n; i += 2) { /* two chains of comparisons side by side */
            best = turn[i] < best ? turn[i] : best;
            other = turn[i + 1] < other ? turn[i + 1] : other;
        }
        best = other < best ? other : best;
        if (best == UINT64_MAX)
            break;
        unsigned at = best & 63, with = (unsigned)__builtin_ctzll(behind(left, at));
        uint64_t before = left & ((UINT64_C(1) << at) - 1);
        ids[at] = made[at];
        left &= ~(UINT64_C(1) << with);
        turn[with] = UINT64_MAX;
        turn[at] = turn_of(b, ids, left, at, made);
        if (before) {
            unsigned last = 63 - (unsigned)__builtin_clzll(before);
            turn[last] = turn_of(b, ids, left, last, made);
        }
    }
    size_t to = 0;
    for (; left; left &= left - 1)
        ids[to++] = ids[__builtin_ctzll(left)];
    return to;
}

/* ---- pieces of any length: pairs wait in a heap, the lowest rank first, of equal ones the first place ---------- */

typedef struct Long {
    int32_t *ids;          /* (n); what was merged into the one before is -1 */
    uint32_t *next, *last; /* (n) places of the neighbours that are left */
    CG_VEC(uint64_t) heap; /* rank << 32 | place of the left one; some are of pairs that are gone */
} Long;

static void heap_push(Long *l, uint64_t x)
{
    cg_vec_push(&l->heap, x);
    size_t i = l->heap.len - 1;
    for (; i > 0 && l->heap.at[(i - 1) / 2] > x; i = (i - 1) / 2)
        l->heap.at[i] = l->heap.at[(i - 1) / 2];
    l->heap.at[i] = x;
}

static uint64_t heap_pop(Long *l)
{
    uint64_t top = l->heap.at[0], x = l->heap.at[--l->heap.len];
    size_t i = 0, n = l->heap.len;
    for (size_t k; (k = 2 * i + 1) < n; i = k) {
        k += k + 1 < n && l->heap.at[k + 1] < l->heap.at[k];
        if (l->heap.at[k] >= x)
            break;
        l->heap.at[i] = l->heap.at[k];
    }
    l->heap.at[i] = x;
    return top;
}

static void offer_pair(const CgBpe *b, Long *l, uint32_t at, size_t n)
{
    int32_t made;
    uint32_t rank = at < n && l->next[at] < n ? rank_of(b, l->ids[at], l->ids[l->next[at]], &made) : UINT32_MAX;
    if (rank != UINT32_MAX)
        heap_push(l, (uint64_t)rank << 32 | at);
}

/* As merge_short, in a time that grows with n log n. */
static size_t merge_long(const CgBpe *b, int32_t *ids, size_t n)
{
    Long l = { .ids = ids, .next = cg_malloc(sizeof *l.next * (n + 1)), .last = cg_malloc(sizeof *l.last * (n + 1)) };
    for (size_t i = 0; i < n; i++) {
        l.next[i] = (uint32_t)(i + 1);
        l.last[i] = i ? (uint32_t)(i - 1) : UINT32_MAX;
    }
    for (size_t i = 0; i < n; i++)
        offer_pair(b, &l, (uint32_t)i, n);
    while (l.heap.len) {
        uint64_t top = heap_pop(&l);
        uint32_t at = (uint32_t)top, with;
        int32_t made;
        if (ids[at] < 0 || (with = l.next[at]) >= n || rank_of(b, ids[at], ids[with], &made) != (uint32_t)(top >> 32))
            continue;
        ids[at] = made;
        ids[with] = -1;
        l.next[at] = l.next[with];
        if (l.next[at] < n)
            l.last[l.next[at]] = at;
        offer_pair(b, &l, at, n);
        if (l.last[at] != UINT32_MAX)
            offer_pair(b, &l, l.last[at], n);
    }
    size_t left = 0;
    for (size_t i = 0; i < n; i++)
        if (ids[i] >= 0)
            ids[left++] = ids[i];
    free(l.next);
    free(l.last);
    cg_vec_free(&l.heap);
    return left;
}

static bool whole_piece(const CgBpe *b, const char *at, size_t len, int32_t *id)
{
    uint64_t found;
    if (!b->how.whole_first || !cg_map_get(&b->whole, cg_hash64(at, len, 0), &found))
        return false;
    *id = (int32_t)found;
    return b->piece[*id].len == len && !memcmp(b->piece[*id].at, at, len);
}

static uint64_t letter_key(const char *at, size_t n)
{
    uint64_t key = 0;
    memcpy(&key, at, n); /* at most 4 bytes */
    return key;
}

/* The characters of a piece as ids, at most one a byte; gives how many. */
static size_t letters(const CgBpe *b, CgText piece, int32_t *ids)
{
    size_t n = 0, step;
    bool unknown = false; /* the last one was */
    for (size_t i = 0; i < piece.len; i += step) {
        uint64_t id;
        bool falls_back = true;
        cg_char_at(piece.at + i, piece.len - i, &step);
        if (cg_map_get(&b->letter, letter_key(piece.at + i, step), &id)) {
            ids[n++] = (int32_t)id;
            unknown = false;
            continue;
        }
        for (size_t k = 0; k < step; k++)
            falls_back &= b->how.fallback[(unsigned char)piece.at[i + k]] >= 0;
        for (size_t k = 0; falls_back && k < step; k++)
            ids[n++] = b->how.fallback[(unsigned char)piece.at[i + k]];
        if (falls_back || b->how.unknown < 0 || (unknown && b->how.fuse_unknown))
            continue;
        ids[n++] = b->how.unknown;
        unknown = true;
    }
    return n;
}

static size_t bytes(const CgBpe *b, CgText piece, int32_t *ids)
{
    size_t n = 0;
    for (size_t i = 0; i < piece.len; i++)
        if (b->byte[(unsigned char)piece.at[i]] >= 0)
            ids[n++] = b->byte[(unsigned char)piece.at[i]];
    return n;
}

/* The ids of a piece; at most one a byte, of which `ids` has room. */
static size_t encode_anew(const CgBpe *b, CgText piece, int32_t *ids)
{
    if (whole_piece(b, piece.at, piece.len, &ids[0]))
        return 1;
    size_t n = b->how.characters ? letters(b, piece, ids) : bytes(b, piece, ids);
    return n <= SHORT ? merge_short(b, ids, n) : merge_long(b, ids, n);
}

static __attribute__((noinline)) void encode_long(CgBpe *b, CgText piece, CgTokens *out)
{
    cg_bpe_flush(b, out);
    uint64_t hash = cg_hash64(piece.at, piece.len, 0);
    Known *k = &b->known[hash % REMEMBER];
    cg_vec_reserve(out, out->len + (piece.len > KNOWN_IDS ? piece.len : KNOWN_IDS));
    if (k->len == piece.len && !memcmp(k->text, piece.at, k->len)) {
        memcpy(out->at + out->len, k->ids, sizeof k->ids); /* all of them: that is faster than as many as there are */
        out->len += k->nids;
        return;
    }
    int32_t *ids = out->at + out->len;
    size_t n = encode_anew(b, piece, ids);
    out->len += n;
    if (piece.len > KNOWN_BYTES || n > KNOWN_IDS)
        return;
    k->len = (uint8_t)piece.len;
    k->nids = (uint8_t)n;
    memcpy(k->text, piece.at, piece.len);
    memcpy(k->ids, ids, n * sizeof *k->ids);
}

/* A text of 1 to 15 bytes and its length as two numbers. `room`: so many bytes can be read there. */
static inline void word_key(CgText word, size_t room, uint64_t key[2])
{
    static const unsigned char mask[32] = { [0 ... 15] = 255 };
    unsigned char few[16];
    uint64_t keep[2];
    const void *from = word.at;
    if (room < 16)
        from = memcpy(few, word.at, word.len);
    memcpy(key, from, 16);
    memcpy(keep, mask + 16 - word.len, 16);
    key[0] &= keep[0];
    key[1] = (key[1] & keep[1]) | (uint64_t)word.len << 56;
}

/* Gives where the next id goes. */
static inline int32_t *put_word(const Word *w, int32_t *to)
{
    memcpy(to, w->ids, sizeof w->ids);
    to[WORD_IDS - 1] &= 0xffffff;
    return to + ((uint32_t)w->ids[WORD_IDS - 1] >> 24);
}

/* A word that is none of the first two of its set. Gives where the next id goes. */
static int32_t *encode_rarer_word(CgBpe *b, const uint64_t text[2], Word set[SET], int32_t *to)
{
    int i = 0;
    for (; i < SET && set[i].text[1]; i++)
        if (set[i].text[0] == text[0] && set[i].text[1] == text[1])
            return put_word(&set[i], to);
    size_t n = encode_anew(b, (CgText){ (const char *)text, text[1] >> 56 }, to);
    if (n <= WORD_IDS) {
        Word *w = &set[i < SET ? i : SET - 1];
        *w = (Word){ .text = { text[0], text[1] } };
        memcpy(w->ids, to, n * sizeof *to);
        w->ids[WORD_IDS - 1] |= (int32_t)(n << 24);
    }
    return to + n;
}

void cg_bpe_flush(CgBpe *b, CgTokens *out)
{
    cg_vec_reserve(out, out->len + WAITING * WORD_BYTES);
    int32_t *to = out->at + out->len;
    for (unsigned i = 0; i < b->nwaiting; i++) {
        const uint64_t *text = b->waiting[i].text;
        Word *set = b->waiting[i].set;
        bool second = (set[0].text[0] ^ text[0]) | (set[0].text[1] ^ text[1]);
        if (!((set[second].text[0] ^ text[0]) | (set[second].text[1] ^ text[1])))
            to = put_word(&set[second], to);
        else
            to = encode_rarer_word(b, text, set, to);
    }
    out->len = (size_t)(to - out->at);
    b->nwaiting = 0;
}

void cg_bpe_piece_encode(CgBpe *b, CgText piece, size_t room, CgTokens *out)
{
    if (piece.len - 1 >= WORD_BYTES) {
        encode_long(b, piece, out);
        return;
    }
    Waiting *w = &b->waiting[b->nwaiting++];
    word_key(piece, room, w->text);
    uint64_t hash = (w->text[0] ^ w->text[1] * UINT64_C(0x9e3779b97f4a7c15)) * UINT64_C(0xbf58476d1ce4e5b9);
    w->set = b->words[hash >> (64 - SET_BITS)];
    __builtin_prefetch(w->set);
    if (b->nwaiting == WAITING)
        cg_bpe_flush(b, out);
}

void cg_bpe_free(CgBpe *b)
{
    free(b->low);
    free(b->slot);
    free(b->filter);
    free(b->made);
    cg_map_deinit(&b->whole);
    cg_map_deinit(&b->letter);
    cg_vec_free(&b->merges);
    cg_arena_free(b->arena);
    free(b->words);
    free(b->known);
    free(b);
}

CgBpe *cg_bpe_new(const CgBpeModel *model)
{
    CgBpe *b = cg_calloc(1, sizeof *b);
    b->arena = cg_arena_new();
    b->words = cg_try_alloc(((size_t)1 << SET_BITS) * sizeof *b->words); /* in large pages, where the system has them */
    if (b->words)
        memset(b->words, 0, ((size_t)1 << SET_BITS) * sizeof *b->words);
    else
        b->words = cg_calloc(((size_t)1 << SET_BITS), sizeof *b->words);
    b->known = cg_calloc(REMEMBER, sizeof *b->known);
    b->how = *model;
    b->piece = CG_NEWN(b->arena, CgText, model->size + 1);
    memset(b->byte, -1, sizeof b->byte);
    for (int32_t i = 0; i < model->size; i++) {
        CgText p = model->piece[i];
        size_t step = 0;
        if (!p.at)
            continue;
        b->piece[i] = (CgText){ cg_arena_strndup(b->arena, p.at, p.len), p.len };
        if (p.len == 1 && b->byte[(unsigned char)p.at[0]] < 0)
            b->byte[(unsigned char)p.at[0]] = i;
        if (model->characters && p.len && cg_char_at(p.at, p.len, &step) >= 0 && step == p.len)
            cg_map_put(&b->letter, letter_key(p.at, p.len), (uint64_t)i);
        if (model->whole_first && p.len)
            cg_map_put(&b->whole, cg_hash64(p.at, p.len, 0), (uint64_t)i);
    }
    put_merges(b, model);
    return b;
}

/* ---- trained ones: text is split by the pattern of GPT-2 --------------------------------------------------------- */

static void bpe_encode(const CgTokenizer *t, const char *text, size_t len, CgTokens *out)
{
    CgPretokens pieces = cg_pretokens_gpt2((CgText){ text, len }, SIZE_MAX);
    for (CgText piece; cg_pretokens_next(&pieces, &piece);)
        cg_bpe_piece_encode(t->data, piece, (size_t)(text + len - piece.at), out);
    cg_bpe_flush(t->data, out);
}

static void bpe_decode(const CgTokenizer *t, const int32_t *ids, size_t n, bool first, CgStrbuf *out)
{
    const CgBpe *b = t->data;
    (void)first;
    for (size_t i = 0; i < n; i++)
        cg_strbuf_write(out, b->piece[ids[i]].at, b->piece[ids[i]].len);
}

static void bpe_free(CgTokenizer *t) { cg_bpe_free(t->data); }

static const CgTokenizerKind kind = { "bpe", bpe_encode, bpe_decode, bpe_free, NULL };

/* ---- merges as text ------------------------------------------------------------------------------------ */

static const char heading[] = "cg bpe 1\n";

bool cg_bpe_is(const CgTokenizer *t) { return t->kind == &kind; }

CgText cg_bpe_token(const CgTokenizer *t, int32_t id)
{
    CG_ASSERT(t->kind == &kind && id >= 0 && id < t->size, "a token that is not there");
    return ((const CgBpe *)t->data)->piece[id];
}

size_t cg_bpe_merges(const CgTokenizer *t, const int32_t **pairs)
{
    CG_ASSERT(cg_bpe_is(t), "only a trained tokenizer is its merges");
    const CgBpe *b = t->data;
    *pairs = b->merges.len ? &b->merges.at[0].left : NULL;
    return b->merges.len;
}

static void print_merges(const CgPair *merge, size_t n, CgStrbuf *out)
{
    cg_strbuf_puts(out, heading);
    for (size_t i = 0; i < n; i++)
        cg_strbuf_printf(out, "%d %d\n", merge[i].left, merge[i].right);
}

void cg_bpe_pack(const CgTokenizer *t, CgStrbuf *out)
{
    CG_ASSERT(cg_bpe_is(t), "only a trained tokenizer is its merges");
    const CgBpe *b = t->data;
    print_merges(b->merges.at, b->merges.len, out);
}

CgTokenizer *cg_bpe_from_merges(const CgPair *merge, size_t n)
{
    CgArena *arena = cg_arena_new();
    CgText *piece = CG_NEWN(arena, CgText, 256 + n);
    int32_t *result = CG_NEWN(arena, int32_t, n + 1);
    for (int i = 0; i < 256; i++) {
        char c = (char)i;
        piece[i] = (CgText){ cg_arena_strndup(arena, &c, 1), 1 };
    }
    for (size_t i = 0; i < n; i++) {
        CgText left = piece[merge[i].left], right = piece[merge[i].right];
        char *at = CG_NEWN(arena, char, left.len + right.len + 1);
        memcpy(at, left.at, left.len);
        memcpy(at + left.len, right.at, right.len);
        piece[256 + i] = (CgText){ at, left.len + right.len };
        result[i] = (int32_t)(256 + i);
    }
    CgStrbuf text = { 0 };
    print_merges(merge, n, &text);
    CgBpeModel model = { .size = (int32_t)(256 + n), .piece = piece, .merge = merge, .result = result, .nmerges = n };
    CgTokenizer *t = cg_calloc(1, sizeof *t);
    *t = (CgTokenizer){ .kind = &kind,
        .size = model.size,
        .end = 0,
        .marker = 1,
        .digest = cg_digest(text.at, text.len),
        .data = cg_bpe_new(&model) };
    cg_strbuf_deinit(&text);
    cg_arena_free(arena);
    return t;
}

/* A number without sign or leading zero, below `limit`, then `after`. */
static bool take_number(const char **at, const char *end, int32_t limit, char after, int32_t *out)
{
    const char *p = *at;
    int64_t x = 0;
    if (p == end || *p < '0' || *p > '9' || (*p == '0' && p + 1 < end && p[1] != after))
        return false;
    for (; p < end && *p >= '0' && *p <= '9' && x < limit; p++)
        x = 10 * x + (*p - '0');
    if (x >= limit || p == end || *p != after)
        return false;
    *out = (int32_t)x;
    *at = p + 1;
    return true;
}

CgTokenizer *cg_bpe_unpack(const char *bytes, size_t n, CgErr *e)
{
    const char *at = bytes + strlen(heading), *end = bytes + n;
    CG_VEC(CgPair) merge = { 0 };
    bool ok = n >= strlen(heading) && !memcmp(bytes, heading, strlen(heading));
    while (ok && at < end) {
        CgPair p = { 0, 0 };
        int32_t limit = (int32_t)(256 + merge.len);
        ok = merge.len < 65536 - 256 && take_number(&at, end, limit, ' ', &p.left)
            && take_number(&at, end, limit, '\n', &p.right);
        cg_vec_push(&merge, p);
    }
    CgTokenizer *t = NULL;
    /* pieces have 64 bytes at most: nothing grows beyond that, whatever the file says */
    CG_VEC(uint64_t) length = { 0 };
    for (size_t i = 0; ok && i < 256 + merge.len; i++) {
        uint64_t len = i < 256 ? 1 : length.at[merge.at[i - 256].left] + length.at[merge.at[i - 256].right];
        ok = len <= CG_BPE_LONGEST;
        cg_vec_push(&length, len);
    }
    if (!ok)
        cg_err(e, CG_ERR_INPUT, "the merges of a tokenizer are damaged at merge %zu", merge.len);
    else
        t = cg_bpe_from_merges(merge.at, merge.len);
    cg_vec_free(&merge);
    cg_vec_free(&length);
    return t;
}
