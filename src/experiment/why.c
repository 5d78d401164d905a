/* why.c - why the values of two runs differ.
 * Takes what both are made of; finds the differences (tokens of texts by lines, options, seed, data), makes scripts
 * with some of them, and asks for the keys of their values: what can be left out with the key of a value still that of
 * the second run is no reason for it. Must not run anything, nor read data. */
#include "experiment/why.h"
#include "library/library.h"

#include <stdlib.h>
#include <string.h>

#include "base/io.h"
#include "elab/signature.h"
#include "lang/edits.h"
#include "lang/fmt.h"

/* ---- the two ---------------------------------------------------------------------------------------------------- */

static const char *text_of(const CgTable *t, size_t row, int column)
{
    return t->column[column].at[row].missing ? "" : t->column[column].at[row].text;
}

static void begin(CgWhySide *out, const char *name)
{
    memset(out, 0, sizeof *out);
    out->arena = cg_arena_new();
    out->name = cg_arena_strdup(out->arena, name);
}

bool cg_why_of_run(CgStore *s, int64_t run, CgWhySide *out, CgErr *e)
{
    enum { KIND, NAME, DETAIL, TEXT };
    enum { KEY, STAGE_KIND, LABEL };
    char name[40];
    snprintf(name, sizeof name, "run %lld", (long long)run);
    begin(out, name);
    CgTable *of = cg_store_origins(s, run, e), *values = of ? cg_store_settings(s, run, e) : NULL;
    CgArena *arena = out->arena;
    for (size_t r = 0; values && r < of->rows; r++) {
        const char *kind = text_of(of, r, KIND), *is = cg_arena_strdup(arena, text_of(of, r, NAME)),
                   *text = cg_arena_strdup(arena, text_of(of, r, TEXT));
        CgInput input;
        if (!strcmp(kind, "source"))
            cg_vec_push(&out->modules, ((CgWhyModule){ is, cg_arena_strdup(arena, text_of(of, r, DETAIL)), text }));
        else if (!strcmp(kind, "option"))
            cg_vec_push(&out->settings, ((CgSetting){ is, text, false }));
        else if (!strcmp(kind, "seed"))
            out->seed = strtoll(text, NULL, 10);
        else if (!strcmp(kind, "versions"))
            out->versions = text;
        else if (!strcmp(kind, "read") && cg_digest_parse(text_of(of, r, DETAIL), &input.call)
            && cg_digest_parse(text, &input.content))
            cg_vec_push(&out->inputs, ((CgWhyInput){ is, input }));
    }
    for (size_t r = 0; values && r < values->rows; r++) {
        CgWhyValue v = { cg_arena_strdup(arena, text_of(values, r, LABEL)), { 0 } };
        if (cg_digest_parse(text_of(values, r, KEY), &v.key))
            cg_vec_push(&out->values, v);
    }
    bool good = values != NULL;
    cg_table_free(of);
    cg_table_free(values);
    CgTable *runs = good && !out->modules.len ? cg_store_runs(s, e) : NULL;
    bool there = false;
    for (size_t r = 0; runs && r < runs->rows; r++)
        there |= runs->column[0].at[r].whole == run;
    cg_table_free(runs);
    if (good && !out->modules.len && !there)
        return cg_err(e, CG_ERR_INPUT, "there is no run %lld", (long long)run);
    if (good && !out->modules.len) {
        cg_err(e, CG_ERR_INPUT, "the store does not know what run %lld was made of", (long long)run);
        cg_err_hint(
            e, "it was killed before it kept its script, or is of an older cg; run it again, or compare two scripts");
        return false;
    }
    return good;
}

bool cg_why_of_script(const char *path, CgWhySide *out, CgErr *e)
{
    begin(out, path);
    CgSources *sources = cg_sources_new();
    CgDiags *diags = cg_diags_new(sources);
    CgProgram *p = cg_program_load(sources, path, diags);
    for (int i = 0; p && i < p->n; i++) {
        const CgSource *s = cg_sources_get(sources, p->at[i].unit->file);
        const char *own = cg_embedded_find(p->at[i].name);
        if (!own || strcmp(own, s->text) != 0)
            cg_vec_push(&out->modules,
                ((CgWhyModule){
                    p->at[i].name, cg_arena_strdup(out->arena, s->name), cg_arena_strdup(out->arena, s->text) }));
    }
    if (!p)
        cg_err(e, CG_ERR_IO, "'%s' cannot be read", path);
    cg_program_free(p);
    cg_diags_free(diags);
    cg_sources_free(sources);
    return p;
}

