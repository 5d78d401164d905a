/* corpus.c - corpora as values: made, mixed, shuffled, asked.
 * Takes corpora; gives corpora, and what they hold. Must not read or cut anything: corpus_load.c and corpus_split.c do.
 */
#include <stdlib.h>
#include <string.h>

#include "base/strbuf.h"
#include "data/corpus_inside.h"

const char *cg_split_name(CgSplit s)
{
    static const char *const name[CG_NSPLITS] = { "train", "valid", "test", "all" };
    return name[s];
}

CgCorpus *cg_corpus_new(char *name)
{
    CgCorpus *c = cg_calloc(1, sizeof *c);
    c->owners = 1;
    c->name = name;
    c->texts = cg_arena_new();
    return c;
}

static void add_component(CgCorpus *c, CgCorpus *component, double share)
{
    for (int i = 0; i < c->ncomponents; i++)
        if (cg_digest_equal(c->component[i]->digest, component->digest)) {
            c->share[i] += share;
            return;
        }
    int n = c->ncomponents++;
    c->component = cg_realloc(c->component, sizeof *c->component * (size_t)(n + 1));
    c->share = cg_realloc(c->share, sizeof *c->share * (size_t)(n + 1));
    c->component[n] = cg_corpus_keep(component);
    c->share[n] = share;
    for (int s = 0; s < CG_NSPLITS; s++) {
        c->ndocs[s] += component->ndocs[s];
        c->nbytes[s] += component->nbytes[s];
    }
}

static CgCorpus *finish_mix(CgCorpus *c, char *name)
{
    CgDigester *digest = cg_digester_new();
    cg_digester_add(digest, "mix 1", 5);
    for (int i = 0; i < c->ncomponents; i++) {
        cg_digester_add(digest, &c->component[i]->digest, sizeof c->component[i]->digest);
        cg_digester_add(digest, &c->share[i], sizeof c->share[i]);
    }
    c->digest = cg_digester_free(digest);
    c->name = name;
    return c;
}

CgCorpus *cg_corpus_mix(CgCorpus *const *components, const double *shares, int n, CgErr *e)
{
    double sum = 0;
    for (int i = 0; i < n; i++) {
        if (!(shares[i] > 0 && shares[i] < 1e9)) {
            cg_err(e, CG_ERR_INPUT, "share %d of the mixture is %g; shares are positive", i + 1, shares[i]);
            return NULL;
        }
        sum += shares[i];
    }
    if (n < 1) {
        cg_err(e, CG_ERR_INPUT, "a mixture of nothing");
        return NULL;
    }
    CgStrbuf name = { 0 };
    CgCorpus *c = cg_corpus_new(NULL);
    for (int i = 0; i < n; i++) {
        cg_strbuf_printf(&name, "%s%s", i ? " + " : "", components[i]->name);
        for (int k = 0; k < components[i]->ncomponents; k++)
            add_component(c, components[i]->component[k], shares[i] / sum * components[i]->share[k]);
        if (!components[i]->ncomponents)
            add_component(c, components[i], shares[i] / sum);
    }
    return finish_mix(c, cg_strbuf_take(&name));
}

CgCorpus *cg_corpus_shuffle_tokens(CgCorpus *c, uint64_t seed)
{
    CgStrbuf name = { 0 };
    cg_strbuf_printf(&name, "shuffled %s", c->name);
    CgCorpus *s = cg_corpus_new(NULL);
    for (int i = 0; i < c->ncomponents; i++) {
        CgCorpus *component = cg_corpus_shuffle_tokens(c->component[i], seed);
        add_component(s, component, c->share[i]);
        cg_corpus_free(component);
    }
    if (c->ncomponents)
        return finish_mix(s, cg_strbuf_take(&name));
    s->name = cg_strbuf_take(&name);
    s->of = cg_corpus_keep(c->of ? c->of : c);
    s->seed = seed;
    memcpy(s->ndocs, c->ndocs, sizeof s->ndocs);
    memcpy(s->nbytes, c->nbytes, sizeof s->nbytes);
    struct {
        CgDigest of;
        uint64_t seed, rule;
    } row = { s->of->digest, seed, 1 };
    s->digest = cg_digest(&row, sizeof row);
    return s;
}

CgCorpus *cg_corpus_random(const CgRandomTokens *of, CgErr *e)
{
    if (!cg_random_tokens_check(of, e))
        return NULL;
    CgCorpus *c = cg_corpus_new(cg_strdup("random tokens"));
    c->random = cg_malloc(sizeof *c->random);
    *c->random = *of;
    struct {
        int64_t vocabulary;
        uint64_t size, seed, rule;
        double exponent;
    } row = { of->vocabulary, of->size, of->seed, 0x72616e646f6d31, of->exponent };
    c->digest = cg_digest(&row, sizeof row);
    return c;
}

uint64_t cg_random_tokens_split(const CgRandomTokens *of, CgSplit s)
{
    uint64_t held = of->size / 20;
    return s == CG_ALL ? of->size : s == CG_TRAIN ? of->size - 2 * held : held;
}

CgCorpus *cg_corpus_keep(CgCorpus *c)
{
    c->owners++;
    return c;
}

