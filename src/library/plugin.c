/* plugin.c - ops, functions and readers from shared objects.
 * Takes the path of a plugin; adds what it has to what the language knows, or says why not. Must not let a broken one
 * end the program without a word: it is tried in a copy of it first. */
#include "library/plugin.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

#include "base/child.h"
#include "base/io.h"
#include "data/reader.h"
#include "elab/signature.h"
#include "graph/registry.h"
#include "graph/text.h"

typedef struct Plugin {
    const char *path; /* what the user wrote */
    char *file;       /* with a slash: dlopen looks in the system's folders for names without */
    CgDigest origin;
} Plugin;

/* What a plugin has, by the symbols that its sources end in. */
typedef struct Content {
    const CgOpSet *ops;
    const CgFunctionSet *functions;
    const CgReaderSet *readers;
} Content;

static bool load(const Plugin *p, Content *out, CgErr *e)
{
    void *handle = dlopen(p->file, RTLD_NOW | RTLD_LOCAL);
    if (!handle)
        return cg_err(e, CG_ERR_IO, "cannot load plugin '%s': %s", p->path, dlerror());
    *out = (Content){ dlsym(handle, "cg_plugin"), dlsym(handle, "cg_plugin_functions"),
        dlsym(handle, "cg_plugin_readers") };
    if (!out->ops && !out->functions && !out->readers) {
        dlclose(handle);
        return cg_err(e, CG_ERR_INPUT,
            "'%s' is not a cg plugin: it has none of the symbols cg_plugin, cg_plugin_functions, cg_plugin_readers",
            p->path);
    }
    CgErr why = { 0 };
    /* stays loaded as long as the process: nodes point into it */
    return ((!out->ops || cg_registry_add_from(out->ops, p->origin, &why))
               && (!out->functions || cg_functions_add(out->functions, p->origin, &why))
               && (!out->readers || cg_readers_add(out->readers, p->origin, &why)))
        || cg_err(e, why.kind, "plugin '%s': %.300s", p->path, why.text);
}

/* The types of a sample's operands, F being f32; -1 for what is none. */
static int sample_types(const char *text, CgType *types)
{
    CgStrbuf b = { 0 };
    for (const char *at = text; *at; at++)
        cg_strbuf_puts(&b, *at == 'F' ? "f32" : (char[]){ *at, 0 });
    int n = 0;
    for (const char *at = cg_strbuf_str(&b); *at && n >= 0 && n < CG_MAX_IN;) {
        bool good = cg_type_parse_prefix(&at, &types[n]);
        n = good ? n + 1 : -1;
        at += strspn(at, " ");
    }
    cg_strbuf_deinit(&b);
    return n;
}

/* In the copy: everything of the plugin that runs before any number is computed. */
static void try_out(void *arg)
{
    Content has = { 0 };
    CgErr e = { 0 };
    if (!load(arg, &has, &e) || !has.ops)
        return;
    for (const CgOp *const *op = has.ops->ops; *op; op++)
        for (const CgSample *s = (*op)->samples; s->in; s++) {
            CgType types[CG_MAX_IN];
            const CgAttrs *attrs = NULL;
            int n = sample_types(s->in, types);
            if (n < 0 || (s->attrs && !cg_attrs_parse(s->attrs, &attrs, &e)))
                continue;
            CgInfer inf = { .op = *op, .nin = n, .in = types, .attrs = attrs };
            (void)(*op)->shape(&inf);
        }
}

bool cg_plugin_load(const char *path, CgErr *e)
{
    CgStrbuf full = { 0 };
    CgBytes bytes;
    cg_strbuf_printf(&full, "%s%s", strchr(path, '/') ? "" : "./", path);
    Plugin p = { .path = path, .file = cg_strbuf_take(&full) };
    bool good = cg_io_read(p.file, &bytes, e);
    if (good) {
        p.origin = cg_digest(bytes.at, bytes.len);
        cg_io_release(&bytes);
        cg_registry_init();
        int code = cg_child_try(try_out, &p);
        if (code) {
            good = cg_err(e, CG_ERR_INPUT, "plugin '%s' is broken: %s", path,
                code > 128 && code < CG_CHILD_ENDED ? strsignal(code - 128) : "it ends the program while it is loaded");
            cg_err_hint(e, "it was tried in a process of its own; build it anew against the headers of this cg");
        }
    }
    Content has;
    good = good && load(&p, &has, e);
    free(p.file);
    return good;
}

void cg_plugins_load(const CgProgram *program, CgDiags *diags)
{
    for (int m = 0; m < program->n; m++) {
        const CgBlock *top = &program->at[m].unit->top;
        for (int i = 0; i < top->n; i++) {
            CgErr err = { 0 };
            if (top->at[i]->kind == CG_STMT_PLUGIN && top->at[i]->a->kind == CG_EXPR_STRING
                && !cg_plugin_load(top->at[i]->a->s, &err))
                cg_diag_err(diags, top->at[i]->a->span, &err);
        }
    }
}
