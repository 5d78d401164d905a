/* function.c - all functions of the language, by name.
 * Takes the sets that files of functions end in; gives functions with their signatures, parsed once. Must not know any
 * function by name. */
#include <pthread.h>
#include <string.h>

#include "elab/elab.h"
#include "elab/signature.h"
#include "graph/registry.h"
#include "lang/parse.h"

typedef struct Entry {
    const CgFunction *function;
    CgSignature signature;
    CgDigest origin; /* of a plugin's file; zero for what is built in */
} Entry;

#define X(set) extern const CgFunctionSet cg_functions_##set;
#include "entries/functions.def"
#undef X

static const CgFunctionSet *const sets[] = {
#define X(set) &cg_functions_##set,
#include "entries/functions.def"
#undef X
    NULL
};

static pthread_once_t once = PTHREAD_ONCE_INIT;
static CG_VEC(Entry) entries; /* sorted by name; lives as long as the process, as does what signatures are made of */
static CgArena *arena;

/* False where it is no signature of a function, with why. */
static bool parse(const CgFunction *f, CgSignature *out, CgErr *e)
{
    out->stmt = cg_sig_parse(arena, f->name, f->sig, NULL);
    if (!out->stmt || out->stmt->nresults != 1 || out->stmt->nparams > CG_MAX_ARGS)
        return cg_err(e, CG_ERR_INPUT, "the signature of function '%s' does not parse: %.200s", f->name, f->sig);
    out->n = out->stmt->nparams;
    out->param = CG_NEWN(arena, CgKinds, out->n + 1);
    for (int i = 0; i < out->n; i++)
        if (!cg_kinds_of(out->stmt->params[i].type, &out->param[i]))
            return cg_err(e, CG_ERR_INPUT, "'%s' of function '%s' is of no kind that there is",
                out->stmt->params[i].name, f->name);
    if (!cg_kinds_of(out->stmt->results[0], &out->result))
        return cg_err(e, CG_ERR_INPUT, "the result of function '%s' is of no kind that there is", f->name);
    return true;
}

static void insert(const CgFunction *f, CgSignature signature, CgDigest origin)
{
    size_t i = entries.len;
    cg_vec_push(&entries, (Entry){ 0 });
    for (; i > 0 && strcmp(entries.at[i - 1].function->name, f->name) > 0; i--)
        entries.at[i] = entries.at[i - 1];
    entries.at[i] = (Entry){ f, signature, origin };
}

static void add(const CgFunction *f)
{
    CgSignature signature;
    CgErr e = { 0 };
    if (!parse(f, &signature, &e))
        CG_BUG("%s", e.text);
    insert(f, signature, (CgDigest){ 0 });
}

static void init(void)
{
    arena = cg_arena_new();
    for (const CgFunctionSet *const *set = sets; *set; set++)
        for (const CgFunction *const *f = (*set)->functions; *f; f++) {
            CgFunction one;
            if (!(*f)->each)
                add(*f);
            for (size_t i = 0; (*f)->each && (*f)->each(i, &one); i++)
                add(memcpy(CG_NEW(arena, CgFunction), &one, sizeof one));
        }
}

static const Entry *entry_of(const char *name)
{
    pthread_once(&once, init);
    size_t low = 0, high = entries.len;
    while (low < high) {
        size_t mid = (low + high) / 2;
        int c = strcmp(name, entries.at[mid].function->name);
        if (c == 0)
            return &entries.at[mid];
        if (c < 0)
            high = mid;
        else
            low = mid + 1;
    }
    return NULL;
}

const CgFunction *cg_function_find(const char *name)
{
    const Entry *entry = entry_of(name);
    return entry ? entry->function : NULL;
}

const CgFunction *cg_function_at(size_t i)
{
    pthread_once(&once, init);
    return i < entries.len ? entries.at[i].function : NULL;
}

const CgSignature *cg_function_signature(const CgFunction *f) { return &entry_of(f->name)->signature; }

CgKnown cg_function_known(const CgFunction *f)
{
    return !f->build || f->traits & CG_LATER ? CG_KNOWN_LATER : f->run ? CG_KNOWN_LATER_IN_LISTS : CG_KNOWN_NOW;
}

/* ---- of plugins ---- */

