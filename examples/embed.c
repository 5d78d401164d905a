/* embed.c - cg in a program: what the header cg/cg.h is for, once each. Run it in this folder:
 *
 *     cc embed.c $(pkg-config --cflags --libs cg) -o embed && ./embed
 *
 * It checks a script, lists its graphs, computes one with its derivative on an array, trains a model with an option set
 * and its progress shown, reads a table, a number and parameters, and says what is wrong with a script that is. */
#include <cg/cg.h>
#include <inttypes.h>
#include <stdlib.h>

/* Ends the program with what is wrong with the script. */
static void need(bool good, CgScript *s)
{
    if (good)
        return;
    fputs(cg_script_message(s), stderr);
    cg_script_close(s);
    exit(1);
}

static void on_progress(void *arg, const CgProgressState *state)
{
    int64_t *last = arg;
    if (state->done / 10 > *last / 10)
        printf("  %s: %" PRId64 " of %" PRId64 " steps, %s is there: %s\n", state->work, state->done, state->total,
            state->name[0], state->value[0] < 1e6 ? "yes" : "no");
    *last = state->done;
}

static void on_note(void *arg, const char *sentence)
{
    (void)arg;
    (void)sentence; /* notes and warnings: a program with a window would show them */
}

static void compute(CgScript *s)
{
    float x[3] = { 2, 3, 6 };
    const int64_t dim[1] = { 3 };
    char name[] = "x";
    const CgNamed in = { name, cg_tensor(CG_F32, x, 1, dim) };
    const CgComputeOptions options = { .grad = "0", .wrt = "x" };
    const CgNamed *out;
    CgComputation *c = cg_compute_open(s, "norm(scale = 3.0)", &in, 1, &options);
    need(c != NULL, s);
    for (int turn = 0; turn < 2; turn++, x[0] = -2) { /* once prepared, for many arrays */
        need(cg_compute(c, &in, 1), s);
        size_t n = cg_compute_results(c, &out);
        for (size_t i = 0; i < n; i++) {
            printf("  %s =", out[i].name);
            for (int64_t k = 0; k < cg_tensor_count(&out[i].tensor); k++)
                printf(" %.4g", (double)((const float *)out[i].tensor.data)[k]);
            putchar('\n');
        }
    }
    cg_compute_close(c);
}

static void train(CgScript *s)
{
    const CgNamed *parameter;
    double off = 0;
    need(cg_script_make(s, "fit"), s);
    const CgTable *t = cg_script_table(s, "scores");
    need(t != NULL, s);
    printf("  %zu rows of", cg_table_rows(t));
    for (int k = 0; k < cg_table_columns(t); k++)
        printf(" %s", cg_table_name(t, k));
    need(cg_script_number(s, "mean(scores.off)", &off), s);
    double sum = 0;
    for (size_t i = 0; i < cg_table_rows(t); i++)
        sum += cg_table_number(t, i, 1);
    printf("; their mean %s that of the script\n",
        sum / (double)cg_table_rows(t) - off < 1e-6 * off && off - sum / (double)cg_table_rows(t) < 1e-6 * off
            ? "is"
            : "is not");
    size_t n = cg_script_tensors(s, "fit", &parameter);
    need(n > 0, s);
    for (size_t i = 0; i < n; i++)
        printf("  parameter %s of %" PRId64 " numbers\n", parameter[i].name, cg_tensor_count(&parameter[i].tensor));
}

static void mistakes(void)
{
    const CgScriptOptions options = { .text = "graph g(x: f32[N]) -> f32[N] { return x + y }\nshow sum([1, 2)\n" };
    const CgDiagnostic *d;
    CgScript *s = cg_script_open("wrong.cg", &options);
    size_t n = cg_script_diagnostics(s, &d);
    for (size_t i = 0; i < n; i++)
        printf("  %s:%d:%d %s: %s\n", d[i].file, d[i].line, d[i].column, d[i].code, d[i].message);
    cg_script_close(s);
}

int main(void)
{
    const char *const set[] = { "steps=20" };
    int64_t last = 0;
    CgListener listener = { .progress = on_progress, .say = on_note, .arg = &last };
    const CgScriptOptions options = { .set = set, .nset = 1, .threads = 2, .listener = &listener };
    const CgGraphInfo *graph;
    CgScript *s = cg_script_open("embed.cg", &options);
    need(cg_script_good(s), s);
    puts("graphs:");
    size_t n = cg_script_graphs(s, &graph);
    for (size_t i = 0; i < n; i++)
        printf("  %s\n    %s\n", graph[i].signature, graph[i].doc);
    puts("computed:");
    compute(s);
    puts("trained:");
    train(s);
    cg_script_close(s);
    puts("wrong:");
    mistakes();
    return 0;
}
