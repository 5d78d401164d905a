/* source.h - the texts a user wrote, and places in them.
 * Takes files or strings; gives spans (byte offsets) and, when printing, lines and columns. Texts live as long as
 * the CgSources. */
#ifndef CG_SOURCE_H
#define CG_SOURCE_H
#include "base/err.h"

typedef struct CgSpan {
    uint32_t file, start, end;
} CgSpan; /* file 0 = no place */
typedef struct CgSource {
    const char *name;
    const char *text;
    size_t len;
    bool data; /* values were read from it: it is no script */
} CgSource;    /* name as shown in messages */
typedef struct CgSources CgSources;

CgSources *cg_sources_new(void);
void cg_sources_free(CgSources *s);
CG_NODISCARD bool cg_sources_load(CgSources *s, const char *path, uint32_t *file, CgErr *e); /* each path once */
void cg_sources_put(CgSources *s, const char *path, const char *text, size_t len); /* what loading the path will give */
bool cg_sources_holds(const CgSources *s, const char *path);                       /* it was loaded or put */
uint32_t cg_sources_add(CgSources *s, const char *name, const char *text, size_t len);  /* copies */
uint32_t cg_sources_data(CgSources *s, const char *name, const char *text, size_t len); /* likewise, of data */
const CgSource *cg_sources_get(const CgSources *s, uint32_t file);
/* 1-based line and column (columns count code points; a tab is one). */
void cg_sources_position(const CgSources *s, CgSpan span, int *line, int *column);
/* The bytes of a 1-based line without its end of line; false past the end. */
bool cg_sources_line(const CgSources *s, uint32_t file, int line, const char **at, size_t *len);
static inline CgSpan cg_span_join(CgSpan a, CgSpan b)
{
    if (!a.file)
        return b;
    if (b.file == a.file && b.end > a.end)
        a.end = b.end;
    return a;
}
#endif