void cg_function_identify(const CgFunction *f, CgDigester *d)
{
    CgDigest origin = entry_of(f->name)->origin;
    cg_digester_add(d, &f->version, sizeof f->version);
    if (!cg_digest_equal(origin, (CgDigest){ 0 }))
        cg_digester_add(d, &origin, sizeof origin);
}

/* Kinds that a plugin can look into, or make. */
static bool open_kinds(const CgKinds *k, bool result)
{
    bool good = k->n > 0 && !(result && k->choice);
    for (int i = 0; i < k->n; i++) {
        const CgKind *kind = &k->at[i];
        bool plain = kind->tag == CG_KIND_INT || kind->tag == CG_KIND_FLOAT || kind->tag == CG_KIND_STR
            || (!result && (kind->tag == CG_KIND_BOOL || kind->tag == CG_KIND_NONE));
        bool read = kind->tag == CG_KIND_CLASS && !result
            && (kind->cls == &cg_class_tokens || kind->cls == &cg_class_column || kind->cls == &cg_class_labels);
        good = good && !kind->list && (plain || read);
    }
    return good;
}

static bool is_word(const char *s)
{
    bool good = s && *s >= 'a' && *s <= 'z';
    for (; good && *s; s++)
        good = (*s >= 'a' && *s <= 'z') || (*s >= '0' && *s <= '9') || *s == '_';
    return good;
}

static bool check(const CgFunction *f, CgSignature *out, CgErr *e)
{
    if (!is_word(f->name))
        return cg_err(e, CG_ERR_INPUT, "a function has the name '%s', which is not snake_case", f->name ? f->name : "");
    if (!f->sig || !f->doc || !*f->doc || !f->run)
        return cg_err(e, CG_ERR_INPUT, "function '%s' lacks one of sig, doc, run", f->name);
    if (f->build || f->each || f->digest || f->traits & ~(uint32_t)(CG_ROW | CG_FIELD))
        return cg_err(e, CG_ERR_INPUT,
            "function '%s' has what a function of a plugin has not: build, each, digest, or traits besides CG_ROW and "
            "CG_FIELD",
            f->name);
    if (f->version < 1)
        return cg_err(e, CG_ERR_INPUT, "function '%s' has no version: it begins with CG_FUNCTION_HERE", f->name);
    if (cg_function_find(f->name) || cg_op_find(f->name))
        return cg_err(
            e, CG_ERR_INPUT, "there is %s '%s' already", cg_op_find(f->name) ? "an op" : "a function", f->name);
    if (!parse(f, out, e))
        return false;
    for (int i = 0; i < out->n; i++)
        if (!open_kinds(&out->param[i], false))
            return cg_err(e, CG_ERR_INPUT,
                "'%s' of function '%s' is of a kind that plugins cannot read: they read int, float, bool, str, none, "
                "tokens, column, labels",
                out->stmt->params[i].name, f->name);
    return open_kinds(&out->result, true)
        || cg_err(e, CG_ERR_INPUT, "function '%s' of a plugin gives an int, a float or a str", f->name);
}

static void drop(const CgFunction *f)
{
    size_t i = 0;
    while (entries.at[i].function != f)
        i++;
    for (entries.len--; i < entries.len; i++)
        entries.at[i] = entries.at[i + 1];
}

bool cg_functions_add(const CgFunctionSet *set, CgDigest origin, CgErr *e)
{
    pthread_once(&once, init);
    if (set->abi != CG_ABI || set->function_size != sizeof(CgFunction))
        return cg_err(e, CG_ERR_INPUT,
            "functions built for ABI %d with %zu bytes each; this cg has ABI %d with %zu bytes", set->abi,
            set->function_size, CG_ABI, sizeof(CgFunction));
    if (!set->name || !set->functions)
        return cg_err(e, CG_ERR_INPUT, "set of functions without a %s", set->name ? "list" : "name");
    for (size_t i = 0; i < entries.len; i++)
        if (entries.at[i].function == set->functions[0])
            return true; /* two scripts may name one plugin */
    for (const CgFunction *const *f = set->functions; *f; f++) {
        CgSignature signature;
        if (check(*f, &signature, e)) {
            insert(*f, signature, origin);
            continue;
        }
        while (f-- != set->functions)
            drop(*f); /* all of a set or nothing */
        return false;
    }
    return true;
}
