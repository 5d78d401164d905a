/* edits.c - how two texts of a script differ, token by token.
 * Takes two texts; gives a shortest list of tokens taken away and put in (Myers 1986, "An O(ND) difference algorithm
 * and its variations"), neighbours as one edit. Texts that differ in too much are one edit. */
#include "lang/edits.h"

#include <stdlib.h>
#include <string.h>

#include "lang/cg_parse.h"
#include "lang/parsing.h"

enum { MOST = 1000 }; /* tokens taken away and put in */

typedef struct Piece {
    uint32_t from, to;
    bool name;
} Piece;
typedef CG_VEC(Piece) Pieces;

static Pieces tokens_of(const char *text)
{
    Pieces out = { 0 };
    CgArena *arena = cg_arena_new();
    CgParsing p = { .arena = arena, .text = text, .len = strlen(text), .edition = CG_EDITION };
    cg_scan_open(&p);
    for (CgToken t; cg_scan_next(&p, &t) != T_END;)
        cg_vec_push(&out, ((Piece){ t.span.start, t.span.end, t.kind == T_NAME }));
    cg_scan_close(&p);
    cg_vec_free(&p.open);
    cg_vec_free(&p.comments);
    cg_arena_free(arena);
    return out;
}

typedef struct Compare {
    const char *text[2];
    Pieces of[2];
    int skip, n[2]; /* tokens that both begin with; those between them and what both end with */
    bool *kept[2];  /* by token of the middle: it is in both */
} Compare;

static bool equal(const Compare *c, int i, int k)
{
    const Piece *a = &c->of[0].at[c->skip + i], *b = &c->of[1].at[c->skip + k];
    uint32_t n = a->to - a->from;
    return n == b->to - b->from && memcmp(c->text[0] + a->from, c->text[1] + b->from, n) == 0;
}

static void trim(Compare *c)
{
    int n[2] = { (int)c->of[0].len, (int)c->of[1].len };
    while (c->skip < n[0] && c->skip < n[1] && equal(c, 0, 0))
        c->skip++;
    c->n[0] = n[0] - c->skip;
    c->n[1] = n[1] - c->skip;
    while (c->n[0] > 0 && c->n[1] > 0 && equal(c, c->n[0] - 1, c->n[1] - 1)) {
        c->n[0]--;
        c->n[1]--;
    }
}

/* The furthest x on diagonal k after d steps, from those of d - 1 steps. */
static int step(const int *v, int k, int d)
{
    bool down = k == -d || (k != d && v[k - 1] < v[k + 1]);
    return down ? v[k + 1] : v[k - 1] + 1;
}

/* Marks the tokens that a shortest way through the middle keeps; none where it is longer than MOST. */
static void mark(Compare *c)
{
    int width = 2 * MOST + 3, most = c->n[0] + c->n[1] < MOST ? c->n[0] + c->n[1] : MOST, found = -1;
    CG_VEC(int *) trace = { 0 }; /* v before each step */
    int *v = cg_calloc((size_t)width, sizeof *v);
    int *mid = v + MOST + 1;
    for (int d = 0; d <= most && found < 0; d++) {
        int *before = cg_malloc((size_t)width * sizeof *before);
        memcpy(before, v, (size_t)width * sizeof *before);
        cg_vec_push(&trace, before);
        for (int k = -d; k <= d && found < 0; k += 2) {
            int x = d ? step(before + MOST + 1, k, d) : 0, y = x - k;
            while (x < c->n[0] && y >= 0 && y < c->n[1] && equal(c, x, y)) {
                x++;
                y++;
            }
            mid[k] = x;
            if (x >= c->n[0] && y >= c->n[1])
                found = d;
        }
    }
    int x = c->n[0], y = c->n[1];
    for (int d = found; d >= 0; d--) {
        const int *before = trace.at[d] + MOST + 1;
        int k = x - y;
        bool down = d && (k == -d || (k != d && before[k - 1] < before[k + 1]));
        int to = d ? step(before, k, d) : 0; /* x where the diagonal began */
        for (; x > to; x--, y--)
            c->kept[0][x - 1] = c->kept[1][y - 1] = true;
        x -= d && !down;
        y -= down;
    }
    for (size_t i = 0; i < trace.len; i++)
        free(trace.at[i]);
    cg_vec_free(&trace);
    free(v);
}

/* Where tokens from .. to of a text lie; where there are none, behind the one before. */
static void place(const Compare *c, int which, int from, int to, CgEdit *out)
{
    const Pieces *of = &c->of[which];
    from += c->skip;
    to += c->skip;
    out->from[which] = from < to ? of->at[from].from : from ? of->at[from - 1].to : 0;
    out->to[which] = from < to ? of->at[to - 1].to : out->from[which];
}

CgEdits cg_edits_find(const char *a, const char *b)
{
    Compare c = { .text = { a, b }, .of = { tokens_of(a), tokens_of(b) } };
    CG_VEC(CgEdit) out = { 0 };
    trim(&c);
    for (int i = 0; i < 2; i++)
        c.kept[i] = cg_calloc((size_t)c.n[i] + 1, 1);
    mark(&c);
    for (int i = 0, k = 0; i < c.n[0] || k < c.n[1];) {
        int from[2] = { i, k };
        while (i < c.n[0] && !c.kept[0][i])
            i++;
        while (k < c.n[1] && !c.kept[1][k])
            k++;
        if (i > from[0] || k > from[1]) {
            CgEdit e = { .name = i == from[0] + 1 && k == from[1] + 1 && c.of[0].at[c.skip + from[0]].name
                    && c.of[1].at[c.skip + from[1]].name };
            place(&c, 0, from[0], i, &e);
            place(&c, 1, from[1], k, &e);
            cg_vec_push(&out, e);
        }
        i += i < c.n[0];
        k += k < c.n[1];
    }
    for (int i = 0; i < 2; i++) {
        free(c.kept[i]);
        cg_vec_free(&c.of[i]);
    }
    return (CgEdits){ out.at, out.len };
}

void cg_edits_free(CgEdits *e)
{
    free(e->at);
    *e = (CgEdits){ 0 };
}

void cg_edits_apply(const char *a, const char *b, const CgEdits *e, const bool *made, CgStrbuf *out)
{
    uint32_t at = 0;
    for (size_t i = 0; i < e->n; i++) {
        const CgEdit *it = &e->at[i];
        if (!made[i])
            continue;
        cg_strbuf_write(out, a + at, it->from[0] - at);
        /* on lines of its own, so that no word runs into the next one */
        cg_strbuf_putc(out, '\n');
        cg_strbuf_write(out, b + it->from[1], it->to[1] - it->from[1]);
        cg_strbuf_putc(out, '\n');
        at = it->to[0];
    }
    cg_strbuf_puts(out, a + at);
}
