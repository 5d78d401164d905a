/* picture_instance.c - the instances of a graph, as a reader of its script knows them.
 * Takes the scopes of a graph and the paths of its parameters; gives a tree of instances, the one each node is drawn
 * in, and which are drawn as one box. A compressor applies blocks of an encoder that it was handed: scopes say where
 * they are applied, paths say whose they are; here they come together again. */
#include "report/picture_inside.h"

#include <stdlib.h>
#include <string.h>

#include "base/intern.h"
#include "graph/use.h"

/* A scope without a graph is a region (recomputation), no instance: what lies in it belongs to the instance around. */
static int instance_at(const CgGraph *g, int scope)
{
    while (scope > 0 && !(g->scopes.at[scope].graph && *g->scopes.at[scope].graph))
        scope = g->scopes.at[scope].parent;
    return scope;
}

/* ---- owners ---- */

/* `path` without its last part `name`: "encoder.blocks.0" and "blocks.0" give "encoder"; NULL when it ends otherwise.
 */
static CgAtom without_end(const char *path, const char *name)
{
    size_t n = strlen(path), m = strlen(name);
    if (n < m || strcmp(path + n - m, name) != 0)
        return NULL;
    if (n == m)
        return cg_intern("");
    return path[n - m - 1] == '.' ? cg_intern_printf("%.*s", (int)(n - m - 1), path) : NULL;
}

static CgAtom joined(const char *path, const char *name)
{
    return *path ? cg_intern_printf("%s.%s", path, name) : cg_intern(name);
}

/* Of two paths that parts of an instance say, parts of its own say the one that its path ends in, the longer of such;
 * else a shorter one than those of a model it was handed. */
static bool says_more(const char *path, CgAtom holder, CgAtom known)
{
    bool own = without_end(path, holder) != NULL, known_own = without_end(path, known) != NULL;
    if (own && known_own)
        return strlen(holder) > strlen(known);
    return own || (!known_own && strlen(holder) < strlen(known));
}

/* Whose parameters the ops of a scope use, told by the ends that its path and theirs have in common; what its parts
 * know, it knows. By scope, NULL where nothing is known. */
static CgAtom *owners(const CgDraft *d, const CgAtom *path)
{
    const CgGraph *g = d->g;
    CgAtom *owner = cg_calloc(g->scopes.len + 1, sizeof *owner);
    for (CgRef r = 0; r < g->nodes.len; r++) {
        const CgNode *n = cg_node(g, r);
        int s = instance_at(g, n->scope);
        for (int i = 0; i < n->nin && s > 0 && !owner[s]; i++) {
            CgRef p = n->in[i];
            while (cg_node(g, p)->op->view && cg_node(g, p)->nin == 1)
                p = cg_node(g, p)->in[0];
            const char *name = d->item[p].param ? cg_node_name(g, p) : NULL;
            const char *rest = name ? cg_draft_path_below(path[s], name) : NULL;
            if (rest && rest > name)
                owner[s] = cg_intern_printf("%.*s", (int)(rest - name - 1), name);
        }
    }
    for (size_t s = g->scopes.len; s-- > 1;) {
        int up = instance_at(g, g->scopes.at[s].parent);
        CgAtom holder = owner[s] && up > 0 ? without_end(owner[s], g->scopes.at[s].name) : NULL;
        if (holder && (!owner[up] || says_more(path[up], holder, owner[up])))
            owner[up] = holder;
    }
    return owner;
}

/* ---- the tree ---- */

static int add(CgDraft *d, int up, CgAtom name, CgAtom graph, CgAtom owner)
{
    CgDraftScope p = { .name = name, .graph = graph, .owner = owner, .up = up, .times = 1 };
    p.path = up < 0 ? cg_intern("") : joined(d->scope.at[up].path, name);
    p.hidden = p.cluster = p.closed = p.box = -1;
    cg_vec_push(&d->scope, p);
    return (int)d->scope.len - 1;
}

/* The model handed to instance `up` whose parts it applies, `owner` in the paths of parameters. */
static int handed(CgDraft *d, int up, CgAtom owner)
{
    for (size_t i = 1; i < d->scope.len; i++)
        if (d->scope.at[i].up == up && d->scope.at[i].handed && d->scope.at[i].owner == owner)
            return (int)i;
    const char *before = d->scope.at[up].owner ? d->scope.at[up].owner : "";
    size_t n = strlen(before);
    bool below = n && strncmp(owner, before, n) == 0 && owner[n] == '.';
    int at = add(d, up, below ? cg_intern(owner + n + 1) : owner, NULL, owner);
    d->scope.at[at].handed = true;
    d->scope.at[up].transparent = true;
    return at;
}

/* Whether a part of model `of` is applied beside scope s, which applies all the rest of it. */
static bool part_beside(const CgGraph *g, const CgAtom *owner, size_t s, CgAtom of)
{
    int up = instance_at(g, g->scopes.at[s].parent);
    for (size_t i = 1; i < g->scopes.len; i++)
        if (owner[i] && instance_at(g, g->scopes.at[i].parent) == up
            && without_end(owner[i], g->scopes.at[i].name) == of)
            return true;
    return false;
}

