/* annotation.c - annotations of the modules of a model by patterns of paths: which parameters are frozen, which
 * products are in bf16, which modules are recomputed. Takes annotations of instances; gives decisions by path, and
 * reports patterns that fit nothing. Annotations of inner modules apply first, then those of the modules around them,
 * each list in the order written: a later one overrides. Must not change a graph. */
#include <string.h>

#include "elab/elab.h"
#include "elab/signature.h"

/* Products of a body that multiply no parameter have the path of its instance and this: "blocks.*" and
 * "blocks.*.attn.*" fit what `attn` itself multiplies, and no pattern can name it. */
#define OWN "@"

static bool is_below(const CgInstance *submodule, const char *path)
{
    size_t n = strlen(submodule->path);
    if (!n) /* what is used beside the root is no part of it */
        return path[0] != '@' || !path[1];
    return !strncmp(path, submodule->path, n) && path[n] == '.';
}

static bool fits_below(const CgAnnotation *z, const char *path)
{
    return !z->pattern || (z->exact ? !strcmp(z->pattern, path) : cg_path_matches(z->pattern, path));
}

static bool fits(const CgAnnotation *z, const CgInstance *submodule, const char *path)
{
    return is_below(submodule, path) && fits_below(z, cg_path_below(submodule, path));
}

/* Whether an annotation of `submodule` says that `body` is recomputed. */
static bool fits_submodule(const CgAnnotation *z, const CgInstance *submodule, const CgInstance *body)
{
    return z->what == CG_ANNOTATED_RECOMPUTED
        && (submodule->path == body->path ? !z->pattern : z->pattern && fits(z, submodule, body->path));
}

static bool is_edit(const CgAnnotation *z)
{
    return z->what == CG_ANNOTATED_REPARAMETRIZED || z->what == CG_ANNOTATED_REPLACED;
}

/* Whether a parameter belongs to a graph that an annotation has put into a model: its path is that of what the graph
 * was put to, the graph's name, and its own. */
static bool is_of_graph(const CgAnnotation *z, const char *path)
{
    const char *name = is_edit(z) ? z->by->instance->stmt->names[0] : "";
    size_t n = strlen(name);
    for (const char *dot = strchr(path, '.'); n && dot; dot = strchr(dot + 1, '.'))
        if (!strncmp(dot + 1, name, n) && dot[1 + n] == '.'
            && (!z->pattern || cg_path_matches(z->pattern, cg_intern_n(path, (size_t)(dot - path)))))
            return true;
    return false;
}

bool cg_annotations_put(const CgInstance *inst, const char *path)
{
    bool put = false;
    for (int i = 0; i < inst->nannotations && !put; i++)
        put = is_of_graph(&inst->annotations[i], path);
    return put;
}

int cg_annotations_after(const CgInstance *inst, const CgAnnotation **put_by)
{
    for (int i = 0; *put_by && i < inst->nannotations; i++)
        if (*put_by == &inst->annotations[i]) {
            *put_by = NULL;
            return i + 1;
        }
    return *put_by ? inst->nannotations : 0;
}

static bool is_freezing(const CgAnnotation *z)
{
    return z->what == CG_ANNOTATED_FROZEN || z->what == CG_ANNOTATED_TRAINED;
}
static bool is_precision(const CgAnnotation *z) { return z->what == CG_ANNOTATED_F32 || z->what == CG_ANNOTATED_BF16; }

void cg_annotation_add(CgElab *e, CgInstance *to, CgAnnotation annotation)
{
    CgAnnotation *more = CG_NEWN(e->arena, CgAnnotation, to->nannotations + 1);
    annotation.pattern = annotation.pattern ? cg_intern(annotation.pattern) : NULL;
    if (to->nannotations)
        memcpy(more, to->annotations, sizeof *more * (size_t)to->nannotations);
    more[to->nannotations++] = annotation;
    to->annotations = more;
}

