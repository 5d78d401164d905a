/* pretoken.h - text to the pieces inside which byte pairs are merged.
 * Takes bytes; gives the length of the first piece. Must not lose a byte: pieces put together are the
 * text. */
#ifndef CG_PRETOKEN_H
#define CG_PRETOKEN_H
#include "base/base.h"

/* The pattern of GPT-2 (Radford et al. 2019), by Unicode categories:
 *   's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+
 * A byte that is no UTF-8 counts as [^\s\p{L}\p{N}]. len > 0; gives at least 1. */
size_t cg_pretoken_gpt2(const char *text, size_t len);
#endif