/* Derivatives lie in instances of their own, one for each they belong to and as deep as it is, all in one: arrows lead
 * into it, and none back. */
static int backward(CgDraft *d, int *twin, int scope)
{
    if (!twin[scope]) {
        CgDraftScope of = d->scope.at[scope];
        twin[scope] = scope ? add(d, backward(d, twin, of.up), of.name, of.graph, of.owner)
                            : add(d, 0, cg_intern("backward"), NULL, cg_intern(""));
        d->scope.at[twin[scope]].transparent = of.transparent;
        d->scope.at[twin[scope]].backward = true;
        d->scope.at[scope].twin = twin[scope];
    }
    return twin[scope];
}

void cg_draft_instances(CgDraft *d)
{
    const CgGraph *g = d->g;
    CgAtom *path = cg_calloc(g->scopes.len + 1, sizeof *path);
    int *of_scope = d->of_scope = CG_NEWN(d->arena, int, g->scopes.len + 1);
    path[0] = cg_intern("");
    for (size_t s = 1; s < g->scopes.len; s++) {
        const CgScope *scope = &g->scopes.at[s];
        int up = instance_at(g, scope->parent);
        path[s] = scope->graph && *scope->graph ? joined(path[up], scope->name) : path[up];
    }
    CgAtom *owner = owners(d, path);
    add(d, -1, cg_intern(""), NULL, cg_intern(""));
    for (size_t s = 1; s < g->scopes.len; s++) {
        const CgScope *scope = &g->scopes.at[s];
        int up = of_scope[instance_at(g, scope->parent)];
        if (!scope->graph || !*scope->graph) {
            of_scope[s] = up;
            continue;
        }
        const char *above = d->scope.at[up].owner;
        CgAtom holder = owner[s] ? without_end(owner[s], scope->name) : NULL;
        if (holder && *holder && above && holder != above)
            up = handed(d, up, holder);
        CgAtom is = owner[s] ? owner[s] : above ? joined(above, scope->name) : NULL;
        if (is && *is && above && !holder && is != above && part_beside(g, owner, s, is)) {
            of_scope[s] = handed(d, up, is);
            continue;
        }
        of_scope[s] = add(d, up, scope->name, scope->graph, is);
        d->scope.at[of_scope[s]].recompute = scope->recompute != 0;
        d->scope.at[of_scope[s]].span = scope->span;
        /* the model of a training, or of this picture */
        if (is && !*is)
            d->scope.at[of_scope[s]].transparent = true;
    }
    d->scope.at[0].transparent = true;
    int *twin = cg_calloc(d->scope.len + 1, sizeof *twin);
    for (CgRef r = 0; r < g->nodes.len; r++) {
        int at = d->item[r].input ? 0 : of_scope[instance_at(g, cg_node(g, r)->scope)];
        bool back = cg_node(g, r)->why != CG_NONE && d->item[r].live;
        d->item[r].instance = back ? backward(d, twin, at) : at;
        if (cg_node_is_result(cg_node(g, r)))
            d->item[r].instance = d->item[cg_node(g, r)->in[0]].instance;
    }
    free(twin);
    free(path);
    free(owner);
}

/* ---- nodes of handed models ---- */

bool cg_draft_lies_in(const CgDraft *d, int scope, int around)
{
    while (scope > around)
        scope = d->scope.at[scope].up;
    return scope == around;
}

static bool owns(const char *owner, const char *path)
{
    size_t n = strlen(owner);
    return strncmp(path, owner, n) == 0 && path[n] == '.';
}

static void gather(CgDraft *d, int v)
{
    enum { FROM = 1, TO = 2 };
    const CgGraph *g = d->g;
    int up = d->scope.at[v].up;
    unsigned char *reach = cg_calloc(g->nodes.len + 1, 1);
    for (CgRef r = 0; r < g->nodes.len; r++) {
        CgDraftItem *it = &d->item[r];
        for (int k = 0; it->drawn && it->instance == up && k < it->nrows; k++)
            if (owns(d->scope.at[v].owner, cg_node_name(g, it->rows[k])))
                it->instance = v;
        bool in = it->drawn && cg_draft_lies_in(d, it->instance, v);
        for (int i = 0; i < cg_node(g, r)->nin; i++)
            reach[r] |= reach[cg_node(g, r)->in[i]] & FROM;
        if (in)
            reach[r] |= FROM;
    }
    for (size_t r = g->nodes.len; r-- > 0;) {
        if (d->item[r].drawn && cg_draft_lies_in(d, d->item[r].instance, v))
            reach[r] |= TO;
        for (int i = 0; i < cg_node(g, (CgRef)r)->nin && d->item[r].live; i++)
            reach[cg_node(g, (CgRef)r)->in[i]] |= reach[r] & TO;
    }
    for (CgRef r = 0; r < g->nodes.len; r++)
        if (reach[r] == (FROM | TO) && d->item[r].drawn && d->item[r].instance == up)
            d->item[r].instance = v;
    free(reach);
}

