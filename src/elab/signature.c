/* signature.c - arguments to parameters, and values to the kinds that parameters name.
 * Takes the parameters of whatever is called and what stands in the call; gives one value a parameter. Arguments are
 * matched by name, by a bare name that is a parameter's (`layers` for `layers = layers`), then by position. */
#include "elab/signature.h"

#include <math.h>
#include <string.h>

#include "elab/elab.h"
#include "lang/foreign.h"

/* ---- kinds ------------------------------------------------------------------------------------------------------ */

/* A value known only when the script runs, by the result of the function or the stage that gives it. */
static bool later_is(const CgKind *k, const CgValue *v, bool later)
{
    if (v->kind != CG_VALUE_CALL || (k->tag != CG_KIND_CLASS && !later))
        return false;
    const CgKinds *result = &cg_function_signature(v->function)->result;
    for (int i = 0; i < result->n; i++)
        if (result->at[i].tag == k->tag && result->at[i].cls == k->cls)
            return true;
    return k->tag == CG_KIND_FLOAT && cg_kinds_have(result, CG_KIND_INT, NULL);
}

/* Values that are of a class without being objects. */
static bool is_of_class(CgElab *e, const CgClass *cls, const CgValue *v)
{
    switch (v->kind) {
    case CG_VALUE_OBJECT: return v->cls == cls;
    case CG_VALUE_COLUMN: return cls == cg_value_class(v);
    case CG_VALUE_STAGE: return cls == &cg_class_table;
    case CG_VALUE_TENSOR: { /* a row of tokens, when an evaluation comes to it */
        const CgType *t = cls == &cg_class_tokens && e->model ? cg_value_type(e, v) : NULL;
        return t && t->rank == 2 && t->dtype == CG_I32;
    }
    default: return false;
    }
}

static CgValue *take_one(CgElab *e, const CgKind *k, CgValue *v, bool later)
{
    bool fits = false;
    switch (k->tag) {
    case CG_KIND_ANY:
    case CG_KIND_AXIS: fits = true; break;
    case CG_KIND_PATTERN: break;
    case CG_KIND_NONE: fits = v->kind == CG_VALUE_NONE; break;
    case CG_KIND_INT: fits = v->kind == CG_VALUE_INT; break;
    case CG_KIND_FLOAT:
        if (v->kind == CG_VALUE_INT)
            return cg_number_fits(e, v, CG_F64, v->span) ? cg_value_float(e, (double)v->i, v->span)
                                                         : cg_value_poison(e);
        fits = v->kind == CG_VALUE_FLOAT;
        break;
    case CG_KIND_BOOL: fits = v->kind == CG_VALUE_BOOL; break;
    case CG_KIND_STR: fits = v->kind == CG_VALUE_STR; break;
    case CG_KIND_DTYPE: fits = v->kind == CG_VALUE_DTYPE; break;
    case CG_KIND_DIM: fits = v->kind == CG_VALUE_INT || v->kind == CG_VALUE_DIM; break;
    case CG_KIND_LIST: fits = v->kind == CG_VALUE_LIST; break;
    case CG_KIND_RANGE: fits = v->kind == CG_VALUE_RANGE; break;
    case CG_KIND_RECORD: fits = v->kind == CG_VALUE_RECORD; break;
    case CG_KIND_TENSOR: fits = v->kind == CG_VALUE_TENSOR; break;
    case CG_KIND_GRAPH:
        fits = v->kind == CG_VALUE_GRAPH || v->kind == CG_VALUE_INSTANCE || v->kind == CG_VALUE_DEF
            || v->kind == CG_VALUE_OP;
        break;
    case CG_KIND_MODEL: fits = v->kind == CG_VALUE_INSTANCE; break;
    case CG_KIND_CLASS: fits = is_of_class(e, k->cls, v); break;
    }
    return fits || later_is(k, v, later) ? v : NULL;
}

/* As one of the kinds: of those that are lists of something, or of the others. */
static CgValue *take(CgElab *e, const CgKinds *k, bool list, CgValue *v, bool later)
{
    CgValue *out = NULL;
    for (int i = 0; i < k->n && !out; i++)
        if (k->at[i].list == list)
            out = take_one(e, &k->at[i], v, later);
    return out;
}

