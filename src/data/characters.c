/* characters.c - what sort a character is.
 * Takes code points; gives answers by general category (Unicode Standard, chapter 4) and a few lists. */
#include "data/characters.h"

#include <string.h>
#include <utf8proc.h>

int32_t cg_char_at(const char *s, size_t len, size_t *step)
{
    utf8proc_int32_t c;
    *step = 1;
    if (!((unsigned char)*s & 0x80))
        return *s;
    utf8proc_ssize_t n = utf8proc_iterate((const utf8proc_uint8_t *)s, (utf8proc_ssize_t)(len < 4 ? len : 4), &c);
    if (n <= 0)
        return -1;
    *step = (size_t)n;
    return c;
}

size_t cg_char_put(int32_t c, char out[4]) { return (size_t)utf8proc_encode_char(c, (utf8proc_uint8_t *)out); }

static utf8proc_category_t category(int32_t c) { return c < 0 ? UTF8PROC_CATEGORY_CN : utf8proc_category(c); }

bool cg_char_is_space(int32_t c)
{
    if (c < 0x80)
        return c == ' ' || (c >= '\t' && c <= '\r');
    utf8proc_category_t k = category(c);
    return c == 0x85 || k == UTF8PROC_CATEGORY_ZS || k == UTF8PROC_CATEGORY_ZL || k == UTF8PROC_CATEGORY_ZP;
}

bool cg_char_is_letter(int32_t c)
{
    utf8proc_category_t k = category(c);
    return k >= UTF8PROC_CATEGORY_LU && k <= UTF8PROC_CATEGORY_LO;
}

bool cg_char_is_number(int32_t c)
{
    utf8proc_category_t k = category(c);
    return k == UTF8PROC_CATEGORY_ND || k == UTF8PROC_CATEGORY_NL || k == UTF8PROC_CATEGORY_NO;
}

bool cg_char_is_mark(int32_t c, bool spacing)
{
    utf8proc_category_t k = category(c);
    return k == UTF8PROC_CATEGORY_MN || (spacing && (k == UTF8PROC_CATEGORY_MC || k == UTF8PROC_CATEGORY_ME));
}

bool cg_char_is_word(int32_t c)
{
    utf8proc_category_t k = category(c);
    bool circled = (c >= 0x24b6 && c <= 0x24e9) || (c >= 0x1f130 && c <= 0x1f149) || (c >= 0x1f150 && c <= 0x1f169)
        || (c >= 0x1f170 && c <= 0x1f189);
    return cg_char_is_letter(c) || cg_char_is_mark(c, true) || k == UTF8PROC_CATEGORY_ND || k == UTF8PROC_CATEGORY_NL
        || k == UTF8PROC_CATEGORY_PC || c == 0x200c || c == 0x200d || circled;
}

bool cg_char_is_punctuation(int32_t c)
{
    if (c >= 0 && c < 0x80)
        return (c >= '!' && c <= '/') || (c >= ':' && c <= '@') || (c >= '[' && c <= '`') || (c >= '{' && c <= '~');
    utf8proc_category_t k = category(c);
    return k >= UTF8PROC_CATEGORY_PC && k <= UTF8PROC_CATEGORY_PO;
}

bool cg_char_is_control(int32_t c)
{
    utf8proc_category_t k = category(c);
    bool listed = k == UTF8PROC_CATEGORY_CC || k == UTF8PROC_CATEGORY_CF || k == UTF8PROC_CATEGORY_CO;
    return listed && c != '\t' && c != '\n' && c != '\r';
}

bool cg_char_is_ideograph(int32_t c)
{
    static const int32_t block[][2] = { { 0x4e00, 0x9fff }, { 0x3400, 0x4dbf }, { 0x20000, 0x2a6df },
        { 0x2a700, 0x2b81f }, { 0x2b920, 0x2ceaf }, { 0xf900, 0xfaff }, { 0x2f800, 0x2fa1f } };
    for (size_t i = 0; i < CG_LEN(block); i++)
        if (c >= block[i][0] && c <= block[i][1])
            return true;
    return false;
}

bool cg_text_is_utf8(const char *s, size_t len)
{
    for (size_t i = 0, step; i < len; i += step) {
        uint64_t eight;
        for (; i + 8 <= len && (memcpy(&eight, s + i, 8), !(eight & 0x8080808080808080u)); i += 8) {}
        if (i == len)
            break;
        if (cg_char_at(s + i, len - i, &step) < 0)
            return false;
    }
    return true;
}
