/* strbuf.c - do strings, arenas and atoms grow without losing a byte?
 * Takes nothing; prints TAP. Accuses src/base/strbuf.c, arena.c, intern.c. */
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/intern.h"
#include "base/strbuf.h"
#include "base/vec.h"
#include "tap.h"

static void test_strbuf(void)
{
    CgStrbuf b = { 0 };
    tap_is(cg_strbuf_str(&b), "", "an empty buffer is the empty string");
    cg_strbuf_puts(&b, "seven");
    cg_strbuf_putc(&b, ' ');
    cg_strbuf_printf(&b, "%d of %.3f", 13, 2.385);
    tap_is(cg_strbuf_str(&b), "seven 13 of 2.385", "pieces are joined");
    for (int i = 0; i < 1009; i++)
        cg_strbuf_printf(&b, "%d,", i);
    size_t expected = 17 + 10 * 2 + 90 * 3 + 900 * 4 + 9 * 5;
    tap_ok(b.len == expected && b.at[b.len] == 0, "growing keeps the length and the end: %zu", b.len);
    tap_ok(strstr(b.at, "2.3850,1,2,") && strstr(b.at, ",1007,1008,"), "growing keeps the text");
    cg_strbuf_write(&b, "a\0b", 3);
    tap_ok(b.len == expected + 3 && memcmp(b.at + b.len - 3, "a\0b", 4) == 0, "bytes may be zero");
    char *taken = cg_strbuf_take(&b);
    tap_ok(b.len == 0 && !b.at && strncmp(taken, "seven", 5) == 0, "taking empties the buffer");
    free(taken);
    taken = cg_strbuf_take(&b);
    tap_is(taken, "", "taking from an empty buffer gives a string");
    free(taken);
}

/* Formats of texts and integers alone are not those of the C library. */
static void test_formats(void)
{
    CgStrbuf b = { 0 };
    char want[400];
    cg_strbuf_printf(&b, "%s", "");
    tap_is(b.at, "", "a format that gives nothing gives a string");
    cg_strbuf_printf(&b, "%d %d %lld %lld %llu %zu|%.*s|%.*s|%c%%%s", -7, INT_MIN, (long long)INT64_MIN,
        (long long)INT64_MAX, (unsigned long long)UINT64_MAX, SIZE_MAX, 3, "seven", 9, "five", 'c', "end");
    snprintf(want, sizeof want, "%d %d %lld %lld %llu %zu|%.*s|%.*s|%c%%%s", -7, INT_MIN, (long long)INT64_MIN,
        (long long)INT64_MAX, (unsigned long long)UINT64_MAX, SIZE_MAX, 3, "seven", 9, "five", 'c', "end");
    tap_is(b.at, want, "as the C library writes them");
    b.len = 0;
    cg_strbuf_printf(&b, "%5d %-4s %x %.2f %s", 31, "ab", 255u, 2.385, "s");
    tap_is(b.at, "   31 ab   ff 2.38 s", "others go to the C library");
    cg_strbuf_deinit(&b);
}

static void test_arena(void)
{
    CgArena *a = cg_arena_new();
    unsigned char *at[211];
    size_t size[211];
    bool zero = true, aligned = true, kept = true;
    for (size_t i = 0; i < CG_LEN(at); i++) {
        size[i] = i * i * 37 % 70001 + i % 3; /* from 0 to larger than a block */
        at[i] = cg_arena_alloc(a, size[i]);
        aligned = aligned && ((uintptr_t)at[i] & 15) == 0;
        for (size_t k = 0; k < size[i]; k++)
            zero = zero && at[i][k] == 0;
        memset(at[i], (int)(i + 1), size[i]);
    }
    for (size_t i = 0; i < CG_LEN(at); i++) {
        for (size_t k = 0; k < size[i]; k++)
            kept = kept && at[i][k] == (unsigned char)(i + 1);
    }
    tap_ok(zero, "memory of an arena is zero");
    tap_ok(aligned, "memory of an arena is aligned to 16");
    tap_ok(kept, "allocations do not overlap");
    tap_is(cg_arena_printf(a, "%s-%d", "x", 97), "x-97", "printing into an arena");
    tap_is(cg_arena_strndup(a, "graphs", 5), "graph", "a part of a string");
    cg_arena_free(a);
}

static void test_atoms(void)
{
    char name[32];
    CgAtom first[3001];
    bool same = true, distinct = true;
    for (int i = 0; i < 3001; i++) {
        snprintf(name, sizeof name, "blocks.%d.attn", i);
        first[i] = cg_intern(name);
    }
    for (int i = 0; i < 3001; i++) {
        snprintf(name, sizeof name, "blocks.%d.attn", i);
        same = same && cg_intern(name) == first[i] && strcmp(first[i], name) == 0;
        distinct = distinct && (i == 0 || first[i] != first[i - 1]);
    }
    tap_ok(same, "an atom is found again after the table grew");
    tap_ok(distinct, "different strings are different atoms");
    tap_ok(cg_intern_n("wqkv", 2) == cg_intern("wq"), "a part of a string is its own atom");
    tap_ok(cg_intern_n("a\0b", 3) != cg_intern_n("a\0c", 3), "atoms may hold zero bytes");
}

static void test_vec(void)
{
    CG_VEC(int) v = { 0 };
    for (int i = 0; i < 101; i++)
        cg_vec_push(&v, i * i);
    tap_ok(v.len == 101 && v.at[100] == 10000 && v.at[7] == 49, "arrays grow");
    cg_vec_free(&v);
    tap_ok(!v.at && !v.len && !v.cap, "freeing makes an array empty");
}

int main(void)
{
    test_strbuf();
    test_formats();
    test_arena();
    test_atoms();
    test_vec();
    return tap_done();
}