CgValue *cg_kinds_take(CgElab *e, const CgKinds *k, CgValue *v, CgKnown known)
{
    if (v->kind == CG_VALUE_RANGE && !cg_kinds_have(k, CG_KIND_RANGE, NULL))
        v = cg_value_laid_out(e, v);
    if (cg_is_poison(v)) /* of more numbers than there is room for, which was reported */
        return v;
    CgValue *out = take(e, k, false, v, known == CG_KNOWN_LATER);
    if (out || v->kind != CG_VALUE_LIST)
        return out;
    bool any = false;
    for (int i = 0; i < k->n; i++)
        any |= k->at[i].list;
    out = any ? cg_value_list(e, v->n, v->span) : NULL;
    for (int i = 0; out && i < v->n; i++)
        if (!(out->at[i] = take(e, k, true, v->at[i], known != CG_KNOWN_NOW)))
            out = NULL;
    return out;
}

/* ---- a value for a parameter ------------------------------------------------------------------------------------ */

static void print_found(const CgValue *v, CgStrbuf *out)
{
    if (v->kind == CG_VALUE_CALL && !cg_value_class(v)) {
        CgKinds later = { 0 }; /* tensors are there at once */
        const CgKinds *result = &cg_function_signature(v->function)->result;
        for (int i = 0; i < result->n; i++)
            if (result->at[i].tag != CG_KIND_TENSOR)
                later.at[later.n++] = result->at[i];
        cg_kinds_print(&later, out);
        cg_strbuf_puts(out, " known only when the script runs");
        return;
    }
    cg_strbuf_puts(out, cg_value_kind_name(v));
}

void cg_help_integer(CgDiag *d, const CgKinds *kinds, const CgValue *v)
{
    bool wanted = false;
    for (int i = 0; i < kinds->n; i++)
        wanted |= kinds->at[i].tag == CG_KIND_INT || kinds->at[i].tag == CG_KIND_DIM;
    if (wanted && v->kind == CG_VALUE_FLOAT && v->f == floor(v->f) && fabs(v->f) < 9e15)
        cg_diag_help(d, "%.1f is a float, the integer is %lld; '/' gives floats, '//' integers", v->f, (long long)v->f);
}

bool cg_help_call(CgDiag *d, const CgValue *v)
{
    const CgSignature *s = v->kind == CG_VALUE_FUNCTION ? cg_function_signature(v->function) : NULL;
    bool alone = true;
    for (int i = 0; s && i < s->n; i++)
        alone &= s->stmt->params[i].init != NULL;
    if (s)
        cg_diag_help(
            d, "'%s' is a function; what it gives is %s(%s)", v->function->name, v->function->name, alone ? "" : "..");
    return s != NULL;
}

CgValue *cg_object_field(CgElab *e, CgValue *of, const char *name, CgSpan span, CgSuggest *s)
{
    const CgClass *cls = cg_value_class(of);
    if (!cls || cls->field)
        return cls ? cls->field(e, of, name, span, s) : NULL;
    CgValue *v = of->keys ? cg_record_find(of, cg_intern(name)) : NULL;
    for (int i = 0; !v && of->keys && i < of->n; i++)
        cg_suggest_offer(s, of->keys[i]);
    return v;
}

void cg_help_fields(CgElab *e, CgDiag *d, CgValue *v)
{
    const CgClass *cls = cg_value_class(v);
    CgSuggest s;
    CgStrbuf all = { 0 };
    if (cls == &cg_class_column || cls == &cg_class_labels)
        return;
    cg_suggest_init(&s, "");
    cg_object_field(e, v, "", v->span, &s);
    if (cg_suggest_list(&s, &all))
        cg_diag_help(d, "%s has the fields %s", cg_value_kind_name(v), cg_strbuf_str(&all));
    cg_strbuf_deinit(&all);
}

