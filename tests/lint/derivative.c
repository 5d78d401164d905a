/* derivative.c - claims about derivatives of order 1 and 2, in f64, against differences.
 * Takes cases; gives checks. Knows no op. */
#include "lint.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include <cg/elementwise.h>

#include "graph/grad.h"

/* ---- derivatives, in f64 ---- */

/* A net whose output 0 is a number L, and outputs 1 .. its derivatives by the float operands, in order. */
typedef struct Slope {
    Net net;
    Buffer extra[2 * CG_MAX_IN + CG_MAX_OUT];
    int nextra;
    int by[CG_MAX_IN];
    int n;
} Slope;

static CgRef weights(Slope *s, CgBuild *b, CgType type)
{
    char name[16];
    snprintf(name, sizeof name, "w%d", s->nextra);
    CgTensor t = tensor_of(&type, NULL);
    Buffer data = buffer_new(bytes_of(&t));
    for (int64_t i = 0; i < cg_tensor_count(&t); i++)
        put(type.dtype, at(data), i, 2 * draw() - 1);
    s->extra[s->nextra++] = data;
    return cg_graph_input(b, name, type);
}

static CgRef dot(CgBuild *b, CgRef sum, CgRef x, CgRef w)
{
    CgRef s = cg_sum_all(b, cg_mul(b, x, w));
    return sum == CG_NONE ? s : cg_add(b, sum, s);
}

/* order 1: L = sum of w_k . y_k; order 2: L = sum of u_i . dL1/dx_i. False if there is no derivative to try. */
static bool slope_make(Slope *s, const Case *c, int order, bool no_fold)
{
    CgRef x[CG_MAX_IN], out[CG_MAX_OUT], by[CG_MAX_IN], grads[CG_MAX_IN], where, loss = CG_NONE;
    CgErr e = { 0 };
    *s = (Slope){ .nextra = 0 };
    CgBuild b = build_op(c, no_fold, x, out);
    s->net.g = b.graph;
    for (int k = 0; k < c->nin; k++)
        if (cg_dtype_is_float(c->type[k].dtype)) {
            by[s->n] = x[k];
            s->by[s->n++] = k;
        }
    for (int k = 0; k < c->nout; k++)
        if (cg_dtype_is_float(c->out_type[k].dtype))
            loss = dot(&b, loss, out[k], weights(s, &b, c->out_type[k]));
    if (loss == CG_NONE || !s->n)
        return false;
    for (int o = 1; o <= order; o++) {
        if (!check(cg_grad_build(&b, loss, s->n, by, grads, &where, &e), "no derivative: %s", e.text))
            return false;
        if (o == order)
            break;
        loss = CG_NONE;
        for (int i = 0; i < s->n; i++)
            loss = dot(&b, loss, grads[i], weights(s, &b, c->type[s->by[i]]));
    }
    cg_graph_verify(b.graph);
    cg_graph_output(b.graph, "loss", loss);
    for (int i = 0; i < s->n; i++)
        cg_graph_output(b.graph, "d", grads[i]);
    net_run(&s->net, pool_of(1));
    for (int k = 0; k < c->nin; k++)
        cg_exec_bind_input(s->net.x, k, c->in[k].data);
    for (int k = 0; k < s->nextra; k++)
        cg_exec_bind_input(s->net.x, c->nin + k, at(s->extra[k]));
    cg_exec_random(s->net.x, 2385, 7, 11);
    return true;
}

static void slope_free(Slope *s)
{
    for (int k = 0; k < s->nextra; k++)
        buffer_free(s->extra[k], "weights");
    net_free(&s->net);
}

static double loss_at(Slope *s)
{
    CG_ASSERT(cg_exec_run(s->net.x), "indices are within their tables");
    CgTensor t = cg_exec_output(s->net.x, 0);
    return *(const double *)t.data;
}

static Buffer gradient(Slope *s, int i)
{
    CgTensor from = cg_exec_output(s->net.x, i + 1);
    Buffer data;
    copy_of(&from, &data);
    return data;
}

/* Central differences: element by element, and along one random direction of all operands at once, which is the
 * adjoint identity <J v, w> = <v, J' w>. */
