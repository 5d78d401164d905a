/* conformance.c - trainings of tests/conformance, carried out as `cg run` does, against PyTorch.
 * Takes srcdir; prints TAP; its stores are ./store.NAME. Accuses, of transformer: gradients - graphs/transformer.cg,
 * stdlib, passes; the first loss - cross_entropy; later losses and norms - adamw, cosine, clipping, src/stage/train.c.
 * Of recurrent: src/ops/scan.c, src/run/plan/loop.c, gru of stdlib/nn.cg. Of noise: src/ops/generate.c,
 * src/library/random.c, dropout of stdlib/nn.cg. Of rows: src/data/examples.c, weights of a loss. Of trainings: the
 * layers and optimisers each of them is made of; of gan: src/stage/turns.c. */
#include <math.h>
#include <stdlib.h>
#include <unistd.h>

#include "experiment/experiment.h"
#include "tap.h"

/* Largest difference over largest element. */
static double differs(const CgTensor *found, const CgTensor *expected)
{
    const float *have = found->data, *want = expected->data;
    double difference = 0, largest = 0;
    for (int64_t i = 0; i < cg_tensor_count(expected); i++) {
        difference = fmax(difference, isnan(have[i]) ? INFINITY : fabs((double)have[i] - (double)want[i]));
        largest = fmax(largest, fabs((double)want[i]));
    }
    return cg_tensor_count(found) == cg_tensor_count(expected) ? difference / largest : INFINITY;
}

/* The gradients of the first step: the graph that training runs, with the weights it starts from. */
static void check_gradients(CgSession *x, const CgTensors *weights, const CgTensors *batches,
    const CgTensors *reference, int gradients, double most)
{
    const CgStage *s = x->stages.at[0];
    const CgGraph *g = s->turns[0].graph;
    CgErr e = { 0 };
    CgBinding rows = { cg_intern("batch"), s->batch };
    CgPlan *plan = cg_plan_build(g, (CgBindings){ &rows, 1 }, (CgPlanOptions){ 0 }, &e);
    CgExec *exec = plan ? cg_exec_new(plan, x->pool, &e) : NULL;
    double worst = 0;
    const char *which = "";
    int compared = 0;
    for (size_t i = 0; exec && i < g->params.len; i++)
        cg_exec_bind_param(exec, (int)i, cg_tensors_find(weights, cg_node_name(g, g->params.at[i]))->data);
    for (size_t i = 0; exec && i < g->inputs.len; i++)
        cg_exec_bind_input(exec, (int)i, cg_tensors_find(batches, cg_node_name(g, g->inputs.at[i]))->data);
    if (exec) {
        cg_exec_random(exec, cg_session_seed(x, s->seed), 0, 0);
        CG_ASSERT(cg_exec_run(exec), "indices are within their tables");
    }
    for (size_t i = 0; exec && i < g->outputs.len; i++) {
        const CgTensor *expected = cg_tensors_find(reference, g->outputs.at[i].name);
        CgTensor found = cg_exec_output(exec, (int)i);
        if (!expected)
            continue;
        compared++;
        double by = cg_tensor_contiguous(&found) ? differs(&found, expected) : INFINITY;
        if (by > worst)
            worst = by, which = g->outputs.at[i].name;
    }
    tap_ok(compared == gradients && worst < most, "%d gradients of the first step (%.1e, %s)", compared, worst, which);
    cg_exec_free(exec);
    cg_plan_free(plan);
}

/* The largest relative difference of a metric from its reference. */
static double metric_differs(CgStore *store, const char *name, const CgTensor *expected)
{
    CgErr e = { 0 };
    CgTable *t = cg_store_metrics(store, 1, &e);
    if (!t)
        return INFINITY;
    int step = cg_table_find(t, "step", &e), value = cg_table_find(t, "value", &e),
        called = cg_table_find(t, "name", &e);
    const double *want = expected->data;
    double worst = 0;
    int64_t seen = 0;
    for (size_t i = 0; i < t->rows; i++) {
        int64_t at = (int64_t)cg_table_number(t, i, step) - 1;
        if (strcmp(t->column[called].at[i].text, name) != 0 || at < 0 || at >= expected->dim[0])
            continue;
        worst = fmax(worst, fabs(cg_table_number(t, i, value) / want[at] - 1));
        seen++;
    }
    cg_table_free(t);
    return seen == expected->dim[0] ? worst : INFINITY;
}

