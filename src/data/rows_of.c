/* rows_of.c - datasets made of the rows of others: some of them, several one after the other, mixtures.
 * Takes datasets; gives datasets that keep them. Must not copy a row before it is asked for. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/strbuf.h"
#include "data/deal.h"
#include "data/rows.h"

/* ---- some rows of one ---------------------------------------------------------------------------------- */

typedef struct Pick {
    CgDataset *of;
    int64_t *index;
} Pick;

static void pick_row(const CgDataset *d, int64_t i, void *const *out)
{
    const Pick *p = d->data;
    p->of->kind->row(p->of, p->index[i], out);
}

static void pick_draw(const CgDataset *d, uint64_t seed, uint64_t g, void *const *out)
{
    (void)seed;
    pick_row(d, (int64_t)(g % (uint64_t)d->rows), out);
}

static CgOrigin pick_origin(const CgDataset *d, int64_t i)
{
    const Pick *p = d->data;
    return cg_dataset_origin(p->of, p->index[i]);
}

static uint64_t pick_key(const CgDataset *d, int64_t i)
{
    const Pick *p = d->data;
    return cg_dataset_key(p->of, p->index[i]);
}

static void pick_free(CgDataset *d)
{
    Pick *p = d->data;
    cg_dataset_free(p->of);
    free(p->index);
    free(p);
}

static bool pick_reach(const CgDataset *d, int64_t i, CgReach *out, CgErr *e)
{
    const Pick *p = d->data;
    bool good = true;
    for (int64_t k = i < 0 ? 0 : i; good && k < (i < 0 ? d->rows : i + 1); k++)
        good = cg_dataset_reach(p->of, p->index[k], out, e);
    return good;
}

static const CgDatasetKind picked = { "rows of another", pick_row, NULL, pick_origin, pick_key, pick_free, pick_reach };
static const CgDatasetKind picked_ordered = { "rows of another", pick_row, pick_draw, pick_origin, pick_key, pick_free,
    pick_reach };

/* Tokenizers and shares are those of the first one. */
static void inherit(CgDataset *d, const CgDataset *of)
{
    for (int f = 0; f < d->nfields; f++)
        d->tokenizer[f] = of->tokenizer[f];
    d->valid = of->valid;
    d->test = of->test;
    d->in_files = of->in_files;
}

CgDataset *cg_rows_pick(CgDataset *of, int64_t *index, int64_t n, bool ordered, const char *what)
{
    Pick *p = cg_calloc(1, sizeof *p);
    *p = (Pick){ cg_dataset_keep(of), index };
    CgDataset *d = cg_dataset_new(ordered ? &picked_ordered : &picked, of->field, of->nfields, p);
    inherit(d, of);
    d->rows = n;
    CgDigester *digest = cg_digester_new();
    int64_t numbers[] = { n, ordered };
    cg_digester_add(digest, what, strlen(what) + 1);
    cg_digester_add(digest, &of->digest, sizeof of->digest);
    cg_digester_add(digest, numbers, sizeof numbers);
    cg_digester_add(digest, index, sizeof *index * (size_t)n);
    d->digest = cg_digester_free(digest);
    return d;
}

CgDataset *cg_rows_split(CgDataset *of, CgSplit s)
{
    int64_t *index = cg_malloc(sizeof *index * (size_t)(of->rows + 1)), n = 0;
    for (int64_t i = 0; i < of->rows; i++)
        if (s == CG_ALL || cg_dataset_split(of, i) == s)
            index[n++] = i;
    return cg_rows_pick(of, index, n, false, "split");
}

