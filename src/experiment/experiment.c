/* experiment.c - a script from its text to what it shows.
 * Takes a path; gives values in the order show and save ask for them. Reads as the list of its steps. */
#include "experiment/experiment.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/timing.h"
#include "elab/define.h"
#include "experiment/graph_arg.h"
#include "experiment/needs.h"
#include "experiment/saves.h"
#include "graph/registry.h"
#include "library/claim.h"
#include "library/library.h"
#include "library/plugin.h"
#include "stage/history.h"
#include "stage/lineage.h"
#include "stage/origins.h"
#include "stage/watch.h"

/* ---- checking -------------------------------------------------------------------------------------------------- */

/* show and save as values: evaluated once while checking, so that mistakes in them come before anything runs. */
static void check_statements(CgSession *x)
{
    CgElab *e = x->elab;
    CgEnv *env = cg_elab_script(e);
    const CgBlock *top = &cg_env_module(env)->unit->top;
    CgSaves saves = { 0 };
    for (int i = 0; i < top->n; i++) {
        const CgStmt *s = top->at[i];
        if (s->kind != CG_STMT_SHOW && s->kind != CG_STMT_SAVE)
            continue;
        CgFrame f;
        cg_frame_begin(e, &f, NULL, env);
        CgBudget budget = cg_budget_begin(e);
        for (int k = 0; k < s->nexprs; k++)
            cg_shown(e, &f, s->exprs[k]);
        if (s->a && s->kind == CG_STMT_SAVE) {
            CgValue *v = cg_shown(e, &f, s->a);
            CgValue *to = cg_eval(e, &f, s->b);
            if (!cg_is_poison(to) && to->kind != CG_VALUE_STR)
                cg_elab_error(e, CG_E0606, s->b->span, "a file name is a string, not %s", cg_value_kind_name(to));
            else if (!cg_is_poison(to) && !cg_is_poison(v))
                cg_saves_check(x, &saves, v, s->a->span, to->s, s->b->span);
        }
        cg_budget_end(e, budget);
        cg_frame_end(e, &f);
    }
    for (size_t i = 0; i < CG_LEN(x->opts.writes); i++)
        if (x->opts.writes[i])
            cg_saves_check_other(x, &saves, x->opts.writes[i]);
    cg_saves_free(&saves);
}

/* Values of modules are checked; what they would train or evaluate is not run unless the script asks for it. */
static void check_modules(CgSession *x)
{
    size_t own = x->stages.len;
    cg_elab_check_modules(x->elab);
    for (size_t i = own; i < x->stages.len; i++)
        cg_vec_push(&x->unasked, x->stages.at[i]);
    x->stages.len = own;
}

CgSession *cg_experiment_new(const char *path, const CgSessionOpts *opts)
{
    CgSession *x = cg_calloc(1, sizeof *x);
    x->opts = *opts;
    x->path = path;
    x->sources = cg_sources_new();
    x->diags = cg_diags_new(x->sources);
    cg_registry_init();
    for (int i = 0; i < opts->ntexts; i++)
        cg_sources_put(x->sources, opts->texts[i].path, opts->texts[i].text, opts->texts[i].len);
    x->program = cg_program_load(x->sources, path, x->diags);
    size_t values = 0;
    for (int m = 0; x->program && m < x->program->n; m++)
        values += (size_t)x->program->at[m].unit->nvalues;
    if (!x->program || cg_diags_count(x->diags) > values)
        return x;
    cg_plugins_load(x->program, x->diags);
    x->elab = cg_elab_new(x->sources, x->diags, x->program, x->opts.settings, x->opts.nsettings);
    x->elab->session = x;
    x->elab->quotients = opts->quotients;
    x->elab->train = cg_stage_train;
    x->elab->evaluate = cg_stage_evaluate;
    x->elab->watch = cg_watch_statement;
    x->elab->debug = x->opts.debug;
    x->elab->columns = cg_stage_columns;
    x->elab->submodule = cg_stage_submodule;
    x->elab->rows = cg_stage_rows;
    cg_timing_begin("elaborate");
    if (opts->look) {
        x->elab->look = opts->look;
        opts->look->file = x->program->at[x->program->n - 1].unit->file;
    }
    cg_names_check(x->elab, opts->uses);
    cg_define_all(x->elab);
    cg_elab_check(x->elab);
    cg_needs_name(x);
    check_statements(x);
    cg_claims_build(x);
    cg_tests_build(x);
    check_modules(x);
    if (opts->uses && !cg_diags_count(x->diags)) { /* what is wrong comes first */
        cg_resolve_unused(x->program, opts->uses, x->diags);
        cg_needs_advise(x, opts->uses);
    }
    cg_timing_end();
    return x;
}

