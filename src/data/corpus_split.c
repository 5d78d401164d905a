/* corpus_split.c - documents out of texts, and the split each belongs to.
 * Takes texts as they were read; gives a corpus its documents. Must not look at anything but a document's own bytes to
 * say its split, unless all three splits are wanted (`fill`). */
#include <stdlib.h>
#include <string.h>

#include "data/corpus_inside.h"

#define SPLIT_SEED 0x63672d73706c6974u
#define CUT_SEED   0x63672d6375747321u
#define SHINGLE    32 /* bytes of a fingerprint */
#define WINNOW     32 /* of so many neighbours the smallest counts */

/* ---- texts ---------------------------------------------------------------------------------------------- */

void cg_corpus_record(const CgText *value, int n, CgStrbuf *out)
{
    for (int i = 0; i < n; i++) {
        if (i)
            cg_strbuf_putc(out, '\n');
        cg_strbuf_write(out, value[i].at, value[i].len);
    }
}

/* Every other byte of a text that is UTF-16 without saying so is NUL, nearly. */
bool cg_corpus_looks_like_utf16(CgText t)
{
    size_t n = t.len < 4096 ? t.len : 4096, zero[2] = { 0, 0 };
    for (size_t i = 0; i < n; i++)
        zero[i % 2] += t.at[i] == 0;
    return n >= 16 && ((zero[0] > n / 5 && !zero[1]) || (zero[1] > n / 5 && !zero[0]));
}

bool cg_corpus_options_met(const CgCorpus *c, const CgCorpusOpts *opts, bool any_records, bool any_text, CgErr *e)
{
    if (opts->nfields && !any_records) {
        cg_err(e, CG_ERR_INPUT, "a field is named, but corpus %s has no file of records", c->name);
        cg_err_hint(e, "fields are of records: .jsonl, .csv, and .gz of both");
        return false;
    }
    if (opts->block && !any_text) {
        cg_err(e, CG_ERR_INPUT, "a size of blocks is given, but corpus %s has no file of plain text", c->name);
        cg_err_hint(e, "records are documents as they are; leave 'block' out");
        return false;
    }
    return true;
}

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
    size_t reach = len < CG_CORPUS_LINE ? len : CG_CORPUS_LINE;
    const char *end = memchr(at, '\n', reach);
    return end ? (size_t)(end - at) + 1 : whole_character(at, len, reach);
}

/* The length of the first block: it ends behind a line whose hash says so, the likelier the longer the line is. */
size_t cg_corpus_block(const char *at, size_t len, size_t mean)
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

uint32_t cg_corpus_lines(const char *at, size_t len)
{
    uint32_t n = 0;
    for (const char *end = at + len; (at = memchr(at, '\n', (size_t)(end - at))); at++)
        n++;
    return n;
}

typedef size_t CutFn(const char *at, size_t len, size_t size);

/* Records are left whole where no function cuts them. */
static void cut_all(CgCorpus *c, const CgSegment *segment, size_t n, size_t block, CutFn *records, size_t size)
{
    c->docs.len = 0;
    for (size_t i = 0; i < n; i++) {
        CgText rest = segment[i].text;
        uint32_t line = segment[i].line;
        for (bool joins = false; rest.len; joins = true) {
            size_t len = !segment[i].record ? cg_corpus_block(rest.at, rest.len, block)
                : records                   ? records(rest.at, rest.len, size)
                                            : rest.len;
            CgDoc doc = { .text = { rest.at, len }, .file = segment[i].file, .line = line, .joins = joins };
            cg_vec_push(&c->docs, doc);
            if (!segment[i].record)
                line += cg_corpus_lines(rest.at, len);
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

static size_t equal_block(const char *at, size_t len, size_t size)
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

bool cg_corpus_copy(CgCopies *seen, CgText text, bool near)
{
    CgDigest digest = cg_digest(text.at, text.len);
    uint64_t before;
    size_t known = 0;
    if (cg_map_get(&seen->texts, digest.low, &before) && before == digest.high)
        return true;
    cg_map_put(&seen->texts, digest.low, digest.high);
    size_t all = near ? fingerprints(text, &seen->prints, false, &known) : 0;
    if (all > 3 && 2 * known >= all)
        return true;
    if (near)
        fingerprints(text, &seen->prints, true, &known);
    return false;
}

void cg_copies_deinit(CgCopies *seen)
{
    cg_map_deinit(&seen->texts);
    cg_map_deinit(&seen->prints);
}

/* Counts copies, and leaves them out when asked to. */
static void leave_out_copies(CgCorpus *c, const CgCorpusOpts *opts)
{
    CgCopies seen = { 0 };
    size_t kept = 0;
    bool gap = false; /* the document before was left out */
    for (size_t i = 0; i < c->docs.len; i++) {
        CgDoc d = c->docs.at[i];
        bool copy = cg_corpus_copy(&seen, d.text, opts->unique == CG_UNIQUE_NEAR);
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
    cg_copies_deinit(&seen);
}

/* ---- splitting ----------------------------------------------------------------------------------------- */

static uint64_t hash_threshold(double share)
{
    double end = share * 18446744073709551616.0;
    return end >= 18446744073709549568.0 ? UINT64_MAX : (uint64_t)end;
}

CgSplit cg_split_of(uint64_t hash, double valid, double test)
{
    return hash < hash_threshold(test) ? CG_TEST : hash < hash_threshold(test + valid) ? CG_VALID : CG_TRAIN;
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

void cg_corpus_shares(const CgCorpusOpts *opts, double *valid, double *test)
{
    *valid = opts->valid;
    *test = opts->test;
    if (!opts->shares && *valid <= 0 && *test <= 0)
        *valid = *test = 0.05;
}

void cg_corpus_count_doc(CgCorpus *c, const CgDoc *d, CgDigester *digest)
{
    struct {
        CgDigest text;
        uint64_t len, split, joins;
    } row = { cg_digest(d->text.at, d->text.len), d->text.len, d->split, d->joins };
    cg_digester_add(digest, &row, sizeof row);
    c->ndocs[d->split]++;
    c->ndocs[CG_ALL]++;
    c->nbytes[d->split] += d->text.len;
    c->nbytes[CG_ALL] += d->text.len;
}

void cg_corpus_cut(CgCorpus *c, const CgSegment *segment, size_t n, const CgCorpusOpts *opts)
{
    double valid, test;
    uint64_t total = 0;
    size_t block = opts->block ? (size_t)opts->block : CG_CORPUS_BLOCK;
    cg_corpus_shares(opts, &valid, &test);
    for (size_t i = 0; i < n; i++)
        total += segment[i].text.len;
    cut_all(c, segment, n, block, NULL, 0);
    leave_out_copies(c, opts);
    if (split_all(c, valid, test, opts->fill) < 3 && opts->fill) {
        cut_all(c, segment, n, block, one_line, 0);
        if (split_all(c, valid, test, true) < 3) {
            cut_all(c, segment, n, block, equal_block, total / 8 ? (size_t)(total / 8) : 1);
            split_all(c, valid, test, true);
        }
    }
    CgDigester *digest = cg_digester_new();
    cg_digester_add(digest, CG_CORPUS_RULE, sizeof CG_CORPUS_RULE);
    for (size_t i = 0; i < c->docs.len; i++)
        cg_corpus_count_doc(c, &c->docs.at[i], digest);
    c->digest = cg_digester_free(digest);
}