void cg_draft_gather(CgDraft *d)
{
    for (size_t v = 1; v < d->scope.len; v++)
        if (d->scope.at[v].handed)
            gather(d, (int)v);
}

/* ---- levels ---- */

/* "m.blocks.3" ends in "blocks.3": both count whole parts. */
static bool ends_in(const char *path, const char *end)
{
    size_t n = strlen(path), m = strlen(end);
    return m && n >= m && strcmp(path + n - m, end) == 0 && (n == m || path[n - m - 1] == '.');
}

/* Whether this is an instance of that path, whose first names may be left away; a turn of a loop is "m.turn". */
static bool is_called(const CgDraftScope *p, const char *path)
{
    CgAtom turn = p->turn ? joined(p->path, "turn") : NULL;
    return ends_in(turn ? turn : p->path, path) || (p->owner && !turn && ends_in(p->owner, path));
}

/* The same instance in the one of folded siblings that is drawn: blocks.0.attn for blocks.3.attn. */
static int drawn_for(const CgDraft *d, int scope)
{
    int away = d->scope.at[scope].hidden;
    if (away < 0)
        return scope;
    const CgDraftScope *of = &d->scope.at[away];
    const char *rest = d->scope.at[scope].path + strlen(of->path);
    for (size_t i = 1; i < d->scope.len; i++) {
        const CgDraftScope *first = &d->scope.at[i];
        if (first->group != of->group || first->hidden >= 0)
            continue;
        CgAtom path = cg_intern_printf("%s%s", first->path, rest);
        for (size_t k = i; k < d->scope.len; k++)
            if (d->scope.at[k].path == path && !d->scope.at[k].turn)
                return (int)k;
    }
    return scope;
}

/* Marks what is drawn from inside whatever the depth: the instances that were asked for, and all around them. */
static void find_open(CgDraft *d)
{
    for (size_t i = 0; i < d->scope.len; i++)
        d->scope.at[i].open = false;
    for (size_t i = 1; i < d->scope.len; i++)
        for (int k = 0; k < d->o->nopen; k++)
            for (int s = is_called(&d->scope.at[i], d->o->open[k]) ? drawn_for(d, (int)i) : 0; s > 0;
                 s = d->scope.at[s].up)
                d->scope.at[s].open = true;
}

/* As many names of the end of a path as `like` has. */
static CgAtom end_like(const char *path, const char *like)
{
    int parts = 1;
    const char *at = path + strlen(path);
    for (const char *s = like; *s; s++)
        parts += *s == '.';
    for (; at > path && parts; at--)
        parts -= at[-1] == '.';
    return cg_intern(parts ? at : at + 1);
}

bool cg_picture_has(const CgPicture *p, const char *path, CgSuggest *near)
{
    const CgDraft *d = p->draft;
    CgMap seen = { 0 };
    uint64_t old;
    bool has = false;
    for (size_t i = 1; i < d->scope.len; i++) {
        CgAtom name = end_like(d->scope.at[i].path, path);
        has = has || is_called(&d->scope.at[i], path);
        if (d->scope.at[i].hidden >= 0 || cg_map_get(&seen, cg_map_ptr(name), &old))
            continue;
        cg_map_put(&seen, cg_map_ptr(name), 1);
        cg_suggest_offer(near, name);
    }
    cg_map_deinit(&seen);
    return has;
}

/* How many boxes are drawn in each instance. */
static void count_shown(CgDraft *d)
{
    for (size_t i = 0; i < d->scope.len; i++)
        d->scope.at[i].shown = d->scope.at[i].closed == (int)i && d->scope.at[i].hidden < 0;
    for (CgRef r = 0; r < d->g->nodes.len; r++) {
        CgDraftScope *p = &d->scope.at[d->item[r].instance];
        p->shown += d->item[r].drawn && d->item[r].stands == r && p->closed < 0;
    }
    for (size_t i = d->scope.len; i-- > 1;)
        if (d->scope.at[i].up >= 0)
            d->scope.at[d->scope.at[i].up].shown += d->scope.at[i].shown;
}

/* Whether an instance lies so deep that it is one box. */
static bool is_deep(const CgDraft *d, const CgDraftScope *p)
{
    int depth = d->o->depth;
    if (depth == 0 || p->up < 0)
        return false;
    bool whole = depth == CG_DEPTH_MODELS || (depth == CG_DEPTH_FORWARD && p->backward);
    return whole || (p->level >= (depth > 0 ? depth : 1) && !p->transparent);
}

void cg_draft_close(CgDraft *d)
{
    find_open(d);
    for (size_t i = 0; i < d->scope.len; i++) {
        CgDraftScope *p = &d->scope.at[i];
        const CgDraftScope *up = p->up < 0 ? NULL : &d->scope.at[p->up];
        p->level = (up ? up->level : 0) + !p->transparent;
        p->closed = up ? up->closed : -1;
        p->box = -1;
        if (p->closed < 0 && p->boxes > 1 && is_deep(d, p) && !p->open)
            p->closed = (int)i;
    }
    count_shown(d);
}
