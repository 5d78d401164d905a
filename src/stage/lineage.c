/* lineage.c - which rows a model has seen.
 * Takes stages, whose inputs are known; gives the data behind them. What data were made from is found out once a run
 * and data set, what two of them share once. Must not run a stage: whoever asks has forced it. */
#include "stage/lineage.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/intern.h"
#include "base/io.h"
#include "base/json.h"

enum { SKETCH = 1024, SAID = 3 }; /* chunks that a file keeps of one data set; ways that a message shows */

static const char prefix[] = "reached."; /* key of the metadata: this and a number */

struct CgLineage {
    CgMap known; /* digest of data -> CgReach */
    CG_VEC(CgReach *) all;
};

/* Data that reached a stage, and the way. */
typedef struct Source {
    const char *way;
    CgDigest data;          /* its digest, or that of what a file says of it */
    CgValue *rows;          /* one of these three: a dataset, not made before it is asked for */
    const CgCorpus *corpus; /* its training split */
    const CgReach *reach;   /* as a file of weights has it */
} Source;

typedef struct Walk {
    CgSession *x;
    CG_VEC(Source) sources;
    CgMap seen; /* stages, data and files */
} Walk;

void cg_lineage_free(struct CgLineage *l)
{
    for (size_t i = 0; l && i < l->all.len; i++) {
        cg_reach_deinit(l->all.at[i]);
        free(l->all.at[i]);
    }
    if (l) {
        cg_vec_free(&l->all);
        cg_map_deinit(&l->known);
    }
    free(l);
}

/* ---- what data were made from ----------------------------------------------------------------------------------- */

/* Room that is kept for the run; *fresh where it is not filled yet. */
static CgReach *reach_of(CgSession *x, CgDigest of, bool *fresh)
{
    if (!x->lineage)
        x->lineage = cg_calloc(1, sizeof *x->lineage);
    uint64_t at;
    *fresh = !cg_map_get(&x->lineage->known, of.low, &at);
    if (!*fresh)
        return (CgReach *)(uintptr_t)at;
    CgReach *r = cg_calloc(1, sizeof *r);
    cg_vec_push(&x->lineage->all, r);
    cg_map_put(&x->lineage->known, of.low, cg_map_ptr(r));
    return r;
}

static CgReach *reach_of_dataset(CgSession *x, CgValue *data, CgDigest digest)
{
    bool fresh;
    CgReach *r = reach_of(x, digest, &fresh);
    const CgDataset *d = fresh ? cg_dataset_of(x, data) : NULL;
    CgErr err = { 0 };
    if (d && !cg_dataset_reach(d, -1, r, &err))
        cg_session_err(x, x->at, &err);
    return r;
}

static CgDigest digest_of_training(const CgCorpus *c)
{
    CgDigest of[2] = { cg_corpus_digest(c), cg_digest("train", 5) };
    return cg_digest(of, sizeof of);
}

static const CgReach *reach_of_source(CgSession *x, const Source *from)
{
    bool fresh;
    CgErr err = { 0 };
    if (from->reach)
        return from->reach;
    if (from->rows)
        return reach_of_dataset(x, from->rows, from->data);
    CgReach *r = reach_of(x, from->data, &fresh);
    if (fresh && !cg_corpus_reach(from->corpus, CG_TRAIN, r, &err))
        cg_session_err(x, x->at, &err);
    return r;
}

/* ---- the ways --------------------------------------------------------------------------------------------------- */

static bool first_time(Walk *w, uint64_t what)
{
    uint64_t before;
    if (cg_map_get(&w->seen, what, &before))
        return false;
    cg_map_put(&w->seen, what, 1);
    return true;
}

static void add(Walk *w, Source from)
{
    if (first_time(w, from.data.low))
        cg_vec_push(&w->sources, from);
}

static const char *longer(Walk *w, const char *way, const char *step)
{
    return cg_arena_printf(w->x->elab->arena, "%s%s%s", way, *way ? " <- " : "", step);
}

static void walk_stage(Walk *w, CgStage *s, const char *way);

