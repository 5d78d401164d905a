/* registry.c - all ops known to this process.
 * Takes op sets; gives ops by name with their parsed signatures. Sets are added before compiling begins, by one thread
 * at a time; afterwards everything is read only. Must not know any op by name. */
#include "graph/registry.h"

#include <ctype.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include <cg/build.h>

#include "base/digest.h"
#include "base/map.h"
#include "base/vec.h"
#include "lang/parse.h"

typedef struct Entry {
    const CgOp *op;
    const CgSig *sig;
    const char *set;
    CgDigest origin; /* of a plugin's file; zero for what is built in */
} Entry;

static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static CG_VEC(Entry) entries; /* sorted by name */
static CgMap ops;             /* the same by the hash of their name: a graph asks for them with each node */
static CgMap signatures;      /* of ops, by where they lie */
static CgArena *arena;        /* signatures; lives as long as the process */
static CgSources *sources;
static const CgIsa *isa; /* the kind of code that runs */

/* Where `name` is or would be. */
static size_t slot_of(const char *name, bool *there)
{
    size_t low = 0, high = entries.len;
    *there = false;
    while (low < high && !*there) {
        size_t mid = (low + high) / 2;
        int c = strcmp(name, entries.at[mid].op->name);
        if (c == 0)
            *there = true;
        if (c <= 0)
            high = mid;
        else
            low = mid + 1;
    }
    return high;
}

static const Entry *find_entry(const char *name)
{
    bool there;
    size_t i = slot_of(name, &there);
    return there ? &entries.at[i] : NULL;
}

static uint64_t hash_of(const char *name) { return cg_hash64(name, strlen(name), 0); }

/* ---- signatures ---- */

static bool is_tensor_type(const CgTypeExpr *t) { return t && t->kind == CG_TYPE_TENSOR; }

/* Any number of tensors: `xs: tensors`. */
static bool is_rest_type(const CgTypeExpr *t)
{
    return t && t->kind != CG_TYPE_TENSOR && t->name && !strcmp(t->name, "tensors");
}

static bool is_float_type(const CgTypeExpr *t)
{
    return t && t->kind == CG_TYPE_SCALAR && t->scalar == CG_SCALAR_FLOAT;
}

/* The default of a parameter as an attribute; false when it is not a literal of the declared type. */
static bool default_of(const CgParam *p, CgAttr *out)
{
    const CgExpr *e = p->init;
    int64_t sign = 1;
    if (e->kind == CG_EXPR_UNARY && e->a) {
        sign = -1;
        e = e->a;
    }
    bool is_float = is_float_type(p->type);
    switch (e->kind) {
    case CG_EXPR_INT:
        *out = is_float ? cg_a_float(p->name, (double)(sign * e->i)) : cg_a_int(p->name, sign * e->i);
        return true;
    case CG_EXPR_FLOAT: *out = cg_a_float(p->name, (double)sign * e->f); return true;
    case CG_EXPR_BOOL: *out = cg_a_int(p->name, e->i); return true;
    case CG_EXPR_STRING: *out = cg_a_str(p->name, e->s); return true;
    default: return false;
    }
}

static const CgSig *parse_sig(const CgOp *op, CgErr *e)
{
    CgDiags *diags = cg_diags_new(sources);
    CgStmt *stmt = cg_sig_parse(arena, op->name, op->sig, diags);
    cg_diags_free(diags);
    if (!stmt) {
        cg_err(e, CG_ERR_INPUT, "the signature of op '%s' does not parse: %s", op->name, op->sig);
        return NULL;
    }
    CgSig *sig = CG_NEW(arena, CgSig);
    sig->stmt = stmt;
    sig->n = stmt->nparams;
    sig->at = CG_NEWN(arena, CgSigParam, sig->n ? sig->n : 1);
    for (int i = 0; i < sig->n; i++) {
        CgSigParam *p = &sig->at[i];
        p->param = &stmt->params[i];
        p->name = p->param->name;
        p->is_tensor = is_tensor_type(p->param->type);
        sig->ntensors += p->is_tensor;
        p->is_float = is_float_type(p->param->type);
        p->is_rest = is_rest_type(p->param->type);
        sig->any_number |= p->is_rest;
        p->optional = p->param->init && p->param->init->kind == CG_EXPR_NAME && !strcmp(p->param->init->s, "none");
        sig->needed += p->is_tensor && !p->optional;
        p->has_init = !p->optional && !p->is_tensor && p->param->init && default_of(p->param, &p->init);
        if (!p->is_tensor && p->param->init && !p->has_init && !p->optional) {
            cg_err(
                e, CG_ERR_INPUT, "the default of '%s' in the signature of op '%s' is not a literal", p->name, op->name);
            return NULL;
        }
    }
    return sig;
}

/* ---- what an op must have ---- */

static bool is_snake_case(const char *s)
{
    if (!islower((unsigned char)*s))
        return false;
    for (; *s; s++)
        if (!islower((unsigned char)*s) && !isdigit((unsigned char)*s) && *s != '_')
            return false;
    return true;
}

