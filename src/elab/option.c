/* option.c - options of scripts and of the modules they import.
 * Takes the options of a program and what --set says of them; gives values of the types that were declared, and reports
 * settings that no option took. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "data/text.h"
#include "elab/elab.h"
#include "elab/signature.h"
#include "lang/parse.h"

/* ---- --set ------------------------------------------------------------------------------------------------------- */

/* Whether a setting is about an option of `env`: "steps" of the script, "tf.width" of what it imports as tf. */
static bool is_about(const CgElab *e, const CgEnv *env, const char *setting, CgAtom option)
{
    const CgModule *script = &e->program->at[e->program->n - 1], *module = cg_env_module(env);
    if (module == script)
        return strcmp(setting, option) == 0;
    const char *point = strrchr(setting, '.');
    if (!point || strcmp(point + 1, option) != 0)
        return false;
    for (int i = 0; i < script->nimports; i++) {
        const char *word = cg_import_word(&script->imports[i]);
        if (&e->program->at[script->imports[i].module] == module && strlen(word) == (size_t)(point - setting)
            && strncmp(word, setting, strlen(word)) == 0)
            return true;
    }
    return false;
}

/* The last one wins. */
static CgSetting *setting_of(CgElab *e, const CgEnv *env, CgAtom name)
{
    CgSetting *found = NULL;
    for (int i = 0; i < e->nsettings; i++)
        if (is_about(e, env, e->settings[i].name, name)) {
            e->settings[i].used = true;
            found = &e->settings[i];
        }
    return found;
}

/* [8, 16] or { a: 0.5 }, as it would stand in the script; NULL after a mistake. */
static CgValue *written_value(CgElab *e, CgEnv *env, const CgSetting *set)
{
    CgStrbuf script = { 0 };
    cg_strbuf_printf(&script, "it = %s\n", set->text);
    uint32_t file = cg_sources_add(e->sources, "argument", cg_strbuf_str(&script), script.len);
    cg_strbuf_deinit(&script);
    size_t before = cg_diags_count(e->diags);
    CgUnit *unit = cg_unit_parse(e->sources, file, e->diags);
    const CgBlock *top = &unit->top;
    CgValue *v = cg_diags_count(e->diags) == before ? NULL : cg_value_poison(e);
    if (!v && top->n == 1 && top->at[0]->kind == CG_STMT_BIND && top->at[0]->nexprs == 1) {
        CgFrame f;
        cg_frame_begin(e, &f, NULL, env);
        v = cg_eval(e, &f, top->at[0]->exprs[0]);
        cg_frame_end(e, &f);
    }
    cg_vec_push(&e->settings_units, unit);
    return v;
}

/* What --set says, NULL when it is not of the type. */
static CgValue *set_value(CgElab *e, CgEnv *env, const CgStmt *s, const CgKind *kind, const CgSetting *set)
{
    char *end = NULL;
    CgSpan at = s->name_spans ? s->name_spans[0] : s->span;
    const char *text = set->text;
    if (kind->list)
        return written_value(e, env, set);
    errno = 0;
    switch (kind->tag) {
    case CG_KIND_LIST:
    case CG_KIND_RECORD: return written_value(e, env, set);
    case CG_KIND_BOOL: {
        bool yes = !strcmp(text, "true");
        return yes || !strcmp(text, "false") ? cg_value_bool(e, yes, at) : NULL;
    }
    case CG_KIND_INT: {
        int64_t i = strtoll(text, &end, 10);
        return errno || *end || !*text ? NULL : cg_value_int(e, i, at);
    }
    case CG_KIND_FLOAT: {
        double f = strtod(text, &end);
        bool beyond = cg_text_is_beyond((CgText){ text, strlen(text) }, f);
        return *end || !*text || beyond || strpbrk(text, "xX(") ? NULL : cg_value_float(e, f, at);
    }
    default: return cg_value_str(e, text, at);
    }
}

/* ---- options ----------------------------------------------------------------------------------------------------- */

static void print_type(const CgTypeExpr *type, const CgKinds *kinds, CgStrbuf *out)
{
    CgSuggest near;
    if (type->kind == CG_TYPE_CHOICE)
        cg_choice_list(type, "", out, &near);
    else
        cg_kinds_print(kinds, out);
}

static CgValue *wrong_type(CgElab *e, const CgStmt *s, const CgSetting *set, const CgKinds *kinds, const CgValue *v)
{
    CgStrbuf type = { 0 };
    print_type(s->type, kinds, &type);
    CgDiag *d;
    if (set)
        d = cg_elab_error(
            e, CG_E0308, s->name_spans[0], "--set %s=%s is not %s", set->name, set->text, cg_strbuf_str(&type));
    else if (s->type->kind == CG_TYPE_CHOICE && v->kind == CG_VALUE_STR)
        d = cg_elab_error(
            e, CG_E0322, s->a->span, "option '%s' is %s, not \"%s\"", s->names[0], cg_strbuf_str(&type), v->s);
    else
        d = cg_elab_error(e, CG_E0322, s->a->span, "option '%s' is %s, not %s", s->names[0], cg_strbuf_str(&type),
            cg_value_kind_name(v));
    if (v && v->kind == CG_VALUE_STR && s->type->kind == CG_TYPE_CHOICE) {
        CgSuggest near;
        CgStrbuf ignored = { 0 };
        cg_choice_list(s->type, v->s, &ignored, &near);
        cg_diag_meant(d, &near);
        cg_strbuf_deinit(&ignored);
    }
    cg_strbuf_deinit(&type);
    return cg_value_poison(e);
}

