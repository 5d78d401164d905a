/* function.c - all functions of the language, by name.
 * Takes the sets that files of functions end in; gives functions with their signatures, parsed once. Must not know any
 * function by name. */
#include <pthread.h>
#include <string.h>

#include "elab/elab.h"
#include "elab/signature.h"
#include "lang/parse.h"

typedef struct Entry {
    const CgFunction *function;
    CgSignature signature;
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

static void parse(const CgFunction *f, CgSignature *out)
{
    out->stmt = cg_sig_parse(arena, f->name, f->sig, NULL);
    if (!out->stmt || out->stmt->nresults != 1)
        CG_BUG("the signature of function '%s' does not parse", f->name);
    out->n = out->stmt->nparams;
    CG_ASSERT(out->n <= CG_MAX_ARGS, "a function has few parameters");
    out->param = CG_NEWN(arena, CgKinds, out->n + 1);
    for (int i = 0; i < out->n; i++)
        if (!cg_kinds_of(out->stmt->params[i].type, &out->param[i]))
            CG_BUG("'%s' of function '%s' is of no kind that there is", out->stmt->params[i].name, f->name);
    if (!cg_kinds_of(out->stmt->results[0], &out->result))
        CG_BUG("the result of function '%s' is of no kind that there is", f->name);
}

static void add(const CgFunction *f)
{
    size_t i = entries.len;
    cg_vec_push(&entries, (Entry){ 0 });
    for (; i > 0 && strcmp(entries.at[i - 1].function->name, f->name) > 0; i--)
        entries.at[i] = entries.at[i - 1];
    entries.at[i] = (Entry){ .function = f };
    parse(f, &entries.at[i].signature);
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
