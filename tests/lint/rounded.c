/* rounded.c - what an op says of numbers kept as bf16: it writes what it would write, rounded, and reads what it only
 * rounds as if it were f32. To the bit. Takes a case; checks. */
#include <stdlib.h>
#include <string.h>

#include "lint.h"

/* The result of f32 as bf16; with rows twice as far apart when they are to lie over an operand's. */
static void narrow(CgTensor *y, bool apart)
{
    y->dtype = CG_ROUNDED;
    for (int i = 0; apart && i + 1 < y->rank; i++)
        y->stride[i] *= 2;
}

static bool may_round(const Case *c, int k)
{
    return c->out_type[k].dtype == CG_F32 && (!c->op->kernel[dispatch(c)] || cg_bits_have(c->op->rounded, k));
}

/* `found` holds the results in `which` as bf16, and the others as they were. */
static void check_written(const Result *found, const Result *want, unsigned which, const char *what)
{
    for (int k = 0; k < want->n; k++) {
        if (!(which >> k & 1)) {
            same_bits(&found->out[k], &want->out[k], what);
            continue;
        }
        Buffer data;
        CgTensor rows = copy_of(&found->out[k], &data);
        const float *full = want->out[k].data;
        bool same = true;
        for (int64_t i = 0; i < cg_tensor_count(&rows); i++)
            same &= ((const uint16_t *)rows.data)[i] == cg_bf16_bits(full[i]) >> 16;
        check(same, "%s: result %d is not what it would be, rounded", what, k);
        buffer_free(data, "copy of a result");
    }
}

static void check_writing(const Case *c, bool bf16)
{
    const CgOp *op = c->op;
    Result want = result_new(c);
    run_in(op, c, c->in, want.out, bf16);
    unsigned all = 0;
    for (int k = 0; k < want.n; k++)
        all |= (unsigned)may_round(c, k) << k;
    for (unsigned which = 1; which <= all; which++) {
        if (which & ~all)
            continue;
        for (int apart = 0; apart < 2; apart++) {
            if (apart && !(op->traits & CG_OVER_ROWS))
                break;
            Result found = result_new(c);
            for (int k = 0; k < found.n; k++)
                if (which >> k & 1)
                    narrow(&found.out[k], apart);
            run_in(op, c, c->in, found.out, bf16);
            check_written(&found, &want, which, apart ? "rounded results, rows apart" : "rounded results");
            result_free(&found);
        }
        /* Over the first halves of the rows of operands: each on its own, as far as there are any. */
        if (!(op->traits & CG_OVER_ROWS))
            continue;
        for (int first = 0; first < c->nin; first++) {
            Result found = result_new(c);
            CgTensor in[CG_MAX_IN];
            int over = first;
            memcpy(in, c->in, sizeof in);
            for (int k = 0; k < found.n; k++) {
                if (!(which >> k & 1))
                    continue;
                while (over < c->nin
                    && !(cg_bits_have(op->inplace, over) && cg_type_equal(&c->type[over], &c->out_type[k])))
                    over++;
                if (over < c->nin) {
                    memcpy(found.out[k].data, c->in[over].data, bytes_of(&c->in[over]));
                    in[over++].data = found.out[k].data;
                }
                narrow(&found.out[k], true);
            }
            run_in(op, c, in, found.out, bf16);
            check_written(&found, &want, which, "rounded results over operands");
            result_free(&found);
        }
    }
    result_free(&want);
}

static void check_reading(const Case *c)
{
    const CgOp *op = c->op;
    CgTensor in[CG_MAX_IN], out[CG_MAX_OUT], lying[CG_MAX_IN];
    Buffer full[CG_MAX_IN], lies[CG_MAX_IN];
    for (int k = 0; k < c->nout; k++)
        out[k] = tensor_of(&c->out_type[k], NULL);
    CgCall call = {
        .op = op, .nin = c->nin, .nout = c->nout, .in = c->in, .out = out, .attrs = c->attrs, .bf16 = true
    };
    uint32_t mask = op->rounds && c->dtype == CG_F32 ? op->rounds(&call) : 0;
    check(mask < (uint64_t)1 << c->nin, "it rounds operands that it does not have");
    call.bf16 = false;
    check(!op->rounds || op->rounds(&call) == 0, "it rounds operands of products in f32");
    for (int k = 0; k < c->nin && mask; k++) {
        in[k] = copy_of(&c->in[k], &full[k]);
        if (mask >> k & 1 && !check(in[k].dtype == CG_F32, "it rounds an operand that is not of f32"))
            mask &= ~((uint32_t)1 << k);
        for (int64_t i = 0; mask >> k & 1 && i < cg_tensor_count(&in[k]); i++) {
            float *x = (float *)in[k].data + i;
            *x = cg_bf16_value((uint16_t)(cg_bf16_bits(*x) >> 16));
        }
    }
    if (!mask)
        return;
    /* In each layout against f32 that lies alike: how a product is cut, and so its sums, may follow from that. */
    for (uint32_t which = 1; which <= mask; which++)
        for (int layout = -1; !(which & ~mask) && layout < (op->traits & CG_STRIDED ? 3 : 0); layout++) {
            Result r[2];
            for (int narrowed = 0; narrowed < 2; narrowed++) {
                for (int k = 0; k < c->nin; k++) {
                    CgTensor x = in[k];
                    Buffer data = buffer_new(bytes_of(&x));
                    if (narrowed && which >> k & 1) {
                        x.dtype = CG_ROUNDED;
                        x.data = at(data);
                        cg_bf16_round(in[k].data, x.data, (size_t)cg_tensor_count(&x));
                    }
                    lying[k] = layout < 0 || !(which >> k & 1) ? copy_of(&x, &lies[k]) : relaid(&x, layout, &lies[k]);
                    buffer_free(data, "rounded operand");
                }
                r[narrowed] = result_new(c);
                run_in(op, c, lying, r[narrowed].out, true);
                for (int k = 0; k < c->nin; k++)
                    buffer_free(lies[k], "operand");
            }
            for (int k = 0; k < r[0].n; k++)
                same_bits(&r[1].out[k], &r[0].out[k], "operands kept as bf16");
            result_free(&r[0]);
            result_free(&r[1]);
        }
    for (int k = 0; k < c->nin; k++)
        buffer_free(full[k], "operand");
}

void claim_rounded(const Case *c)
{
    if (!runs(c->op, dispatch(c)) || c->op->view)
        return;
    check(c->op->rounded >> (c->op->nout ? c->op->nout : 1) == 0, "it writes rounded results that it does not have");
    check_writing(c, false);
    if (c->op->traits & CG_PRODUCTS && c->dtype == CG_F32)
        check_writing(c, true);
    check_reading(c);
}
