/* tokenizer_steps.c - chains of steps.
 * Takes a step of a tokenizer.json, a Sequence of them, or none; gives a chain. Knows no kind of step. */
#include "data/tokenizer_steps.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/vec.h"
#include "data/characters.h"
#include "data/pattern.h"

typedef struct Step {
    const CgStepKind *kind;
    void *data;
} Step;

struct CgStepChain {
    CG_VEC(Step) steps;
    CgStrbuf buffer[2];
};

bool cg_step_refuse(CgErr *e, const char *path, const char *what, const char *which)
{
    return cg_err(e, CG_ERR_INPUT, "'%s': %s '%.60s' is not supported", path, what, which);
}

const char *cg_step_text(const json_t *step, const char *option)
{
    const char *s = json_string_value(json_object_get(step, option));
    return s ? s : "";
}

bool cg_step_flag(const json_t *step, const char *option, bool otherwise, const char *path, bool *out, CgErr *e)
{
    const json_t *v = json_object_get(step, option);
    *out = json_is_boolean(v) ? json_is_true(v) : otherwise;
    return !v || json_is_null(v) || json_is_boolean(v)
        || cg_err(e, CG_ERR_INPUT, "'%s': '%s' of '%.40s' is neither true nor false", path, option,
            cg_step_text(step, "type"));
}

bool cg_step_string(const json_t *step, const char *option, const char *path, const char **out, CgErr *e)
{
    const json_t *v = json_object_get(step, option);
    *out = json_is_string(v) ? json_string_value(v) : "";
    return !v || json_is_null(v) || json_is_string(v)
        || cg_err(e, CG_ERR_INPUT, "'%s': '%s' of '%.40s' is no text", path, option, cg_step_text(step, "type"));
}

CgPattern *cg_step_pattern(const json_t *step, const char *path, CgErr *e)
{
    const json_t *p = json_object_get(step, "pattern");
    const char *literal = json_string_value(json_object_get(p, "String")),
               *regex = json_string_value(json_object_get(p, "Regex"));
    if (!json_is_object(p) || json_object_size(p) != 1 || (!literal && !regex) || !*(literal ? literal : regex)) {
        cg_err(e, CG_ERR_INPUT, "'%s': the pattern of '%.40s' is neither a String nor a Regex", path,
            cg_step_text(step, "type"));
        return NULL;
    }
    return cg_pattern_new(literal ? literal : regex, literal != NULL, path, e);
}

/* An option that the kind does not have would be one that is silently ignored. */
static bool known_options(const CgStepKind *kind, const json_t *step, const char *path, CgErr *e)
{
    const char *name;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)step, name, value)
    {
        char word[64];
        snprintf(word, sizeof word, " %.60s ", name);
        if (strcmp(name, "type") != 0 && (!kind->options || !strstr(kind->options, word)))
            return cg_err(
                e, CG_ERR_INPUT, "'%s': '%.40s' with the option '%.60s' is not supported", path, kind->type, name);
    }
    return true;
}

typedef struct Reading {
    CgStepChain *chain;
    const char *part, *list, *path;
    const CgStepKind *kinds;
    size_t n;
    CgErr *e;
} Reading;

static bool read_step(Reading *r, const json_t *step, int depth)
{
    const char *type = cg_step_text(step, "type");
    CgStrbuf known = { 0 };
    if (!json_is_object(step))
        return cg_err(r->e, CG_ERR_INPUT, "'%s': '%s' is no step with a 'type'", r->path, r->part);
    if (!strcmp(type, "Sequence")) {
        const json_t *list = json_object_get(step, r->list);
        if (!json_is_array(list) || depth > 8)
            return cg_err(r->e, CG_ERR_INPUT, "'%s': the Sequence of '%s' has no list '%s'", r->path, r->part, r->list);
        for (size_t i = 0; i < json_array_size(list); i++)
            if (!read_step(r, json_array_get(list, i), depth + 1))
                return false;
        return true;
    }
    for (size_t i = 0; i < r->n; i++) {
        Step s = { .kind = &r->kinds[i] };
        cg_strbuf_printf(&known, "%s%s", i ? ", " : "", r->kinds[i].type);
        if (strcmp(type, r->kinds[i].type) != 0)
            continue;
        cg_strbuf_deinit(&known);
        if (!known_options(s.kind, step, r->path, r->e)
            || (s.kind->read && !s.kind->read(step, r->path, &s.data, r->e)))
            return false;
        cg_vec_push(&r->chain->steps, s);
        return true;
    }
    cg_err(
        r->e, CG_ERR_INPUT, "'%s': the %s '%.60s' is not supported", r->path, r->part, *type ? type : "without type");
    cg_err_hint(r->e, "what is: Sequence, %s", cg_strbuf_str(&known));
    cg_strbuf_deinit(&known);
    return false;
}

