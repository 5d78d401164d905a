/* synth_json.c - records of one schema a document.
 * Takes draws; gives lines, each a JSON object.
 * Must keep each document to its schema: the same fields in the same order on every line. */
#include "data/synth_kinds.h"

#define MOST_FIELDS 7
#define RECORDS     24

typedef enum Sort { WORD, NUMBER, PRICE, FLAG, DATE, CODE } Sort;
typedef struct Field {
    const char *name;
    Sort sort;
    uint64_t salt;
} Field;

static const struct {
    const char *name;
    Sort sort;
} known[] = {
    { "id", CODE },
    { "name", WORD },
    { "city", WORD },
    { "status", WORD },
    { "price", PRICE },
    { "amount", PRICE },
    { "date", DATE },
    { "user", WORD },
    { "color", WORD },
    { "updated", DATE },
    { "count", NUMBER },
    { "level", NUMBER },
    { "active", FLAG },
    { "code", CODE },
    { "paid", FLAG },
    { "region", WORD },
};
static const char *const starts[] = { "al", "ber", "car", "do", "el", "fa", "gri", "ho", "in", "ka", "lo", "mar", "ni",
    "os", "pe", "ro" };
static const char *const ends[] = { "ba", "den", "fer", "go", "la", "mon", "na", "rik", "sa", "ton", "va", "wen", "xis",
    "ya", "zel", "th" };

/* The rank of a value by Zipf's law, near enough: every octave of ranks is as likely as the next, so one
 * rank is as 1/rank. */
static uint64_t rank(CgSynthWork *w)
{
    for (;;) {
        uint64_t octave = cg_draw_below(w->draw, 10),
                 r = ((uint64_t)1 << octave) + cg_draw_below(w->draw, (uint64_t)1 << octave) - 1;
        if (r < (uint64_t)w->whole)
            return r;
    }
}

static void value(CgSynthWork *w, const Field *f)
{
    /* the same rank, the same value */
    uint64_t x = cg_draw_key(w->seed, CG_STREAM_SYNTH + f->salt, rank(w));
    switch (f->sort) {
    case WORD:
        cg_strbuf_printf(w->out, "\"%s%s%s\"", starts[x % CG_LEN(starts)], ends[x / 16 % CG_LEN(ends)],
            w->whole > 100 && x % 5 == 0 ? ends[x / 256 % CG_LEN(ends)] : "");
        break;
    case NUMBER: cg_strbuf_printf(w->out, "%d", (int)(x % 1000)); break;
    case PRICE: cg_strbuf_printf(w->out, "%d.%02d", (int)(x % 200), (int)(x / 200 % 20 * 5)); break;
    case FLAG: cg_strbuf_puts(w->out, x % 3 ? "true" : "false"); break;
    case DATE:
        cg_strbuf_printf(
            w->out, "\"20%02d-%02d-%02d\"", (int)(x % 25), (int)(x / 25 % 12) + 1, (int)(x / 300 % 28) + 1);
        break;
    case CODE:
        cg_strbuf_printf(
            w->out, "\"%c%c-%04d\"", (char)('A' + x % 26), (char)('A' + x / 26 % 26), (int)(x / 676 % 10000));
        break;
    default: CG_BUG("a sort of field without values");
    }
}

static void json(CgSynthWork *w)
{
    Field field[MOST_FIELDS];
    int n = cg_synth_between(w, 3, MOST_FIELDS);
    uint64_t order = cg_draw_below(w->draw, (uint64_t)1 << 32);
    for (int i = 0; i < n; i++) {
        uint64_t which = cg_draw_permuted(order, CG_LEN(known), (uint64_t)i);
        field[i] = (Field){ known[which].name, known[which].sort, which + 1 };
    }
    for (int k = 0; k < RECORDS; k++) {
        for (int i = 0; i < n; i++) {
            cg_strbuf_printf(w->out, "%s\"%s\": ", i ? ", " : "{", field[i].name);
            value(w, &field[i]);
        }
        cg_strbuf_puts(w->out, "}\n");
    }
}

CG_SYNTH(json, .doc = "records of one schema a document; the knob is the values a field, 2 to 1000", .least = 2,
    .most = 1000, .usual = 20, .unit = 1, .stream = 5, .document = json)
