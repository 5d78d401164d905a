/* parse.c - text to AST.
 * Takes a source; drives scanner, token layer and grammar, and gives the unit with its comments and doc
 * texts, also after mistakes (broken parts are ERROR nodes). Resolves no name and opens no file. */
#include <stdlib.h>
#include <string.h>
#include "lang/cg_parse.h"
#include "lang/parse.h"
#include "lang/parsing.h"

static void close_parsing(CgParsing *p)
{
    cg_scan_close(p);
    cg_vec_free(&p->open);
    cg_vec_free(&p->comments);
}

CgStmt *cg_sig_parse(CgArena *arena, const char *name, const char *sig, CgDiags *diags)
{
    CgParsing p = { .arena = arena, .diags = diags, .text = sig, .len = strlen(sig), .is_sig = true, .sig_name = name };
    cg_scan_open(&p);
    cg_parse_run(&p);
    close_parsing(&p);
    return p.nerrors > 0 ? NULL : p.sig;
}

void cg_unit_print_tokens(CgSources *sources, uint32_t file, FILE *to)
{
    const CgSource *source = cg_sources_get(sources, file);
    CgArena *arena = cg_arena_new();
    CgParsing p = { .arena = arena,
        .file = file,
        .text = source->text,
        .len = source->len > CG_MAX_TEXT ? 0 : source->len,
        .edition = CG_EDITION };
    CgToken t;
    cg_scan_open(&p);
    while (cg_scan_next(&p, &t) != T_END) {
        int line, column;
        cg_sources_position(sources, t.span, &line, &column);
        const char *name = cg_parse_token_name(t.kind);
        fprintf(to, "%d:%d %s %.*s\n", line, column, name, (int)(t.span.end - t.span.start), p.text + t.span.start);
    }
    for (size_t i = 0; i < p.comments.len; i++) {
        int line, column;
        CgSpan span = p.comments.at[i].span;
        cg_sources_position(sources, span, &line, &column);
        fprintf(to, "%d:%d comment %.*s\n", line, column, (int)(span.end - span.start), p.text + span.start);
    }
    close_parsing(&p);
    cg_arena_free(arena);
}

void cg_unit_free(CgUnit *u)
{
    if (u)
        cg_arena_free(u->arena); /* the unit lives in it */
}

CgUnit *cg_unit_parse(CgSources *sources, uint32_t file, CgDiags *diags)
{
    const CgSource *source = cg_sources_get(sources, file);
    CgArena *arena = cg_arena_new();
    CgUnit *u = CG_NEW(arena, CgUnit);
    u->arena = arena;
    u->file = file;
    u->edition = 1;
    CgParsing p = {
        .arena = arena, .diags = diags, .file = file, .text = source->text, .len = source->len, .unit = u, .edition = 1
    };
    if (source->len > CG_MAX_TEXT) {
        CgDiag *d =
            cg_syntax_error(&p, CG_E0109, (CgSpan){ file, 0, 0 }, "a script of %zu bytes is too long", source->len);
        if (d)
            cg_diag_help(d, "the limit is %u bytes; data belongs in files of its own", CG_MAX_TEXT);
        return u;
    }
    cg_scan_open(&p);
    cg_parse_run(&p);
    u->top = cg_make_block(p.top, (CgSpan){ file, 0, (uint32_t)source->len });
    u->edition = p.edition;
    cg_unit_attach(&p);
    cg_unit_check(&p);
    u->nvalues = p.nvalues;
    u->ncomments = (int)p.comments.len;
    u->comments = CG_NEWN(arena, CgComment, u->ncomments + 1);
    if (u->ncomments > 0)
        memcpy(u->comments, p.comments.at, sizeof(CgComment) * (size_t)u->ncomments);
    close_parsing(&p);
    return u;
}

CgSpan cg_stmt_head(const CgStmt *s, const CgSource *source)
{
    CgSpan head = s->span;
    if (s->kind == CG_STMT_GRAPH || s->kind == CG_STMT_DEF) {
        head.end = s->kind == CG_STMT_GRAPH ? s->body.span.start : s->a->span.start;
        while (head.end > head.start && strchr(" \n={", source->text[head.end - 1]))
            head.end--;
    } else {
        const char *line = memchr(source->text + head.start, '\n', head.end - head.start);
        head.end = line ? (uint32_t)(line - source->text) : head.end;
    }
    return head;
}