void cg_why_side_free(CgWhySide *s)
{
    cg_vec_free(&s->modules);
    cg_vec_free(&s->settings);
    cg_vec_free(&s->inputs);
    cg_vec_free(&s->values);
    if (s->arena)
        cg_arena_free(s->arena);
}

/* ---- their differences ------------------------------------------------------------------------------------------ */

/* A module that both have, or one alone: then there is no edit. */
typedef struct Module {
    const CgWhyModule *of[2];
    CgEdits edits;
    int *cause; /* by edit */
} Module;

typedef struct Setting {
    const char *name, *text[2]; /* NULL: not given */
    int cause;                  /* -1: none, both say the same */
} Setting;

typedef struct Input {
    CgInput digest[2]; /* one call; what either read */
    int cause;
} Input;

/* A value by its label in either. */
typedef struct Target {
    const char *label[2];
} Target;

/* The keys of all targets, of a script with some of the differences. */
typedef struct Mix {
    bool *made; /* by cause */
    bool checks;
    CgDigest *key; /* by target; zero where the script has it not */
} Mix;

typedef struct Search {
    const CgWhySide *side[2];
    CgArena *arena;
    CgWhy *out;
    CG_VEC(Module) modules;
    CG_VEC(Setting) settings;
    CG_VEC(Input) inputs;
    int seed; /* cause, or -1 */
    CG_VEC(Target) targets;
    CG_VEC(Mix) mixes;
} Search;

static int cause(Search *s, CgWhyCause c)
{
    for (int i = 0; i < 2; i++) {
        c.place[i] = c.place[i] ? c.place[i] : "";
        c.text[i] = c.text[i] ? c.text[i] : "";
    }
    cg_vec_push(&s->out->causes, c);
    return (int)s->out->causes.len - 1;
}

static int line_at(const char *text, uint32_t at)
{
    int line = 1;
    for (uint32_t i = 0; i < at; i++)
        line += text[i] == '\n';
    return line;
}

/* The line, without the blanks around it. */
static const char *line_text(CgArena *arena, const char *text, uint32_t at)
{
    uint32_t from = at, to = at;
    while (from > 0 && text[from - 1] != '\n')
        from--;
    while (text[to] && text[to] != '\n')
        to++;
    while (from < to && (text[from] == ' ' || text[from] == '\t'))
        from++;
    while (to > from && (text[to - 1] == ' ' || text[to - 1] == '\r'))
        to--;
    return cg_arena_strndup(arena, text + from, to - from);
}

static CgWhyCause cause_at(const Search *s, const Module *m, const CgEdit *e)
{
    CgWhyCause c = { 0 };
    for (int i = 0; i < 2; i++) {
        const char *text = m->of[i]->text;
        c.place[i] = cg_arena_printf(s->arena, "%s:%d", m->of[i]->path, line_at(text, e->from[i]));
        if (e->to[i] > e->from[i])
            c.text[i] = line_text(s->arena, text, e->from[i]);
    }
    return c;
}

static bool same_words(const Module *m, const CgEdit *a, const CgEdit *b)
{
    bool same = a->name && b->name;
    for (int i = 0; same && i < 2; i++)
        same = a->to[i] - a->from[i] == b->to[i] - b->from[i]
            && !memcmp(m->of[i]->text + a->from[i], m->of[i]->text + b->from[i], a->to[i] - a->from[i]);
    return same;
}

/* Whether an edit touches a line, of either text, that the one before it touches, too. */
static bool shares_line(const Module *m, const CgEdit *before, const CgEdit *e)
{
    for (int i = 0; i < 2; i++) {
        bool both = before->to[i] > before->from[i] && e->to[i] > e->from[i];
        if (both && !memchr(m->of[i]->text + before->to[i] - 1, '\n', e->from[i] - before->to[i] + 1))
            return true;
    }
    return false;
}