/* Whether a function gives what is wanted. */
static bool gives(const CgValue *v, const CgKinds *wanted)
{
    const CgKinds *result = v->kind == CG_VALUE_FUNCTION ? &cg_function_signature(v->function)->result : NULL;
    bool any = false;
    for (int i = 0; result && i < result->n; i++)
        any |= cg_kinds_have(wanted, result->at[i].tag, result->at[i].cls);
    return any;
}

static bool numbers_wanted(const CgKinds *kinds)
{
    bool wanted = false;
    for (int i = 0; i < kinds->n; i++)
        wanted |= kinds->at[i].tag == CG_KIND_FLOAT;
    return wanted;
}

/* A record in the place of one of the graphs in it, as hf(folder) for hf(folder).model. */
static void help_graph_in(CgDiag *d, const CgValue *record)
{
    for (int i = 0; i < record->n; i++)
        if (record->at[i]->kind == CG_VALUE_INSTANCE || record->at[i]->kind == CG_VALUE_GRAPH) {
            cg_diag_help(d, "one of the fields of the record is a graph: .%s", record->keys[i]);
            return;
        }
}

static CgValue *wrong_kind(CgElab *e, const char *callee, const CgParam *p, const CgKinds *kinds, const CgValue *v,
    CgSpan span, const CgExpr *written)
{
    CgStrbuf want = { 0 }, found = { 0 };
    cg_kinds_print(kinds, &want);
    bool lists = false;
    int at = -1;
    for (int i = 0; i < kinds->n; i++)
        lists |= kinds->at[i].list;
    for (int i = 0; lists && v->kind == CG_VALUE_LIST && i < v->n && at < 0; i++)
        if (!take(e, kinds, true, v->at[i], true)) /* of a list that is almost right, the element that is not */
            at = i;
    const CgValue *wrong = at < 0 ? v : v->at[at];
    bool whole = cg_kinds_have(kinds, CG_KIND_INT, NULL) && !numbers_wanted(kinds) && wrong->kind == CG_VALUE_FLOAT
        && wrong->f != floor(wrong->f);
    if (whole)
        cg_value_print(wrong, &found);
    else
        print_found(wrong, &found);
    if (at >= 0 && written && written->kind == CG_EXPR_LIST && at < written->args.n)
        span = written->args.at[at].value->span;
    CgSpan used = span;
    span = cg_elab_literal(e, at < 0 ? v : v->at[at], span);
    CgDiag *d = at < 0 ? cg_elab_error(e, CG_E0312, span, "'%s' of %s is %s, not %s", p->name, callee,
                    cg_strbuf_str(&want), cg_strbuf_str(&found))
                       : cg_elab_error(e, CG_E0312, span, "'%s' of %s is %s; element %d is %s", p->name, callee,
                           cg_strbuf_str(&want), at, cg_strbuf_str(&found));
    if (span.start != used.start || span.file != used.file)
        cg_diag_note(d, used, "it is used here");
    if (whole && wrong->span.file
        && !(wrong->span.file == used.file && wrong->span.start >= used.start && wrong->span.end <= used.end))
        cg_diag_note(d, wrong->span, "the value comes from here");
    if (p->span.file)
        cg_diag_note(d, p->span, "declared here");
    cg_help_integer(d, kinds, at < 0 ? v : v->at[at]);
    if (whole && wrong->span.file) {
        const char *text = cg_sources_get(e->sources, wrong->span.file)->text;
        if (memchr(text + wrong->span.start, '/', wrong->span.end - wrong->span.start))
            cg_diag_help(d, "'/' gives floats; a quotient of integers is rounded down by '//'");
    }
    const CgClass *found_class = cg_value_class(at < 0 ? v : v->at[at]);
    if (found_class == &cg_class_column && numbers_wanted(kinds))
        cg_diag_help(d, "a statistic makes one number of a column: mean(x)");
    else if (found_class == &cg_class_table && cg_kinds_have(kinds, CG_KIND_CLASS, &cg_class_column))
        cg_diag_help(d, "a column is written behind its table: t.name");
    else if (found_class == &cg_class_labels)
        cg_diag_help(d, "a column is one of texts where one of its cells is no number");
    else if (at < 0 && gives(v, kinds))
        cg_help_call(d, v);
    else if (at < 0 && v->kind == CG_VALUE_GRAPH && cg_kinds_have(kinds, CG_KIND_MODEL, NULL))
        cg_diag_help(d, "a model is a graph with its arguments: %s(..)", v->stmt->names[0]);
    else if (v->kind == CG_VALUE_TENSOR && cg_kinds_have(kinds, CG_KIND_CLASS, &cg_class_tokens))
        cg_diag_help(d,
            "tokens are i32[batch, length]: argmax(logits, axis = 2); likeliest(logits, ids) is the share of them "
            "that are right");
    else if (at < 0 && v->kind == CG_VALUE_TENSOR && cg_kinds_have(kinds, CG_KIND_LIST, NULL))
        cg_diag_help(d, "how many elements an axis has is its name in the type, N, or size(x, axis = 0)");
    else if (at < 0 && v->kind == CG_VALUE_INSTANCE && cg_kinds_have(kinds, CG_KIND_CLASS, &cg_class_table))
        cg_diag_help(d, "tables of a model are m.history, of its training, and parameters(m)");
    else if (at < 0 && v->kind == CG_VALUE_RECORD && cg_kinds_have(kinds, CG_KIND_GRAPH, NULL))
        help_graph_in(d, v);
    else if (at < 0 && v->kind == CG_VALUE_STR && cg_kinds_have(kinds, CG_KIND_CLASS, &cg_class_column))
        cg_diag_help(d, "columns and conditions on them are written without quotes: by = town, off > 10");
    else if (at < 0 && take(e, kinds, true, (CgValue *)v, true))
        cg_diag_help(d, "a list of one is written [..]");
    else if (found_class == &cg_class_column && cg_kinds_have(kinds, CG_KIND_CLASS, &cg_class_table))
        cg_diag_help(d, "the table stands in front, and its columns are named behind it");
    else if (at < 0
        && (numbers_wanted(kinds) || cg_kinds_have(kinds, CG_KIND_INT, NULL)
            || cg_kinds_have(kinds, CG_KIND_LIST, NULL)))
        cg_help_fields(e, d, (CgValue *)v);
    cg_strbuf_deinit(&want);
    cg_strbuf_deinit(&found);
    return cg_value_poison(e);
}

