/* synth_recall.c - facts, a question about one of them, and its answer.
 * Takes draws; gives documents of one record each, a line of JSON Lines that examples() takes apart:
 * {"facts": "d7 a3 k9", "question": "a", "answer": "3"}. Keys are different letters, values digits. */
#include <math.h>

#include "data/synth_kinds.h"

#define KEYS 26

static void recall(CgSynthWork *w)
{
    uint64_t order = (uint64_t)cg_draw_word(w->draw) << 32 | cg_draw_word(w->draw), asked = 0;
    int which = (int)cg_draw_below(w->draw, (uint64_t)w->whole);
    char answer = '0';
    cg_strbuf_puts(w->out, "{\"facts\": \"");
    for (int i = 0; i < w->whole; i++) {
        uint64_t key = cg_draw_permuted(order, KEYS, (uint64_t)i);
        char value = (char)('0' + cg_draw_below(w->draw, 10));
        cg_strbuf_printf(w->out, "%s%c%c", i ? " " : "", (char)('a' + key), value);
        if (i == which) {
            asked = key;
            answer = value;
        }
    }
    cg_strbuf_printf(w->out, "\", \"question\": \"%c\", \"answer\": \"%c\"}\n", (char)('a' + asked), answer);
}

static double entropy(double knob)
{
    double bits = log2(knob) + knob * log2(10);
    for (int i = 0; i < (int)knob; i++)
        bits += log2(KEYS - i);
    return bits / (3 * knob - 1 + (double)strlen("{\"facts\": \"\", \"question\": \"a\", \"answer\": \"3\"}\n"));
}

CG_SYNTH(recall, .doc = "facts, a question and its answer as records; the knob is the facts, 1 to 26", .least = 1,
    .most = KEYS, .usual = 4, .unit = 1, .stream = 9, .document = recall, .records = true, .entropy = entropy)
