/* pretoken.h - text to the pieces inside which byte pairs are merged.
 * Takes bytes; gives pieces one after the other. Must not lose a byte: pieces put together are the text. */
#ifndef CG_PRETOKEN_H
#define CG_PRETOKEN_H
#include "data/text.h"

/* A walk over the pieces of a text by the pattern of GPT-2 (Radford et al. 2019), by Unicode categories:
 *   's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+
 * A byte that is no UTF-8 counts as [^\s\p{L}\p{N}]. 64 bytes are looked at together, a bit for each. */
typedef struct CgPretokens {
    const char *text;
    size_t len, most;
    size_t from;      /* the next piece begins here */
    size_t seen;      /* bytes that were looked at */
    uint64_t starts;  /* of the last 64 of them, where pieces begin that were not given yet */
    size_t forced;    /* a piece begins here, behind a contraction that goes on in the next 64 */
    uint8_t sort;     /* of the last byte seen */
    uint8_t rest;     /* bytes of its character that come next */
    bool after_blank; /* it is a blank */
} CgPretokens;

/* Of a longer piece than `most` the first `most` bytes are one, and what is left is a text of its own. SIZE_MAX: none
 * is too long. */
CgPretokens cg_pretokens_gpt2(CgText text, size_t most);
bool cg_pretokens_look(CgPretokens *p, CgText *piece); /* where no piece is known to end: looks at the next 64 bytes */
void cg_pretokens_cut(CgPretokens *p, CgText *piece);

/* False: there is none left. */
static inline bool cg_pretokens_next(CgPretokens *p, CgText *piece)
{
    if (!p->starts)
        return cg_pretokens_look(p, piece);
    size_t to = p->seen - 64 + (size_t)__builtin_ctzll(p->starts);
    p->starts &= p->starts - 1;
    *piece = (CgText){ p->text + p->from, to - p->from };
    p->from = to;
    if (piece->len > p->most)
        cg_pretokens_cut(p, piece);
    return true;
}
#endif