/* One cause for edits on one line, and one for a name that is exchanged for the same other one in several places. */
static void causes_of_text(Search *s, Module *m)
{
    int on_line = -1;
    const CgEdit *before = NULL;
    m->cause = CG_NEWN(s->arena, int, m->edits.n + 1);
    for (size_t i = 0; i < m->edits.n; i++) {
        const CgEdit *e = &m->edits.at[i];
        size_t times = 0, first = i;
        for (size_t k = m->edits.n; k-- > 0;)
            if (same_words(m, e, &m->edits.at[k])) {
                first = k;
                times++;
            }
        if (times > 1) {
            m->cause[i] = first < i ? m->cause[first] : cause(s, cause_at(s, m, e));
            continue;
        }
        if (on_line < 0 || !shares_line(m, before, e))
            on_line = cause(s, cause_at(s, m, e));
        m->cause[i] = on_line;
        before = e;
    }
}

static const CgWhyModule *module_of(const CgWhySide *s, const char *name)
{
    for (size_t i = 0; i < s->modules.len; i++)
        if (!strcmp(s->modules.at[i].name, name))
            return &s->modules.at[i];
    return NULL;
}

static void compare_texts(Search *s)
{
    for (int side = 0; side < 2; side++)
        for (size_t i = 0; i < s->side[side]->modules.len; i++) {
            const CgWhyModule *own = &s->side[side]->modules.at[i], *other = module_of(s->side[1 - side], own->name);
            Module m = { 0 };
            if (side && other)
                continue;
            m.of[side] = own;
            m.of[1 - side] = other;
            if (other) {
                m.edits = cg_edits_find(own->text, other->text);
                causes_of_text(s, &m);
            }
            cg_vec_push(&s->modules, m);
        }
}

static const char *setting_of(const CgWhySide *s, const char *name)
{
    for (size_t i = s->settings.len; i-- > 0;)
        if (!strcmp(s->settings.at[i].name, name))
            return s->settings.at[i].text;
    return NULL;
}

static void compare_settings(Search *s)
{
    for (int side = 0; side < 2; side++)
        for (size_t i = 0; i < s->side[side]->settings.len; i++) {
            const char *name = s->side[side]->settings.at[i].name;
            Setting it = { name, { setting_of(s->side[0], name), setting_of(s->side[1], name) }, -1 };
            bool known = false;
            for (size_t k = 0; k < s->settings.len && !known; k++)
                known = !strcmp(s->settings.at[k].name, name);
            if (known)
                continue;
            if (!it.text[0] || !it.text[1] || strcmp(it.text[0], it.text[1]) != 0) {
                const char *place = cg_arena_printf(s->arena, "--set %s", name);
                it.cause = cause(s, (CgWhyCause){ { place, place }, { it.text[0], it.text[1] } });
                for (int k = 0; k < 2; k++)
                    if (!it.text[k])
                        s->out->causes.at[it.cause].text[k] = "as the script says";
            }
            cg_vec_push(&s->settings, it);
        }
    s->seed = -1;
    if (s->side[0]->seed != s->side[1]->seed)
        s->seed = cause(s,
            (CgWhyCause){ { "--seed", "--seed" },
                { cg_arena_printf(s->arena, "%lld", (long long)s->side[0]->seed),
                    cg_arena_printf(s->arena, "%lld", (long long)s->side[1]->seed) } });
}