void cg_experiment_free(CgSession *x)
{
    if (x->run)
        cg_origins_note(x);
    if (x->run)
        cg_run_close(
            x->run, cg_diags_count(x->diags) ? cg_diags_exit_code(x->diags) == 130 ? "interrupted" : "failed" : "ok");
    for (size_t i = 0; i < x->stages.len; i++)
        cg_stage_free(x->stages.at[i]);
    for (size_t i = 0; i < x->unasked.len; i++)
        cg_stage_free(x->unasked.at[i]);
    for (size_t i = 0; i < x->generators.len; i++)
        cg_generator_free(x->generators.at[i]);
    for (size_t i = x->owned.len; i-- > 0;) /* what is made of another comes after it */
        if (x->owned.at[i]->cls->free)
            x->owned.at[i]->cls->free(x->owned.at[i]->held);
    for (size_t i = 0; i < x->tests.len; i++)
        cg_test_free(x->tests.at[i]);
    cg_vec_free(&x->tests);
    cg_watched_free(x);
    cg_claims_free(x->claims);
    cg_vec_free(&x->owned);
    cg_lineage_free(x->lineage);
    cg_vec_free(&x->stages);
    cg_vec_free(&x->unasked);
    cg_vec_free(&x->generators);
    cg_map_deinit(&x->made);
    cg_map_deinit(&x->inputs_noted);
    cg_map_deinit(&x->tables);
    cg_map_deinit(&x->noted_casts);
    cg_scratch_clear(x);
    cg_vec_free(&x->scratch);
    if (x->store)
        cg_store_close(x->store);
    cg_profile_deinit(&x->profile);
    cg_trace_free(x->trace);
    if (x->pool)
        cg_pool_free(x->pool);
    if (x->elab)
        cg_elab_free(x->elab);
    if (x->program)
        cg_program_free(x->program);
    cg_diags_free(x->diags);
    cg_sources_free(x->sources);
    free(x);
}

/* ---- running --------------------------------------------------------------------------------------------------- */

static void show(CgSession *x, const CgValue *v)
{
    const CgClass *cls = cg_value_class(v);
    CgStrbuf text = { 0 };
    if (cls && cls->show_value) {
        cls->show_value(x, v, &text);
    } else if (v->kind == CG_VALUE_OBJECT && cls->show) {
        cls->show(v->held, &text);
    } else {
        CgStrbuf exact = { 0 };
        cg_value_print(v, &exact);
        /* one text alone may be wanted as it is, where no terminal obeys it */
        if (v->kind == CG_VALUE_STR && !isatty(fileno(x->out)))
            cg_strbuf_write(&text, cg_strbuf_str(&exact), exact.len);
        else
            cg_strbuf_plain(&text, cg_strbuf_str(&exact));
        cg_strbuf_deinit(&exact);
        cg_strbuf_putc(&text, '\n');
    }
    fputs(cg_strbuf_str(&text), x->out);
    cg_strbuf_deinit(&text);
    fflush(x->out);
}

/* What was saved is noted in the index; what cannot be read again has no digest. */
static void note_saved(CgSession *x, const char *kind, const char *path)
{
    CgBytes bytes;
    CgErr ignored = { 0 };
    if (!cg_io_map(path, &bytes, &ignored))
        return;
    cg_run_artifact(x->run, kind, path, cg_digest(bytes.at, bytes.len));
    cg_io_release(&bytes);
}

static bool save(CgSession *x, const CgValue *v, const char *path, CgSpan at, CgSpan at_name)
{
    const CgClass *cls = cg_value_class(v);
    CgErr err = { 0 };
    bool good;
    if (cls && cls->save_value) {
        good = cls->save_value(x, v, path, &err);
    } else if (v->kind == CG_VALUE_OBJECT && cls->save) {
        good = cls->save(v->held, path, &err);
    } else if (v->kind == CG_VALUE_STR) {
        good = cg_io_write(path, v->s, strlen(v->s), &err);
    } else {
        cg_saves_help(cg_diag(x->diags, CG_E0606, at, "%s cannot be saved", cg_value_kind_name(v)));
        return false;
    }
    if (!good)
        return err.kind ? cg_session_err(x, at_name, &err) : false; /* else it was reported where it was met */
    note_saved(x, cls ? cls->name : "text", path);
    if (cg_io_exists(path) && !x->opts.listener) /* not a figure that nothing could draw */
        fprintf(stderr, "saved %s\n", path);
    return true;
}

/* Something with a class, which is shown in its own lines. */
static bool has_classes(const CgValue *v)
{
    bool any =
        v->kind == CG_VALUE_STAGE || v->kind == CG_VALUE_OBJECT || (v->kind == CG_VALUE_CALL && cg_value_class(v));
    for (int i = 0; !any && (v->kind == CG_VALUE_RECORD || v->kind == CG_VALUE_LIST) && i < v->n; i++)
        any = has_classes(v->at[i]);
    return any;
}