/* One of the strings that the signature names. */
static bool check_choice(
    CgElab *e, const char *callee, const CgParam *p, const CgTypeExpr *choice, CgAtom s, CgSpan span)
{
    if (cg_choice_has(choice, s))
        return true;
    CgSuggest near;
    CgStrbuf all = { 0 };
    cg_choice_list(choice, s, &all, &near);
    CgDiag *d =
        cg_elab_error(e, CG_E0317, span, "'%s' of %s is %s, not \"%s\"", p->name, callee, cg_strbuf_str(&all), s);
    cg_diag_meant(d, &near);
    cg_strbuf_deinit(&all);
    return false;
}

CgValue *cg_argument_take(CgElab *e, const char *callee, const CgParam *p, const CgKinds *kinds, CgValue *v,
    CgSpan span, const CgExpr *written, CgKnown known)
{
    if (cg_is_poison(v))
        return v;
    CgValue *taken = cg_kinds_take(e, kinds, v, known);
    if (!taken)
        return wrong_kind(e, callee, p, kinds, v, span, written);
    if (kinds->choice && taken->kind == CG_VALUE_STR && !check_choice(e, callee, p, kinds->choice, taken->s, span))
        return cg_value_poison(e);
    return taken;
}

/* ---- matching --------------------------------------------------------------------------------------------------- */

static CgAtom bare(const CgGiven *a, int i)
{
    if (!a->site || i >= a->site->args.n)
        return NULL;
    const CgExpr *x = a->site->args.at[i].value;
    return x && x->kind == CG_EXPR_NAME ? x->s : NULL;
}

static int param_named(const CgParam *params, int n, CgAtom name)
{
    for (int i = 0; name && i < n; i++)
        if (params[i].name == name)
            return i;
    return -1;
}