/* known[i] = row i stands there before. NULL after an error. */
static bool *repeats(const CgDataset *of, bool near, CgErr *e)
{
    CgReach all = { 0 };
    bool *known = cg_calloc((size_t)of->rows + 1, sizeof *known);
    for (int64_t i = 0; i < of->rows; i++) {
        if (near && !cg_dataset_reach(of, i, &all, e)) {
            cg_reach_deinit(&all);
            free(known);
            return NULL;
        }
        if (all.units.len <= (size_t)i)
            cg_reach_key(&all, cg_dataset_key(of, i), (CgOrigin){ 0 });
        all.units.len = (size_t)i + 1; /* a row of several documents is one */
        all.units.at[i].end = all.chunks.len;
    }
    cg_reach_repeats(&all, near, known);
    cg_reach_deinit(&all);
    return known;
}

CgDataset *cg_rows_unique(CgDataset *of, bool near, CgErr *e)
{
    bool *known = repeats(of, near, e);
    if (!known)
        return NULL;
    int64_t *index = cg_malloc(sizeof *index * (size_t)(of->rows + 1)), n = 0;
    for (int64_t i = 0; i < of->rows; i++)
        if (!known[i])
            index[n++] = i;
    free(known);
    return cg_rows_pick(of, index, n, false, "unique");
}

int64_t cg_rows_copies(const CgDataset *of)
{
    int64_t n = 0;
    CgErr none = { 0 };
    bool *known = repeats(of, false, &none); /* by keys alone */
    for (int64_t i = 0; i < of->rows; i++)
        n += known[i];
    free(known);
    return n;
}

/* ---- more fields ------------------------------------------------------------------------------------------ */

typedef struct Beside {
    CgDataset *of;
    const void **column;
} Beside;

static void beside_row(const CgDataset *d, int64_t i, void *const *out)
{
    const Beside *b = d->data;
    b->of->kind->row(b->of, i, out);
    for (int f = b->of->nfields; f < d->nfields; f++) {
        size_t bytes = cg_field_bytes(&d->field[f]);
        if (out[f] && bytes)
            memcpy(out[f], (const char *)b->column[f - b->of->nfields] + (size_t)i * bytes, bytes);
    }
}

static CgOrigin beside_origin(const CgDataset *d, int64_t i) { return cg_dataset_origin(((Beside *)d->data)->of, i); }

static uint64_t beside_key(const CgDataset *d, int64_t i) { return cg_dataset_key(((Beside *)d->data)->of, i); }

static bool beside_reach(const CgDataset *d, int64_t i, CgReach *out, CgErr *e)
{
    return cg_dataset_reach(((Beside *)d->data)->of, i, out, e);
}

static void beside_free(CgDataset *d)
{
    Beside *b = d->data;
    cg_dataset_free(b->of);
    free(b->column);
    free(b);
}

static const CgDatasetKind beside = { "rows with more fields", beside_row, NULL, beside_origin, beside_key, beside_free,
    beside_reach };

CgDataset *cg_rows_beside(CgDataset *of, const CgField *field, const void *const *column, int n, CgDigest key)
{
    CgField *all = cg_calloc((size_t)(of->nfields + n) + 1, sizeof *all);
    memcpy(all, of->field, sizeof *all * (size_t)of->nfields);
    memcpy(all + of->nfields, field, sizeof *all * (size_t)n);
    Beside *b = cg_calloc(1, sizeof *b);
    *b = (Beside){ cg_dataset_keep(of), cg_calloc((size_t)n + 1, sizeof *b->column) };
    for (int i = 0; i < n; i++)
        b->column[i] = column[i];
    CgDataset *d = cg_dataset_new(&beside, all, of->nfields + n, b);
    free(all);
    for (int f = 0; f < of->nfields; f++)
        d->tokenizer[f] = of->tokenizer[f];
    d->valid = of->valid;
    d->test = of->test;
    d->in_files = of->in_files;
    d->rows = of->rows;
    CgDigest both[2] = { of->digest, key };
    d->digest = cg_digest(both, sizeof both);
    return d;
}

/* ---- several ------------------------------------------------------------------------------------------- */

typedef struct Several {
    int n;
    CgDataset **component;
    double *share; /* NULL: one after the other */
    CgDeal *deal;
} Several;

