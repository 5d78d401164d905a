/* digest.c - are digests those of XXH3, however the bytes arrive?
 * Takes nothing; prints TAP. Accuses src/base/digest.c. */
#include "base/digest.h"
#include "tap.h"

int main(void)
{
    char hex[33], text[4099];
    cg_digest_hex(cg_digest("", 0), hex);
    tap_is(hex, "99aa06d3014798d86001c324468d497f", "the digest of nothing is the published one");
    for (size_t i = 0; i < sizeof text; i++)
        text[i] = (char)(i * i * 31 % 251);
    CgDigest whole = cg_digest(text, sizeof text);
    CgDigester *d = cg_digester_new();
    for (size_t at = 0, n = 1; at < sizeof text; at += n, n = n * 3 % 97 + 1)
        cg_digester_add(d, text + at, at + n > sizeof text ? sizeof text - at : n);
    tap_ok(cg_digest_equal(cg_digester_free(d), whole), "pieces give the digest of the whole");
    text[4001] ^= 1;
    tap_ok(!cg_digest_equal(cg_digest(text, sizeof text), whole), "one bit changes it");
    CgDigest back = { 0 };
    cg_digest_hex(whole, hex);
    tap_ok(cg_digest_parse(hex, &back) && cg_digest_equal(back, whole), "hexadecimal text reads back");
    hex[31] = 'g';
    tap_ok(!cg_digest_parse(hex, &back), "a letter that is no digit is refused");
    hex[31] = 0;
    tap_ok(!cg_digest_parse(hex, &back), "a short text is refused");
    tap_ok(!cg_digest_parse("99aa06d3014798d86001c324468d497f0", &back), "a long text is refused");
    tap_ok(cg_hash64("graph", 5, 1) != cg_hash64("graph", 5, 2), "the seed matters");
    return tap_done();
}