static void check_training(const char *store, const CgTensors *reference)
{
    CgErr e = { 0 };
    CgStore *s = cg_store_open(store, &e);
    if (!tap_ok(s != NULL, "the store is there"))
        return;
    double losses = metric_differs(s, "loss", cg_tensors_find(reference, "losses"));
    double norms = metric_differs(s, "gradient_norm", cg_tensors_find(reference, "norms"));
    tap_ok(losses < 1e-5, "all losses (%.1e)", losses);
    tap_ok(norms < 1e-4, "all gradient norms (%.1e)", norms);
    cg_store_close(s);
}

/* The losses of each TASK.cg in the folder NAME, whose reference has them all. */
static void check_losses(const char *name, const char *const *tasks, size_t ntasks)
{
    const char *srcdir = getenv("srcdir");
    char there[512], here[512];
    snprintf(there, sizeof there, "%s/tests/conformance/%s", srcdir ? srcdir : ".", name);
    if (!tap_ok(getcwd(here, sizeof here) && chdir(there) == 0, "the folder of %s", name))
        return;
    CgTensors reference = { 0 };
    CgErr e = { 0 };
    if (!tap_ok(cg_safetensors_read("reference.safetensors", &reference, &e), "reference of %s %s", name, e.text))
        return;
    for (size_t i = 0; i < ntasks; i++) {
        char script[64], losses_of[64], folder[600];
        snprintf(script, sizeof script, "%s.cg", tasks[i]);
        snprintf(losses_of, sizeof losses_of, "%s.losses", tasks[i]);
        snprintf(folder, sizeof folder, "%s/%s-%s", here, name, tasks[i]);
        CgSessionOpts opts = { .threads = 2, .quiet = true, .store = folder };
        CgSession *x = cg_experiment_new(script, &opts);
        FILE *out = tmpfile();
        int code = out && cg_diags_count(x->diags) == 0 ? cg_experiment_run(x, out) : 1;
        cg_diags_print(x->diags, stderr, false);
        cg_experiment_free(x);
        if (out)
            fclose(out);
        CgStore *store = code ? NULL : cg_store_open(folder, &e);
        double losses = store ? metric_differs(store, "loss", cg_tensors_find(&reference, losses_of)) : INFINITY;
        tap_ok(losses < 1e-5, "%s: twenty losses (%.1e)", tasks[i], losses);
        cg_store_close(store);
    }
    cg_tensors_free(&reference);
    tap_ok(chdir(here) == 0, "and back");
}

/* NAME.cg in the folder NAME: so many gradients, off by less than `most`. */
static void check(const char *name, int gradients, double most)
{
    const char *srcdir = getenv("srcdir");
    char folder[512], here[512], store[600], script[64];
    CgTensors weights = { 0 }, batches = { 0 }, reference = { 0 };
    CgErr e = { 0 };
    bool there = getcwd(here, sizeof here) != NULL;
    snprintf(folder, sizeof folder, "%s/tests/conformance/%s", srcdir ? srcdir : ".", name);
    snprintf(store, sizeof store, "%s/store.%s", there ? here : ".", name);
    snprintf(script, sizeof script, "%s.cg", name);
    if (!tap_ok(there && chdir(folder) == 0, "the folder of %s", name))
        return;
    bool read = cg_safetensors_read("weights.safetensors", &weights, &e)
        && cg_safetensors_read("batches.safetensors", &batches, &e)
        && cg_safetensors_read("reference.safetensors", &reference, &e);
    if (tap_ok(read, "the reference of %s %s", name, e.text)) {
        CgSessionOpts opts = { .threads = 2, .quiet = true, .store = store };
        CgSession *x = cg_experiment_new(script, &opts);
        FILE *out = tmpfile();
        int code = out && cg_diags_count(x->diags) == 0 ? cg_experiment_run(x, out) : 1;
        cg_diags_print(x->diags, stderr, false);
        if (tap_ok(code == 0 && x->stages.len == 1, "%s runs", script))
            check_gradients(x, &weights, &batches, &reference, gradients, most);
        cg_experiment_free(x);
        if (out)
            fclose(out);
        check_training(store, &reference);
    }
    cg_tensors_free(&weights);
    cg_tensors_free(&batches);
    cg_tensors_free(&reference);
    tap_ok(chdir(here) == 0, "and back");
}

int main(void)
{
    check("transformer", 20, 1e-5);
    check("recurrent", 6, 1e-6);
    check("noise", 10, 1e-5);
    static const char *const rows[] = { "pair", "questions", "regression" };
    static const char *const trainings[] = { "resnet", "lstm", "vae", "gan", "moe", "lora", "optimisers" };
    check_losses("rows", rows, CG_LEN(rows));
    check_losses("trainings", trainings, CG_LEN(trainings));
    return tap_done();
}
