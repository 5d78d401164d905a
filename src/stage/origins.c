/* origins.c - what a run is made of, for those who ask why the numbers of two differ.
 * Takes a session; gives its index the texts of its modules, its options, the versions of what is built in, and for the
 * data of its stages the digest of what was read. Reads nothing that the stages have not read. Must not decide keys. */
#include "stage/origins.h"

#include <stdio.h>
#include <string.h>

#include "elab/signature.h"
#include "graph/registry.h"
#include "stage/described.h"

/* ---- what is built in ---- */

static void print_versions(CgStrbuf *out)
{
    char hex[33];
    const CgStageKind *kinds[] = { &cg_stage_kind_train, &cg_stage_kind_evaluate, &cg_stage_kind_rows };
    for (size_t i = 0; i < CG_LEN(kinds); i++)
        cg_strbuf_printf(out, "%s %d\n", kinds[i]->name, kinds[i]->version);
    for (size_t i = 0; cg_function_at(i); i++)
        cg_strbuf_printf(out, "function %s %d\n", cg_function_at(i)->name, cg_function_at(i)->version);
    for (size_t i = 0; i < cg_op_count(); i++) {
        CgDigest plugin = cg_op_origin(cg_op_at(i)), own = { 0 };
        cg_digest_hex(plugin, hex);
        cg_strbuf_printf(out, "op %s %d%s%s\n", cg_op_at(i)->name, cg_op_at(i)->version,
            memcmp(&plugin, &own, sizeof own) ? " of a plugin with the digest " : "",
            memcmp(&plugin, &own, sizeof own) ? hex : "");
    }
    for (size_t i = 0; cg_embedded_at(i); i++) {
        const char *name = cg_embedded_at(i), *text = cg_embedded_find(name);
        cg_digest_hex(cg_digest(text, strlen(text)), hex);
        cg_strbuf_printf(out, "module %s %s\n", name, hex);
    }
}

/* ---- data ---- */

static CgDigest digest_of_tensors(const CgTensors *t)
{
    CgDigester *d = cg_digester_new();
    for (int i = 0; i < t->n; i++) {
        const CgTensor *at = &t->at[i].tensor;
        cg_digester_add(d, t->at[i].name, strlen(t->at[i].name) + 1);
        cg_digester_add(d, at->data, (size_t)cg_tensor_count(at) * cg_dtype_size(at->dtype));
    }
    return cg_digester_free(d);
}

static void note(CgSession *x, const char *name, CgDigest call, CgDigest content)
{
    char at[33], hex[33];
    uint64_t known;
    if (cg_map_get(&x->inputs_noted, call.low, &known))
        return;
    cg_map_put(&x->inputs_noted, call.low, 1);
    cg_digest_hex(call, at);
    cg_digest_hex(content, hex);
    cg_run_origin(x->run, "read", name, at, hex);
}

static void note_data(CgSession *x, CgValue *v)
{
    if (cg_value_is_read(v)) {
        CgValue *made = cg_make(x, v);
        CgStrbuf name = { 0 };
        const char *path = NULL;
        for (int i = 0; i < v->n && !path; i++)
            path = v->at[i]->kind == CG_VALUE_STR ? v->at[i]->s : NULL;
        cg_strbuf_printf(&name, path ? "%s(\"%s\")" : "%s()", v->function->name, path);
        if (made && made->held)
            note(x, cg_strbuf_str(&name), cg_value_digest(v), made->cls->digest(made->held));
        cg_strbuf_deinit(&name);
        return;
    }
    for (int i = 0; i < v->n && (v->kind == CG_VALUE_CALL || v->kind == CG_VALUE_LIST || v->kind == CG_VALUE_RECORD);
         i++)
        note_data(x, v->at[i]);
}

static void note_weights(CgSession *x, const CgModelGraph *m)
{
    const CgValue *before = NULL;
    for (size_t i = 0; m && i < m->params.len; i++) {
        CgValue *w = cg_weights_origin(m->params.at[i].weights);
        const CgTensors *t = w && w != before && w->kind != CG_VALUE_STAGE ? cg_weights_force(x, w) : NULL;
        if (t)
            note(
                x, cg_weights_path(w), cg_digest(cg_weights_path(w), strlen(cg_weights_path(w))), digest_of_tensors(t));
        before = w;
    }
}

/* ---- the whole ---- */

static void note_script(CgSession *x)
{
    CgStrbuf text = { 0 };
    print_versions(&text);
    cg_run_origin(x->run, "versions", "cg " PACKAGE_VERSION, "", cg_strbuf_str(&text));
    cg_strbuf_deinit(&text);
    for (int i = 0; i < x->program->n; i++) {
        const CgModule *m = &x->program->at[i];
        const CgSource *s = cg_sources_get(x->sources, m->unit->file);
        const char *own = cg_embedded_find(m->name);
        if (!own || strlen(own) != s->len || memcmp(own, s->text, s->len) != 0)
            cg_run_origin(x->run, "source", m->name, s->name, s->text);
    }
    for (int i = 0; i < x->opts.nsettings; i++)
        cg_run_origin(x->run, "option", x->opts.settings[i].name, "", x->opts.settings[i].text);
    char seed[24];
    snprintf(seed, sizeof seed, "%lld", (long long)x->opts.seed);
    cg_run_origin(x->run, "seed", "--seed", "", seed);
}

static void note_stage(CgSession *x, CgStage *s)
{
    if (s->data)
        note_data(x, s->data);
    if (s->validate)
        note_data(x, s->validate);
    for (int i = 0; i < s->ncolumns; i++)
        note_data(x, s->columns[i].value);
    note_weights(x, s->model);
}

void cg_origins_note(CgSession *x)
{
    note_script(x);
    for (size_t i = 0; i < x->stages.len; i++)
        if (x->stages.at[i]->keyed && !x->stages.at[i]->failed)
            note_stage(x, x->stages.at[i]);
}