void cg_annotations_inherit(CgElab *e, const CgInstance *from, CgAtom name, CgInstance *to)
{
    for (int i = 0; i < from->nannotations; i++) {
        CgAnnotation z = from->annotations[i];
        const char *rest = z.pattern ? z.pattern + strcspn(z.pattern, ".") : NULL;
        if ((is_freezing(&z) && !z.given) || (z.what == CG_ANNOTATED_REPLACED && !rest)
            || (rest && !cg_path_matches(cg_intern_n(z.pattern, (size_t)(rest - z.pattern)), name)))
            continue;
        z.pattern = rest && *rest ? cg_intern(rest + 1) : NULL;
        cg_annotation_add(e, to, z);
    }
}

bool cg_annotations_equal(const CgInstance *a, const CgInstance *b)
{
    int i = 0, k = 0;
    for (;; i++, k++) {
        while (i < a->nannotations && is_freezing(&a->annotations[i]))
            i++;
        while (k < b->nannotations && is_freezing(&b->annotations[k]))
            k++;
        if (i == a->nannotations || k == b->nannotations)
            return i == a->nannotations && k == b->nannotations;
        if (a->annotations[i].what != b->annotations[k].what || a->annotations[i].pattern != b->annotations[k].pattern
            || a->annotations[i].by != b->annotations[k].by)
            return false;
    }
}

const CgAnnotation *cg_annotations_edit(const CgInstance *inst, CgAnnotationKind what, const char *path, int *i)
{
    while (*i < inst->nannotations) {
        const CgAnnotation *z = &inst->annotations[(*i)++];
        bool same = inst->path == path, whole = z->what == CG_ANNOTATED_REPLACED;
        if (z->what != what || (!same && !is_below(inst, path)))
            continue;
        if (!whole     ? fits_below(z, cg_path_below(inst, path))
                : same ? !z->pattern
                       : z->pattern && cg_path_fits(z->pattern, cg_path_below(inst, path)))
            return z;
    }
    return NULL;
}

/* ---- freezing ---- */

void cg_annotations_freeze(CgParamInfo *p)
{
    const CgAnnotation *put_by = NULL; /* what was said before it was there is not of it */
    for (const CgInstance *inst = p->owner; inst; inst = inst->parent) {
        for (int i = cg_annotations_after(inst, &put_by); i < inst->nannotations; i++) {
            const CgAnnotation *z = &inst->annotations[i];
            if (is_freezing(z) && fits(z, inst, p->path)) {
                p->frozen = z->what == CG_ANNOTATED_FROZEN;
                p->frozen_span = z->span;
            }
        }
        put_by = inst->put_by ? inst->put_by : put_by;
    }
}

int cg_annotations_frozen(const CgInstance *inst, const char *path)
{
    int said = -1;
    for (int i = 0; i < inst->nannotations; i++)
        if (is_of_graph(&inst->annotations[i], path))
            said = -1;
        else if (is_freezing(&inst->annotations[i]) && fits_below(&inst->annotations[i], path))
            said = inst->annotations[i].what == CG_ANNOTATED_FROZEN;
    return said;
}

/* `f(ids)` as `e(ids)`, where f is another name of e. */
static void print_use(const CgElab *e, CgSpan use, const char *callee, CgStrbuf *out)
{
    const CgSource *s = use.file ? cg_sources_get(e->sources, use.file) : NULL;
    const char *from = s ? memchr(s->text + use.start, '(', use.end - use.start) : NULL;
    size_t n = from ? (size_t)(s->text + use.end - from) : 0;
    cg_strbuf_puts(out, callee);
    if (!n || n > 40 || memchr(from, '\n', n))
        cg_strbuf_puts(out, "(..)");
    else
        cg_strbuf_write(out, from, n);
}

