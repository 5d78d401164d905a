/* cmd_ops.c - cg ops [NAME ...] [--json | --markdown].
 * Takes names of ops, or none for all; prints what each says of itself: for people, for programs, or as the reference
 * doc/ops.md, which is this output. Must not repeat what ops say of themselves. */
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "graph/registry.h"
#include "tool/tool.h"

/* Where the source of an op is, below src/ops/, or the whole path of a plugin's. */
static const char *file_of(const CgOp *op)
{
    const char *at = strstr(op->file, "src/ops/");
    return at ? at + strlen("src/ops/") : op->file;
}

static const char *derivative_of(const CgOp *op)
{
    return op->traits & CG_NODIFF ? "none" : op->vjp ? "rule" : "expansion";
}

/* Types of elements of the first operand that it computes, or all that its signature allows where it is a view or made
 * of other ops. */
static void dtypes_of(const CgOp *op, const char *between, CgStrbuf *out)
{
    bool any = false;
    for (int d = 0; d < CG_NDTYPE; d++)
        if (op->vec[d] || op->kernel[d]) {
            cg_strbuf_printf(out, "%s%s", any ? between : "", cg_dtype_name((CgDtype)d));
            any = true;
        }
}

static void line_of(const CgOp *op, CgStrbuf *out) { cg_strbuf_printf(out, "%s%s\n", op->name, op->sig); }

static void json_of(const CgOp *op, CgStrbuf *out)
{
    CgStrbuf dtypes = { 0 };
    dtypes_of(op, "\", \"", &dtypes);
    const char *types = cg_strbuf_str(&dtypes);
    cg_strbuf_puts(out, "  { \"name\": ");
    cg_json_string(out, op->name);
    cg_strbuf_puts(out, ", \"signature\": ");
    cg_json_string(out, op->sig);
    cg_strbuf_puts(out, ",\n    \"doc\": ");
    cg_json_string(out, op->doc);
    cg_strbuf_printf(out, ",\n    \"dtypes\": [%s%s%s], \"derivative\": \"%s\", \"elementwise\": %s, \"results\": %d, ",
        *types ? "\"" : "", types, *types ? "\"" : "", derivative_of(op),
        op->traits & CG_ELEMENTWISE ? "true" : "false", op->nout ? op->nout : 1);
    cg_strbuf_puts(out, "\"file\": ");
    cg_json_string(out, file_of(op));
    cg_strbuf_printf(out, ", \"since\": \"%s\", \"version\": %d }", op->since, op->version);
    cg_strbuf_deinit(&dtypes);
}

static void markdown_of(const CgOp *op, CgStrbuf *out)
{
    CgStrbuf dtypes = { 0 };
    dtypes_of(op, " ", &dtypes);
    cg_strbuf_printf(out, "\n## %s\n\n```\n%s%s\n```\n\n%s", op->name, op->name, op->sig, op->doc);
    cg_strbuf_printf(out, "\nDerivative: %s.%s%s%s File: `%s`.\n", derivative_of(op),
        *cg_strbuf_str(&dtypes) ? " Types: " : "", cg_strbuf_str(&dtypes), *cg_strbuf_str(&dtypes) ? "." : "",
        file_of(op));
    cg_strbuf_deinit(&dtypes);
}

static bool is_named(const CgOp *op, int argc, char **argv)
{
    for (int i = 1; i < argc; i++)
        if (!strcmp(argv[i], op->name))
            return true;
    return argc == 1;
}

static int command(int argc, char **argv)
{
    bool json = false, markdown = false, first = true;
    const CgOption options[] = {
        { .name = "json", .flag = &json, .help = "a list with an object for each op" },
        { .name = "markdown", .flag = &markdown, .help = "a section for each op: doc/ops.md" },
    };
    int code;
    if (!cg_options(&argc, argv, "[NAME ...]\nsays what ops there are, or what those named are", options,
            CG_LEN(options), &code))
        return code;
    if (json && markdown)
        return cg_usage("ops", "--json and --markdown are two forms of one answer");
    for (int i = 1; i < argc; i++)
        if (!cg_op_find(argv[i]))
            return cg_usage("ops", "there is no op '%s'", argv[i]);
    CgStrbuf out = { 0 };
    if (markdown)
        cg_strbuf_puts(&out,
            "# Ops\n\nWritten by `cg ops --markdown`. In signatures F is f32 or f64, I is i32 or i64, T any type.\n");
    cg_strbuf_puts(&out, json ? "[\n" : "");
    for (size_t i = 0; i < cg_op_count(); i++) {
        const CgOp *op = cg_op_at(i);
        if (!is_named(op, argc, argv))
            continue;
        cg_strbuf_puts(&out, json && !first ? ",\n" : "");
        (json ? json_of : markdown ? markdown_of : line_of)(op, &out);
        first = false;
    }
    cg_strbuf_puts(&out, json ? "\n]\n" : "");
    fputs(cg_strbuf_str(&out), stdout);
    cg_strbuf_deinit(&out);
    return CG_EXIT_OK;
}

CG_COMMAND(ops, "lists the ops, with what each says of itself", command)
