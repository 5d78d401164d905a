/* shapes.c - small grey images of simple shapes, for classifiers of images.
 * Takes how many rows, the side of an image and how noisy it is; gives rows x: f32[1, side, side] from 0, white paper,
 * to 1, y: which shape it is. Place and size are drawn. A row is a function of its number and the seed. */
#include <math.h>
#include <stdlib.h>

#include "data/draw.h"
#include "library/dataset.h"

/* Whether a pixel is of the shape whose half width is r, seen from its middle. */
static bool bar(int r, int x, int y) { return abs(x) <= r && abs(y) <= r / 3; }
static bool pillar(int r, int x, int y) { return bar(r, y, x); }
static bool plus(int r, int x, int y) { return bar(r, x, y) || bar(r, y, x); }
static bool frame(int r, int x, int y) { return abs(x) <= r && abs(y) <= r && (abs(x) == r || abs(y) == r); }
static bool disc(int r, int x, int y) { return x * x + y * y <= r * r; }
static bool cross(int r, int x, int y) { return abs(x) <= r && abs(y) <= r && (x == y || x == -y); }

typedef bool InsideFn(int r, int x, int y);
static InsideFn *const shapes[] = { bar, pillar, plus, frame, disc, cross };

typedef struct Shapes {
    int64_t side;
    uint64_t noise; /* of 256 */
    uint64_t seed;
} Shapes;

/* Half a shape's width is from this to twice this. */
static int least_r(int side) { return side / 6; }

static void row(const CgDataset *d, int64_t i, void *const *out)
{
    const Shapes *s = d->data;
    CgDraw draw;
    cg_draw_init(&draw, s->seed, CG_STREAM_SYNTH + ((uint64_t)66 << 32), (uint64_t)i);
    uint64_t y = cg_draw_below(&draw, CG_LEN(shapes));
    int side = (int)s->side, r = least_r(side) + (int)cg_draw_below(&draw, (uint64_t)least_r(side) + 1);
    int left = r + (int)cg_draw_below(&draw, (uint64_t)(side - 2 * r)),
        top = r + (int)cg_draw_below(&draw, (uint64_t)(side - 2 * r));
    float *x = out[0];
    for (int k = 0; x && k < side * side; k++) {
        int ink = shapes[y](r, k % side - left, k / side - top) ? 256 - (int)s->noise : 0;
        x[k] = (float)(ink + (int)cg_draw_below(&draw, s->noise + 1)) / 256;
    }
    if (out[1])
        *(int32_t *)out[1] = (int32_t)y;
}

static void release(CgDataset *d) { free(d->data); }

static const CgDatasetKind kind = { .name = "shapes", .row = row, .free = release };

enum { ROWS, SIDE, NOISE, SEED };

static void fields_of(CgValue *const *a, CgField out[2])
{
    int64_t side = a[SIDE]->i;
    out[0] = (CgField){ .name = "x", .dtype = CG_F32, .rank = 3, .dim = { 1, side, side } };
    out[1] = (CgField){ .name = "y", .dtype = CG_I32, .below = (int64_t)CG_LEN(shapes) };
}

static bool check(CgElab *e, const CgArguments *a, CgValue *data)
{
    CgField field[2];
    const char *wrong = a->at[ROWS]->i < 1 || a->at[ROWS]->i > 1 << 30 ? "'rows' is a number from 1 to 1073741824"
        : a->at[SIDE]->i < 8 || a->at[SIDE]->i > 256                   ? "'side' is a number of pixels from 8 to 256"
        : !(a->at[NOISE]->f >= 0 && a->at[NOISE]->f <= 1)              ? "'noise' is a share from 0 to 1"
                                                                       : NULL;
    int at = a->at[ROWS]->i < 1 || a->at[ROWS]->i > 1 << 30 ? ROWS
        : a->at[SIDE]->i < 8 || a->at[SIDE]->i > 256        ? SIDE
                                                            : NOISE;
    if (wrong) {
        cg_elab_error(e, CG_E0316, a->span[at], "%s", wrong);
        return false;
    }
    fields_of(a->at, field);
    cg_data_fields_new(e, data, field, 2)->origin = data->span;
    return true;
}

static CgDataset *open_shapes(CgSession *x, const CgValue *call, CgValue **args, CgErr *err)
{
    CgField field[2];
    Shapes *s = cg_calloc(1, sizeof *s);
    (void)x;
    (void)call;
    (void)err;
    *s = (Shapes){ args[SIDE]->i, (uint64_t)(args[NOISE]->f * 256), (uint64_t)args[SEED]->i };
    fields_of(args, field);
    CgDataset *d = cg_dataset_new(&kind, field, 2, s);
    d->rows = args[ROWS]->i;
    struct {
        int64_t rule, rows;
        Shapes s;
    } all = { 0x736861706573, d->rows, *s };
    d->digest = cg_digest(&all, sizeof all);
    return d;
}

/* A shape, its size, its place and the noise of each pixel: all of that can be read off x and y as long as no pixel may
 * be ink or paper. With a noise of 0.5 one of 129 levels may be either, which takes away less than 0.001 bits. */
static double entropy(CgValue *const *a)
{
    int side = (int)a[SIDE]->i, noise = (int)(a[NOISE]->f * 256), least = least_r(side);
    double bits = log2(CG_LEN(shapes)) + side * side * log2(noise + 1);
    for (int r = least; r <= 2 * least; r++)
        bits += log2((least + 1.0) * (side - 2 * r) * (side - 2 * r)) / (least + 1);
    return noise > 128 ? NAN : bits;
}

CG_DATASET(shapes, .by_rule = true,
    .sig =
        "(rows: int = 2000, side: int = 16, noise: float = 0.5, seed: int = 0, shares: float[] = [0.9, 0.05, 0.05]) -> "
        "dataset",
    .check = check, .open = open_shapes, .entropy = entropy,
    .doc = "Small images of six shapes: batch.x is grey, f32[1, side, side] from 0 to 1, batch.y says which it is: a "
           "bar, a pillar, a plus, a frame, a disc or a cross, 0 to 5. noise is the share of the range that each pixel "
           "is off by at most. `.entropy` is the bits a row, of x and y together, known up to a noise of 0.5.")