/* What another language calls one of the parameters, or what none of them does; NULL where none does. */
static const CgForeign *foreign_argument(const CgParam *params, int n, CgAtom name)
{
    const CgForeign *row;
    for (size_t i = 0; (row = cg_foreign_at(i)); i++)
        if (row->where == CG_FOREIGN_ARGUMENT && !strcmp(row->word, name)
            && (!row->instead[0] || param_named(params, n, cg_intern(row->instead)) >= 0))
            return row;
    return NULL;
}

static void help_parameters(CgDiag *d, const CgParam *params, int n)
{
    CgStrbuf all = { 0 };
    for (int i = 0; i < n; i++)
        cg_strbuf_printf(&all, "%s%s", i ? ", " : "", params[i].name);
    cg_diag_help(d, "its parameters are: %s", cg_strbuf_str(&all));
    cg_strbuf_deinit(&all);
}

/* filter(t, model = "a"): a column of the table that a call is given is compared. */
static bool is_compared(CgElab *e, const char *callee, const CgGiven *given, CgAtom name)
{
    const CgFunction *function = cg_function_find(callee);
    bool table = function && function->traits & CG_COLUMNS && given->n && !given->names[0] && e->columns;
    const CgSchema *columns = table ? e->columns(e, given->at[0]) : NULL;
    bool found = false;
    for (int i = 0; columns && i < columns->n; i++)
        found |= columns->at[i].name == name;
    return found;
}

/* compute(t, { gain: .. }): a table, then a record of columns, and no more. */
static bool takes_fields(const char *callee)
{
    const CgFunction *function = cg_function_find(callee);
    const CgSignature *s = function && function->traits & CG_COLUMNS ? cg_function_signature(function) : NULL;
    return s && s->n == 2 && s->param[1].n == 1 && s->param[1].at[0].tag == CG_KIND_RECORD;
}

static void unknown_argument(
    CgElab *e, const char *callee, const CgParam *params, int n, const CgGiven *given, CgAtom name, CgSpan span)
{
    CgSuggest s;
    cg_suggest_init(&s, name);
    for (int i = 0; i < n; i++)
        cg_suggest_offer(&s, params[i].name);
    CgDiag *d = cg_elab_error(e, CG_E0303, span, "'%s' has no parameter '%s'", callee, name);
    const CgForeign *row = foreign_argument(params, n, name);
    if (!row && !cg_suggest_best(&s))
        row = cg_foreign(CG_FOREIGN_MEMBER, callee);
    if (is_compared(e, callee, given, name)) {
        cg_diag_help(d, "'%s' is a column; values are compared with '=='", name);
        return;
    }
    if (row)
        cg_foreign_answer(d, row);
    else
        cg_diag_meant(d, &s);
    if (row ? !row->instead[0] : !cg_suggest_best(&s))
        help_parameters(d, params, n);
    if (!row && !cg_suggest_best(&s) && takes_fields(callee))
        cg_diag_help(d, "new columns are the fields of a record: %s(t, { %s: .. })", callee, name);
}

static void put(CgArguments *out, int k, const CgGiven *given, int i)
{
    out->at[k] = given->at[i];
    out->span[k] = given->spans[i];
    out->written[k] = given->site && i < given->site->args.n ? given->site->args.at[i].value : NULL;
}

/* The parameter of an argument without a name; n = there is none left. */
static int by_position(const CgParam *params, int n, const CgGiven *given, int i, int how, const CgArguments *out)
{
    bool apart = how & CG_MATCH_TENSORS_APART, tensor = given->at[i]->kind == CG_VALUE_TENSOR;
    int k = how & CG_MATCH_BARE ? param_named(params, n, bare(given, i)) : -1;
    if (k >= 0 && !out->at[k] && (!apart || cg_param_is_tensor(&params[k]) == tensor))
        return k;
    for (k = 0; k < n; k++)
        if (!out->at[k] && (!apart || cg_param_is_tensor(&params[k]) == tensor))
            return k;
    if (apart) /* a tensor for a static parameter, a number for a scalar tensor */
        for (k = 0; k < n && out->at[k]; k++) {}
    return k;
}

