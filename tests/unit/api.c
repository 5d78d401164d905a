/* api.c - does a program that has the library in it get what scripts mean, and every misuse as data?
 * Takes nothing; prints TAP. Works in a scratch folder that it removes. Accuses src/experiment/{api,computation}.c,
 * src/base/{diag_data,progress}.c. */
#include <cg/cg.h>
#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include "tap.h"

static const char script[] =
    "cg 2\n"
    "option steps: int = 12\n"
    "## Squares.\n"
    "graph square(x: f32[B, D], power: int = 2) -> f32[B, D], f32 { return x ^ power, sum(x) }\n"
    "graph turned(x: f32[B, D]) -> f32[D, B] { return transpose(x) }\n"
    "graph pick(x: f32[B, D], ids: i32[N]) -> f32[N, D] { return take(x, ids) }\n"
    "graph line(x: f32[B, D]) -> f32[B] {\n"
    "    param w: f32[D] = zeros()\n"
    "    return sum(x * w, axis = 1)\n"
    "}\n"
    "rows = arrays({ x: \"x.csv\", y: \"y.csv\" })\n"
    "fit = train line() as m { data = rows, loss = squared_error(m(batch.x), batch.y), batch = 4,\n"
    "    optimizer = adamw(rate = 0.1, decay = 0), steps = steps }\n"
    "scores = evaluate fit on rows as m { off = abs(m(batch.x) - batch.y) }\n";

static CgScript *open_script(CgListener *listener, const char *setting)
{
    const CgScriptOptions options = {
        .text = script, .set = &setting, .nset = setting != NULL, .threads = 1, .store = "store", .listener = listener
    };
    return cg_script_open("api.cg", &options);
}

/* The first thing that is wrong, as "CODE message". */
static const char *wrong(CgScript *s)
{
    static char text[600];
    const CgDiagnostic *d;
    size_t n = cg_script_diagnostics(s, &d);
    snprintf(text, sizeof text, "%s %s", n ? d[0].code : "", n ? d[0].message : "nothing");
    return text;
}

static void is_wrong(CgScript *s, bool good, const char *expected)
{
    tap_ok(!good && !strncmp(wrong(s), expected, strlen(expected)), "refused: %s", expected);
    if (strncmp(wrong(s), expected, strlen(expected)) != 0)
        printf("# found: %s\n", wrong(s));
}

static float given[6] = { 1, -2, 3, 5, 7, 11 };
static char name_x[] = "x", name_w[] = "w", name_y[] = "y", name_ids[] = "ids";

static CgNamed x_of(int64_t rows, int64_t columns)
{
    return (CgNamed){ name_x, cg_tensor(CG_F32, given, 2, (int64_t[]){ rows, columns }) };
}

static void test_compute(CgScript *s)
{
    CgNamed x = x_of(2, 3);
    const CgNamed *out;
    const CgComputeOptions by_x = { .grad = "square.0", .wrt = "x" };
    CgComputation *c = cg_compute_open(s, "square(power = 3)", &x, 1, &by_x);
    tap_ok(c && cg_compute(c, &x, 1) && cg_compute_results(c, &out) == 3, "two results and a derivative");
    if (!c)
        return;
    bool same = out[1].tensor.rank == 0 && ((const float *)out[1].tensor.data)[0] == 25;
    for (int i = 0; i < 6; i++)
        same = same && fabsf(((const float *)out[0].tensor.data)[i] - given[i] * given[i] * given[i]) < 1e-3F
            && fabsf(((const float *)out[2].tensor.data)[i] - 3 * given[i] * given[i]) < 1e-3F;
    tap_ok(same && !strcmp(out[2].name, "grad.x"), "cubes and three squares");
    tap_ok(given[1] == -2 && given[5] == 11, "what was given is as it was");
    is_wrong(s, cg_compute(c, NULL, 0), "E0901 there is no data for 'x'");
    CgNamed other = x_of(3, 2), twice[2] = { x, x };
    is_wrong(s, cg_compute(c, &other, 1), "E0901 'x' has another type");
    is_wrong(s, cg_compute(c, twice, 2), "E0901 more is given");
    other = x;
    other.tensor.data = (char *)given + 1;
    is_wrong(s, cg_compute(c, &other, 1), "E0901 the data of 'x' are not aligned");
    tap_ok(cg_compute(c, &x, 1), "and it computes again");
    cg_compute_close(c);
    c = cg_compute_open(s, "turned", &x, 1, NULL);
    tap_ok(c && cg_compute(c, &x, 1) && cg_compute_results(c, &out) == 1 && out[0].tensor.stride[0] == 2
            && ((const float *)out[0].tensor.data)[1] == 5 && ((const float *)out[0].tensor.data)[2] == -2,
        "a transposed result lies row major");
    cg_compute_close(c);
    float w[3] = { 1, 10, 100 };
    CgNamed both[2] = { x, { name_w, cg_tensor(CG_F32, w, 1, (int64_t[]){ 3 }) } };
    c = cg_compute_open(s, "line()", both, 2, NULL);
    tap_ok(c && cg_compute(c, both, 2) && cg_compute_results(c, &out) == 1
            && ((const float *)out[0].tensor.data)[0] == 281,
        "a parameter that is given");
    cg_compute_close(c);
}

