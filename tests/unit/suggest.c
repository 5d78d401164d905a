/* suggest.c - is the nearest name offered, and silence kept when nothing is near?
 * Takes nothing; prints TAP. Accuses src/base/suggest.c. */
#include "base/suggest.h"
#include "base/base.h"
#include "tap.h"

static const char *const names[] = { "softmax", "sigmoid", "matmul", "rmsnorm", "layernorm", "rearrange", "transpose",
    "sum", "max", "min", "mean", "exp", "f1", "cross_entropy" };

static void meant(const char *word, const char *expected)
{
    CgSuggest s;
    cg_suggest_init(&s, word);
    for (size_t i = 0; i < CG_LEN(names); i++)
        cg_suggest_offer(&s, names[i]);
    const char *best = cg_suggest_best(&s);
    tap_ok(expected ? best && strcmp(best, expected) == 0 : !best, "'%s' means %s (found %s)", word,
        expected ? expected : "nothing", best ? best : "nothing");
}

int main(void)
{
    meant("sofmax", "softmax");
    meant("softmxa", "softmax");
    meant("SoftMax", "softmax");
    meant("matmull", "matmul");
    meant("crossentropy", "cross_entropy");
    meant("rearange", "rearrange");
    meant("layernrom", "layernorm");
    meant("men", "mean"); /* one letter too few beats one letter changed only by the alphabet */
    meant("conv2d", NULL);
    meant("x", NULL);
    meant("", NULL);
    meant("a_name_so_long_that_nobody_would_ever_have_meant_anything_in_the_list_by_it", NULL);
    CgSuggest s;
    cg_suggest_init(&s, "maz");
    cg_suggest_offer(&s, "max");
    cg_suggest_offer(&s, "mad");
    tap_is(cg_suggest_best(&s), "mad", "ties go to the alphabet, not to who came first");
    return tap_done();
}