/* The parameter that is the argument's by its place among those before it, and another one's by name; n if there is
 * none. Where tensors stand apart, a number may be meant for either kind of parameter. */
static int named_later(const CgParam *params, int n, const CgGiven *given, int i, int how)
{
    CgArguments before = { .n = n };
    bool later = false;
    for (int k = i + 1; k < given->n; k++)
        later |= given->names[k] != NULL;
    if (!later || how & CG_MATCH_TENSORS_APART || (how & CG_MATCH_BARE && param_named(params, n, bare(given, i)) >= 0))
        return n;
    for (int j = 0; j < i; j++) {
        int k =
            given->names[j] ? param_named(params, n, given->names[j]) : by_position(params, n, given, j, how, &before);
        if (k >= 0 && k < n)
            before.at[k] = given->at[j];
    }
    int k = by_position(params, n, given, i, how, &before);
    for (int j = i + 1; k < n && j < given->n; j++)
        if (given->names[j] == params[k].name)
            return k;
    return n;
}

bool cg_arguments_match(
    CgElab *e, const char *callee, const CgParam *params, int n, const CgGiven *given, int how, CgArguments *out)
{
    bool good = true, full = false;
    out->n = n;
    out->site = given->site;
    if (n > CG_MAX_ARGS) {
        cg_elab_error(e, CG_E0303, given->site ? given->site->span : params[CG_MAX_ARGS].span,
            "'%s' has %d parameters; it can have %d", callee, n, CG_MAX_ARGS);
        return false;
    }
    for (int i = 0; i < n; i++) {
        out->at[i] = NULL;
        out->span[i] = (CgSpan){ 0 };
        out->written[i] = NULL;
    }
    for (int i = 0; i < given->n; i++) {
        if (!given->names[i])
            continue;
        int k = param_named(params, n, given->names[i]);
        if (k >= 0 && !out->at[k]) {
            put(out, k, given, i);
            continue;
        }
        if (k < 0)
            unknown_argument(e, callee, params, n, given, given->names[i],
                given->site && i < given->site->args.n ? given->site->args.at[i].name_span : given->spans[i]);
        else
            cg_elab_error(e, CG_E0303, given->spans[i], "'%s' is given twice", given->names[i]);
        good = false;
    }
    for (int i = 0; i < given->n; i++) {
        if (given->names[i])
            continue;
        if (how & CG_MATCH_TENSORS_APART && e->defining && cg_is_poison(given->at[i])
            && !(given->at[i]->kind == CG_VALUE_UNKNOWN && given->at[i]->known != CG_UNKNOWN_VALUE))
            return false; /* a tensor or not: where it goes is not known */
        int k = by_position(params, n, given, i, how, out);
        int twice = named_later(params, n, given, i, how);
        if (twice < n) {
            cg_elab_error(e, CG_E0303, given->spans[i],
                "this is '%s' of '%s' by its place, and it is given by name, too", params[twice].name, callee);
            good = false;
            continue;
        }
        if (k < n) {
            put(out, k, given, i);
            continue;
        }
        CgDiag *d = full
            ? NULL
            : cg_elab_error(e, CG_E0303, given->spans[i], "'%s' takes %d argument%s", callee, n, n == 1 ? "" : "s");
        const CgForeign *row = d ? cg_foreign(CG_FOREIGN_MEMBER, callee) : NULL;
        const CgFunction *function = cg_function_find(callee);
        const CgKinds *last = function && n ? &cg_function_signature(function)->param[n - 1] : NULL;
        bool several = false;
        for (int j = 0; last && j < last->n; j++)
            several |= last->at[j].list;
        if (row) /* ones(3, 4) */
            cg_foreign_answer(d, row);
        else if (d && several)
            cg_diag_help(d, "several are a list: %s = [a, b]", params[n - 1].name);
        else if (d && n)
            help_parameters(d, params, n);
        else if (d)
            cg_diag_help(d, "it is written %s()", callee);
        full = true;
        good = false;
    }
    return good;
}
