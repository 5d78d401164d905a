/* beam.c - the likeliest text that a search finds.
 * Takes a writer whose rows are the hypotheses of one text; gives the text. At each place the likeliest of all
 * continuations of all hypotheses go on; the likelihood of a text only falls as it grows, so the search ends when none
 * that goes on is likelier than the likeliest that has ended. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/stop.h"
#include "stage/generate_inside.h"

typedef struct Next {
    int row;
    int32_t id;
    double log; /* likelihood of the text with it */
} Next;

typedef struct Search {
    CgWriter *w;
    const CgWriting *how;
    CgTextRow *texts; /* (rows) hypotheses; the first `live` go on, the likeliest first */
    int live;
    CgTextRow best; /* the likeliest that has ended, once there is one */
    bool any;
    Next *next; /* (2 rows) the likeliest continuations, the likeliest first */
    int nnext;
    int *from;    /* (rows) which hypothesis a row goes on from */
    int32_t *old; /* (rows, length) */
} Search;

static void put_next(Search *s, Next n)
{
    int most = 2 * s->w->rows, i = s->nnext < most ? s->nnext++ : most - 1;
    for (; i > 0 && s->next[i - 1].log < n.log; i--)
        s->next[i] = s->next[i - 1];
    s->next[i] = n;
}

/* False where logits are none. Equally likely ones stay in the order of hypotheses and ids. */
static bool find_next(Search *s, const CgSaid *said)
{
    int most = 2 * s->w->rows;
    s->nnext = 0;
    for (int r = 0; r < s->live; r++) {
        const float *logits = (const float *)said->logits.data + r * said->logits.stride[0];
        double total = (double)((const float *)said->total.data)[r * said->total.stride[0]];
        if (!isfinite(total))
            return false;
        for (int64_t id = 0; id < s->w->vocab; id++) {
            double log = s->texts[r].log_likelihood + ((double)logits[id] - total);
            if (log > -INFINITY && (s->nnext < most || log > s->next[most - 1].log))
                put_next(s, (Next){ r, (int32_t)id, log });
        }
    }
    return s->nnext > 0;
}

static CgTextRow copy_of(const CgTextRow *t)
{
    CgTextRow out = *t;
    out.said = (CgStrbuf){ 0 };
    cg_strbuf_write(&out.said, cg_strbuf_str(&t->said), t->said.len);
    return out;
}

/* A hypothesis has ended: its text is the best so far, or forgotten. */
static void end(Search *s, CgTextRow t, const int32_t *ids)
{
    if (s->any && t.log_likelihood <= s->best.log_likelihood) {
        cg_text_row_deinit(&t);
        return;
    }
    if (!t.ids) {
        t.ids = cg_malloc(sizeof *ids * (size_t)(t.n + 1));
        memcpy(t.ids, ids, sizeof *ids * (size_t)t.n);
    }
    cg_text_row_deinit(&s->best);
    s->best = t;
    s->any = true;
}

/* The hypotheses with one token more. */
static void step(Search *s)
{
    CgWriter *w = s->w;
    size_t row = (size_t)w->length;
    int live = 0;
    CgTextRow *texts = cg_calloc((size_t)w->rows + 1, sizeof *texts);
    memcpy(s->old, w->ids, sizeof *s->old * (size_t)w->rows * row);
    for (int i = 0; i < s->nnext && live < w->rows; i++) {
        const Next *n = &s->next[i];
        CgTextRow t = copy_of(&s->texts[n->row]);
        t.log_likelihood = n->log;
        int32_t *ids = w->ids + (size_t)live * row;
        memcpy(ids, s->old + (size_t)n->row * row, sizeof *ids * row);
        if (!cg_writer_add(w, s->how, live, n->id, &t)) {
            end(s, t, ids);
            continue;
        }
        s->from[live] = n->row;
        texts[live++] = t;
    }
    for (int r = 0; r < s->live; r++)
        cg_text_row_deinit(&s->texts[r]);
    memcpy(s->texts, texts, sizeof *texts * (size_t)w->rows);
    for (int r = live; r < w->rows; r++) {
        s->from[r] = 0;
        memcpy(w->ids + (size_t)r * row, s->old, sizeof *s->old * row);
    }
    free(texts);
    s->live = live;
}

static bool search(Search *s, const void *context, CgErr *err)
{
    CgWriter *w = s->w;
    const CgTextRow *given = &s->texts[0];
    int64_t first = given->given, last = first + given->most, fed = 0;
    if (!cg_writer_begin(w, context, err))
        return false;
    for (int64_t t = first; t < last && s->live; t++) {
        CgSaid said;
        if (w->decoder && t > first && !cg_decoder_move_rows(w->decoder, cg_intern("batch"), s->from, err))
            return false;
        if ((w->decoder && !cg_decoder_feed(w->decoder, w->ids + fed, w->length, t - fed, err))
            || !cg_writer_look(w, t, &said, err))
            return false;
        fed = t;
        if (!find_next(s, &said))
            return cg_err(err, CG_ERR_INPUT, "the model's logits of token %lld are not finite", (long long)t);
        step(s);
        if (cg_session_stopped(w->x))
            return cg_err(err, CG_ERR_INTERRUPTED, "stopped while writing text; the same command begins it again");
        if (s->any && s->live && s->texts[0].log_likelihood <= s->best.log_likelihood)
            break;
    }
    return true;
}

bool cg_writer_search(CgWriter *w, const CgWriting *how, const void *context, CgTextRow *text)
{
    Search s = { .w = w, .how = how, .live = 1 };
    CgErr err = { 0 };
    size_t row = (size_t)w->length, rows = (size_t)w->rows;
    s.texts = cg_calloc(rows + 1, sizeof *s.texts);
    s.next = cg_calloc(2 * rows + 1, sizeof *s.next);
    s.from = cg_calloc(rows + 1, sizeof *s.from);
    s.old = cg_calloc(rows * row + 1, sizeof *s.old);
    memset(w->ids, 0, sizeof *w->ids * rows * row);
    for (size_t r = 0; r < rows && text->given; r++)
        memcpy(w->ids + r * row, text->prompt, sizeof *w->ids * (size_t)text->given);
    s.texts[0] = copy_of(text);
    s.texts[0].n = text->given;
    cg_stop_listen();
    bool good = search(&s, context, &err);
    cg_stop_deafen();
    for (int r = 0; r < s.live; r++)
        cg_text_row_deinit(&s.texts[r]);
    cg_text_row_deinit(text);
    *text = s.best;
    if (good && how->heard)
        how->heard(how->arg, cg_strbuf_str(&text->said), text->said.len);
    free(s.texts);
    free(s.next);
    free(s.from);
    free(s.old);
    return good || cg_session_err(w->x, w->x->at, &err);
}