bool cg_annotations_agree(CgElab *e, const CgParamInfo *p, CgInstance *inst, CgSpan use)
{
    CgParamInfo now = { .path = p->path, .owner = inst };
    cg_annotations_freeze(&now);
    if (now.frozen == p->frozen || p->auxiliary || !e->model->trains)
        return true;
    CgSpan said = now.frozen ? now.frozen_span : p->frozen_span, frozen = now.frozen ? use : p->use;
    uint64_t known, key = cg_hash64(&said, sizeof said, 0);
    if (cg_map_get(&e->model->mixed, key, &known))
        return false;
    cg_map_put(&e->model->mixed, key, 1);
    CgDiag *d = cg_elab_error(e, CG_E0507, said, "parameter '%s' is frozen in one use and trained in another", p->path);
    cg_diag_note(d, frozen, "here it is frozen");
    cg_diag_note(d, now.frozen ? p->use : use, "here it is trained");
    CgStrbuf text = { 0 };
    const char *name = strrchr(inst->path, '.');
    print_use(e, frozen, name ? name + 1 : *inst->path ? inst->path : inst->stmt->names[0], &text);
    cg_diag_help(d, "a use that trains nothing is stop_gradient(%s)", cg_strbuf_str(&text));
    cg_strbuf_deinit(&text);
    return false;
}

/* ---- precision ---- */

/* The instance in whose body `scope` of the model's graph was begun; NULL for what a train or evaluate multiplies
 * itself. */
static const CgInstance *body_of(const CgModelGraph *m, int scope)
{
    for (; scope > 0; scope = m->graph->scopes.at[scope].parent)
        if ((size_t)scope < m->bodies.len && m->bodies.at[scope])
            return m->bodies.at[scope];
    return NULL;
}

/* What the instance that owns `path`, and those that hold it, say of it. A part may be used by several copies of what
 * holds it, marked in several ways: the one whose body it is met in counts. */
static bool decide(const CgModelGraph *m, const CgInstance *owner, const CgInstance *body, const char *path)
{
    bool bf16 = m->graph->scopes.at[0].bf16;
    for (const CgInstance *inst = owner; inst; inst = inst->parent) {
        for (const CgInstance *k = body; k; k = k->parent)
            if (k->path == inst->path) {
                inst = k;
                break;
            }
        for (int i = 0; i < inst->nannotations; i++)
            if (is_precision(&inst->annotations[i]) && fits(&inst->annotations[i], inst, path))
                bf16 = inst->annotations[i].what == CG_ANNOTATED_BF16;
    }
    return bf16;
}

/* Of the parts that fit a pattern the outermost are regions: what they hold is in them. */
static bool is_recomputed(const CgInstance *body)
{
    for (const CgInstance *inst = body; inst; inst = inst->parent)
        for (int i = 0; i < inst->nannotations; i++)
            if (fits_submodule(&inst->annotations[i], inst, body))
                return true;
    return false;
}

void cg_annotations_begin(CgModelGraph *m, const CgInstance *inst, int scope)
{
    while (m->bodies.len <= (size_t)scope)
        cg_vec_push(&m->bodies, NULL);
    m->bodies.at[scope] = inst;
    if (!m->graph->scopes.at[scope].recompute && is_recomputed(inst))
        m->graph->scopes.at[scope].recompute = ++m->regions;
    m->graph->scopes.at[scope].bf16 = decide(m, inst, inst, cg_path_join(inst->path, OWN));
    for (size_t i = 0; i < m->marked.len && inst->nannotations; i++)
        if (m->marked.at[i]->annotations == inst->annotations && m->marked.at[i]->path == inst->path)
            return;
    if (inst->nannotations)
        cg_vec_push(&m->marked, inst);
}

static void note_product(CgModelGraph *m, CgAtom path)
{
    uint64_t known;
    if (cg_map_get(&m->product_paths, cg_map_ptr(path), &known))
        return;
    cg_map_put(&m->product_paths, cg_map_ptr(path), m->products.len);
    cg_vec_push(&m->products, path);
}