static bool check_op(const CgOp *op, const char *set, CgErr *e)
{
#define NEED(cond, ...)                                  \
    do {                                                 \
        if (!(cond))                                     \
            return cg_err(e, CG_ERR_INPUT, __VA_ARGS__); \
    } while (0)
    NEED(op->name && is_snake_case(op->name), "set '%s' has an op whose name '%s' is not snake_case", set,
        op->name ? op->name : "");
    const Entry *other = find_entry(op->name);
    NEED(!other, "op '%s' of set '%s' is already there, from set '%s'", op->name, set, other ? other->set : "");
    NEED(op->sig && op->doc && op->shape && op->samples, "op '%s' lacks one of sig, doc, shape, samples", op->name);
    NEED(op->nout >= 0 && op->nout <= CG_MAX_OUT, "op '%s' has %d results; the most is %d", op->name, op->nout,
        CG_MAX_OUT);
    bool nodiff = op->traits & CG_NODIFF;
    NEED(op->vjp || op->expand || nodiff || (op->traits & CG_LEAF),
        "op '%s' says no way to differentiate: vjp, expand or CG_NODIFF", op->name);
    NEED(!(op->vjp && nodiff), "op '%s' has both a vjp and CG_NODIFF", op->name);
    bool has_kernel = false;
    for (int i = 0; i < CG_NDTYPE; i++) {
        NEED((op->vec[i] != NULL) + (op->kernel[i] != NULL) + (op->view != NULL) <= 1,
            "op '%s' has several ways to compute %s", op->name, cg_dtype_name((CgDtype)i));
        has_kernel |= op->vec[i] || op->kernel[i];
    }
    NEED(has_kernel || op->view || op->expand || (op->traits & (CG_LEAF | CG_LOOP)), "op '%s' says no way to compute",
        op->name);
    NEED(!(op->traits & CG_LEAF) || !(has_kernel || op->view), "op '%s' is a leaf and has a kernel", op->name);
    NEED(!op->release || op->prepare, "op '%s' has release without prepare", op->name);
#undef NEED
    return true;
}

static bool add_op(const CgOp *op, const char *set, CgDigest origin, CgErr *e)
{
    bool there;
    const CgSig *sig = check_op(op, set, e) ? parse_sig(op, e) : NULL;
    if (!sig)
        return false;
    size_t i = slot_of(op->name, &there);
    cg_vec_push(&entries, (Entry){ 0 });
    memmove(&entries.at[i + 1], &entries.at[i], sizeof(Entry) * (entries.len - 1 - i));
    entries.at[i] = (Entry){ op, sig, cg_intern(set), origin };
    cg_map_put(&ops, hash_of(op->name), cg_map_ptr(op));
    cg_map_put(&signatures, cg_map_ptr(op), cg_map_ptr(sig));
    return true;
}

static void remove_op(const CgOp *op)
{
    bool there;
    size_t i = slot_of(op->name, &there);
    entries.len--;
    memmove(&entries.at[i], &entries.at[i + 1], sizeof(Entry) * (entries.len - i));
    cg_map_put(&ops, hash_of(op->name), 0);
    cg_map_put(&signatures, cg_map_ptr(op), 0);
}

static bool add_set(const CgOpSet *set, CgDigest origin, CgErr *e)
{
    if (set->abi != CG_ABI || set->op_size != sizeof(CgOp))
        return cg_err(e, CG_ERR_INPUT,
            "op set built for ABI %d with ops of %zu bytes; this cg has ABI %d with %zu bytes", set->abi, set->op_size,
            CG_ABI, sizeof(CgOp));
    if (!set->name || !set->ops)
        return cg_err(e, CG_ERR_INPUT, "op set without a %s", set->name ? "list of ops" : "name");
    const Entry *known = set->ops[0] && set->ops[0]->name ? find_entry(set->ops[0]->name) : NULL;
    if (known && known->op == set->ops[0])
        return true; /* two scripts may name one plugin */
    for (const CgOp *const *op = set->ops; *op; op++)
        if (!add_op(*op, set->name, origin, e)) {
            while (op-- != set->ops)
                remove_op(*op); /* all of a set or nothing */
            return false;
        }
    return true;
}

/* ---- built-in sets ---- */

#if __has_include("entries/ops.def")
    #define X(set) extern const CgOpSet cg_ops_##set##_base, cg_ops_##set##_exact;
    #include "entries/ops.def"
    #undef X
static const CgOpSet *const sets_exact[] = {
    #define X(set) &cg_ops_##set##_exact,
    #include "entries/ops.def"
    #undef X
    NULL
};
static const CgOpSet *const sets_base[] = {
    #define X(set) &cg_ops_##set##_base,
    #include "entries/ops.def"
    #undef X
    NULL
};
    #ifdef CG_HAVE_X86_ISAS
        #define X(set) extern const CgOpSet cg_ops_##set##_avx2, cg_ops_##set##_avx512;
        #include "entries/ops.def"
        #undef X
