/* pattern.c - regular expressions, on PCRE2.
 * Takes expressions that somebody else wrote; gives matches. All limits are PCRE2's own. */
#include "data/pattern.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <stdlib.h>
#include <string.h>

#include "data/characters.h"

#define WINDOW 4096 /* bytes of a text that is no UTF-8 that are looked at in one search */

struct CgPattern {
    pcre2_code *code, *any; /* for text that is UTF-8, and for any bytes */
    pcre2_match_data *match;
    pcre2_match_context *limits;
    pcre2_jit_stack *stack;
};

void cg_pattern_free(CgPattern *p)
{
    if (!p)
        return;
    pcre2_match_data_free(p->match);
    pcre2_match_context_free(p->limits);
    pcre2_jit_stack_free(p->stack);
    pcre2_code_free(p->code);
    pcre2_code_free(p->any);
    free(p);
}

/* Compiled patterns read whole words, past the end of a text too, and use none of those bytes: valgrind takes that for
 * a fault, and cannot be told of code without a name. */
static bool is_memcheck(void)
{
    const char *preload = getenv("LD_PRELOAD");
    return preload && strstr(preload, "vgpreload");
}

CgPattern *cg_pattern_new(const char *expression, bool literal, const char *path, CgErr *e)
{
    int code;
    PCRE2_SIZE at;
    /* PCRE2 refuses to mix PCRE2_LITERAL with what a literal has no use for */
    uint32_t how = literal ? PCRE2_UTF | PCRE2_LITERAL : PCRE2_UTF | PCRE2_UCP;
    CgPattern *p = cg_calloc(1, sizeof *p);
    p->code = pcre2_compile((PCRE2_SPTR)expression, strlen(expression), how, &code, &at, NULL);
    if (p->code)
        p->any =
            pcre2_compile((PCRE2_SPTR)expression, strlen(expression), how | PCRE2_MATCH_INVALID_UTF, &code, &at, NULL);
    if (!p->code || !p->any) {
        char why[128];
        pcre2_get_error_message(code, (PCRE2_UCHAR *)why, sizeof why);
        cg_err(e, CG_ERR_INPUT, "'%s': the Regex is wrong at byte %zu of %zu: %s", path, (size_t)at, strlen(expression),
            why);
        cg_pattern_free(p);
        return NULL;
    }
    if (!is_memcheck()) { /* for speed only */
        (void)pcre2_jit_compile(p->code, PCRE2_JIT_COMPLETE);
        (void)pcre2_jit_compile(p->any, PCRE2_JIT_COMPLETE);
    }
    p->match = pcre2_match_data_create_from_pattern(p->code, NULL);
    p->limits = pcre2_match_context_create(NULL);
    p->stack = pcre2_jit_stack_create(32 << 10, 4 << 20, NULL);
    pcre2_jit_stack_assign(p->limits, NULL, p->stack);
    pcre2_set_match_limit(p->limits, 10000000);
    pcre2_set_depth_limit(p->limits, 10000);
    return p;
}

CgSearch cg_pattern_search(CgPattern *p, const char *text, size_t len)
{
    return (CgSearch){ p, text, len, 0, cg_text_is_utf8(text, len) };
}

/* In a text that is no UTF-8 all bytes shown are looked through first: so few are shown, from the place on. */
static bool next_in_window(CgSearch *s, size_t *from, size_t *to)
{
    for (size_t window = WINDOW; s->at < s->len; window *= 16) {
        size_t left = s->len - s->at, seen = left < window ? left : window;
        const CgPattern *p = s->pattern;
        int found = pcre2_match(p->any, (PCRE2_SPTR)s->text + s->at, seen, 0, 0, p->match, p->limits);
        const PCRE2_SIZE *at = pcre2_get_ovector_pointer(p->match);
        if (seen < left && window < WINDOW << 8 && (found < 0 || at[1] + 64 > seen))
            continue; /* it might go on */
        if (found < 0) {
            s->at += seen;
            continue;
        }
        *from = s->at + at[0];
        *to = s->at + at[1];
        return true;
    }
    return false;
}

bool cg_search_next(CgSearch *s, size_t *from, size_t *to)
{
    const CgPattern *p = s->pattern;
    bool found = false;
    if (s->at < s->len && s->utf8) {
        found = pcre2_match(p->code, (PCRE2_SPTR)s->text, s->len, s->at, PCRE2_NO_UTF_CHECK, p->match, p->limits) >= 0;
        const PCRE2_SIZE *at = pcre2_get_ovector_pointer(p->match);
        *from = found ? at[0] : 0;
        *to = found ? at[1] : 0;
    } else if (s->at < s->len) {
        found = next_in_window(s, from, to);
    }
    if (!found)
        return false;
    size_t step = 0;
    if (*to <= *from && *from < s->len) /* an empty match: the next one begins behind the character there */
        cg_char_at(s->text + *from, s->len - *from, &step);
    s->at = (*to > *from ? *to : *from) + step;
    return true;
}
