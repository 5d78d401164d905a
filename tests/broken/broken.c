/* broken.c - plugins that are wrong, one for each CASE (tests/broken.sh says what must be said of it).
 * Takes the macro CASE; gives a plugin with that mistake and no other. */
#define CG_PLUGIN
#include <cg/build.h>
#include <cg/elementwise.h>
#include <cg/function.h>
#include <cg/reader.h>
#include <cg/rules.h>
#include <stdlib.h>
#include <string.h>

#if CASE < 30 /* ---- ops: f(x) = 2 x + 1 */

static int *volatile nowhere;

static bool shape(CgInfer *inf)
{
    #if CASE == 20
    *nowhere = 1;
    #elif CASE == 21
    exit(9);
    #endif
    return cg_want_float(inf, 0) && cg_shape_same(inf);
}

static void expand(CgBuild *b, const CgSite *site, CgRef *out)
{
    out[0] = cg_add(b, cg_scale(b, site->in[0], 2), cg_fill_like(b, site->in[0], 1));
}

static void vjp(CgBuild *b, const CgSite *site, CgRef *gin) { gin[0] = cg_scale(b, site->gout[0], CASE == 24 ? 3 : 2); }

static void compute(const void *const *in, void *out, size_t n, const CgAttrs *attrs)
{
    (void)attrs;
    #if CASE == 22
    *nowhere = 1;
    #elif CASE == 25
    ((float *)out)[n] = 1;
    #endif
    for (size_t i = 0; i < n; i++)
        ((float *)out)[i] = (CASE == 23 ? 3 : 2) * ((const float *)in[0])[i] + 1;
    #if CASE == 26
    for (size_t i = 0; i < n; i++) /* reads what it has written, where they are one */
        ((float *)out)[i] += 0 * ((const float *)in[0])[i] + (((const float *)in[0])[i] == ((float *)out)[i]);
    #endif
}

    #if CASE == 14 || CASE == 16
static void kernel(const CgCall *call, CgShard shard)
{
    (void)call;
    (void)shard;
}
    #endif
    #if CASE == 16
static void release(void *state) { (void)state; }
    #endif

static const CgSample samples[] = { { .in = "F[3,7]", .low = -3.1, .high = 2.9 }, { .in = NULL } };

static const CgOp op = {
    CG_OP_HERE,
    .name = CASE == 5 ? NULL
        : CASE == 6   ? "Bad Name"
        : CASE == 17  ? "add"
                      : "broken",
    .sig = CASE == 7 ? NULL
        : CASE == 8  ? "(x: F[..s] -> F"
        : CASE == 19 ? "(x: F[..s], k: int = [1]) -> F[..s]"
                     : "(x: F[..s]) -> F[..s]",
    .doc = CASE == 9 ? NULL : "Twice x and one.\n",
    .shape = CASE == 10 ? NULL : shape,
    .samples = CASE == 11 ? NULL : samples,
    .expand = CASE == 12 || CASE == 15 ? NULL : expand,
    .vjp = CASE == 12 ? NULL : vjp,
    .vec = { [CG_F32] = CASE == 15 ? NULL : compute },
    .traits = CG_ELEMENTWISE | (CASE == 13 ? CG_NODIFF : 0),
    .inplace = 1,
    .nout = CASE == 18 ? 999 : 0,
    #if CASE == 14
    .kernel = { [CG_F32] = kernel },
    #elif CASE == 16
    .release = release,
    #endif
};

    #if CASE == 27 /* a list that ends in anything but NULL */
static const CgOp *const list[] = { &op, (const CgOp *)8 };
    #else
static const CgOp *const list[] = { &op, NULL };
    #endif
CG_API const CgOpSet cg_plugin = { CASE == 1 ? CG_ABI + 1 : CG_ABI, CASE == 2 ? 8 : sizeof(CgOp),
    CASE == 4 ? NULL : "broken", CASE == 3 ? NULL : list };

#elif CASE < 50 /* ---- functions: the length of a text */

static int *volatile nowhere;

