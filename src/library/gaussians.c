/* gaussians.c - points around a few centres: a mixture of Gaussians whose classes are known.
 * Takes how many rows, classes and axes; gives rows x: f32[dim], y: the class. A centre is `apart` times a point of the
 * standard normal distribution, the points of its class have standard deviation 1 around it; rows are the classes in
 * turn. A row is a function of its number and the seed. */
#include <math.h>
#include <stdlib.h>

#include "data/draw.h"
#include "library/dataset.h"

typedef struct Gaussians {
    int64_t classes, dim;
    double apart;
    uint64_t seed;
} Gaussians;

/* Two uniform numbers make one normal one (Box and Muller, 1958). */
static double normal(CgDraw *d)
{
    double u = ((double)cg_draw_word(d) + 0.5) / 4294967296.0, v = (double)cg_draw_word(d) / 4294967296.0;
    return sqrt(-2 * log(u)) * cos(6.283185307179586 * v);
}

static void row(const CgDataset *d, int64_t i, void *const *out)
{
    const Gaussians *g = d->data;
    int64_t y = i % g->classes;
    float *x = out[0];
    CgDraw centre, point;
    cg_draw_init(&centre, g->seed, CG_STREAM_SYNTH + ((uint64_t)64 << 32), (uint64_t)y);
    cg_draw_init(&point, g->seed, CG_STREAM_SYNTH + ((uint64_t)65 << 32), (uint64_t)i);
    for (int64_t k = 0; x && k < g->dim; k++)
        x[k] = (float)(g->apart * normal(&centre) + normal(&point));
    if (out[1])
        *(int32_t *)out[1] = (int32_t)y;
}

static void release(CgDataset *d) { free(d->data); }

static const CgDatasetKind kind = { .name = "gaussians", .row = row, .free = release };

enum { ROWS, CLASSES, DIM, APART, SEED };

static void fields_of(CgValue *const *a, CgField out[2])
{
    out[0] = (CgField){ .name = "x", .dtype = CG_F32, .rank = 1, .dim = { a[DIM]->i } };
    out[1] = (CgField){ .name = "y", .dtype = CG_I32, .below = a[CLASSES]->i };
}

static bool check(CgElab *e, const CgArguments *a, CgValue *data)
{
    static const int64_t most[] = { [ROWS] = 1 << 30, [CLASSES] = 65536, [DIM] = 65536 };
    CgField field[2];
    for (int i = ROWS; i <= DIM; i++)
        if (a->at[i]->i < 1 || a->at[i]->i > most[i]) {
            cg_elab_error(e, CG_E0316, a->span[i], "a number from 1 to %lld, not %lld", (long long)most[i],
                (long long)a->at[i]->i);
            return false;
        }
    if (!(a->at[APART]->f >= 0 && a->at[APART]->f < 1e6)) {
        cg_elab_error(e, CG_E0316, a->span[APART], "'apart' is how far centres lie from each other, 0 or more");
        return false;
    }
    fields_of(a->at, field);
    cg_data_fields_new(e, data, field, 2)->origin = data->span;
    return true;
}

static CgDataset *open_gaussians(CgSession *x, const CgValue *call, CgValue **args, CgErr *err)
{
    CgField field[2];
    Gaussians *g = cg_calloc(1, sizeof *g);
    (void)x;
    (void)call;
    (void)err;
    *g = (Gaussians){ args[CLASSES]->i, args[DIM]->i, args[APART]->f, (uint64_t)args[SEED]->i };
    fields_of(args, field);
    CgDataset *d = cg_dataset_new(&kind, field, 2, g);
    d->rows = args[ROWS]->i;
    struct {
        int64_t rule, rows;
        Gaussians g;
    } all = { 0x6761757373, d->rows, *g };
    d->digest = cg_digest(&all, sizeof all);
    return d;
}

/* A class, and a point around its centre, which the seed says. */
static double entropy(CgValue *const *a)
{
    double rows = (double)a[ROWS]->i, classes = (double)a[CLASSES]->i, bits = 0;
    for (int more = 0; more < 2; more++) { /* classes that have one row more than the others, and the others */
        double of = floor(rows / classes) + more, many = more ? fmod(rows, classes) : classes - fmod(rows, classes);
        bits -= of > 0 ? many * of / rows * log2(of / rows) : 0;
    }
    return bits + (double)a[DIM]->i * log2(2 * 3.14159265358979324 * exp(1)) / 2;
}

CG_DATASET(gaussians, .by_rule = true,
    .sig =
        "(rows: int = 1000, classes: int = 3, dim: int = 2, apart: float = 3, seed: int = 0, shares: float[] = [0.9, "
        "0.05, 0.05]) -> dataset",
    .check = check, .open = open_gaussians, .entropy = entropy,
    .doc = "A mixture of Gaussians: batch.x is a point, f32[dim], batch.y its class. Centres are drawn from a normal "
           "distribution of standard deviation `apart`, points around them from one of 1. `.entropy` is the bits a row "
           "(differential), of x and y together, to whom the centres are known.")
