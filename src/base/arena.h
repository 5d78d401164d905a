/* arena.h - memory that is freed all at once.
 * Takes sizes; gives zeroed memory aligned to 16. With --enable-arena-debug every allocation is a malloc of its own. */
#ifndef CG_ARENA_H
#define CG_ARENA_H
#include "base/base.h"

typedef struct CgArena CgArena;
CgArena *cg_arena_new(void);
void cg_arena_free(CgArena *a);
void *cg_arena_alloc(CgArena *a, size_t size);
char *cg_arena_strdup(CgArena *a, const char *s);
char *cg_arena_strndup(CgArena *a, const char *s, size_t n);
char *cg_arena_printf(CgArena *a, const char *format, ...) CG_PRINTF(2, 3);
#define CG_NEW(arena, Type)     ((Type *)cg_arena_alloc((arena), sizeof(Type)))
#define CG_NEWN(arena, Type, n) ((Type *)cg_arena_alloc((arena), sizeof(Type) * (size_t)(n)))
#endif