/* The part that row i of the whole is of, and its number there. */
static CgDataset *component_of(const CgDataset *d, int64_t *i)
{
    const Several *s = d->data;
    if (s->deal) {
        uint64_t own;
        CgDataset *component = s->component[cg_deal_component(s->deal, (uint64_t)*i, &own)];
        *i = (int64_t)own;
        return component;
    }
    int k = 0;
    for (; *i >= s->component[k]->rows; k++)
        *i -= s->component[k]->rows;
    return s->component[k];
}

static void several_row(const CgDataset *d, int64_t i, void *const *out)
{
    CgDataset *component = component_of(d, &i);
    component->kind->row(component, i, out);
}

static void mix_draw(const CgDataset *d, uint64_t seed, uint64_t g, void *const *out)
{
    int64_t own = (int64_t)g;
    CgDataset *component = component_of(d, &own);
    cg_dataset_draw(component, seed, (uint64_t)own, out);
}

static CgOrigin several_origin(const CgDataset *d, int64_t i)
{
    CgDataset *component = component_of(d, &i);
    return cg_dataset_origin(component, i);
}

static uint64_t several_key(const CgDataset *d, int64_t i)
{
    CgDataset *component = component_of(d, &i);
    return cg_dataset_key(component, i);
}

static void several_free(CgDataset *d)
{
    Several *s = d->data;
    for (int i = 0; i < s->n; i++)
        cg_dataset_free(s->component[i]);
    cg_deal_free(s->deal);
    free(s->component);
    free(s->share);
    free(s);
}

static bool several_reach(const CgDataset *d, int64_t i, CgReach *out, CgErr *e)
{
    const Several *s = d->data;
    bool good = true;
    if (i >= 0) {
        CgDataset *component = component_of(d, &i);
        return cg_dataset_reach(component, i, out, e);
    }
    for (int k = 0; good && k < s->n; k++)
        good = cg_dataset_reach(s->component[k], -1, out, e);
    return good;
}

static const CgDatasetKind chain = { "chain", several_row, NULL, several_origin, several_key, several_free,
    several_reach };
static const CgDatasetKind mixture = { "mix", several_row, mix_draw, several_origin, several_key, several_free,
    several_reach };

static void print_fields(const CgDataset *d, CgStrbuf *out)
{
    for (int f = 0; f < d->nfields; f++) {
        cg_strbuf_printf(out, "%s%s: %s[", f ? ", " : "", d->field[f].name, cg_dtype_name(d->field[f].dtype));
        for (int i = 0; i < d->field[f].rank; i++)
            cg_strbuf_printf(out, "%s%lld", i ? ", " : "", (long long)d->field[f].dim[i]);
        cg_strbuf_putc(out, ']');
    }
}

bool cg_rows_same_tokens(const CgDataset *a, const CgDataset *b, CgErr *e)
{
    for (int f = 0; f < a->nfields; f++) {
        int k = cg_dataset_find(b, a->field[f].name);
        const CgTokenizer *t = a->tokenizer[f], *u = k < 0 ? NULL : b->tokenizer[k];
        if (t && u && !cg_digest_equal(t->digest, u->digest))
            return cg_err(e, CG_ERR_INPUT, "'%s' holds tokens of two tokenizers: %s of size %d and %s of size %d",
                a->field[f].name, t->kind->name, t->size, u->kind->name, u->size);
    }
    return true;
}

bool cg_rows_alike(const CgDataset *a, const CgDataset *b, CgErr *e)
{
    CgStrbuf x = { 0 }, y = { 0 };
    print_fields(a, &x);
    print_fields(b, &y);
    bool same = !strcmp(cg_strbuf_str(&x), cg_strbuf_str(&y));
    if (!same)
        cg_err(e, CG_ERR_INPUT, "the rows differ: %.180s and %.180s", cg_strbuf_str(&x), cg_strbuf_str(&y));
    cg_strbuf_deinit(&x);
    cg_strbuf_deinit(&y);
    return same && cg_rows_same_tokens(a, b, e);
}

