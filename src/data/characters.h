/* characters.h - Unicode characters of a text, and what sort they are.
 * Takes bytes, UTF-8 or not; gives code points and their properties, as utf8proc has them. Must not fail on any byte.
 */
#ifndef CG_CHARACTERS_H
#define CG_CHARACTERS_H
#include "base/base.h"

/* The character at the beginning of s, and its length in bytes. -1 and 1: a byte that is no UTF-8. len > 0. */
int32_t cg_char_at(const char *s, size_t len, size_t *step);
size_t cg_char_put(int32_t c, char out[4]);    /* its bytes; gives how many */
bool cg_char_is_space(int32_t c);              /* White_Space */
bool cg_char_is_letter(int32_t c);             /* L */
bool cg_char_is_number(int32_t c);             /* N */
bool cg_char_is_word(int32_t c);               /* \w: letters, marks, digits, connectors */
bool cg_char_is_punctuation(int32_t c);        /* P, and ASCII signs such as $ and + */
bool cg_char_is_mark(int32_t c, bool spacing); /* Mn; `spacing`: Mc and Me, too */
bool cg_char_is_control(int32_t c);            /* C that is assigned, but for tab and line ends */
bool cg_char_is_ideograph(int32_t c);          /* of Chinese, in the blocks that BERT names */
bool cg_text_is_utf8(const char *s, size_t len);
#endif
