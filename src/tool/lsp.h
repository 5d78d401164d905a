/* lsp.h - the language server: documents of an editor, and what is known of a place in one.
 * Takes texts as an editor has them; gives answers of the Language Server Protocol as JSON. Places are lines and UTF-16
 * code units there, bytes here; lsp_document.c alone knows both. */
#ifndef CG_LSP_H
#define CG_LSP_H
#include "base/json.h"
#include "stage/session.h"

typedef struct CgDocument {
    char *uri, *path, *text;
} CgDocument;

typedef struct CgEditor {
    CG_VEC(CgDocument) open;
} CgEditor;

/* ---- documents (lsp_document.c) ---- */
CgDocument *cg_editor_find(CgEditor *editor, const char *uri); /* NULL: not open */
/* Opens it or changes its text; NULL where the address is none of a file. */
CgDocument *cg_editor_put(CgEditor *editor, const char *uri, const char *text);
void cg_editor_close(CgEditor *editor, const char *uri);
void cg_editor_free(CgEditor *editor);
/* A place as the protocol says it, { line, character }, from 0. */
json_t *cg_position_of(const char *text, uint32_t offset);
uint32_t cg_offset_of(const char *text, json_t *position); /* past the end of a line: its end */
json_t *cg_range_of(const char *text, uint32_t start, uint32_t end);
char *cg_uri_of(const char *path); /* malloc'd */

/* ---- answers (lsp_answer.c), each a new value ---- */
json_t *cg_answer_diagnostics(CgEditor *editor, const CgDocument *d);
json_t *cg_answer_hover(CgEditor *editor, const CgDocument *d, uint32_t at);
json_t *cg_answer_definition(CgEditor *editor, const CgDocument *d, uint32_t at);
json_t *cg_answer_references(CgEditor *editor, const CgDocument *d, uint32_t at);
json_t *cg_answer_completion(CgEditor *editor, const CgDocument *d, uint32_t at);
json_t *cg_answer_rename(CgEditor *editor, const CgDocument *d, uint32_t at, const char *name);
json_t *cg_answer_formatting(const CgDocument *d);
/* Changes that mend what is wrong from one place to another. */
json_t *cg_answer_actions(CgEditor *editor, const CgDocument *d, uint32_t from, uint32_t to);
#endif
