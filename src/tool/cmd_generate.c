/* cmd_generate.c - cg generate SCRIPT.cg [MODEL] --prompt TEXT.
 * Takes a script with a model; gives text that goes on from the prompt, on stdout while it is written, as whole
 * characters. A model that is not trained yet is trained first. An interrupt ends the text where it stands. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "experiment/prompt.h"
#include "tool/script.h"

/* ---- what is heard ---------------------------------------------------------------------------------------------- */

typedef struct Printed {
    size_t n;      /* bytes of the text */
    bool terminal; /* control characters would act there: they are shown */
} Printed;

/* Bytes of the UTF-8 character at `at`; 0 where more are needed to say so, -1 where it is none. */
static int character(const char *at, size_t n)
{
    const unsigned char *u = (const unsigned char *)at;
    int length = u[0] < 0x80          ? 1
        : u[0] >= 0xc2 && u[0] < 0xe0 ? 2
        : (u[0] & 0xf0) == 0xe0       ? 3
        : u[0] >= 0xf0 && u[0] < 0xf5 ? 4
                                      : -1;
    for (int i = 1; i < length; i++) {
        if ((size_t)i >= n)
            return 0;
        if ((u[i] & 0xc0) != 0x80
            || (i == 1
                && ((u[0] == 0xe0 && u[1] < 0xa0) || (u[0] == 0xed && u[1] > 0x9f) || (u[0] == 0xf0 && u[1] < 0x90)
                    || (u[0] == 0xf4 && u[1] > 0x8f))))
            return -1;
    }
    return length;
}

/* Whole characters of said[p->n .. sure); with `all` what is none, too. */
static void print(Printed *p, const char *said, size_t sure, bool all)
{
    while (p->n < sure) {
        const char *at = said + p->n;
        int n = character(at, sure - p->n);
        if (n == 0 && !all)
            break;
        if (n <= 0)
            fputs("\xef\xbf\xbd", stdout);
        else if (n == 1 && p->terminal && ((unsigned char)*at < ' ' || *at == 0x7f) && *at != '\n' && *at != '\t')
            printf("\\x%02x", (unsigned)(unsigned char)*at);
        else
            fwrite(at, 1, (size_t)n, stdout);
        p->n += n > 0 ? (size_t)n : 1;
    }
    fflush(stdout);
}

typedef struct Heard {
    const char *prompt; /* stands before the text; NULL: it was printed */
    Printed printed;
    CgStrbuf said; /* the last state of the text */
} Heard;

static void print_prompt(Heard *h)
{
    Printed prompt = { .terminal = h->printed.terminal };
    if (h->prompt)
        print(&prompt, h->prompt, strlen(h->prompt), true);
    h->prompt = NULL;
}

static void hear(void *arg, const char *said, size_t sure)
{
    Heard *h = arg;
    print_prompt(h);
    print(&h->printed, said, sure, false);
    h->said.len = 0;
    cg_strbuf_write(&h->said, said, sure);
}

/* ---- the command ------------------------------------------------------------------------------------------------ */

typedef struct Asked {
    const char *prompt, *number[8];
    CgStrings stops;
    const char *kept;
    bool past_end, only_new;
} Asked;

static const struct {
    const char *option, *parameter;
    bool whole;
} numbers[] = { { "new", "new", true }, { "temperature", "temperature", false }, { "top-k", "top_k", true },
    { "top-p", "top_p", false }, { "min-p", "min_p", false }, { "repetition", "repetition", false },
    { "seed", "seed", true }, { "beams", "beams", true } };

/* What the options say, as arguments of generate; CG_EXIT_OK, or CG_EXIT_USAGE after saying what is wrong. */
static int read_args(CgElab *e, const Asked *asked, CgPromptArg *out, int *n)
{
    *n = 0;
    out[(*n)++] = (CgPromptArg){ "prompt", cg_value_str(e, asked->prompt ? asked->prompt : "", (CgSpan){ 0 }) };
    out[(*n)++] = (CgPromptArg){ "past_end", cg_value_bool(e, asked->past_end, (CgSpan){ 0 }) };
    for (size_t i = 0; i < CG_LEN(numbers); i++) {
        const char *text = asked->number[i];
        char *end = NULL;
        int64_t whole = 0;
        double number = text ? strtod(text, &end) : 0;
        if (!text)
            continue;
        if (numbers[i].whole && !cg_option_number("generate", numbers[i].option, text, INT64_MIN, INT64_MAX, &whole))
            return CG_EXIT_USAGE;
        if (!numbers[i].whole && (end == text || *end || !isfinite(number)))
            return cg_usage("generate", "--%s takes a number, not '%s'", numbers[i].option, text);
        out[(*n)++] = (CgPromptArg){ numbers[i].parameter,
            numbers[i].whole ? cg_value_int(e, whole, (CgSpan){ 0 }) : cg_value_float(e, number, (CgSpan){ 0 }) };
    }
    if (asked->kept)
        out[(*n)++] = (CgPromptArg){ "kept", cg_value_str(e, asked->kept, (CgSpan){ 0 }) };
    CgValue *stops = cg_value_list(e, (int)asked->stops.len, (CgSpan){ 0 });
    for (int i = 0; i < stops->n; i++)
        stops->at[i] = cg_value_str(e, asked->stops.at[i], (CgSpan){ 0 });
    if (stops->n)
        out[(*n)++] = (CgPromptArg){ "stop", stops };
    return CG_EXIT_OK;
}