static void show_key(CgSession *x, const char *key)
{
    CgStrbuf text = { 0 };
    cg_strbuf_plain(&text, key);
    fprintf(x->out, "%s:\n", cg_strbuf_str(&text));
    cg_strbuf_deinit(&text);
}

/* The elements of a list or record of tables or models are computed and shown one by one: one that fails is reported in
 * its position, and the others are shown. */
static void find_and_show(CgSession *x, CgValue *v)
{
    if ((v->kind == CG_VALUE_RECORD || v->kind == CG_VALUE_LIST) && has_classes(v)) {
        for (int i = 0; i < v->n && !cg_session_stopped(x); i++) {
            if (v->kind == CG_VALUE_RECORD)
                show_key(x, v->keys[i]);
            find_and_show(x, v->at[i]);
        }
        return;
    }
    const CgStage *s = v->kind == CG_VALUE_STAGE ? v->stage : NULL;
    const CgClass *cls = cg_value_class(v);
    CgValue *found = cls && cls->show ? cg_make(x, v) : cg_force(x, v);
    if (found && !cg_is_poison(found))
        show(x, found);
    else if (s && !cg_session_stopped(x))
        fprintf(x->out, "failed: %s\n", s->why ? s->why : "see the error");
}

static void carry_out(CgSession *x, const CgStmt *s)
{
    CgElab *e = x->elab;
    CgFrame f;
    x->at = s->span;
    CgBudget budget = cg_budget_begin(e);
    cg_frame_begin(e, &f, NULL, cg_elab_script(e));
    for (int i = 0; i < s->nexprs && s->kind == CG_STMT_SHOW && !cg_session_stopped(x); i++)
        find_and_show(x, cg_shown(e, &f, s->exprs[i]));
    if (s->kind == CG_STMT_SAVE) {
        CgValue *v = cg_force(x, cg_shown(e, &f, s->a)), *to = cg_eval(e, &f, s->b);
        if (v && !cg_is_poison(v))
            save(x, v, to->s, s->a->span, s->b->span);
    }
    cg_budget_end(e, budget);
    cg_frame_end(e, &f);
}

/* Claims come last, whatever stands below them: they are corrected for how many there are. */
static void test_claims(CgSession *x)
{
    CgStrbuf text = { 0 };
    const CgTable *t = cg_claims_test(x);
    if (t)
        cg_claims_print(t, &text);
    fputs(cg_strbuf_str(&text), x->out);
    cg_strbuf_deinit(&text);
    fflush(x->out);
}

int cg_experiment_build(CgSession *x, const CgBuildOpts *opts, FILE *out)
{
    CgNeeds needs = { 0 };
    CgErr err = { 0 };
    x->out = out;
    if (cg_diags_count(x->diags))
        return cg_diags_exit_code(x->diags);
    if (!cg_session_open(x, &err)) {
        cg_session_err(x, (CgSpan){ 0 }, &err);
        return cg_diags_exit_code(x->diags);
    }
    if (cg_needs_find(x, opts->only, &needs)) {
        if (opts->dry)
            cg_needs_print(x, &needs, out);
        else
            cg_needs_build(x, &needs);
        if (opts->only && !opts->dry && !opts->quiet) {
            CgTarget target = { 0 };
            CgValue *v = cg_target_value(x, opts->only, &target);
            if (v)
                find_and_show(x, v);
            cg_target_free(&target);
        }
    }
    cg_needs_free(&needs);
    return cg_diags_exit_code(x->diags);
}

int cg_experiment_run(CgSession *x, FILE *out)
{
    x->out = out;
    if (cg_diags_count(x->diags))
        return cg_diags_exit_code(x->diags);
    CgErr err = { 0 };
    if (!cg_session_open(x, &err)) {
        cg_session_err(x, (CgSpan){ 0 }, &err);
        return cg_diags_exit_code(x->diags);
    }
    const CgBlock *top = &cg_env_module(cg_elab_script(x->elab))->unit->top;
    bool asked = false; /* a statement that fails does not keep the others from being carried out */
    for (int i = 0; i < top->n && !cg_session_stopped(x); i++)
        if (top->at[i]->kind == CG_STMT_SHOW || top->at[i]->kind == CG_STMT_SAVE) {
            asked = true;
            carry_out(x, top->at[i]);
        }
    if (cg_claims_any(x) && !cg_session_stopped(x))
        test_claims(x);
    for (size_t i = 0; !asked && !cg_claims_any(x) && !cg_session_stopped(x) && i < x->stages.len; i++)
        cg_stage_force(x, x->stages.at[i]);
    if (cg_session_stopped(x) && cg_diags_exit_code(x->diags) != 130) { /* between two things that would have said so */
        cg_err(&err, CG_ERR_INTERRUPTED, "interrupted; what is finished is kept");
        cg_session_err(x, (CgSpan){ 0 }, &err);
    }
    return cg_diags_exit_code(x->diags);
}