static void differences(Slope *s, const Case *c, const char *what, bool each)
{
    const double h = 1e-5;
    Buffer grad[CG_MAX_IN], saved[CG_MAX_IN];
    double scale = 1, along = 0;
    if (!isfinite(loss_at(s)) && c->edge)
        return;
    for (int i = 0; i < s->n; i++)
        grad[i] = gradient(s, i);
    for (int i = 0; i < s->n; i++) {
        const CgTensor *x = &c->in[s->by[i]];
        for (int64_t e = 0; e < cg_tensor_count(x); e++)
            scale = fmax(scale, fabs(((double *)at(grad[i]))[e]));
    }
    for (int i = 0; i < s->n && each; i++) {
        const CgTensor *x = &c->in[s->by[i]];
        double *values = x->data;
        for (int64_t e = 0; e < cg_tensor_count(x); e++) {
            double keep = values[e], up, down, got = ((double *)at(grad[i]))[e];
            values[e] = keep + h;
            up = loss_at(s);
            values[e] = keep - h;
            down = loss_at(s);
            values[e] = keep;
            double want = (up - down) / (2 * h);
            if (!check(fabs(got - want) <= 2e-6 * scale, "%s by operand %d, element %lld: %.9g, by difference %.9g",
                    what, s->by[i], (long long)e, got, want))
                break;
        }
    }
    double size = 1e-30, ends[2];
    for (int i = 0; i < s->n; i++) {
        const CgTensor *x = &c->in[s->by[i]];
        saved[i] = buffer_new(bytes_of(x));
        memcpy(at(saved[i]), x->data, bytes_of(x));
    }
    uint64_t seed = draw_state();
    for (int side = 0; side < 2; side++) {
        draw_again(seed);
        along = 0;
        for (int i = 0; i < s->n; i++) {
            const CgTensor *x = &c->in[s->by[i]];
            for (int64_t e = 0; e < cg_tensor_count(x); e++) {
                double v = 2 * draw() - 1, term = v * ((double *)at(grad[i]))[e];
                along += term;
                size += fabs(term);
                ((double *)x->data)[e] = ((double *)at(saved[i]))[e] + (side ? -h : h) * v;
            }
        }
        ends[side] = loss_at(s);
    }
    double want = (ends[0] - ends[1]) / (2 * h);
    check(fabs(along - want) <= 2e-6 * (size + scale), "%s along a direction: %.9g, by difference %.9g", what, along,
        want);
    for (int i = 0; i < s->n; i++) {
        memcpy(c->in[s->by[i]].data, at(saved[i]), bytes_of(&c->in[s->by[i]]));
        buffer_free(saved[i], "operand");
        buffer_free(grad[i], "derivative");
    }
}

static void derivative(const Case *c, int order)
{
    if (c->op->traits & (CG_NODIFF | CG_LEAF))
        return;
    if (!case_is_small(c) && c->sample->apart > 0)
        return; /* too many numbers to keep apart: a step would cross a kink */
    for (int k = 0; k < c->nin; k++)
        if (c->type[k].dtype == CG_F32)
            return;
    for (int no_fold = 0; no_fold < 2; no_fold++) {
        Slope s;
        if (order == 2 && no_fold)
            return;
        if (slope_make(&s, c, order, no_fold))
            differences(&s, c, no_fold ? "unfolded derivative" : "derivative", case_is_small(c));
        slope_free(&s);
    }
}

void claim_derivative(const Case *c) { derivative(c, 1); }
void claim_second_derivative(const Case *c)
{
    if (case_is_small(c))
        derivative(c, 2);
}

/* ---- Jacobian times vector, against vector times Jacobian ---- */

/* Output 0: sum of u_k . (J v)_k, output 1: sum of (u J)_i . v_i, for random u and v. False if there is none to try. */
static bool both_products(Slope *s, const Case *c)
{
    CgRef x[CG_MAX_IN], out[CG_MAX_OUT], by[CG_MAX_IN], along[CG_MAX_IN], grads[CG_MAX_IN], where;
    CgRef loss = CG_NONE, forward = CG_NONE, back = CG_NONE;
    CgErr e = { 0 };
    *s = (Slope){ .nextra = 0 };
    CgBuild b = build_op(c, false, x, out);
    s->net.g = b.graph;
    for (int k = 0; k < c->nin; k++)
        if (cg_dtype_is_float(c->type[k].dtype)) {
            by[s->n] = x[k];
            along[s->n++] = weights(s, &b, c->type[k]);
        }
    for (int k = 0; k < c->nout; k++) {
        if (!cg_dtype_is_float(c->out_type[k].dtype))
            continue;
        CgRef u = weights(s, &b, c->out_type[k]), product;
        loss = dot(&b, loss, out[k], u);
        for (int i = 0; i < s->n; i++) {
            if (!check(cg_jvp_build(&b, out[k], by[i], along[i], &product, &where, &e), "no derivative: %s", e.text))
                return false;
            forward = dot(&b, forward, product, u);
        }
    }
    if (forward == CG_NONE || !cg_grad_build(&b, loss, s->n, by, grads, &where, &e))
        return false;
    for (int i = 0; i < s->n; i++)
        back = dot(&b, back, grads[i], along[i]);
    cg_graph_verify(b.graph);
    cg_graph_output(b.graph, "forward", forward);
    cg_graph_output(b.graph, "back", back);
    net_run(&s->net, pool_of(1));
    for (int k = 0; k < c->nin; k++)
        cg_exec_bind_input(s->net.x, k, c->in[k].data);
    for (int k = 0; k < s->nextra; k++)
        cg_exec_bind_input(s->net.x, c->nin + k, at(s->extra[k]));
    cg_exec_random(s->net.x, 2385, 7, 11);
    return true;
}

void claim_jvp(const Case *c)
{
    Slope s;
    if (c->op->traits & (CG_NODIFF | CG_LEAF) || !case_is_small(c))
        return;
    for (int k = 0; k < c->nin; k++)
        if (c->type[k].dtype == CG_F32)
            return;
    if (both_products(&s, c)) {
        double forward = loss_at(&s);
        CgTensor t = cg_exec_output(s.net.x, 1);
        double back = *(const double *)t.data;
        check((c->edge && !isfinite(forward + back)) || fabs(forward - back) <= 1e-11 * fmax(1, fabs(back)),
            "u . (J v) is %.17g, (u J) . v %.17g", forward, back);
    }
    slope_free(&s);
}