static CgValue *run(CgSession *x, const CgValue *call, CgValue **args)
{
    static double calls;
    if (CASE == 36)
        *nowhere = 1;
    if (CASE == 37)
        return NULL;
    if (CASE == 40)
        exit(0);
    char *text = cg_value_text(args[0]);
    double n = text ? (double)strlen(text) : 0;
    free(text);
    if (CASE == 41)
        return cg_give_text(x, call, "long");
    if (CASE == 42)
        cg_give_mistake(x, call, "and yet a value");
    return cg_give_number(x, call, n + (CASE == 38 ? calls++ : 0));
}

static CgValue *build(CgElab *e, CgFrame *f, const CgArguments *a)
{
    (void)e;
    (void)f;
    (void)a;
    return NULL;
}

static const CgFunction function = {
    #if CASE != 39
    CG_FUNCTION_HERE,
    #endif
    .name = CASE == 35 ? "mean"
        : CASE == 43   ? "sum"
        : CASE == 44   ? "text.length"
                       : "broken",
    .sig = CASE == 32 ? "(x: str -> float"
        : CASE == 33  ? "(x: strings) -> float"
        : CASE == 34  ? "(x: table) -> float"
        : CASE == 45  ? "(x: str) -> table"
                      : "(x: str) -> float",
    .doc = CASE == 46 ? "" : "The bytes of a text.",
    .run = CASE == 30 ? NULL : run,
    .build = CASE == 31 ? build : NULL,
    .traits = CASE == 47 ? CG_PATTERN : 0,
};
static const CgFunction *const list[] = { &function, NULL };
CG_API const CgFunctionSet cg_plugin_functions = { CASE == 48 ? CG_ABI - 1 : CG_ABI, sizeof(CgFunction), "broken",
    CASE == 49 ? NULL : list };

#elif CASE < 70 /* ---- readers: a record a line */

static int *volatile nowhere;

static bool records(const char *path, CgText text, CgFields fields, CgRecordFn *each, void *arg, struct CgErr *e)
{
    uint32_t line = 0;
    if (CASE == 50)
        *nowhere = 1;
    for (size_t at = 0; at < text.len; line++) {
        size_t n = 0;
        while ((CASE == 51 || at + n < text.len) && text.at[at + n] != '\n')
            n++;
        CgText value[3] = { { text.at + at, n }, { text.at + at, n }, { text.at + at, n } };
        at += n + 1;
        for (int i = 0; i < fields.n; i++)
            if (CASE != 52 && strcmp(fields.name[i], "text") != 0)
                return CASE == 53 ? false : cg_reader_no_field(path, line + 1, fields.name[i], fields.name, 0, e);
        if (CASE == 54) /* a length that is none */
            value[0].len += 1 << 20;
        if (!each(arg, CASE == 55 ? 7 - line : line + 1, value, e) && CASE != 56)
            return false;
    }
    return CASE != 57;
}

static const char *const none[] = { NULL }, *const pointless[] = { "broken", NULL }, *const taken[] = { ".csv", NULL },
                         *const good[] = { ".broken", NULL };
static const CgReader reader = {
    .name = CASE == 58 ? "csv"
        : CASE == 59   ? NULL
                       : "broken",
    .doc = "A record a line.",
    .endings = CASE == 60 ? none
        : CASE == 61      ? pointless
        : CASE == 62      ? taken
                          : good,
    .records = CASE == 63 ? NULL : records,
};
static const CgReader *const list[] = { &reader, NULL };
CG_API const CgReaderSet cg_plugin_readers = { CG_ABI, CASE == 64 ? 3 : sizeof(CgReader), "broken",
    CASE == 65 ? NULL : list };

#else /* ---- what happens while it is loaded */

int not_a_plugin = 1;

__attribute__((constructor)) static void begin(void)
{
    if (CASE == 71)
        abort();
    if (CASE == 72)
        _Exit(0);
}
    #if CASE == 73
int gone(void);
int (*needed)(void) = gone;
    #endif
#endif
