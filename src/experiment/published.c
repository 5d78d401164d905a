/* published.c - what a script gave, as digests that somebody else can compare.
 * Takes values of stages; gives their digests as JSON, and compares. A digest is of numbers and names, not of a file.
 */
#include "experiment/published.h"

#include <stdlib.h>
#include <string.h>

#include "base/io.h"
#include "base/json.h"
#include "experiment/needs.h"

/* ---- digests ---- */

static int by_name(const void *a, const void *b)
{
    return strcmp((*(const CgNamed *const *)a)->name, (*(const CgNamed *const *)b)->name);
}

static void add_tensors(const CgTensors *t, CgDigester *d)
{
    const CgNamed **at = cg_calloc((size_t)t->n + 1, sizeof *at);
    for (int i = 0; i < t->n; i++)
        at[i] = &t->at[i];
    if (t->n)
        qsort(at, (size_t)t->n, sizeof *at, by_name);
    for (int i = 0; i < t->n; i++) {
        const CgTensor *x = &at[i]->tensor;
        cg_digester_add(d, at[i]->name, strlen(at[i]->name) + 1);
        const char *dtype = cg_dtype_name(x->dtype);
        cg_digester_add(d, dtype, strlen(dtype) + 1);
        cg_digester_add(d, &x->rank, sizeof x->rank);
        cg_digester_add(d, x->dim, sizeof *x->dim * (size_t)x->rank);
        cg_digester_add(d, x->data, (size_t)cg_tensor_count(x) * cg_dtype_size(x->dtype));
    }
    free(at);
}

/* Of what a stage gave; false where that is nothing to publish. */
static bool digest_of(const CgStage *s, CgDigest *out)
{
    if (!s->forced || s->failed || (!s->table && s->kind != &cg_stage_kind_train))
        return false;
    CgDigester *d = cg_digester_new();
    if (s->table) {
        CgStrbuf bytes = { 0 };
        cg_table_pack(s->table, &bytes);
        cg_digester_add(d, bytes.at, bytes.len);
        cg_strbuf_deinit(&bytes);
    } else
        add_tensors(&s->weights, d);
    *out = cg_digester_free(d);
    return true;
}

/* ---- the file ---- */

static void put_digest(CgStrbuf *out, const char *key, CgDigest digest)
{
    char hex[33];
    cg_digest_hex(digest, hex);
    cg_strbuf_printf(out, "\"%s\": \"%s\"", key, hex);
}

bool cg_published_write(CgSession *x, const char *path, CgErr *e)
{
    CgStrbuf out = { 0 };
    cg_strbuf_printf(&out, "{\n  \"cg\": \"%s\",\n  \"script\": ", PACKAGE_VERSION);
    cg_json_string(&out, x->path);
    cg_strbuf_puts(&out, ",\n  ");
    put_digest(&out, "text", cg_session_script_digest(x));
    cg_strbuf_printf(&out, ",\n  \"seed\": %lld,\n  \"set\": {", (long long)x->opts.seed);
    for (int i = 0; i < x->opts.nsettings; i++) {
        cg_strbuf_puts(&out, i ? ", " : " ");
        cg_json_string(&out, x->opts.settings[i].name);
        cg_strbuf_puts(&out, ": ");
        cg_json_string(&out, x->opts.settings[i].text);
    }
    cg_strbuf_puts(&out, x->opts.nsettings ? " },\n  \"values\": [" : "},\n  \"values\": [");
    const char *between = "\n    { \"name\": ";
    for (size_t i = 0; i < x->stages.len; i++) {
        CgDigest digest;
        if (!digest_of(x->stages.at[i], &digest))
            continue;
        cg_strbuf_puts(&out, between);
        cg_json_string(&out, x->stages.at[i]->label);
        cg_strbuf_printf(&out, ", \"kind\": \"%s\", ", x->stages.at[i]->kind->name);
        put_digest(&out, "digest", digest);
        cg_strbuf_puts(&out, " }");
        between = ",\n    { \"name\": ";
    }
    cg_strbuf_puts(&out, "\n  ]\n}\n");
    bool good = cg_io_write(path, out.at, out.len, e);
    cg_strbuf_deinit(&out);
    return good;
}

static char *string_of(const json_t *of, const char *key)
{
    const char *s = json_string_value(json_object_get(of, key));
    return s ? cg_strdup(s) : NULL;
}

static bool digest_in(const json_t *of, const char *key, CgDigest *out)
{
    const char *hex = json_string_value(json_object_get(of, key));
    return hex && cg_digest_parse(hex, out);
}

