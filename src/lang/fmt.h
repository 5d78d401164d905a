/* fmt.h - AST and comments to canonical text.
 * Takes a unit parsed without mistakes; gives text whose own canonical text is itself. Keeps every comment. */
#ifndef CG_FMT_H
#define CG_FMT_H
#include "lang/ast.h"

void cg_unit_format(const CgUnit *u, const CgSources *sources, CgStrbuf *out);
/* A text of the first edition, without mistakes but for its braces in strings, as one of the second (upgrade.c). */
void cg_text_upgrade(const char *text, size_t len, CgStrbuf *out);
/* One expression on one line, as fmt would write it. */
void cg_expr_format(const CgExpr *e, CgStrbuf *out);
#endif
