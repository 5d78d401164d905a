/* corpus_split.c - documents out of texts, and the split each belongs to.
 * Takes texts as they were read; gives a corpus its documents. Must not look at anything but a document's own bytes to
 * say its split, unless all three splits are wanted (`fill`). */
#include <stdlib.h>
#include <string.h>

#include "base/map.h"
#include "data/corpus_inside.h"

#define RULE       "corpus 2" /* changes whenever the rule of cutting or splitting does */
#define BLOCK      1536       /* bytes on average; a third of it at least, five times it at most */
#define LINE       4096       /* a longer line is taken for several */
#define SPLIT_SEED 0x63672d73706c6974u
#define CUT_SEED   0x63672d6375747321u
#define SHINGLE    32 /* bytes of a fingerprint */
#define WINNOW     32 /* of so many neighbours the smallest counts */

/* ---- cutting ------------------------------------------------------------------------------------------- */

/* Characters of UTF-8 are not cut, if that is what it is. */
static size_t whole_character(const char *at, size_t len, size_t end)
{
    for (int i = 0; i < 3 && end < len && end > 1 && ((unsigned char)at[end] & 0xc0) == 0x80; i++)
        end--;
    return end;
}

static size_t line_length(const char *at, size_t len)
{
    size_t reach = len < LINE ? len : LINE;
    const char *end = memchr(at, '\n', reach);
    return end ? (size_t)(end - at) + 1 : whole_character(at, len, reach);
}

/* The length of the first block: it ends behind a line whose hash says so, the likelier the longer the line is. */
static size_t block_length(const char *at, size_t len, size_t mean)
{
    size_t n = 0, least = mean / 3;
    uint64_t unit = UINT64_MAX / (mean - least);
    while (n < len && n < 5 * mean) {
        size_t line = line_length(at + n, len - n);
        uint64_t hash = cg_hash64(at + n, line, CUT_SEED);
        n += line;
        if (n >= least && hash / unit < line)
            break;
    }
    return n;
}

static uint32_t lines_in(const char *at, size_t len)
{
    uint32_t n = 0;
    for (const char *end = at + len; (at = memchr(at, '\n', (size_t)(end - at))); at++)
        n++;
    return n;
}

typedef size_t CutFn(const char *at, size_t len, size_t size);

/* Records are left whole where no function cuts them. */
static void cut_all(CgCorpus *c, const CgPiece *piece, size_t n, size_t block, CutFn *records, size_t size)
{
    c->docs.len = 0;
    for (size_t i = 0; i < n; i++) {
        CgText rest = piece[i].text;
        uint32_t line = piece[i].line;
        for (bool joins = false; rest.len; joins = true) {
            size_t len = !piece[i].record ? block_length(rest.at, rest.len, block)
                : records                 ? records(rest.at, rest.len, size)
                                          : rest.len;
            CgDoc doc = { .text = { rest.at, len }, .file = piece[i].file, .line = line, .joins = joins };
            cg_vec_push(&c->docs, doc);
            if (!piece[i].record)
                line += lines_in(rest.at, len);
            rest.at += len;
            rest.len -= len;
        }
    }
}

/* Single lines, and pieces of `size` bytes: for synthetic text of fewer than three documents. */
static size_t one_line(const char *at, size_t len, size_t size)
{
    (void)size;
    const char *end = memchr(at, '\n', len);
    return end ? (size_t)(end - at) + 1 : len;
}

static size_t equal_piece(const char *at, size_t len, size_t size)
{
    if (len <= size + size / 2)
        return len;
    return at[size - 1] == '\n' ? size : whole_character(at, len, size);
}

/* ---- copies -------------------------------------------------------------------------------------------- */

/* The number of fingerprints of a text, each the smallest hash of WINNOW neighbours, and how many of them are known. */
static size_t fingerprints(CgText t, CgMap *seen, bool keep, size_t *known)
{
    size_t n = 0;
    uint64_t hash[WINNOW], last = 0, value;
    *known = 0;
    for (size_t i = 0; i + SHINGLE <= t.len; i++) {
        hash[i % WINNOW] = cg_hash64(t.at + i, SHINGLE, SPLIT_SEED);
        if (i + 1 < WINNOW)
            continue;
        uint64_t least = hash[0];
        for (size_t k = 1; k < WINNOW; k++)
            least = hash[k] < least ? hash[k] : least;
        if (n && least == last)
            continue;
        last = least;
        n++;
        *known += cg_map_get(seen, least, &value);
        if (keep)
            cg_map_put(seen, least, 1);
    }
    return n;
}