static const CgOpSet *const sets_avx2[] = {
        #define X(set) &cg_ops_##set##_avx2,
        #include "entries/ops.def"
        #undef X
    NULL
};
static const CgOpSet *const sets_avx512[] = {
        #define X(set) &cg_ops_##set##_avx512,
        #include "entries/ops.def"
        #undef X
    NULL
};
    #endif
#else
static const CgOpSet *const sets_base[] = { NULL }, *const sets_exact[] = { NULL };
#endif

/* The kinds of code in this build, the one for the newest processors first. */
static const CgIsa isas[] = {
#ifdef CG_HAVE_X86_ISAS
    { "avx512", sets_avx512 },
    { "avx2", sets_avx2 },
#endif
    { "base", sets_base },
};
static const CgIsa exact = { "exact", sets_exact }; /* never chosen unless it is asked for */
static bool wants_exact;

static bool processor_has(const char *name)
{
#ifdef CG_HAVE_X86_ISAS
    __builtin_cpu_init();
    bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    if (!strcmp(name, "avx2"))
        return avx2;
    if (!strcmp(name, "avx512"))
        return avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw")
            && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
#endif
    return !strcmp(name, "base");
}

const CgIsa *cg_registry_isas(size_t *n)
{
    size_t first = 0;
    while (!processor_has(isas[first].name))
        first++;
    *n = CG_LEN(isas) - first;
    return &isas[first];
}

bool cg_registry_isa_known(const char *name)
{
    if (!strcmp(name, exact.name))
        return true;
    for (size_t i = 0; i < CG_LEN(isas); i++)
        if (!strcmp(isas[i].name, name))
            return true;
    return false;
}

/* The best that this processor has and CG_ISA does not forbid. */
static const CgIsa *choose_isa(void)
{
    const char *limit = getenv("CG_ISA");
    size_t n;
    const CgIsa *can = cg_registry_isas(&n);
    if (wants_exact || (limit && !strcmp(limit, exact.name)))
        return &exact;
    for (size_t i = 0; limit && i < n; i++)
        if (!strcmp(can[i].name, limit))
            return &can[i];
    return &can[0];
}

static void init(void)
{
    CgErr e = { 0 };
    arena = cg_arena_new();
    sources = cg_sources_new();
    isa = choose_isa();
    for (const CgOpSet *const *set = isa->sets; *set; set++)
        if (!add_set(*set, (CgDigest){ 0 }, &e))
            CG_BUG("%s", e.text);
}

void cg_registry_init(void) { pthread_once(&once, init); }

void cg_registry_want_exact(void) { wants_exact = true; }

bool cg_registry_is_exact(void)
{
    cg_registry_init();
    return isa == &exact;
}

const char *cg_registry_isa(void)
{
    cg_registry_init();
    return isa->name;
}

bool cg_registry_add_from(const CgOpSet *set, CgDigest origin, CgErr *e)
{
    cg_registry_init();
    pthread_mutex_lock(&lock);
    bool ok = add_set(set, origin, e);
    pthread_mutex_unlock(&lock);
    return ok;
}

CgDigest cg_op_origin(const CgOp *op)
{
    const Entry *entry = find_entry(op->name);
    return entry ? entry->origin : (CgDigest){ 0 };
}

const CgOp *cg_op_find(const char *name)
{
    uint64_t at;
    cg_registry_init();
    if (!cg_map_get(&ops, hash_of(name), &at) || !at)
        return NULL;
    const CgOp *op = (const CgOp *)(uintptr_t)at;
    if (!strcmp(op->name, name))
        return op;
    const Entry *entry = find_entry(name); /* two names have one hash */
    return entry ? entry->op : NULL;
}

const CgOp *cg_op_named(const char *name) { return cg_op_find(name); }

/* Whether `word` is one of the words of `list`. */
static bool has_word(const char *list, const char *word)
{
    size_t n = strlen(word);
    for (const char *p = list; p && (p = strstr(p, word)); p += n)
        if ((p == list || p[-1] == ' ') && (!p[n] || p[n] == ' '))
            return true;
    return false;
}

const CgOp *cg_op_find_was(const char *name)
{
    const CgOp *op = cg_op_find(name);
    for (size_t i = 0; !op && *name && i < entries.len; i++)
        if (has_word(entries.at[i].op->was, name))
            op = entries.at[i].op;
    return op;
}

const CgOp *cg_op_get(const char *name)
{
    const CgOp *op = cg_op_find(name);
    if (!op)
        CG_BUG("no op is named '%s'", name);
    return op;
}

const CgSig *cg_op_sig(const CgOp *op)
{
    uint64_t sig;
    cg_registry_init();
    if (!cg_map_get(&signatures, cg_map_ptr(op), &sig) || !sig)
        CG_BUG("op '%s' is not in the registry", op->name);
    return (const CgSig *)(uintptr_t)sig;
}

size_t cg_op_count(void)
{
    cg_registry_init();
    return entries.len;
}

const CgOp *cg_op_at(size_t i)
{
    cg_registry_init();
    return entries.at[i].op;
}