static void test_misuse(CgScript *s)
{
    CgNamed x = x_of(2, 3), wrong_rank = { name_x, cg_tensor(CG_F32, given, 1, (int64_t[]){ 6 }) },
            extra[2] = { x, { name_y, x.tensor } }, twice[2] = { x, x }, strided = x, no_type = x;
    const CgComputeOptions no_output = { .grad = "cube" }, no_leaf = { .grad = "0", .wrt = "z" };
    double number;
    is_wrong(s, cg_compute_open(s, "sqare", &x, 1, NULL), "E0301");
    is_wrong(s, cg_compute_open(s, "square(", &x, 1, NULL), "E0102");
    is_wrong(s, cg_compute_open(s, "3", &x, 1, NULL), "E0305 a graph or a model is wanted");
    is_wrong(s, cg_compute_open(s, "square", NULL, 0, NULL), "E0304 'square' needs a tensor for 'x'");
    is_wrong(s, cg_compute_open(s, "square", &wrong_rank, 1, NULL), "E0401");
    is_wrong(s, cg_compute_open(s, "square", extra, 2, NULL), "E0301 'square' has no input and no parameter 'y'");
    is_wrong(s, cg_compute_open(s, "square", twice, 2, NULL), "E0901 'x' is given twice");
    is_wrong(s, cg_compute_open(s, "square", &x, 1, &no_output), "E0301 'square' has no output 'cube'");
    is_wrong(s, cg_compute_open(s, "square", &x, 1, &no_leaf), "E0301 wrt 'z'");
    strided.tensor.stride[0] = 7;
    is_wrong(s, cg_compute_open(s, "square", &strided, 1, NULL), "E0901 axis 0 of 'x' has the size 2 and the stride 7");
    no_type.tensor.dtype = CG_ROUNDED;
    is_wrong(s, cg_compute_open(s, "square", &no_type, 1, NULL), "E0901 'x' has no type");
    int32_t ids[2] = { 0, 5 };
    CgNamed picked[2] = { x, { name_ids, cg_tensor(CG_I32, ids, 1, (int64_t[]){ 2 }) } };
    CgComputation *c = cg_compute_open(s, "pick", picked, 2, NULL);
    is_wrong(s, !c || cg_compute(c, picked, 2), "E0605");
    ids[1] = 1;
    tap_ok(c && cg_compute(c, picked, 2), "an index outside of its table, then one inside");
    cg_compute_close(c);
    is_wrong(s, cg_script_number(s, "scores", &number), "E0305 'scores' is a");
    is_wrong(s, cg_script_number(s, "mean(scores.of)", &number), "E0302");
    is_wrong(s, cg_script_table(s, "1 + 1") != NULL, "E0305 '1 + 1' is an integer, not a table");
    is_wrong(s, cg_script_tensors(s, "line()", &(const CgNamed *){ NULL }) > 0, "E0305");
    is_wrong(s, cg_script_text(s, "fit fit") != NULL, "E0101");
    is_wrong(s, cg_script_make(s, "load(\"gone.safetensors\")"), "E0");
}

static void test_values(CgScript *s)
{
    double number = 0;
    const CgNamed *tensor;
    const CgGraphInfo *graph;
    tap_ok(cg_script_graphs(s, &graph) == 4 && !strcmp(graph[0].doc, "Squares.")
            && !strcmp(graph[0].signature, "graph square(x: f32[B, D], power: int = 2) -> f32[B, D], f32"),
        "its graphs");
    tap_ok(cg_script_number(s, "steps + 0.5", &number) && number == 5.5, "an option that was set");
    const CgTable *t = cg_script_table(s, "scores");
    tap_ok(t && cg_table_rows(t) == 4 && cg_table_columns(t) == 1 && !strcmp(cg_table_name(t, 0), "off"), "a table");
    tap_ok(t && isnan(cg_table_number(t, 4, 0)) && isnan(cg_table_number(t, 0, 1)) && !cg_table_text(t, 0, 0)
            && !cg_table_name(t, 7),
        "outside of it there is nothing");
    tap_ok(cg_script_number(s, "max(scores.off)", &number) && number >= cg_table_number(t, 2, 0), "a statistic of it");
    tap_ok(cg_script_tensors(s, "fit", &tensor) == 1 && !strcmp(tensor[0].name, "w") && tensor[0].tensor.dim[0] == 3,
        "a trained parameter");
    tap_ok(cg_script_tensors(s, "tensor([[1.5, 2.5]], f32)", &tensor) == 1
            && ((const float *)tensor[0].tensor.data)[1] == 2.5F,
        "a tensor");
    const char *text = cg_script_text(s, "2 + 3");
    tap_is(text ? text : "", "5\n", "what show prints");
}

typedef struct Seen {
    int calls, stop_at;
    double loss;
    CgListener *listener;
} Seen;

static void see(void *arg, const CgProgressState *state)
{
    Seen *seen = arg;
    for (int i = 0; i < state->n; i++)
        if (!strcmp(state->name[i], "loss"))
            seen->loss = state->value[i];
    if (strstr(state->work, "train") && ++seen->calls == seen->stop_at)
        seen->listener->stop = true;
}