void cg_precision_of(CgModelGraph *m, const CgOp *op, int n, const CgRef *in)
{
    CgBuild *b = &m->build;
    b->precision = CG_AS_SCOPE;
    if (!(op->traits & CG_PRODUCTS) || b->graph != m->graph)
        return;
    const CgInstance *body = body_of(m, b->scope);
    for (int i = 0; i < n; i++) {
        CgRef r = in[i];
        while (cg_node(b->graph, r)->op->view)
            r = cg_node(b->graph, r)->in[0];
        const CgParamInfo *p =
            cg_node(b->graph, r)->op->traits & CG_PARAM ? cg_model_param(m, cg_node_name(b->graph, r)) : NULL;
        if (!p)
            continue;
        b->precision = decide(m, p->owner, body, p->path) ? CG_IN_BF16 : CG_IN_F32;
        note_product(m, p->path);
        return;
    }
    if (body)
        note_product(m, cg_path_join(body->path, OWN));
}

/* ---- patterns that fit nothing ---- */

/* What tells one annotation from others, also of copies of it. */
static uint64_t key_of(const CgAnnotation *z) { return cg_hash64(&z->span, sizeof z->span, cg_map_ptr(z->pattern)); }

void cg_annotations_used(CgModelGraph *m, const CgAnnotation *replacement)
{
    cg_map_put(&m->replaced, key_of(replacement), 1);
}

static bool find_fit(const CgModelGraph *m, const CgAnnotation *z, const CgInstance *submodule)
{
    uint64_t used;
    if (z->what == CG_ANNOTATED_REPLACED)
        return cg_map_get(&m->replaced, key_of(z), &used);
    for (size_t k = 0; z->what == CG_ANNOTATED_RECOMPUTED && k < m->bodies.len; k++)
        if (m->bodies.at[k] && fits_submodule(z, submodule, m->bodies.at[k]))
            return true;
    if (z->what == CG_ANNOTATED_RECOMPUTED)
        return false;
    if (is_precision(z)) {
        for (size_t k = 0; k < m->products.len; k++)
            if (fits(z, submodule, m->products.at[k]))
                return true;
        return false;
    }
    for (size_t k = 0; k < m->params.len; k++)
        if (fits(z, submodule, m->params.at[k].path))
            return true;
    for (size_t k = 0; k < m->aliases.len; k++)
        for (size_t i = 0; i < m->params.len; i++)
            if (is_below(m->aliases.at[k].submodule, m->params.at[i].path)
                && fits(z, submodule,
                    cg_path_join(
                        m->aliases.at[k].path, cg_path_below(m->aliases.at[k].submodule, m->params.at[i].path))))
                return true;
    return false;
}

static bool names_parameters(const CgAnnotation *z) { return is_freezing(z) || z->what == CG_ANNOTATED_REPARAMETRIZED; }

static const char *thing(const CgAnnotation *z)
{
    return is_precision(z)                 ? "product"
        : names_parameters(z)              ? "parameter"
        : z->what == CG_ANNOTATED_REPLACED ? "part or value"
                                           : "part";
}

/* Some of what there is: parameters, parts, or what is multiplied by which parameter or by none. */
static void help(CgDiag *d, const CgModelGraph *m, const CgAnnotation *z, const CgInstance *submodule)
{
    CgStrbuf some = { 0 };
    size_t n = is_precision(z) ? m->products.len : names_parameters(z) ? m->params.len : m->bodies.len;
    int shown = 0;
    for (size_t k = 0; k < n && shown < 4; k++) {
        const char *path = is_precision(z) ? m->products.at[k]
            : names_parameters(z)          ? m->params.at[k].path
            : m->bodies.at[k]              ? m->bodies.at[k]->path
                                           : "";
        if (!*path || !is_below(submodule, path))
            continue;
        path = cg_path_below(submodule, path);
        size_t own = strlen(path) - strlen(OWN);
        if (!is_precision(z) || strcmp(path + own, OWN))
            cg_strbuf_printf(&some, "%s%s", shown++ ? ", " : "", path);
        else
            cg_strbuf_printf(&some, "%s%.*s", shown++ ? ", " : "", own ? (int)own - 1 : 1, own ? path : "*");
    }
    if (shown)
        cg_diag_help(d, "its %ss are %s, ...", thing(z), cg_strbuf_str(&some));
    else if (is_precision(z))
        cg_diag_help(d, "it multiplies no matrices");
    cg_strbuf_deinit(&some);
}