static CgDataset *together(const CgDatasetKind *kind, CgDataset *const *components, int n, CgErr *e)
{
    for (int i = 1; i < n; i++)
        if (!cg_rows_alike(components[0], components[i], e))
            return NULL;
    Several *s = cg_calloc(1, sizeof *s);
    s->n = n;
    s->component = cg_calloc((size_t)n + 1, sizeof(CgDataset *));
    CgDataset *d = cg_dataset_new(kind, components[0]->field, components[0]->nfields, s);
    inherit(d, components[0]);
    for (int i = 0; i < n; i++) {
        s->component[i] = cg_dataset_keep(components[i]);
        d->rows += components[i]->rows;
        d->in_files |= components[i]->in_files;
        for (int f = 0; f < d->nfields; f++)
            if (!components[i]->field[f].below || components[i]->field[f].below > d->field[f].below)
                d->field[f].below = d->field[f].below ? components[i]->field[f].below : 0;
    }
    return d;
}

static void put_digest(CgDataset *d, const char *what)
{
    const Several *s = d->data;
    CgDigester *digest = cg_digester_new();
    cg_digester_add(digest, what, strlen(what) + 1);
    for (int i = 0; i < s->n; i++) {
        cg_digester_add(digest, &s->component[i]->digest, sizeof s->component[i]->digest);
        if (s->share)
            cg_digester_add(digest, &s->share[i], sizeof s->share[i]);
    }
    d->digest = cg_digester_free(digest);
}

CgDataset *cg_rows_chain(CgDataset *const *components, int n, CgErr *e)
{
    CgDataset *d = together(&chain, components, n, e);
    if (d)
        put_digest(d, "chain");
    return d;
}

/* The parts of a mixture, those of mixtures in it for these, each once with all of its shares. */
typedef struct Parts {
    CG_VEC(CgDataset *) component;
    CG_VEC(double) share;
} Parts;

static void add_part(Parts *p, CgDataset *of, double share)
{
    const Several *s = of->data;
    for (int i = 0; of->kind == &mixture && i < s->n; i++)
        add_part(p, s->component[i], share * s->share[i]);
    size_t at = 0;
    while (at < p->component.len && !cg_digest_equal(p->component.at[at]->digest, of->digest))
        at++;
    if (of->kind != &mixture && at < p->component.len)
        p->share.at[at] += share;
    else if (of->kind != &mixture) {
        cg_vec_push(&p->component, of);
        cg_vec_push(&p->share, share);
    }
}

CgDataset *cg_rows_mix(CgDataset *const *components, const double *shares, int n, CgErr *e)
{
    double sum = 0;
    for (int i = 0; i < n; i++) {
        sum += shares[i];
        if (!(shares[i] > 0 && shares[i] < 1e9)) {
            cg_err(e, CG_ERR_INPUT, "share %d of the mixture is %g; shares are positive", i + 1, shares[i]);
            return NULL;
        }
        if (!components[i]->rows) {
            cg_err(e, CG_ERR_INPUT, "part %d of the mixture has no rows", i + 1);
            return NULL;
        }
    }
    Parts parts = { 0 };
    for (int i = 0; i < n; i++)
        add_part(&parts, components[i], shares[i] / sum);
    CgDataset *d = together(&mixture, parts.component.at, (int)parts.component.len, e);
    if (d) {
        Several *s = d->data;
        int64_t *has = cg_calloc((size_t)s->n + 1, sizeof *has);
        for (int i = 0; i < s->n; i++)
            has[i] = s->component[i]->rows;
        s->share = parts.share.at;
        parts.share.at = NULL;
        s->deal = cg_deal_new(s->share, s->n);
        d->rows = cg_deal_until(s->deal, has);
        put_digest(d, "mix");
        free(has);
    }
    cg_vec_free(&parts.component);
    free(parts.share.at);
    return d;
}