/* A training that is stopped goes on where it was, and ends in the same bits. */
static void test_stop(void)
{
    Seen seen = { .stop_at = 3 }, again = { 0 };
    CgListener listener = { .progress = see, .arg = &seen }, rest = { .progress = see, .arg = &again };
    const CgNamed *w;
    float kept[3] = { 0 };
    seen.listener = &listener;
    again.listener = &rest;
    CgScript *s = open_script(&listener, "steps=9");
    is_wrong(s, cg_script_make(s, "fit"), "E0904");
    is_wrong(s, cg_script_make(s, "fit"), "E0901 this failed before");
    tap_ok(seen.calls == 3 && isfinite(seen.loss), "stopped when it was asked to");
    cg_script_close(s);
    s = open_script(&rest, "steps=9");
    bool good = cg_script_tensors(s, "fit", &w) == 1;
    if (good)
        memcpy(kept, w[0].tensor.data, sizeof kept);
    tap_ok(good && again.calls == 6, "and went on from there");
    cg_script_close(s);
    const CgScriptOptions elsewhere = {
        .text = script, .set = (const char *const[]){ "steps=9" }, .nset = 1, .store = "elsewhere"
    };
    s = cg_script_open("api.cg", &elsewhere);
    tap_ok(cg_script_tensors(s, "fit", &w) == 1 && !memcmp(kept, w[0].tensor.data, sizeof kept),
        "with the bits of one without a break");
    cg_script_close(s);
}

static void *in_thread(void *arg)
{
    float *out = arg;
    CgNamed x = x_of(2, 3);
    const CgNamed *result;
    CgScript *s = open_script(NULL, NULL);
    for (int i = 0; i < 20; i++) {
        CgComputation *c = cg_compute_open(s, i % 2 ? "square" : "square(power = 4)", &x, 1, NULL);
        if (c && cg_compute(c, &x, 1) && cg_compute_results(c, &result) == 2)
            *out += ((const float *)result[0].tensor.data)[1];
        cg_compute_close(c);
    }
    cg_script_close(s);
    return NULL;
}

static void test_threads(void)
{
    pthread_t thread[3];
    float sum[3] = { 0 };
    for (int i = 0; i < 3; i++)
        pthread_create(&thread[i], NULL, in_thread, &sum[i]);
    for (int i = 0; i < 3; i++)
        pthread_join(thread[i], NULL);
    tap_ok(sum[0] == 200 && sum[1] == 200 && sum[2] == 200, "three threads with a script each");
}

static void test_broken(void)
{
    const CgDiagnostic *d;
    double number;
    CgScript *s = cg_script_open("nowhere.cg", NULL);
    is_wrong(s, cg_script_good(s), "E0902");
    is_wrong(s, cg_script_number(s, "1", &number), "E0902");
    cg_script_close(s);
    CgScriptOptions options = { .text = "graph g(x: f32[N]) -> f32[N] {\n    return x + yy\n}\nshow [1, 2\n" };
    s = cg_script_open("broken.cg", &options);
    size_t n = cg_script_diagnostics(s, &d);
    tap_ok(n >= 1 && !strcmp(d[0].file, "broken.cg") && d[0].line >= 2 && d[0].exit == 1, "where it is broken");
    tap_ok(strstr(cg_script_message(s), "broken.cg:") != NULL, "and in words");
    is_wrong(s, cg_compute_open(s, "g", NULL, 0, NULL), "E");
    cg_script_close(s);
    options.text = "show \xff\xfe\n";
    s = cg_script_open("bytes.cg", &options);
    is_wrong(s, cg_script_good(s), "E0");
    cg_script_close(s);
    options.text = "option a: int = 1\nshow a\n";
    options.set = (const char *const[]){ "b=2" };
    options.nset = 1;
    s = cg_script_open("option.cg", &options);
    is_wrong(s, cg_script_good(s), "E0");
    cg_script_close(s);
    cg_script_close(NULL);
    cg_compute_close(NULL);
}

static void write_file(const char *path, const char *text)
{
    FILE *f = fopen(path, "w");
    if (f) {
        fputs(text, f);
        fclose(f);
    }
}

int main(void)
{
    char folder[] = "/tmp/cg-api.XXXXXX", command[64];
    if (!mkdtemp(folder) || chdir(folder) != 0)
        return 1;
    write_file("x.csv", "1,2,3\n4,5,6\n7,8,10\n1,0,2\n");
    write_file("y.csv", "1\n2\n3\n5\n");
    CgScript *s = open_script(NULL, "steps=5");
    tap_ok(cg_script_good(s), "a script without mistakes");
    if (!cg_script_good(s))
        printf("# %s\n", cg_script_message(s));
    test_compute(s);
    test_misuse(s);
    test_values(s);
    test_compute(s);
    cg_script_close(s);
    test_stop();
    test_threads();
    test_broken();
    snprintf(command, sizeof command, "rm -r %s", folder);
    return system(command) != 0 || tap_done();
}