/* Whether annotations of modules that hold both names, or `alias` alone, freeze the parameter called `path`. What is
 * said of the tied part itself, or of what holds it, holds under all of its names. */
static bool frozen_as(const CgModelGraph *m, const CgAlias *alias, const char *path, const CgAnnotation **last)
{
    bool frozen = false;
    for (size_t k = m->marked.len; k-- > 0;) { /* inner modules first: a later one overrides */
        const CgInstance *submodule = m->marked.at[k];
        for (int i = 0; i < submodule->nannotations && is_below(submodule, alias->path); i++)
            if (is_freezing(&submodule->annotations[i]) && !submodule->annotations[i].given
                && fits(&submodule->annotations[i], submodule, path)) {
                frozen = submodule->annotations[i].what == CG_ANNOTATED_FROZEN;
                *last = &submodule->annotations[i];
            }
    }
    return frozen;
}

/* One part under two names, of which a pattern freezes one. */
static void check_tied(CgElab *e, const CgAlias *alias)
{
    const CgModelGraph *m = e->model;
    const CgInstance *tied = alias->submodule;
    for (size_t k = 0; k < m->params.len; k++) {
        const char *path = m->params.at[k].path;
        if (!is_below(tied, path))
            continue;
        CgAtom other = cg_path_join(alias->path, cg_path_below(tied, path));
        const CgAnnotation *annotation = NULL;
        bool a = frozen_as(m, alias, path, &annotation), b = frozen_as(m, alias, other, &annotation);
        uint64_t said, key = annotation ? cg_hash64(&annotation->span, sizeof annotation->span, 1) : 0;
        if (a == b || (a && !alias->plain) || cg_map_get(&e->unfit, key, &said))
            continue;
        cg_map_put(&e->unfit, key, 1);
        CgDiag *d = cg_elab_error(e, CG_E0507, annotation->span,
            "'%s' and '%s' are one parameter, and only '%s' is frozen", path, other, a ? path : other);
        cg_diag_note(d, tied->attached, "the part '%s'", tied->path);
        cg_diag_help(d, "freeze both names, or none");
    }
}

/* What a block binds, with the path of its body in front. */
static void offer_bound(CgSuggest *s, const CgInstance *submodule, const CgInstance *body, const CgBlock *b)
{
    for (int i = 0; i < b->n; i++) {
        for (int k = 0; b->at[i]->kind == CG_STMT_BIND && k < b->at[i]->nnames; k++)
            cg_suggest_offer(s, cg_path_below(submodule, cg_path_join(body->path, b->at[i]->names[k])));
        offer_bound(s, submodule, body, &b->at[i]->body);
        offer_bound(s, submodule, body, &b->at[i]->other);
    }
}

/* The part, input or name of a body that a replacement may have meant; false: none is near. */
static bool help_value(CgDiag *d, const CgModelGraph *m, const CgAnnotation *z, const CgInstance *submodule)
{
    CgSuggest s;
    cg_suggest_init(&s, z->pattern ? z->pattern : "");
    for (size_t k = 0; k < m->bodies.len; k++) {
        const CgInstance *body = m->bodies.at[k];
        if (!body || (body->path != submodule->path && !is_below(submodule, body->path)))
            continue;
        if (body->path != submodule->path)
            cg_suggest_offer(&s, cg_path_below(submodule, body->path));
        for (int i = 0; i < body->stmt->nparams; i++)
            if (cg_param_is_tensor(&body->stmt->params[i]))
                cg_suggest_offer(&s, cg_path_below(submodule, cg_path_join(body->path, body->stmt->params[i].name)));
        offer_bound(&s, submodule, body, &body->stmt->body);
    }
    return cg_diag_meant(d, &s);
}