CgStepChain *cg_steps_read(const json_t *step, const char *part, const char *list, const CgStepKind *kinds, size_t n,
    const char *path, CgErr *e)
{
    Reading r = { cg_calloc(1, sizeof *r.chain), part, list, path, kinds, n, e };
    if (!step || json_is_null(step) || read_step(&r, step, 0))
        return r.chain;
    cg_steps_free(r.chain);
    return NULL;
}

void cg_steps_free(CgStepChain *c)
{
    if (!c)
        return;
    for (size_t i = 0; i < c->steps.len; i++)
        if (c->steps.at[i].kind->free)
            c->steps.at[i].kind->free(c->steps.at[i].data);
    cg_vec_free(&c->steps);
    cg_strbuf_deinit(&c->buffer[0]);
    cg_strbuf_deinit(&c->buffer[1]);
    free(c);
}

uint32_t cg_steps_traits(const CgStepChain *c)
{
    uint32_t all = 0;
    for (size_t i = 0; i < c->steps.len; i++)
        all |= c->steps.at[i].kind->traits;
    return all;
}

uint32_t cg_steps_last(const CgStepChain *c) { return c->steps.len ? c->steps.at[c->steps.len - 1].kind->traits : 0; }

CgText cg_steps_normalize(CgStepChain *c, CgText text)
{
    for (size_t i = 0; i < c->steps.len; i++) {
        CgStrbuf *out = &c->buffer[i % 2];
        out->len = 0;
        c->steps.at[i].kind->normalize(c->steps.at[i].data, text, out);
        text = (CgText){ cg_strbuf_str(out), out->len };
    }
    return text;
}

/* ---- splitting: each piece of a step is split by the next one ------------------------------------------------- */

typedef struct Splitting {
    const CgStepChain *chain;
    size_t step;
    CgPieceFn *emit;
    void *arg;
} Splitting;

static void split_on(void *arg, CgText piece, bool first)
{
    const Splitting *s = arg;
    if (!piece.len)
        return;
    if (s->step == s->chain->steps.len) {
        s->emit(s->arg, piece, first);
        return;
    }
    Splitting next = *s;
    next.step++;
    const Step *step = &s->chain->steps.at[s->step];
    bool last = next.step == s->chain->steps.len;
    step->kind->split(step->data, piece, first, last ? s->emit : split_on, last ? s->arg : &next);
}

void cg_steps_split(const CgStepChain *c, CgText text, bool first, CgPieceFn *emit, void *arg)
{
    Splitting s = { c, 0, emit, arg };
    split_on(&s, text, first);
}

void cg_steps_decode(const CgStepChain *c, bool first, CgStrbuf *token)
{
    bool fused = false;
    for (size_t i = 0; i < c->steps.len; i++) {
        const CgStepKind *kind = c->steps.at[i].kind;
        kind->decode(c->steps.at[i].data, first || (!fused && (kind->traits & CG_STEP_EACH)), token);
        fused |= (kind->traits & CG_STEP_FUSE) != 0;
    }
}

/* ---- bytes as printable characters, as GPT-2 writes them ------------------------------------------------------- */

void cg_byte_alphabet(int32_t byte_of[512])
{
    int32_t spare = 256;
    for (int i = 0; i < 512; i++)
        byte_of[i] = -1;
    for (int b = 0; b < 256; b++) {
        bool itself = (b >= 33 && b <= 126) || (b >= 161 && b <= 172) || b >= 174;
        byte_of[itself ? b : spare++] = b;
    }
}

bool cg_bytes_of_token(const int32_t byte_of[512], const char *token, char *out, size_t *len)
{
    size_t n = strlen(token), step;
    *len = 0;
    for (size_t i = 0; i < n; i += step) {
        int32_t c = cg_char_at(token + i, n - i, &step);
        if (c < 0 || c >= 512 || byte_of[c] < 0)
            return false;
        out[(*len)++] = (char)byte_of[c];
    }
    return true;
}