/* Counts copies, and leaves them out when asked to. */
static void leave_out_copies(CgCorpus *c, const CgCorpusOpts *opts)
{
    CgMap texts = { 0 }, prints = { 0 };
    size_t kept = 0;
    bool gap = false; /* the document before was left out */
    for (size_t i = 0; i < c->docs.len; i++) {
        CgDoc d = c->docs.at[i];
        CgDigest text = cg_digest(d.text.at, d.text.len);
        uint64_t before;
        size_t known = 0;
        bool copy = cg_map_get(&texts, text.low, &before) && before == text.high;
        if (!copy)
            cg_map_put(&texts, text.low, text.high);
        if (!copy && opts->unique == CG_UNIQUE_NEAR) {
            size_t all = fingerprints(d.text, &prints, false, &known);
            copy = all > 3 && 2 * known >= all;
            if (!copy)
                fingerprints(d.text, &prints, true, &known);
        }
        c->copies += copy;
        if (copy && opts->unique != CG_UNIQUE_NOT) {
            gap = true;
            continue;
        }
        d.joins = d.joins && !gap;
        gap = false;
        c->docs.at[kept++] = d;
    }
    c->docs.len = kept;
    cg_map_deinit(&texts);
    cg_map_deinit(&prints);
}

/* ---- splitting ----------------------------------------------------------------------------------------- */

static uint64_t part_of_range(double share)
{
    double end = share * 18446744073709551616.0;
    return end >= 18446744073709549568.0 ? UINT64_MAX : (uint64_t)end;
}

CgSplit cg_split_of(uint64_t hash, double valid, double test)
{
    return hash < part_of_range(test) ? CG_TEST : hash < part_of_range(test + valid) ? CG_VALID : CG_TRAIN;
}

uint64_t cg_split_hash(const void *bytes, size_t n) { return cg_hash64(bytes, n, SPLIT_SEED); }

/* The smallest distinct hashes, sorted; gives how many there are, three at most. */
static int least_hashes(const uint64_t *hash, size_t n, uint64_t least[3])
{
    int found = 0;
    for (size_t i = 0; i < n; i++) {
        int at = 0;
        while (at < found && least[at] < hash[i])
            at++;
        if (at == 3 || (at < found && least[at] == hash[i]))
            continue;
        found += found < 3;
        for (int k = found - 1; k > at; k--)
            least[k] = least[k - 1];
        least[at] = hash[i];
    }
    return found;
}

/* Gives the number of distinct documents, counted to three. A share of 0 asks for an empty split and gets it. */
static int split_all(CgCorpus *c, double valid, double test, bool fill)
{
    uint64_t least[3];
    uint64_t *hash = cg_malloc(sizeof *hash * (c->docs.len + 1));
    size_t count[CG_NSPLITS] = { 0 };
    for (size_t i = 0; i < c->docs.len; i++) {
        CgDoc *d = &c->docs.at[i];
        hash[i] = cg_split_hash(d->text.at, d->text.len);
        d->split = cg_split_of(hash[i], valid, test);
        count[d->split]++;
    }
    int distinct = least_hashes(hash, c->docs.len, least);
    bool lacking = (test > 0 && !count[CG_TEST]) || (valid > 0 && !count[CG_VALID]) || !count[CG_TRAIN];
    if (fill && lacking && distinct == 3) {
        int for_test = test > 0 ? 0 : -1, for_valid = valid > 0 ? for_test + 1 : -1;
        for (size_t i = 0; i < c->docs.len; i++) {
            CgDoc *d = &c->docs.at[i];
            if (for_test >= 0 && hash[i] == least[for_test])
                d->split = CG_TEST;
            else if (for_valid >= 0 && hash[i] == least[for_valid])
                d->split = CG_VALID;
            else if (!count[CG_TRAIN])
                d->split = CG_TRAIN;
        }
    }
    free(hash);
    return distinct;
}

void cg_corpus_cut(CgCorpus *c, const CgPiece *piece, size_t n, const CgCorpusOpts *opts)
{
    double valid = opts->valid, test = opts->test;
    if (!opts->shares && valid <= 0 && test <= 0)
        valid = test = 0.05;
    uint64_t total = 0;
    size_t block = opts->block ? (size_t)opts->block : BLOCK;
    for (size_t i = 0; i < n; i++)
        total += piece[i].text.len;
    cut_all(c, piece, n, block, NULL, 0);
    leave_out_copies(c, opts);
    if (split_all(c, valid, test, opts->fill) < 3 && opts->fill) {
        cut_all(c, piece, n, block, one_line, 0);
        if (split_all(c, valid, test, true) < 3) {
            cut_all(c, piece, n, block, equal_piece, total / 8 ? (size_t)(total / 8) : 1);
            split_all(c, valid, test, true);
        }
    }
    CgDigester *digest = cg_digester_new();
    cg_digester_add(digest, RULE, sizeof RULE);
    for (size_t i = 0; i < c->docs.len; i++) {
        const CgDoc *d = &c->docs.at[i];
        struct {
            CgDigest text;
            uint64_t len, split, joins;
        } row = { cg_digest(d->text.at, d->text.len), d->text.len, d->split, d->joins };
        cg_digester_add(digest, &row, sizeof row);
        c->ndocs[d->split]++;
        c->nbytes[d->split] += d->text.len;
        c->nbytes[CG_ALL] += d->text.len;
    }
    c->ndocs[CG_ALL] = c->docs.len;
    c->digest = cg_digester_free(digest);
}