/* Whether a pattern begins with a name that the graph's body does not bind, nor any parameter of it that may be a part:
 * then it fits nothing, whichever parts are used. */
static bool begins_nowhere(const CgStmt *graph, const char *pattern)
{
    size_t n = pattern ? strcspn(pattern, ".*") : 0;
    CgAtom first = cg_intern_printf("%.*s", (int)n, pattern ? pattern : "");
    if (!n || pattern[n] == '*' || cg_block_binds(&graph->body, first))
        return false;
    for (int i = 0; i < graph->nparams; i++) {
        const CgTypeExpr *t = graph->params[i].type;
        CgKinds k;
        bool part = !t
            || (t->kind != CG_TYPE_TENSOR && cg_kinds_of(t, &k)
                && (cg_kinds_have(&k, CG_KIND_GRAPH, NULL) || cg_kinds_have(&k, CG_KIND_ANY, NULL)
                    || cg_kinds_have(&k, CG_KIND_LIST, NULL) || cg_kinds_have(&k, CG_KIND_RECORD, NULL)));
        if (graph->params[i].name == first && part)
            return false;
    }
    return true;
}

/* Whether parameters of the model are of a part that a pattern begins with. */
static bool begins_there(const CgModelGraph *m, const CgInstance *of, const char *pattern)
{
    size_t n = pattern ? strcspn(pattern, ".") : 0;
    for (size_t k = 0; n && k < m->params.len; k++) {
        const char *path = m->params.at[k].path;
        const char *own = is_below(of, path) ? cg_path_below(of, path) : "";
        if ((*pattern == '*' && *own) || (!strncmp(own, pattern, n) && own[n] == '.'))
            return true;
    }
    return false;
}

/* Reports patterns of models of which only parts are used, that fit none of these nor any other. */
static void check_unapplied(CgElab *e)
{
    const CgModelGraph *m = e->model;
    for (size_t k = 0; k < m->params.len; k++)
        for (const CgInstance *of = m->params.at[k].owner; of; of = of->parent)
            for (int i = 0; i < of->nannotations; i++) {
                const CgAnnotation *z = &of->annotations[i];
                uint64_t said, key = key_of(z);
                if (z->given || !z->pattern || z->what == CG_ANNOTATED_REPLACED || find_fit(m, z, of)
                    || !(begins_nowhere(of->stmt, z->pattern) || begins_there(m, of, z->pattern))
                    || cg_map_get(&e->unfit, key, &said))
                    continue;
                cg_map_put(&e->unfit, key, 1);
                CgDiag *d = cg_elab_error(
                    e, CG_E0502, z->span, "no %s of '%s' matches \"%s\"", thing(z), of->stmt->names[0], z->pattern);
                help(d, m, z, of);
            }
}

void cg_annotations_check(CgElab *e)
{
    for (size_t k = 0; k < e->model->aliases.len && e->model->trains; k++)
        check_tied(e, &e->model->aliases.at[k]);

    check_unapplied(e);
    const CgModelGraph *m = e->model;
    for (size_t k = 0; k < m->marked.len; k++) {
        const CgInstance *submodule = m->marked.at[k];
        for (int i = 0; i < submodule->nannotations; i++) {
            const CgAnnotation *z = &submodule->annotations[i];
            uint64_t said, key = key_of(z);
            if (z->given || find_fit(m, z, submodule) || cg_map_get(&e->unfit, key, &said))
                continue;
            cg_map_put(&e->unfit, key, 1);
            CgDiag *d = cg_elab_error(e, CG_E0502, z->span, "no %s of '%s' matches \"%s\"", thing(z),
                submodule->stmt->names[0], z->pattern ? z->pattern : "*");
            if (z->what != CG_ANNOTATED_REPLACED || !help_value(d, m, z, submodule))
                help(d, m, z, submodule);
        }
    }
}
