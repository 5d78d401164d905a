/* parse.h - text to AST.
 * Takes a source and a diagnostics list; gives a unit (also after mistakes: broken parts are ERROR nodes). */
#ifndef CG_PARSE_H
#define CG_PARSE_H
#include "lang/ast.h"

CgUnit *cg_unit_parse(CgSources *sources, uint32_t file, CgDiags *diags);
void cg_unit_free(CgUnit *u);
/* The signature of an op, "(x: F[..s], axis: int = -1) -> F[..s]": fills a GRAPH statement in `arena`, NULL if
 * ill-formed. */
CgStmt *cg_sig_parse(CgArena *arena, const char *name, const char *sig, CgDiags *diags);
/* What stands in the source before the body of a graph or the value of a def; a value is shown as far as its line goes.
 */
CgSpan cg_stmt_head(const CgStmt *s, const CgSource *source);
void cg_unit_print_tokens(CgSources *sources, uint32_t file, FILE *to); /* --dump=tokens */
void cg_unit_print(const CgUnit *u, FILE *to);                          /* --dump=ast, S-expressions */
#endif