static void compare_inputs(Search *s)
{
    for (int side = 0; side < 2; side++)
        for (size_t i = 0; i < s->side[side]->inputs.len; i++) {
            const CgWhyInput *own = &s->side[side]->inputs.at[i], *other = NULL;
            for (size_t k = 0; k < s->side[1 - side]->inputs.len; k++)
                if (!memcmp(&s->side[1 - side]->inputs.at[k].digest.call, &own->digest.call, sizeof(CgDigest)))
                    other = &s->side[1 - side]->inputs.at[k];
            if (side && other)
                continue;
            Input it = { .cause = -1 };
            it.digest[side] = own->digest;
            it.digest[1 - side] = (other ? other : own)->digest;
            if (memcmp(&it.digest[0].content, &it.digest[1].content, sizeof(CgDigest)) != 0) {
                char hex[2][33];
                cg_digest_hex(it.digest[0].content, hex[0]);
                cg_digest_hex(it.digest[1].content, hex[1]);
                it.cause = cause(s,
                    (CgWhyCause){ { own->name, own->name },
                        { cg_arena_printf(s->arena, "what was read has the digest %s", hex[0]),
                            cg_arena_printf(s->arena, "what was read has the digest %s", hex[1]) } });
            }
            cg_vec_push(&s->inputs, it);
        }
}

/* ---- scripts with some of them ---------------------------------------------------------------------------------- */

/* Where the modules of the second side lie when they are those of the first one's script. */
static const char *path_beside(Search *s, const CgWhyModule *m)
{
    const char *script[2] = { module_of(s->side[0], "")->path, module_of(s->side[1], "")->path };
    const char *slash[2] = { strrchr(script[0], '/'), strrchr(script[1], '/') };
    size_t n = slash[1] ? (size_t)(slash[1] - script[1]) + 1 : 0;
    if (strncmp(m->path, script[1], n) != 0)
        return m->path;
    return cg_arena_printf(s->arena, "%.*s%s", slash[0] ? (int)(slash[0] - script[0]) + 1 : 0, script[0], m->path + n);
}

/* What a shown or saved value is made of. */
static void describe(CgSession *x, const CgValue *v, CgDigester *d)
{
    bool holds = v->kind == CG_VALUE_LIST || v->kind == CG_VALUE_RECORD || v->kind == CG_VALUE_CALL;
    const CgStage *stage = v->kind == CG_VALUE_STAGE ? v->stage
        : v->kind == CG_VALUE_INSTANCE               ? cg_weights_stage(v->instance->weights)
                                                     : NULL;
    CgStrbuf text = { 0 };
    if (stage) {
        cg_digester_add(d, &stage->key, sizeof stage->key);
        cg_strbuf_puts(
            &text, v->kind == CG_VALUE_INSTANCE && v->instance->submodule_path ? v->instance->submodule_path : "");
        if (v->kind == CG_VALUE_INSTANCE)
            (void)!cg_weights_identify(x, v->instance->weights, d);
    } else if (!holds) {
        CgDigest own = cg_described_digest(x, v);
        cg_digester_add(d, &own, sizeof own);
    }
    if (v->kind == CG_VALUE_CALL) {
        const CgTextCall *t = v->stage;
        cg_strbuf_printf(&text, "%s %d %d", v->function->name, v->function->version, v->n);
        CgDigest graph = t && t->generator ? cg_graph_digest(t->generator->model->graph) : (CgDigest){ 0 };
        cg_digester_add(d, &graph, sizeof graph);
        if (t && t->generator)
            (void)!cg_model_digest(x, t->generator->model, d);
    }
    cg_digester_add(d, cg_strbuf_str(&text), text.len + 1);
    cg_strbuf_deinit(&text);
    for (int i = 0; holds && i < v->n; i++) {
        cg_digester_add(d, v->keys && v->keys[i] ? v->keys[i] : "", v->keys && v->keys[i] ? strlen(v->keys[i]) + 1 : 1);
        describe(x, v->at[i], d);
    }
}

typedef CG_VEC(CgWhyValue) Values;

/* What the script shows, in order: as fmt writes it, on one line. */
static void add_shown(CgSession *x, CgArena *arena, Values *out)
{
    const CgModule *script = cg_env_module(cg_elab_script(x->elab));
    const CgBlock *top = &script->unit->top;
    for (int i = 0; i < top->n; i++)
        for (int k = 0; top->at[i]->kind == CG_STMT_SHOW && k < top->at[i]->nexprs; k++) {
            const CgExpr *e = top->at[i]->exprs[k];
            CgFrame f;
            CgDigester *d = cg_digester_new();
            cg_frame_begin(x->elab, &f, NULL, cg_elab_script(x->elab));
            describe(x, cg_shown(x->elab, &f, e), d);
            cg_frame_end(x->elab, &f);
            CgStrbuf text = { 0 };
            cg_expr_format(e, &text);
            CgWhyValue v = { cg_arena_printf(arena, "show %s", cg_strbuf_str(&text)), cg_digester_free(d) };
            cg_strbuf_deinit(&text);
            cg_vec_push(out, v);
        }
}

