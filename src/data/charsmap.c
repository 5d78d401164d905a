/* charsmap.c - looking up characters in the table of SentencePiece.
 * Takes a double-array trie (Aoe 1989, as in the library darts-clone) of byte strings, and the strings they become;
 * gives text. Must not follow an index of the table that it has not compared with its length. */
#include "data/charsmap.h"

#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

#include "data/characters.h"

struct CgCharsmap {
    uint32_t *unit; /* (units): 10 bits and more of an offset, a flag, 8 bits of a label; or 31 bits of a value */
    size_t units;
    const char *becomes; /* (len): strings, each ended by a zero byte */
    size_t len;
    char *bytes; /* what both lie in */
};

static int digit_of(char c)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *at = c ? strchr(digits, c) : NULL;
    return at ? (int)(at - digits) : -1;
}

/* The bytes of a text in base 64, malloc'd; NULL: it is none. */
static char *from_base64(const char *s, size_t *len)
{
    size_t n = strlen(s);
    while (n && s[n - 1] == '=')
        n--;
    char *out = cg_malloc(n / 4 * 3 + 4);
    uint32_t bits = 0;
    *len = 0;
    for (size_t i = 0; i < n; i++) {
        int d = digit_of(s[i]);
        if (d < 0) {
            free(out);
            return NULL;
        }
        bits = bits << 6 | (uint32_t)d;
        if (i % 4)
            out[(*len)++] = (char)(bits >> (6 - 2 * (i % 4)));
    }
    return out;
}

void cg_charsmap_free(CgCharsmap *m)
{
    if (!m)
        return;
    free(m->unit);
    free(m->bytes);
    free(m);
}

CgCharsmap *cg_charsmap_read(const char *base64, const char *path, CgErr *e)
{
    size_t len;
    uint32_t trie = 0;
    char *bytes = from_base64(base64, &len);
    if (bytes && len >= 4)
        memcpy(&trie, bytes, 4);
    if (!bytes || len < 4 || trie % 4 || !trie || trie > len - 4) {
        free(bytes);
        cg_err(e, CG_ERR_INPUT, "'%s': the 'precompiled_charsmap' is damaged", path);
        return NULL;
    }
    CgCharsmap *m = cg_calloc(1, sizeof *m);
    *m = (CgCharsmap){ cg_malloc(trie), trie / 4, bytes + 4 + trie, len - 4 - trie, bytes };
    memcpy(m->unit, bytes + 4, trie);
    return m;
}

static size_t offset_of(uint32_t unit) { return (size_t)(unit >> 10) << ((unit & 1u << 9) >> 6); }

/* What the shortest beginning of `s` that is in the table becomes; false: there is none. */
static bool look_up(const CgCharsmap *m, const char *s, size_t len, CgText *out)
{
    size_t at = offset_of(m->unit[0]);
    for (size_t i = 0; i < len && s[i]; i++) {
        unsigned char c = (unsigned char)s[i];
        at ^= c;
        if (at >= m->units || (m->unit[at] & 0x800000ffu) != c)
            return false;
        uint32_t unit = m->unit[at];
        at ^= offset_of(unit);
        if (unit >> 8 & 1) {
            size_t value = at < m->units ? m->unit[at] & 0x7fffffffu : m->len;
            if (value >= m->len)
                return false;
            *out = (CgText){ m->becomes + value, strnlen(m->becomes + value, m->len - value) };
            return true;
        }
    }
    return false;
}

/* A cluster of characters is looked up as a whole when it is short, else each of its characters. */
static void put_cluster(const CgCharsmap *m, CgText cluster, CgStrbuf *out)
{
    CgText found;
    if (cluster.len < 6 && look_up(m, cluster.at, cluster.len, &found)) {
        cg_strbuf_write(out, found.at, found.len);
        return;
    }
    for (size_t i = 0, step; i < cluster.len; i += step) {
        cg_char_at(cluster.at + i, cluster.len - i, &step);
        if (look_up(m, cluster.at + i, step, &found))
            cg_strbuf_write(out, found.at, found.len);
        else
            cg_strbuf_write(out, cluster.at + i, step);
    }
}

void cg_charsmap_apply(const CgCharsmap *m, CgText text, CgStrbuf *out)
{
    size_t from = 0, step;
    utf8proc_int32_t state = 0, before = -1;
    for (size_t i = 0; i < text.len; i += step) {
        int32_t c = cg_char_at(text.at + i, text.len - i, &step);
        bool parts = i == 0 || c < 0 || before < 0 || utf8proc_grapheme_break_stateful(before, c, &state);
        if (parts && i > from) {
            put_cluster(m, (CgText){ text.at + from, i - from }, out);
            from = i;
        }
        if (parts && (c < 0 || before < 0))
            state = 0;
        before = c;
    }
    if (text.len > from)
        put_cluster(m, (CgText){ text.at + from, text.len - from }, out);
}