/* What a file says of the data behind it: "WAY\n" and numbers of chunks; the first is the limit. */
static void walk_said(Walk *w, const char *text, const char *path, const char *way)
{
    const char *end = strchr(text, '\n');
    if (!end)
        return;
    bool fresh;
    CgDigest said = cg_digest(text, strlen(text));
    CgReach *r = reach_of(w->x, said, &fresh);
    char *at = (char *)(uintptr_t)end + 1;
    r->limit = strtoull(at, &at, 16);
    while (fresh && *at == ' ')
        cg_vec_push(&r->chunks, strtoull(at, &at, 16));
    const char *step = cg_arena_printf(w->x->elab->arena, "'%s' <- %.*s", path, (int)(end - text), text);
    add(w, (Source){ .way = longer(w, way, step), .data = said, .reach = r });
}

/* Whether it was trained on corpora. */
static bool walk_corpora(Walk *w, CgValue *v, const char *way)
{
    bool any = false;
    if (cg_value_class(v) == &cg_class_corpus) {
        CgValue *made = cg_make(w->x, v);
        if (made) /* a tokenizer sees the training split */
            add(w, (Source){ .way = way, .data = digest_of_training(made->held), .corpus = made->held });
        return true;
    }
    for (int i = 0; (v->kind == CG_VALUE_LIST || v->kind == CG_VALUE_RECORD || v->kind == CG_VALUE_CALL) && i < v->n;
         i++)
        any |= walk_corpora(w, v->at[i], way);
    return any;
}

static void walk_tokenizer(Walk *w, CgValue *v, const char *way)
{
    const CgTokenizer *t = walk_corpora(w, v, way) ? NULL : cg_tokenizer_of(w->x, v);
    const CgValue *path = v->kind == CG_VALUE_CALL && v->n ? v->at[0] : NULL;
    for (int i = 0; t && i < t->nreached; i++)
        walk_said(w, t->reached[i], path && path->kind == CG_VALUE_STR ? path->s : "a file", way);
}

/* Tokenizers and models that rows were made with. */
static void walk_makers(Walk *w, CgValue *v, const char *way)
{
    if (v->kind == CG_VALUE_STAGE) {
        walk_stage(w, v->stage, longer(w, way, "what its rows were made with"));
        return;
    }
    if (cg_value_class(v) == &cg_class_tokenizer) {
        walk_tokenizer(w, v, longer(w, way, "its tokenizer"));
        return;
    }
    for (int i = 0; (v->kind == CG_VALUE_LIST || v->kind == CG_VALUE_RECORD || v->kind == CG_VALUE_CALL) && i < v->n;
         i++)
        if (v->at[i])
            walk_makers(w, v->at[i], way);
}

static void walk_data(Walk *w, CgValue *data, const char *way, const char *step)
{
    CgDigest digest;
    if (cg_data_digest(w->x, data, &digest))
        add(w, (Source){ .way = longer(w, way, step), .data = digest, .rows = data });
    walk_makers(w, data, way);
}

static void walk_file(Walk *w, const CgTensors *t, const char *path, const char *way)
{
    for (int i = 0; i < t->nmeta; i++)
        if (!strncmp(t->keys[i], prefix, strlen(prefix)))
            walk_said(w, t->values[i], path, way);
}

/* What weights came from. */
static void walk_origin(Walk *w, CgValue *weights, const char *way)
{
    CgValue *origin = cg_weights_origin(weights);
    if (origin->kind == CG_VALUE_STAGE)
        walk_stage(w, origin->stage, way);
    else if (origin->held && first_time(w, cg_map_ptr(origin->held)))
        walk_file(w, origin->held, cg_record_find(origin, cg_intern("path"))->s, way);
}

static void walk_weights(Walk *w, const CgModelGraph *m, const char *way)
{
    for (size_t i = 0; i < m->params.len; i++)
        if (m->params.at[i].weights)
            walk_origin(w, m->params.at[i].weights, way);
}

static void walk_generators(Walk *w, const CgValue *v, const char *way)
{
    if (v->kind != CG_VALUE_CALL)
        return;
    if (v->stage)
        walk_weights(w, ((const CgTextCall *)v->stage)->generator->model, way);
    for (int i = 0; i < v->n; i++)
        walk_generators(w, v->at[i], way);
}

