/* type.c - tensor types.
 * Takes dtypes and dims; gives types, their text and back. Must not know ops or nodes. */
#include <string.h>

#include "graph/dim.h"

static const struct {
    const char *name;
    size_t size;
    bool is_float, is_narrow;
} dtypes[CG_ROUNDED + 1] = {
    [CG_F32] = { "f32", 4, .is_float = true },
    [CG_F64] = { "f64", 8, .is_float = true },
    [CG_I32] = { "i32", .size = 4 },
    [CG_I64] = { "i64", .size = 8 },
    [CG_BOOL] = { "bool", .size = 1 },
    [CG_F16] = { "f16", 2, .is_narrow = true },
    [CG_BF16] = { "bf16", 2, .is_narrow = true },
    [CG_I8] = { "i8", 1, .is_narrow = true },
    [CG_ROUNDED] = { "bf16", 2, .is_float = true },
};

CgType cg_type(CgDtype dtype, int rank, const CgDim *const *dim)
{
    CgType t = { .dtype = dtype, .rank = rank };
    if (rank < 0 || rank > CG_MAX_RANK)
        CG_BUG("a type of rank %d", rank);
    for (int i = 0; i < rank; i++)
        t.dim[i] = dim[i];
    return t;
}

bool cg_type_equal(const CgType *a, const CgType *b)
{
    return a->dtype == b->dtype && a->rank == b->rank
        && (a->rank == 0 || !memcmp(a->dim, b->dim, sizeof a->dim[0] * (size_t)a->rank));
}

size_t cg_dtype_size(CgDtype dtype) { return dtypes[dtype].size; }

const char *cg_dtype_name(CgDtype dtype) { return dtypes[dtype].name; }

bool cg_dtype_is_float(CgDtype dtype) { return dtypes[dtype].is_float; }

bool cg_dtype_has_derivative(CgDtype dtype) { return dtypes[dtype].is_float || dtype == CG_F16 || dtype == CG_BF16; }

bool cg_dtype_is_narrow(CgDtype dtype) { return dtypes[dtype].is_narrow; }

bool cg_dtype_parse(const char *name, size_t n, CgDtype *out)
{
    for (int i = 0; i < CG_NDTYPE; i++)
        if (strlen(dtypes[i].name) == n && !memcmp(dtypes[i].name, name, n)) {
            *out = (CgDtype)i;
            return true;
        }
    return false;
}

void cg_type_print(const CgType *t, CgStrbuf *out)
{
    cg_strbuf_puts(out, dtypes[t->dtype].name);
    for (int i = 0; i < t->rank; i++) {
        cg_strbuf_puts(out, i ? ", " : "[");
        cg_dim_print(t->dim[i], out);
    }
    if (t->rank)
        cg_strbuf_putc(out, ']');
}

bool cg_type_parse_prefix(const char **text, CgType *t)
{
    const char *p = *text + strspn(*text, " \t");
    size_t n = strspn(p, "abcdefghijklmnopqrstuvwxyz0123456789");
    CgType made = { 0 };
    if (!cg_dtype_parse(p, n, &made.dtype))
        return false;
    p += n;
    if (*p == '[') {
        p++;
        p += strspn(p, " \t");
        while (*p != ']') {
            if (made.rank == CG_MAX_RANK || !(made.dim[made.rank++] = cg_dim_parse(&p)))
                return false;
            p += strspn(p, " \t");
            if (*p == ',')
                p++;
            else if (*p != ']')
                return false;
        }
        p++;
    }
    *text = p;
    *t = made;
    return true;
}

bool cg_type_parse(const char *text, CgType *t)
{
    return cg_type_parse_prefix(&text, t) && text[strspn(text, " \t")] == 0;
}