/* The values of a script with these of the differences made; false where it has mistakes. */
static bool values_of(Search *s, const bool *made, Values *out)
{
    CgArena *arena = s->arena;
    CgOpenText *texts = CG_NEWN(arena, CgOpenText, s->modules.len + 1);
    CgSetting *settings = CG_NEWN(arena, CgSetting, s->settings.len + 1);
    CgInput *at = CG_NEWN(arena, CgInput, s->inputs.len + 1);
    struct CgInputs inputs = { at, (int)s->inputs.len };
    int n = 0;
    for (size_t i = 0; i < s->modules.len; i++) {
        const Module *m = &s->modules.at[i];
        const CgWhyModule *own = m->of[0] ? m->of[0] : m->of[1];
        CgStrbuf text = { 0 };
        bool *edits = CG_NEWN(arena, bool, m->edits.n + 1);
        for (size_t k = 0; k < m->edits.n; k++)
            edits[k] = made[m->cause[k]];
        cg_edits_apply(own->text, m->of[1] ? m->of[1]->text : "", &m->edits, edits, &text);
        texts[i] = (CgOpenText){ m->of[0] ? own->path : path_beside(s, own),
            cg_arena_strdup(arena, cg_strbuf_str(&text)), text.len };
        cg_strbuf_deinit(&text);
    }
    for (size_t i = 0; i < s->settings.len; i++) {
        const Setting *it = &s->settings.at[i];
        const char *text = it->text[it->cause >= 0 && made[it->cause]];
        if (text)
            settings[n++] = (CgSetting){ it->name, text, false };
    }
    for (size_t i = 0; i < s->inputs.len; i++)
        at[i] = s->inputs.at[i].digest[s->inputs.at[i].cause >= 0 && made[s->inputs.at[i].cause]];
    CgSessionOpts opts = { .settings = settings,
        .nsettings = n,
        .quiet = true,
        .seed = s->side[s->seed >= 0 && made[s->seed]]->seed,
        .texts = texts,
        .ntexts = (int)s->modules.len,
        .inputs = &inputs };
    CgSession *x = cg_experiment_new(module_of(s->side[0], "")->path, &opts);
    bool good = !cg_diags_count(x->diags);
    for (size_t i = 0; good && i < x->stages.len; i++) {
        CgStage *stage = x->stages.at[i];
        good = cg_stage_key(x, stage);
        cg_vec_push(out, ((CgWhyValue){ cg_arena_strdup(arena, stage->label), stage->key }));
    }
    if (good)
        add_shown(x, arena, out);
    cg_experiment_free(x);
    return good;
}

static const CgWhyValue *value_of(const Values *v, const char *label)
{
    for (size_t i = 0; i < v->len; i++)
        if (!strcmp(v->at[i].label, label))
            return &v->at[i];
    return NULL;
}

static bool is_shown(const char *label) { return !strncmp(label, "show ", 5); }

/* Values that are shown have the text of their expression as a label, which may be what differs: the k-th one. */
static const CgWhyValue *shown_at(const Values *v, int k)
{
    for (size_t i = 0; i < v->len; i++)
        if (is_shown(v->at[i].label) && k-- == 0)
            return &v->at[i];
    return NULL;
}

static int number_of(const Search *s, size_t target)
{
    int k = 0;
    for (size_t i = 0; i < target; i++)
        k += is_shown(s->targets.at[i].label[0]);
    return k;
}