static void walk_stage(Walk *w, CgStage *s, const char *way)
{
    if (!first_time(w, cg_map_ptr(s)))
        return;
    if (s->kind == &cg_stage_kind_train) {
        way = longer(w, way, cg_arena_printf(w->x->elab->arena, "training '%s'", s->label));
        walk_data(w, s->data, way, "its data");
        if ((s->early_stop || s->stalls) && s->validate)
            walk_data(w, s->validate, way, "its early stopping");
    } else {
        walk_makers(w, s->data, way);
    }
    for (int i = 0; i < s->ninputs; i++)
        walk_stage(w, s->inputs[i], way);
    if (s->model)
        walk_weights(w, s->model, way);
    for (int i = 0; i < s->ncolumns; i++)
        walk_generators(w, s->columns[i].value, way);
}

static void walk_free(Walk *w)
{
    cg_vec_free(&w->sources);
    cg_map_deinit(&w->seen);
}

/* ---- an evaluation ---------------------------------------------------------------------------------------------- */

static void say(CgSession *x, const CgStage *s, const Walk *w, const CgOverlap *found)
{
    int line = 0, column = 0, said = 0;
    const CgSource *file = cg_sources_get(x->sources, s->span.file);
    cg_sources_position(x->sources, s->span, &line, &column);
    CgStrbuf all = { 0 };
    cg_strbuf_printf(&all, "warning: %s:%d: evaluation '%s' reads what its model has seen\n", file ? file->name : "?",
        line, s->label);
    for (size_t i = 0; i < w->sources.len; i++) {
        if (!found[i].known || ++said > SAID)
            continue;
        CgStrbuf first = { 0 };
        cg_origin_print(found[i].first, &first);
        cg_strbuf_printf(&all, "  %llu of %llu %s, such as %s: %s\n", (unsigned long long)found[i].known,
            (unsigned long long)found[i].of, found[i].first.line ? "documents" : "rows", cg_strbuf_str(&first),
            w->sources.at[i].way);
        cg_strbuf_deinit(&first);
    }
    if (said > SAID)
        cg_strbuf_printf(&all, "  and %d more ways\n", said - SAID);
    cg_strbuf_puts(&all,
        "  help: evaluate on rows that nothing was trained or chosen by, or say why in the block: allow_leak = \"..\"");
    cg_session_say(x, "%s", cg_strbuf_str(&all));
    cg_strbuf_deinit(&all);
}

/* An overlap as it is kept: numbers, whether its source was a file there, and the source. A file that is gone has
 * another name now: then it is found out again. */
static void pack(const CgOverlap *o, CgStrbuf *out)
{
    const char *source = o->known && o->first.source ? o->first.source : "";
    cg_strbuf_printf(out, "%llu %llu %lld %lld %d %s", (unsigned long long)o->known, (unsigned long long)o->of,
        (long long)o->first.line, (long long)o->first.row, *source && cg_io_exists(source), source);
}

static bool unpack(const CgBytes *from, CgOverlap *o)
{
    unsigned long long known, of;
    long long line, row;
    int file, at = 0;
    CgStrbuf text = { 0 };
    cg_strbuf_write(&text, from->at, from->len);
    bool good = sscanf(cg_strbuf_str(&text), "%llu %llu %lld %lld %d %n", &known, &of, &line, &row, &file, &at) == 5;
    const char *source = good ? cg_intern(cg_strbuf_str(&text) + at) : "";
    cg_strbuf_deinit(&text);
    *o = good ? (CgOverlap){ known, of, { *source ? source : NULL, line, row } } : (CgOverlap){ 0 };
    return good && (!file || cg_io_exists(source));
}

/* What an evaluation reads of what its model has seen. It is kept with the values: the next run finds out nothing, and
 * makes no rows for it. */