void cg_corpus_free(CgCorpus *c)
{
    if (!c || --c->owners)
        return;
    for (int i = 0; i < c->ncomponents; i++)
        cg_corpus_free(c->component[i]);
    cg_corpus_free(c->of);
    for (size_t i = 0; i < c->files.len; i++)
        free(c->files.at[i]);
    for (size_t i = 0; i < c->read.len; i++)
        cg_io_release(&c->read.at[i]);
    cg_vec_free(&c->docs);
    cg_stream_free(c->stream);
    cg_vec_free(&c->files);
    cg_vec_free(&c->read);
    cg_arena_free(c->texts);
    free(c->component);
    free(c->share);
    free(c->random);
    free(c->name);
    free(c);
}

/* ---- asking -------------------------------------------------------------------------------------------- */

CgDigest cg_corpus_digest(const CgCorpus *c) { return c->digest; }

const char *cg_corpus_name(const CgCorpus *c) { return c->name; }

size_t cg_corpus_docs(const CgCorpus *c, CgSplit s) { return c->ndocs[s]; }

uint64_t cg_corpus_bytes(const CgCorpus *c, CgSplit s) { return c->nbytes[s]; }

size_t cg_corpus_passed_over(const CgCorpus *c)
{
    size_t n = c->passed_over + (c->of ? c->of->passed_over : 0);
    for (int i = 0; i < c->ncomponents; i++)
        n += cg_corpus_passed_over(c->component[i]);
    return n;
}

size_t cg_corpus_copies(const CgCorpus *c)
{
    size_t n = c->copies + (c->of ? c->of->copies : 0);
    for (int i = 0; i < c->ncomponents; i++)
        n += cg_corpus_copies(c->component[i]);
    return n;
}

int cg_corpus_nparts(const CgCorpus *c) { return c->ncomponents ? c->ncomponents : 1; }

const CgCorpus *cg_corpus_component(const CgCorpus *c, int i) { return c->ncomponents ? c->component[i] : c; }

double cg_corpus_share(const CgCorpus *c, int i) { return c->ncomponents ? c->share[i] : 1; }

bool cg_corpus_shuffled(const CgCorpus *component, uint64_t *seed)
{
    *seed = component->seed;
    return component->of != NULL;
}

static const CgCorpus *plain(const CgCorpus *component)
{
    CG_ASSERT(!component->ncomponents, "a mixture has no documents, its parts have");
    return component->of ? component->of : component;
}

const CgRandomTokens *cg_corpus_random_tokens(const CgCorpus *component) { return plain(component)->random; }

bool cg_corpus_large(const CgCorpus *component) { return plain(component)->stream; }

bool cg_corpus_of_records(const CgCorpus *component) { return plain(component)->records; }

size_t cg_corpus_count(const CgCorpus *component) { return plain(component)->docs.len; }

const CgDoc *cg_corpus_doc(const CgCorpus *component, size_t i) { return &plain(component)->docs.at[i]; }

bool cg_corpus_walk(const CgCorpus *component, CgDocFn *each, void *arg, CgErr *e)
{
    const CgCorpus *c = plain(component);
    if (c->stream)
        return cg_stream_walk(c, each, arg, e);
    for (size_t i = 0; i < c->docs.len; i++)
        if (!each(arg, &c->docs.at[i], e))
            return !e->text[0];
    return true;
}

typedef struct Reaching {
    const CgCorpus *component;
    CgSplit split;
    CgReach *out;
    int64_t n;
} Reaching;

static bool reach_doc(void *arg, const CgDoc *d, CgErr *e)
{
    Reaching *r = arg;
    (void)e;
    if (r->split == CG_ALL || d->split == r->split)
        cg_reach_text(r->out, d->text, (CgOrigin){ cg_corpus_file(r->component, d->file), d->line, r->n });
    r->n++;
    return true;
}

/* Tokens without a text are known by what they are drawn from, a split as one row. */
static void reach_random(const CgCorpus *component, CgSplit s, CgReach *out)
{
    const CgRandomTokens *of = cg_corpus_random_tokens(component);
    for (int k = CG_TRAIN; k < CG_ALL; k++)
        if ((s == CG_ALL || k == (int)s) && cg_random_tokens_split(of, (CgSplit)k)) {
            CgDigest whole = cg_corpus_digest(component);
            cg_reach_key(
                out, cg_hash64(&whole, sizeof whole, (uint64_t)k), (CgOrigin){ cg_corpus_name(component), 0, 0 });
        }
}

bool cg_corpus_reach(const CgCorpus *c, CgSplit s, CgReach *out, CgErr *e)
{
    bool good = true;
    for (int k = 0; good && k < cg_corpus_nparts(c); k++) {
        const CgCorpus *component = cg_corpus_component(c, k);
        if (cg_corpus_random_tokens(component)) {
            reach_random(component, s, out);
            continue;
        }
        good = plain(component)->stream ? cg_stream_reach(plain(component), s, out, e)
                                        : cg_corpus_walk(component, reach_doc, &(Reaching){ component, s, out, 0 }, e);
    }
    return good;
}

size_t cg_corpus_nfiles(const CgCorpus *component) { return plain(component)->files.len; }

const char *cg_corpus_file(const CgCorpus *component, uint32_t file) { return plain(component)->files.at[file]; }
