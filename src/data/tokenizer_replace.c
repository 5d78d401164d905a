/* tokenizer_replace.c - the step `Replace` of a tokenizer.json, of normalizers and of decoders.
 * Takes its description; gives texts in which each match of its pattern is another text. */
#include <stdlib.h>

#include "data/pattern.h"
#include "data/tokenizer_steps.h"

typedef struct Replace {
    CgPattern *pattern;
    char *content;
} Replace;

void cg_replace_free(void *data)
{
    Replace *r = data;
    cg_pattern_free(r->pattern);
    free(r->content);
    free(r);
}

bool cg_replace_read(const json_t *step, const char *path, void **data, CgErr *e)
{
    const char *content = json_string_value(json_object_get(step, "content"));
    if (!content)
        return cg_err(e, CG_ERR_INPUT, "'%s': the step 'Replace' has no string 'content'", path);
    CgPattern *p = cg_step_pattern(step, path, e);
    if (!p)
        return false;
    Replace *r = *data = cg_calloc(1, sizeof *r);
    *r = (Replace){ p, cg_strdup(content) };
    return true;
}

void cg_replace_apply(const void *data, CgText text, CgStrbuf *out)
{
    const Replace *r = data;
    CgSearch s = cg_pattern_search(r->pattern, text.at, text.len);
    size_t done = 0;
    for (size_t from, to; cg_search_next(&s, &from, &to); done = to) {
        cg_strbuf_write(out, text.at + done, from - done);
        cg_strbuf_puts(out, r->content);
    }
    if (done < text.len)
        cg_strbuf_write(out, text.at + done, text.len - done);
}
