/* tokenizer_kinds.c - all kinds of tokenizers, and files of them.
 * Takes a path; gives the tokenizer of the kind that its model is of. Must not know any kind: they are found by their
 * entries. */
#include "data/tokenizer_kinds.h"

#include <string.h>

#include "base/io.h"
#include "base/json.h"

#define X(kind) extern const CgTokenizerMaker cg_tokenizer_entry_##kind;
#include "entries/tokenizer.def"
#undef X
static const CgTokenizerMaker *const entries[] = {
#define X(kind) &cg_tokenizer_entry_##kind,
#include "entries/tokenizer.def"
#undef X
};

const CgTokenizerMaker *cg_tokenizer_at(size_t i) { return i < CG_LEN(entries) ? entries[i] : NULL; }

/* The kind that reads models of a type; files from before there were types hold BPE. */
static const CgTokenizerMaker *reader_of(const CgTokenizerFile *f, CgErr *e)
{
    const json_t *type = json_object_get(f->model, "type");
    const char *name = !f->model ? "none" : json_is_string(type) ? json_string_value(type) : "BPE";
    CgStrbuf known = { 0 };
    for (size_t i = 0; i < CG_LEN(entries); i++) {
        if (!entries[i]->model)
            continue;
        if (f->model && !strcmp(entries[i]->model, name)) {
            cg_strbuf_deinit(&known);
            return entries[i];
        }
        cg_strbuf_printf(&known, "%s%s", known.len ? ", " : "", entries[i]->model);
    }
    cg_err(e, CG_ERR_INPUT, "'%s': the model '%.40s' is not supported", f->path, name);
    cg_err_hint(e, "models that are read: %s", cg_strbuf_str(&known));
    cg_strbuf_deinit(&known);
    return NULL;
}

CgTokenizer *cg_tokenizer_load(const char *path, const char *end, int64_t end_id, CgErr *e)
{
    CgBytes bytes = { 0 };
    json_error_t why;
    if (!cg_io_read(path, &bytes, e))
        return NULL;
    CgTokenizerFile f = { .path = path, .digest = cg_digest(bytes.at, bytes.len), .end = end, .end_id = end_id };
    f.root = cg_json_load(bytes.at, bytes.len, JSON_REJECT_DUPLICATES, &why);
    cg_io_release(&bytes);
    if (!f.root) {
        cg_err(e, CG_ERR_INPUT, "%s:%d:%d: %s", path, why.line, why.column, why.text);
        return NULL;
    }
    f.model = json_object_get(f.root, "model");
    f.model = json_is_object(f.model) ? f.model : NULL;
    const CgTokenizerMaker *reader = reader_of(&f, e);
    CgTokenizer *t = reader ? reader->load(&f, e) : NULL;
    json_decref(f.root);
    return t;
}