static CgOverlap overlap(CgSession *x, CgValue *data, CgDigest here, const Source *there)
{
    static const char rule[] = "overlap 4";
    CgDigest of[3] = { cg_digest(rule, sizeof rule), here, there->data }, key = cg_digest(of, sizeof of);
    CgErr ignore = { 0 };
    CgBytes kept;
    CgOverlap found;
    if (cg_store_get(x->store, key, &kept)) {
        bool good = unpack(&kept, &found);
        cg_io_release(&kept);
        if (good)
            return found;
    }
    /* in this order: of two equal files the one that is evaluated gives its name */
    const CgReach *read = reach_of_dataset(x, data, here);
    const CgReach *seen = reach_of_source(x, there);
    found = cg_reach_overlap(read, seen);
    CgStrbuf text = { 0 };
    pack(&found, &text);
    if (!cg_diags_count(x->diags))
        (void)!cg_store_put(x->store, key, text.at, text.len, &ignore); /* it can be found out again */
    cg_strbuf_deinit(&text);
    return found;
}

void cg_lineage_check(CgSession *x, CgStage *s)
{
    CgDigest here;
    if (x->opts.untrained || !(s->ninputs || s->model) || !cg_data_digest(x, s->data, &here))
        return;
    Walk w = { .x = x };
    walk_stage(&w, s, "");
    CgOverlap *found = cg_calloc(w.sources.len + 1, sizeof *found);
    int worst = -1;
    for (size_t i = 0; i < w.sources.len; i++) {
        found[i] = overlap(x, s->data, here, &w.sources.at[i]);
        if (found[i].known && (worst < 0 || found[i].known > found[worst].known))
            worst = (int)i;
    }
    if (worst >= 0 && s->allow_leak)
        s->leak = cg_arena_printf(x->elab->arena, "leak allowed: %s", s->allow_leak);
    else if (worst >= 0)
        s->leak = cg_arena_printf(x->elab->arena, "leak: %llu of %llu by %s", (unsigned long long)found[worst].known,
            (unsigned long long)found[worst].of, w.sources.at[worst].way);
    if (worst >= 0 && !s->allow_leak)
        say(x, s, &w, found);
    if (worst < 0 && s->allow_leak && !x->opts.quiet)
        cg_session_say(x, "warning: evaluation '%s' allows a leak, and none was found", s->label);
    free(found);
    walk_free(&w);
}

/* ---- saved models and tokenizers -------------------------------------------------------------------------------- */

/* "WAY\n" and the chunks that a file keeps of a data set. */
static void put_source(CgSession *x, const Source *from, CgStrbuf *out)
{
    const CgReach *reach = reach_of_source(x, from);
    CgReach sketch = { 0 };
    uint64_t limit = cg_reach_sketch(reach, SKETCH, &sketch);
    limit = reach->limit && reach->limit < limit ? reach->limit : limit;
    cg_strbuf_printf(out, "%s\n%016llx", from->way, (unsigned long long)limit);
    for (size_t k = 0; k < sketch.chunks.len; k++)
        cg_strbuf_printf(out, " %016llx", (unsigned long long)sketch.chunks.at[k]);
    cg_reach_deinit(&sketch);
}

void cg_lineage_of_tokenizer(CgSession *x, CgValue *tokenizer, CgStrbuf *out)
{
    Walk w = { .x = x };
    walk_tokenizer(&w, tokenizer, "its training");
    for (size_t i = 0; i < w.sources.len; i++) {
        CgStrbuf text = { 0 };
        put_source(x, &w.sources.at[i], &text);
        cg_strbuf_puts(out, i ? ", " : "[");
        cg_json_string(out, cg_strbuf_str(&text));
        cg_strbuf_deinit(&text);
    }
    cg_strbuf_puts(out, w.sources.len ? "]" : "[]");
    walk_free(&w);
}

int cg_lineage_write(CgSession *x, CgValue *weights, const char ***keys, const char ***values)
{
    CgArena *arena = x->elab->arena;
    Walk w = { .x = x };
    walk_origin(&w, weights, "");
    *keys = CG_NEWN(arena, const char *, w.sources.len + 1);
    *values = CG_NEWN(arena, const char *, w.sources.len + 1);
    for (size_t i = 0; i < w.sources.len; i++) {
        CgStrbuf text = { 0 };
        put_source(x, &w.sources.at[i], &text);
        (*keys)[i] = cg_arena_printf(arena, "%s%zu", prefix, i);
        (*values)[i] = cg_arena_strndup(arena, text.at, text.len);
        cg_strbuf_deinit(&text);
    }
    int n = (int)w.sources.len;
    walk_free(&w);
    return n;
}