static int make(const char *path, const CgSessionOpts *opts, const Asked *asked, CgPrompt *p)
{
    CgSession *x = cg_experiment_new(path, opts);
    CgPromptArg args[16];
    Heard heard = { .printed = { .terminal = isatty(STDOUT_FILENO) } };
    int code = cg_diags_count(x->diags) ? CG_EXIT_OK : read_args(x->elab, asked, args, &p->nargs);
    if (code == CG_EXIT_OK) {
        p->args = args;
        p->heard = hear;
        p->arg = &heard;
        heard.prompt = asked->only_new ? NULL : asked->prompt;
        bool good = cg_prompt_write(x, p);
        if (good)
            print_prompt(&heard);
        print(&heard.printed, cg_strbuf_str(&heard.said), heard.said.len, true);
        if (good || heard.said.len)
            putchar('\n');
        fflush(stdout);
        cg_diags_print(x->diags, stderr, cg_wants_colour());
        code = cg_diags_exit_code(x->diags);
    }
    cg_strbuf_deinit(&heard.said);
    cg_experiment_free(x);
    return code;
}

static const char synopsis[] =
    "SCRIPT.cg [MODEL] --prompt TEXT\nwrites text that goes on from the prompt: MODEL is an expression, the last model "
    "of the script with weights unless given";

static int run(const char *path, CgStrings *set, CgSessionOpts *opts, const Asked *asked, CgPrompt *prompt)
{
    CgScriptArgs args;
    int code = cg_script_args("generate", set, &(CgStrings){ 0 }, &args);
    if (code == CG_EXIT_OK) {
        opts->settings = args.settings;
        opts->nsettings = args.nsettings;
        code = make(path, opts, asked, prompt);
    }
    cg_script_args_free(&args);
    return code;
}

static int command(int argc, char **argv)
{
    CgStrings set = { 0 };
    const char *threads = NULL, *store = NULL;
    Asked asked = { .prompt = "" };
    CgPrompt prompt = { 0 };
    bool quiet = false;
    const CgOption options[] = {
        { .name = "prompt",
            .arg = "TEXT",
            .value = &asked.prompt,
            .letter = 'p',
            .help = "what the text goes on from" },
        { .name = "new",
            .arg = "N",
            .value = &asked.number[0],
            .letter = 'n',
            .help = "tokens at most; 200 unless given" },
        { .name = "temperature",
            .arg = "X",
            .value = &asked.number[1],
            .letter = 't',
            .help = "0, the likeliest token, unless given; 1 draws by the model's own probabilities" },
        { .name = "top-k", .arg = "N", .value = &asked.number[2], .help = "draws from the N likeliest tokens" },
        { .name = "top-p",
            .arg = "X",
            .value = &asked.number[3],
            .help = "from the fewest that together have this probability" },
        { .name = "min-p",
            .arg = "X",
            .value = &asked.number[4],
            .help = "from those at least this share as likely as the likeliest" },
        { .name = "repetition",
            .arg = "X",
            .value = &asked.number[5],
            .help = "above 1: tokens that are there become rarer" },
        { .name = "seed", .arg = "N", .value = &asked.number[6], .help = "another one draws other tokens" },
        { .name = "beams",
            .arg = "N",
            .value = &asked.number[7],
            .help = "searches the likeliest text with so many hypotheses; printed at its end" },
        { .name = "stop", .arg = "TEXT", .list = &asked.stops, .help = "ends the text, and is left out" },
        { .name = "past-end", .flag = &asked.past_end, .help = "goes on where the model ends the text" },
        { .name = "only-new", .flag = &asked.only_new, .help = "does not print the prompt" },
        { .name = "tokenizer",
            .arg = "NAME",
            .value = &prompt.tokenizer,
            .help = "that of the model's training, or the script's only one, unless given" },
        { .name = "weights",
            .arg = "FILE",
            .value = &prompt.weights,
            .help = "a .safetensors file, instead of what the model has" },
        { .name = "kept",
            .arg = "TYPE",
            .value = &asked.kept,
            .help = "what matrices are kept in while text is written: bf16 or int8 is faster, and less exact" },
        { .name = "set", .arg = "NAME=VALUE", .list = &set, .help = "the value of an option of the script" },
        { .name = "threads", .arg = "N", .value = &threads, .help = "threads; all this process may use unless given" },
        { .name = "store",
            .arg = "FOLDER",
            .value = &store,
            .help = "where trained models are kept; $CG_STORE or .cg" },
        { .name = "quiet", .flag = &quiet, .help = "no progress" },
    };
    int code;
    if (!cg_options(&argc, argv, synopsis, options, CG_LEN(options), &code))
        return code;
    if (argc != 2 && argc != 3)
        return cg_usage("generate", "a script is needed, and the name of one of its models may follow");
    prompt.model = argc == 3 ? argv[2] : NULL;
    CgSessionOpts opts = { .quiet = quiet, .store = store };
    if (!cg_option_threads("generate", threads, &opts.threads))
        return CG_EXIT_USAGE;
    return run(argv[1], &set, &opts, &asked, &prompt);
}

CG_COMMAND(generate, "writes text with a model, as it comes", command)