CgValue *cg_option_value(CgElab *e, CgEnv *env, const CgStmt *s)
{
    CgFrame f;
    CgKinds kinds;
    cg_frame_begin(e, &f, NULL, env);
    CgValue *v = cg_eval(e, &f, s->a);
    cg_frame_end(e, &f);
    const CgSetting *set = setting_of(e, env, s->names[0]);
    if (cg_is_poison(v) || !cg_kinds_of(s->type, &kinds))
        return v;
    for (int turn = 0; turn < (set ? 2 : 1); turn++) {
        CgValue *given = turn ? set_value(e, env, s, &kinds.at[0], set) : v;
        if (given && cg_is_poison(given))
            return given;
        CgValue *taken = given ? cg_kinds_take(e, &kinds, given, CG_KNOWN_NOW) : NULL;
        if (!taken || (s->type->kind == CG_TYPE_CHOICE && !cg_choice_has(s->type, taken->s)))
            return wrong_type(e, s, turn ? set : NULL, &kinds, given);
        v = taken;
    }
    return s->type->kind == CG_TYPE_CHOICE ? cg_choice_of(e, v, s->type) : v;
}

/* Calls `found` for each option of the script and of what it imports, with the name that --set knows it by. */
static void each_option(
    CgElab *e, void (*found)(CgElab *e, CgEnv *env, const CgStmt *s, CgAtom name, void *of), void *of)
{
    const CgModule *script = &e->program->at[e->program->n - 1];
    for (int i = -1; i < script->nimports; i++) {
        int module = i < 0 ? e->program->n - 1 : script->imports[i].module;
        const CgBlock *top = &e->program->at[module].unit->top;
        for (int k = 0; k < top->n; k++) {
            const CgStmt *s = top->at[k];
            if (s->kind == CG_STMT_OPTION)
                found(e, e->envs[module], s,
                    i < 0 ? s->names[0] : cg_intern_printf("%s.%s", cg_import_word(&script->imports[i]), s->names[0]),
                    of);
        }
    }
}

static void evaluate(CgElab *e, CgEnv *env, const CgStmt *s, CgAtom name, void *of)
{
    (void)name;
    (void)of;
    cg_env_own(e, env, s->names[0]);
}

static void offer(CgElab *e, CgEnv *env, const CgStmt *s, CgAtom name, void *of)
{
    (void)e;
    (void)env;
    (void)s;
    CgSuggest *near = of;
    const char *dot = strrchr(name, '.');
    if (dot && !strcmp(dot + 1, near->word)) { /* the module is what is missing */
        near->best = name;
        near->distance = 0;
    }
    cg_suggest_offer(near, name);
}

typedef struct Same {
    const char *name;
    const CgEnv *first;
    bool several;
} Same;

static void compare(CgElab *e, CgEnv *env, const CgStmt *s, CgAtom name, void *of)
{
    (void)e;
    (void)s;
    Same *same = of;
    if (strcmp(name, same->name) != 0)
        return;
    same->several |= same->first && same->first != env;
    same->first = env;
}

void cg_options_check(CgElab *e)
{
    each_option(e, evaluate, NULL); /* also those that nothing reads */
    for (int i = 0; i < e->nsettings; i++) {
        const char *name = e->settings[i].name;
        Same same = { .name = name };
        each_option(e, compare, &same);
        if (same.several)
            cg_diag_help(
                cg_elab_error(e, CG_E0308, (CgSpan){ 0 }, "--set %s: two imported modules have this option", name),
                "give one of them another name: import a.b as c");
        if (e->settings[i].used)
            continue;
        CgSuggest s;
        cg_suggest_init(&s, name);
        each_option(e, offer, &s);
        CgDiag *d = cg_elab_error(e, CG_E0308, (CgSpan){ 0 }, "--set: the script has no option '%s'", name);
        cg_diag_meant(d, &s);
    }
}

/* ---- the option `precision` -------------------------------------------------------------------------------------- */

/* The value of the script's option of that name, which any other value may have, too; NULL when there is none. */
static const CgValue *precision(CgElab *e)
{
    CgEnv *env = cg_elab_script(e);
    const CgAtom name = cg_intern("precision");
    const CgStmt *s = cg_env_declared(env, name);
    return s && s->kind == CG_STMT_OPTION ? cg_env_find(e, env, name) : NULL;
}

bool cg_precision_option(CgElab *e)
{
    const CgValue *v = precision(e);
    return v && v->kind == CG_VALUE_STR && !strcmp(v->s, "bf16");
}

void cg_precision_check(CgElab *e)
{
    const CgValue *v = precision(e);
    if (!v || cg_is_poison(v) || (v->kind == CG_VALUE_STR && (!strcmp(v->s, "f32") || !strcmp(v->s, "bf16"))))
        return;
    CgStrbuf text = { 0 };
    cg_value_print(v, &text);
    CgDiag *d = cg_elab_error(e, CG_E0311, v->span, "products are not computed in %s", cg_strbuf_str(&text));
    cg_diag_help(d, "option precision is \"f32\" or \"bf16\"; in_f32 and in_bf16 say it of parts of a model");
    cg_strbuf_deinit(&text);
}
