/* cmd_apply.c - cg apply SCRIPT.cg GRAPH --in NAME=DATA ... [--grad OUT --wrt x,w] --out DIR
 * Takes a graph or a model of a script and numbers for its tensors; gives its results and, with --grad, the derivatives
 * of one of them by inputs and parameters. The types of inputs are those of the data; nothing is cast. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "graph/registry.h"
#include "run/tensor.h"
#include "stage/watch.h"
#include "tool/dump.h"
#include "tool/inputs.h"

enum { SHOWN = 1000 }; /* elements of a result that are still printed */

typedef struct Asked {
    const char *path, *graph, *out, *grad;
    CgStrings wrt;
    CgDump dump;
    int64_t seed;
    int threads;
    bool debug;
    CgInputArgs in;
} Asked;

/* ---- what is given ---- */

/* ---- results ---- */

static void print_result(const char *name, const CgTensor *t)
{
    int64_t n = cg_tensor_count(t), row = t->rank ? t->dim[t->rank - 1] : 1;
    printf("%s: %s", name, cg_dtype_name(t->dtype));
    for (int i = 0; i < t->rank; i++)
        printf("%s%lld%s", i ? ", " : "[", (long long)t->dim[i], i + 1 == t->rank ? "]" : "");
    if (n > SHOWN) {
        double least = INFINITY, most = -INFINITY, sum = 0;
        for (int64_t i = 0; i < n; i++) {
            double v = cg_tensor_number(t, i);
            least = fmin(least, v), most = fmax(most, v), sum += v;
        }
        printf("  from %.6g to %.6g, mean %.6g\n", least, most, sum / (double)n);
        return;
    }
    putchar('\n');
    for (int64_t i = 0; i < n; i++) {
        if (cg_dtype_is_float(t->dtype))
            printf("%.6g", cg_tensor_number(t, i));
        else
            printf("%lld", (long long)cg_tensor_whole(t, i));
        putchar((i + 1) % row ? ' ' : '\n');
    }
}

/* A name as that of a file: what could lead out of the folder is written %2f, as in a URL, so that no two become one.
 */
static void print_escaped(const char *name, CgStrbuf *out)
{
    for (const char *at = name; *at; at++)
        if (*at == '/' || *at == '%' || (unsigned char)*at < ' ' || (at == name && *at == '.'))
            cg_strbuf_printf(out, "%%%02x", (unsigned)(unsigned char)*at);
        else
            cg_strbuf_putc(out, *at);
}

static bool write_npy(const char *folder, const CgNamed *at, int n, CgErr *e)
{
    if (!cg_io_mkdirs(folder, e))
        return false;
    bool good = true;
    for (int i = 0; good && i < n; i++) {
        CgStrbuf path = { 0 };
        cg_strbuf_printf(&path, "%s/", folder);
        print_escaped(at[i].name, &path);
        cg_strbuf_puts(&path, ".npy");
        good = cg_npy_write(cg_strbuf_str(&path), &at[i].tensor, e);
        cg_strbuf_deinit(&path);
    }
    return good;
}

static bool deliver(const CgComputation *c, const char *out)
{
    CgSession *x = c->x;
    int n = (int)c->graph->outputs.len;
    CgNamed *named = CG_NEWN(x->elab->arena, CgNamed, n + 1);
    CgErr e = { 0 };
    for (int i = 0; i < n; i++) {
        named[i].name = cg_arena_strdup(x->elab->arena, c->graph->outputs.at[i].name);
        named[i].tensor = cg_exec_output(c->exec, i);
        if (!out)
            print_result(named[i].name, &named[i].tensor);
    }
    bool good = !out
        || (cg_tensor_format_find(out) ? cg_tensors_write(out, named, n, NULL, NULL, 0, &e)
                                       : write_npy(out, named, n, &e));
    return good || cg_session_err(x, (CgSpan){ 0 }, &e);
}

/* ---- the command ---- */