static const Mix *mix(Search *s, const bool *made)
{
    size_t n = s->out->causes.len;
    for (size_t i = 0; i < s->mixes.len; i++)
        if (!memcmp(s->mixes.at[i].made, made, n))
            return &s->mixes.at[i];
    Values values = { 0 };
    Mix m = { .made = CG_NEWN(s->arena, bool, n + 1), .key = CG_NEWN(s->arena, CgDigest, s->targets.len + 1) };
    memcpy(m.made, made, n);
    m.checks = values_of(s, made, &values);
    for (size_t i = 0; m.checks && i < s->targets.len; i++) {
        const Target *t = &s->targets.at[i];
        const CgWhyValue *v =
            is_shown(t->label[0]) ? shown_at(&values, number_of(s, i)) : value_of(&values, t->label[1]);
        v = v || is_shown(t->label[0]) ? v : value_of(&values, t->label[0]);
        if (v)
            m.key[i] = v->key;
    }
    cg_vec_free(&values);
    cg_vec_push(&s->mixes, m);
    return &s->mixes.at[s->mixes.len - 1];
}

/* ---- the smallest set ------------------------------------------------------------------------------------------- */

static bool as_second(Search *s, const bool *made, size_t target, CgDigest key)
{
    const Mix *m = mix(s, made);
    return m->checks && !memcmp(&m->key[target], &key, sizeof key);
}

/* Leaves out what a target does not need: halves, quarters, .. and at last single ones and pairs. */
static void reduce(Search *s, size_t target, CgDigest key, bool *made)
{
    size_t n = s->out->causes.len;
    bool *try = CG_NEWN(s->arena, bool, n + 1);
    for (size_t step = n / 2 + 1; step > 0; step /= 2)
        for (size_t from = 0; from < n; from += step) {
            bool any = false;
            memcpy(try, made, n);
            for (size_t i = from; i < from + step && i < n; i++) {
                any |= try[i];
                try[i] = false;
            }
            if (any && as_second(s, try, target, key))
                memcpy(made, try, n);
        }
    for (size_t i = 0; i < n; i++) /* two that make sense together only, such as a name and its use */
        for (size_t k = i + 1; k < n; k++) {
            if (!made[i] || !made[k])
                continue;
            memcpy(try, made, n);
            try[i] = try[k] = false;
            if (as_second(s, try, target, key))
                memcpy(made, try, n);
        }
}

static const CgWhyValue *kept(const CgWhySide *s, const char *label)
{
    for (size_t i = 0; i < s->values.len; i++)
        if (!strcmp(s->values.at[i].label, label))
            return &s->values.at[i];
    return NULL;
}

static void explain(Search *s, size_t target)
{
    size_t n = s->out->causes.len;
    const Target *t = &s->targets.at[target];
    bool *made = CG_NEWN(s->arena, bool, n + 1);
    CgDigest first = mix(s, made)->key[target];
    for (size_t i = 0; i < n; i++)
        made[i] = true;
    CgDigest second = mix(s, made)->key[target];
    const CgWhyValue *stored[2] = { kept(s->side[0], t->label[0]), kept(s->side[1], t->label[1]) };
    bool described = memcmp(&first, &second, sizeof first) != 0;
    bool differs = stored[0] && stored[1] ? memcmp(&stored[0]->key, &stored[1]->key, sizeof first) != 0 : described;
    CgWhyResult r = { .label = { t->label[0], t->label[1] }, .cause = made };
    const char *a = s->side[0]->versions, *b = s->side[1]->versions;
    bool versions = a && b && strcmp(a, b) != 0;
    if (!differs && !(is_shown(t->label[0]) && versions)) /* no run keeps what it shows */
        cg_vec_push(&s->out->same, t->label[0]);
    if (!differs)
        return;
    if (described)
        reduce(s, target, second, made);
    else
        memset(made, 0, n);
    r.by_version = !described && versions;
    r.unsure = !described && !r.by_version;
    cg_vec_push(&s->out->results, r);
}

