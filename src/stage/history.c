/* history.c - the curve of a training.
 * Takes numbers step by step; gives a table, and keeps it: in checkpoints, so that a training that goes on has all of
 * it, and beside the weights in the store, under a key of its own. Must not know what trains. */
#include "stage/history.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

double *cg_history_row(CgHistory *h)
{
    for (int i = 0; i < h->columns->n; i++)
        cg_vec_push(&h->cell, NAN);
    return cg_history_last(h);
}

double *cg_history_last(CgHistory *h) { return h->cell.len ? &h->cell.at[h->cell.len - (size_t)h->columns->n] : NULL; }

void cg_history_free(CgHistory *h) { cg_vec_free(&h->cell); }

/* ---- checkpoints ----------------------------------------------------------------------------------------------- */

CgTensor cg_history_tensor(const CgHistory *h)
{
    int64_t columns = h->columns->n;
    CgTensor t = { .data = h->cell.at, .dtype = CG_F64, .rank = 2 };
    t.dim[0] = (int64_t)h->cell.len / columns;
    t.dim[1] = t.stride[0] = columns;
    t.stride[1] = 1;
    return t;
}

char *cg_history_names(const CgHistory *h)
{
    CgStrbuf b = { 0 };
    for (int i = 0; i < h->columns->n; i++)
        cg_strbuf_printf(&b, "%s%s", i ? "\t" : "", h->columns->at[i].name);
    return cg_strbuf_take(&b);
}

bool cg_history_take(CgHistory *h, const CgTensor *t, const char *names)
{
    h->cell.len = 0;
    if (!t || !names || t->dtype != CG_F64 || t->rank != 2)
        return false;
    int *from = cg_calloc((size_t)h->columns->n, sizeof *from), n = 0;
    for (int i = 0; i < h->columns->n; i++)
        from[i] = -1;
    for (const char *at = names; at; n++) {
        size_t len = strcspn(at, "\t");
        for (int i = 0; i < h->columns->n; i++)
            if (strlen(h->columns->at[i].name) == len && !strncmp(h->columns->at[i].name, at, len))
                from[i] = n;
        at = at[len] ? at + len + 1 : NULL;
    }
    bool good = n == t->dim[1] && from[0] == 0;
    for (int64_t r = 0; good && r < t->dim[0]; r++) {
        double *row = cg_history_row(h);
        for (int i = 0; i < h->columns->n; i++)
            if (from[i] >= 0)
                row[i] = ((const double *)t->data)[r * n + from[i]];
    }
    free(from);
    return good;
}

/* ---- the table ------------------------------------------------------------------------------------------------- */

CgTable *cg_history_table(const CgHistory *h)
{
    CgTable *t = cg_table_new();
    int n = h->columns->n;
    bool counts = true; /* steps, tokens: what comes before the seconds */
    for (int i = 0; i < n; i++) {
        counts &= strcmp(h->columns->at[i].name, "seconds") != 0;
        cg_table_add(t, h->columns->at[i].name, counts ? CG_INT : CG_NUMBER);
    }
    for (size_t r = 0; r < h->cell.len / (size_t)n; r++) {
        cg_table_row(t);
        for (int i = 0; i < n; i++) {
            double x = h->cell.at[r * (size_t)n + (size_t)i];
            cg_table_set(t, r, i,
                isnan(x)                          ? CG_MISSING
                    : t->column[i].kind == CG_INT ? cg_whole((int64_t)x)
                                                  : cg_number(x));
        }
    }
    return t;
}

bool cg_history_key(CgSession *x, CgStage *s, CgDigest *out)
{
    *out = s->curve_key;
    if (s->curve_keyed)
        return true;
    CgDigester *d = cg_digester_new();
    CgDigest data;
    bool good = true;
    cg_digester_add(d, "history", 8);
    cg_digester_add(d, &s->key, sizeof s->key);
    for (int i = 0; i < s->curve->n; i++)
        cg_digester_add(d, s->curve->at[i].name, strlen(s->curve->at[i].name) + 1);
    if (s->validate) {
        good = cg_data_digest(x, s->validate, &data);
        cg_digester_add(d, &data, sizeof data);
        CgDigest graph = s->valid_graph ? cg_graph_digest(s->valid_graph) : data;
        cg_digester_add(d, &graph, s->valid_graph ? sizeof graph : 0);
    }
    if (s->metrics.n) {
        CgDigest graph = cg_graph_digest(s->metrics_graph);
        cg_digester_add(d, &graph, sizeof graph);
        good = good && cg_model_digest(x, s->metrics_model, d);
    }
    if (s->validate || s->metrics.n)
        cg_digester_add(d, &s->validate_every, sizeof s->validate_every);
    *out = s->curve_key = cg_digester_free(d);
    return s->curve_keyed = good;
}

bool cg_history_load(CgSession *x, CgStage *s)
{
    CgDigest key;
    CgBytes bytes;
    if (!cg_history_key(x, s, &key) || !cg_store_get(x->store, key, &bytes))
        return false;
    s->history = cg_table_unpack(&bytes);
    cg_io_release(&bytes);
    return s->history != NULL;
}

bool cg_history_keep(CgSession *x, CgStage *s, const CgHistory *h)
{
    CgDigest key;
    CgErr err = { 0 };
    if (!cg_history_key(x, s, &key))
        return false;
    CgStrbuf b = { 0 };
    CgTable *t = cg_history_table(h);
    cg_table_pack(t, &b);
    bool good = cg_store_put(x->store, key, b.at, b.len, &err) || cg_session_err(x, s->span, &err);
    cg_strbuf_deinit(&b);
    if (s->wants_history && good)
        s->history = t;
    else
        cg_table_free(t);
    return good;
}

bool cg_stage_kept(CgSession *x, CgStage *s)
{
    CgDigest curve;
    bool kept = cg_store_has(x->store, s->key);
    if (s->curve && (!cg_history_key(x, s, &curve) || !cg_store_has(x->store, curve)))
        kept &= !s->wants_history;
    return kept;
}