static int make(Asked *asked, const CgScriptArgs *args)
{
    CgSessionOpts opts = {
        .settings = args->settings, .nsettings = args->nsettings, .threads = asked->threads, .debug = asked->debug
    };
    CgSession *x = cg_experiment_new(asked->path, &opts);
    CgComputation c = { 0 };
    CgComputationOpts how = { .sizes = args->sizes,
        .grad = asked->grad,
        .wrt = asked->wrt.at,
        .nwrt = (int)asked->wrt.len,
        .seed = asked->seed };
    CgTensorGiven *given = cg_calloc((size_t)asked->in.n + 1, sizeof *given);
    cg_givens_of(&asked->in, x->sources, given);
    if (asked->dump != CG_DUMP_NONE && asked->dump < CG_DUMP_GRAPH)
        cg_dump_script(x, args->sizes, asked->dump);
    else if (!cg_diags_count(x->diags) && cg_computation_open(&c, x, asked->graph, given, asked->in.n, &how)) {
        if (asked->dump != CG_DUMP_NONE)
            cg_dump_target(x, &c.target, (CgBindings){ 0 }, false, asked->dump);
        else if (cg_computation_plan(&c) && cg_computation_run(&c))
            deliver(&c, asked->out);
    }
    cg_watch_report(x);
    cg_diags_print(x->diags, stderr, cg_wants_colour());
    int code = cg_diags_exit_code(x->diags);
    cg_computation_close(&c);
    free(given);
    cg_experiment_free(x);
    return code;
}

static int command(int argc, char **argv)
{
    CgStrings set = { 0 }, dims = { 0 }, in = { 0 };
    const char *seed = NULL, *threads = NULL, *dump = NULL;
    bool exact = false;
    Asked asked = { 0 };
    const CgOption options[] = {
        { .name = "in",
            .arg = "NAME=DATA",
            .list = &in,
            .help = "[[1, 2.5], [3, 4]], x.npy, x.safetensors or x.safetensors:TENSOR; of an input or a parameter" },
        { .name = "grad",
            .arg = "OUT",
            .value = &asked.grad,
            .help = "adds grad.NAME: derivatives of the result OUT (its name or number), summed" },
        { .name = "wrt",
            .arg = "NAME,...",
            .list = &asked.wrt,
            .help = "by these inputs and parameters, patterns as in freeze; by all unless given" },
        { .name = "out",
            .arg = "DIR",
            .value = &asked.out,
            .letter = 'o',
            .help =
                "NAME.npy in this folder for each result, or one FILE.safetensors or FILE.npy; printed unless given" },
        { .name = "set", .arg = "NAME=VALUE", .list = &set, .help = "the value of an option of the script" },
        CG_DUMP_OPTION(&dump),
        { .name = "dim", .arg = "NAME=N", .list = &dims, .help = "a number for a size that no data tells" },
        CG_DEBUG_OPTION(&asked.debug),
        { .name = "seed", .arg = "N", .value = &seed, .help = "of parameters that are drawn, and of random ops" },
        { .name = "exact", .flag = &exact, .help = "results with the same bits on every machine" },
        { .name = "threads", .arg = "N", .value = &threads, .help = "threads; all this process may use unless given" },
    };
    static const char synopsis[] =
        "SCRIPT.cg GRAPH --in NAME=DATA ... [--grad OUT --wrt NAME,...] [--out DIR]\n"
        "computes a graph on given numbers: GRAPH is an expression, 'dense(out = 3)' or 'models.web'";
    int code;
    if (!cg_options(&argc, argv, synopsis, options, CG_LEN(options), &code))
        return code;
    if (argc != 3)
        return cg_usage("apply", "a script and a graph are needed");
    if (asked.wrt.len && !asked.grad)
        return cg_usage("apply", "--wrt says what --grad OUT differentiates by");
    if (!cg_option_number("apply", "seed", seed, INT64_MIN, INT64_MAX, &asked.seed)
        || !cg_option_threads("apply", threads, &asked.threads)
        || !cg_dump_find("apply", dump, CG_DUMP_MEM, &asked.dump))
        return CG_EXIT_USAGE;
    if (exact)
        cg_registry_want_exact();
    asked.path = argv[1];
    asked.graph = argv[2];
    CgScriptArgs args;
    code = cg_script_args("apply", &set, &dims, &args);
    if (code == CG_EXIT_OK)
        code = cg_givens_init("apply", &in, &asked.in);
    if (code == CG_EXIT_OK)
        code = make(&asked, &args);
    cg_givens_free(&asked.in);
    cg_script_args_free(&args);
    return code;
}

CG_COMMAND(apply, "computes a graph of a script on given numbers", command)