static bool find_targets(Search *s, const Values v[2], const char *const of[2], CgErr *e)
{
    if (of[0]) {
        for (int i = 0; i < 2; i++)
            if (!value_of(&v[i], of[i])) {
                CgSuggest near;
                cg_suggest_init(&near, of[i]);
                for (size_t k = 0; k < v[i].len; k++)
                    cg_suggest_offer(&near, v[i].at[k].label);
                cg_err(e, CG_ERR_INPUT, "%s has no value '%s'", s->side[i]->name, of[i]);
                if (cg_suggest_best(&near))
                    cg_err_hint(e, "did you mean '%s'?", cg_suggest_best(&near));
                return false;
            }
        cg_vec_push(&s->targets, ((Target){ { of[0], of[1] } }));
        return true;
    }
    int shown[2] = { 0, 0 };
    for (int i = 0; i < 2; i++)
        for (size_t k = 0; k < v[i].len; k++)
            shown[i] += is_shown(v[i].at[k].label);
    for (int side = 0; side < 2; side++)
        for (size_t i = 0; i < v[side].len; i++) {
            const char *label = v[side].at[i].label;
            const CgWhyValue *other = value_of(&v[1 - side], label);
            if (is_shown(label) && !side && shown[0] == shown[1]) {
                const CgWhyValue *there = shown_at(&v[1], number_of(s, s->targets.len));
                cg_vec_push(&s->targets, ((Target){ { label, there->label } }));
            } else if (is_shown(label)) {
                continue;
            } else if (!other) {
                cg_vec_push(&s->out->only[side], label);
            } else if (!side) {
                cg_vec_push(&s->targets, ((Target){ { label, label } }));
            }
        }
    return true;
}

/* The mistakes of one of the two, at its own places. */
static void say_mistakes(const CgWhySide *side)
{
    CgOpenText *texts = cg_calloc(side->modules.len + 1, sizeof *texts);
    for (size_t i = 0; i < side->modules.len; i++)
        texts[i] = (CgOpenText){ side->modules.at[i].path, side->modules.at[i].text, strlen(side->modules.at[i].text) };
    CgSessionOpts opts = { .settings = side->settings.at,
        .nsettings = (int)side->settings.len,
        .quiet = true,
        .texts = texts,
        .ntexts = (int)side->modules.len };
    CgSession *x = cg_experiment_new(module_of(side, "")->path, &opts);
    cg_diags_print(x->diags, stderr, false);
    cg_experiment_free(x);
    free(texts);
}

static bool search(Search *s, const char *const of[2], CgErr *e)
{
    size_t n = s->out->causes.len;
    bool *none = CG_NEWN(s->arena, bool, n + 1), *all = CG_NEWN(s->arena, bool, n + 1);
    Values v[2] = { { 0 }, { 0 } };
    memset(all, true, n);
    bool good = true;
    for (int i = 0; i < 2 && good; i++)
        if (!(good = values_of(s, i ? all : none, &v[i]))) {
            say_mistakes(s->side[i]);
            cg_err(e, CG_ERR_INPUT, "the script of %s cannot be checked as it was", s->side[i]->name);
        }
    good = good && find_targets(s, v, of, e);
    for (size_t i = 0; good && i < s->targets.len; i++)
        explain(s, i);
    cg_vec_free(&v[0]);
    cg_vec_free(&v[1]);
    return good;
}

bool cg_why_find(const CgWhySide *a, const CgWhySide *b, const char *const of[2], CgWhy *out, CgErr *e)
{
    memset(out, 0, sizeof *out);
    out->arena = cg_arena_new();
    Search s = { .side = { a, b }, .arena = out->arena, .out = out };
    compare_texts(&s);
    compare_settings(&s);
    compare_inputs(&s);
    bool good = search(&s, of, e);
    for (size_t i = 0; i < s.modules.len; i++)
        cg_edits_free(&s.modules.at[i].edits);
    cg_vec_free(&s.modules);
    cg_vec_free(&s.settings);
    cg_vec_free(&s.inputs);
    cg_vec_free(&s.targets);
    cg_vec_free(&s.mixes);
    return good;
}

void cg_why_free(CgWhy *w)
{
    cg_vec_free(&w->causes);
    cg_vec_free(&w->results);
    cg_vec_free(&w->same);
    cg_vec_free(&w->only[0]);
    cg_vec_free(&w->only[1]);
    if (w->arena)
        cg_arena_free(w->arena);
}