static bool read_value(const json_t *from, CgPublishedValue *out)
{
    *out = (CgPublishedValue){ .name = string_of(from, "name"), .kind = string_of(from, "kind") };
    return out->name && out->kind && digest_in(from, "digest", &out->digest);
}

static bool read_parts(json_t *root, CgPublished *out)
{
    json_t *set = json_object_get(root, "set"), *values = json_object_get(root, "values"), *value;
    const json_t *seed = json_object_get(root, "seed");
    const char *key;
    out->script = string_of(root, "script");
    bool good = out->script && digest_in(root, "text", &out->text) && json_is_integer(seed) && json_is_object(set)
        && json_is_array(values);
    out->seed = json_integer_value(seed);
    out->settings = cg_calloc(json_object_size(set) + 1, sizeof *out->settings);
    out->value = cg_calloc(json_array_size(values) + 1, sizeof *out->value);
    json_object_foreach(set, key, value)
    {
        good = good && json_is_string(value);
        out->settings[out->nsettings++] =
            (CgSetting){ .name = cg_strdup(key), .text = cg_strdup(good ? json_string_value(value) : "") };
    }
    for (size_t i = 0; good && i < json_array_size(values); i++)
        good = read_value(json_array_get(values, i), &out->value[out->nvalues++]);
    return good;
}

bool cg_published_read(const char *path, CgPublished *out, CgErr *e)
{
    CgBytes bytes;
    json_error_t why;
    *out = (CgPublished){ 0 };
    if (!cg_io_read(path, &bytes, e))
        return false;
    json_t *root = cg_json_load(bytes.at, bytes.len, JSON_REJECT_DUPLICATES, &why);
    cg_io_release(&bytes);
    if (!root)
        return cg_err(e, CG_ERR_INPUT, "'%s' is no JSON", path);
    bool good = json_is_object(root) && read_parts(root, out);
    json_decref(root);
    return good || cg_err(e, CG_ERR_INPUT, "'%s' is not what cg run --publish writes", path);
}

void cg_published_free(CgPublished *p)
{
    for (int i = 0; i < p->nsettings; i++) {
        free((void *)(uintptr_t)p->settings[i].name);
        free((void *)(uintptr_t)p->settings[i].text);
    }
    for (int i = 0; i < p->nvalues; i++) {
        free(p->value[i].name);
        free(p->value[i].kind);
    }
    free(p->script);
    free(p->settings);
    free(p->value);
}

/* ---- comparing ---- */

/* The next value of this name and kind: stages of one name are in the order the script makes them. */
static CgPublishedValue *next_of(const CgPublished *p, const CgStage *s)
{
    for (int i = 0; i < p->nvalues; i++)
        if (!p->value[i].met && !strcmp(p->value[i].name, s->label) && !strcmp(p->value[i].kind, s->kind->name))
            return &p->value[i];
    return NULL;
}

static bool compare(const CgStage *s, CgDigest digest, CgPublishedValue *v, FILE *out)
{
    char here[33], there[33];
    bool equal = cg_digest_equal(digest, v->digest);
    cg_digest_hex(digest, here);
    cg_digest_hex(v->digest, there);
    v->met = true;
    fprintf(out, "%s '%s': %s %s%s%s (%s)\n", s->kind->name, s->label, equal ? "agrees," : "DIFFERS:", here,
        equal ? "" : ", published ", equal ? "" : there, s->made ? "rebuilt" : "built by an earlier replay");
    return equal;
}

bool cg_published_compare(CgSession *x, const CgPublished *p, FILE *out, bool *same)
{
    CgNeeds needs = { 0 };
    int missing = 0;
    bool good = cg_needs_find(x, NULL, &needs);
    for (size_t i = 0; good && i < needs.stages.len; i++)
        good = cg_stage_force(x, needs.stages.at[i]);
    cg_needs_free(&needs);
    *same = true;
    for (size_t i = 0; good && i < x->stages.len; i++) {
        CgDigest digest;
        CgPublishedValue *v = next_of(p, x->stages.at[i]);
        if (v && digest_of(x->stages.at[i], &digest) && !compare(x->stages.at[i], digest, v, out))
            *same = false;
    }
    for (int i = 0; i < p->nvalues; i++)
        missing += !p->value[i].met;
    if (good && missing) {
        fprintf(
            out, "%d published value%s not what the script asks for now\n", missing, missing == 1 ? " is" : "s are");
        *same = false;
    }
    return good;
}
