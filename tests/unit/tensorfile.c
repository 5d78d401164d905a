/* tensorfile.c - do files come back as they were written, and is every broken one refused with its own
 * sentence? Takes nothing; prints TAP. Accuses src/data/tensor_*.c. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>
#include "data/tensor_file.h"

static int count;

static void ok(bool good, const char *name) { printf("%s %d - %s\n", good ? "ok" : "not ok", ++count, name); }

/* A file: length, header, then `data` bytes 0, 1, 0, 1 ... */
static CgBytes file(const char *header, size_t data)
{
    uint64_t n = strlen(header);
    CgBytes b = { .at = malloc(8 + n + data + 1), .len = 8 + n + data };
    memcpy(b.at, &n, 8);
    memcpy(b.at + 8, header, n);
    for (size_t i = 0; i < data; i++)
        b.at[8 + n + i] = (char)(i & 1);
    return b;
}

static bool parse(CgBytes b, CgTensors *t, CgErr *e)
{
    *e = (CgErr){ 0 };
    return cg_safetensors_parse("some.safetensors", b, t, e);
}

static void refused(CgBytes b, const char *words)
{
    CgTensors t;
    CgErr e;
    bool read = parse(b, &t, &e);
    bool good = !read && strstr(e.text, words) && strstr(e.text, "some.safetensors") && t.n == 0 && !t.at;
    if (!good)
        printf("# got: %s\n", read ? "(accepted)" : e.text);
    ok(good, words);
    if (read)
        cg_tensors_free(&t);
}

#define A(dtype, shape, from, to) \
    "{\"a\":{\"dtype\":\"" dtype "\",\"shape\":" shape ",\"data_offsets\":[" from "," to "]}}"

static const struct {
    const char *header;
    size_t data;
    const char *words;
} malformed_headers[] = {
    { "", 0, "does not begin with '{'" },
    { "[]", 0, "does not begin with '{'" },
    { " {}", 0, "does not begin with '{'" },
    { "{}\n", 0, "does not end with '}' and spaces" },
    { "{", 0, "does not end with '}' and spaces" },
    { "{\"a\":}", 0, "not JSON" },
    { "{} {}", 0, "not JSON" },
    { "{\"a\xff\":{}}", 0, "not JSON" },
    { "{\"a\":{\"dtype\":\"F32\",\"shape\":[],\"data_offsets\":[0,4]},\"a\":{}}", 4, "not JSON: duplicate object key" },
    { "{\"a\":{\"dtype\":\"F32\",\"dtype\":\"F32\",\"shape\":[],\"data_offsets\":[0,4]}}", 4, "duplicate object key" },
    { "{\"a\":7}", 0, "the entry of tensor 'a' is not an object" },
    { "{\"a\\u0000b\":7}", 0, "not JSON" },
    { "{\"\":{}}", 0, "a tensor's name is empty" },
    { "{\"a\\u0007\":{}}", 0, "control characters: 'a?'" },
    { "{\"a\":{}}", 0, "tensor 'a' has no string 'dtype'" },
    { "{\"a\":{\"dtype\":3}}", 0, "has no string 'dtype'" },
    { A("F33", "[1]", "0", "4"), 4, "unknown dtype 'F33'" },
    { A("f32", "[1]", "0", "4"), 4, "unknown dtype 'f32'" },
    { A("U64", "[1]", "0", "8"), 8, "which cg cannot hold" },
    { "{\"a\":{\"dtype\":\"F32\",\"data_offsets\":[0,4]}}", 4, "no list 'shape'" },
    { A("F32", "3", "0", "12"), 12, "no list 'shape'" },
    { A("F32", "[1,1,1,1,1,1,1,1,1]", "0", "4"), 4, "has 9 axes" },
    { A("F32", "[-1]", "0", "4"), 4, "axis 0 of tensor 'a' is not a whole number" },
    { A("F32", "[2,1.0]", "0", "8"), 8, "axis 1 of tensor 'a' is not a whole number" },
    { A("F32", "[1e0]", "0", "4"), 4, "is not a whole number" },
    { A("F32", "[true]", "0", "4"), 4, "is not a whole number" },
    { A("F32", "[99999999999999999999]", "0", "4"), 4, "not JSON: too big integer" },
    { A("F32", "[4611686018427387904,4]", "0", "4"), 4, "the size of tensor 'a' overflows" },
    { A("F64", "[2305843009213693952]", "0", "4"), 4, "the size of tensor 'a' overflows" },
    { A("F32", "[0,9223372036854775807,3]", "0", "0"), 0, "the size of tensor 'a' overflows" },
    { "{\"a\":{\"dtype\":\"F32\",\"shape\":[1]}}", 4, "no 'data_offsets'" },
    { "{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0]}}", 4, "no 'data_offsets'" },
    { A("F32", "[1]", "0.0", "4"), 4, "an offset of tensor 'a'" },
    { A("F32", "[1]", "-4", "0"), 4, "an offset of tensor 'a'" },
    { A("F32", "[1]", "4", "0"), 4, "ends before it begins" },
    { A("F32", "[1]", "0", "4"), 3, "ends at byte 4 of 3" },
    { A("F32", "[3]", "0", "8"), 8, "takes 12 bytes by its shape and 8 by its offsets" },
    { A("F32", "[1]", "4", "8"), 8, "4 bytes before tensor 'a' belong to no tensor" },
    { A("F32", "[1]", "0", "4"), 5, "1 bytes after the last tensor" },
    { "{}", 1, "1 bytes after the last tensor" },
    { "{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4],\"more\":1}}", 4, "unknown field 'more'" },
    { "{\"a\":{\"dtype\":\"I32\",\"shape\":[2],\"data_offsets\":[0,8]},"
      "\"b\":{\"dtype\":\"I32\",\"shape\":[2],\"data_offsets\":[4,12]}}",
        12, "tensor 'b' overlaps" },
    { "{\"a\":{\"dtype\":\"I32\",\"shape\":[2],\"data_offsets\":[0,8]},"
      "\"b\":{\"dtype\":\"I32\",\"shape\":[2],\"data_offsets\":[0,8]}}",
        8, "tensor 'b' overlaps" },
    { "{\"a\":{\"dtype\":\"I32\",\"shape\":[2],\"data_offsets\":[0,8]},"
      "\"b\":{\"dtype\":\"I32\",\"shape\":[1],\"data_offsets\":[12,16]}}",
        16, "4 bytes before tensor 'b'" },
    { "{\"__metadata__\":[]}", 0, "'__metadata__' is not an object" },
    { "{\"__metadata__\":{\"format\":1}}", 0, "'format' of '__metadata__' is not a string" },
    { "{\"__metadata__\":{\"k\":\"a\",\"k\":\"b\"}}", 0, "duplicate object key" },
};

static void malformed(void)
{
    for (size_t i = 0; i < CG_LEN(malformed_headers); i++)
        refused(file(malformed_headers[i].header, malformed_headers[i].data), malformed_headers[i].words);

    CgBytes b = file("{}", 0);
    b.len = 7;
    refused(b, "7 bytes, fewer than the 8");
    b = file("{}", 0);
    b.len = 0;
    refused(b, "0 bytes, fewer than the 8");
    b = file("{}", 0);
    memset(b.at, 0xff, 8);
    refused(b, "at most 100000000 are allowed");
    b = file("{}", 0);
    b.at[0] = 3;
    refused(b, "its header would be 3 bytes, and only 2 follow");
    b = file(A("BOOL", "[3]", "0", "3"), 3);
    b.at[b.len - 1] = 2;
    refused(b, "element 2 of the BOOL tensor 'a' is neither 0 nor 1");
    char *deep = malloc(20011);
    memset(deep, '[', 20010);
    memcpy(deep, "{\"a\":", 5);
    deep[20009] = '}';
    deep[20010] = 0;
    refused(file(deep, 0), "not JSON: maximum parsing depth");
    free(deep);
    char *longer = malloc(2000);
    memset(longer, 'n', 2000);
    memcpy(longer, "{\"", 2);
    strcpy(longer + 1900, "\":{}}");
    refused(file(longer, 0), "longer than 1024 bytes");
    free(longer);
    /* Every cut of a sound file is refused, and none reads past its end (run under a sanitizer). */
    bool good = true;
    CgBytes whole = file(A("F32", "[3]", "0", "12"), 12);
    for (size_t n = 0; n < whole.len; n++) {
        CgBytes cut = { .at = malloc(n + 1), .len = n };
        memcpy(cut.at, whole.at, n);
        CgTensors t;
        CgErr e;
        good = good && !parse(cut, &t, &e);
    }
    free(whole.at);
    ok(good, "every cut of a sound file is refused");
}

static void accepted(void)
{
    CgTensors t;
    CgErr e;
    ok(parse(file("{}", 0), &t, &e) && t.n == 0, "no tensors");
    cg_tensors_free(&t);
    ok(parse(file("{}      ", 0), &t, &e), "padding with spaces");
    cg_tensors_free(&t);
    ok(parse(file(A("F32", "[0,7]", "0", "0"), 0), &t, &e) && t.n == 1 && t.at[0].tensor.dim[1] == 7,
        "an empty tensor");
    cg_tensors_free(&t);
    ok(parse(file(A("I64", "[]", "0", "8"), 8), &t, &e) && t.at[0].tensor.rank == 0
            && *(const int64_t *)t.at[0].tensor.data == 0x0100010001000100,
        "rank 0, not aligned in the file");
    cg_tensors_free(&t);
    ok(parse(file("{\"b\":{\"dtype\":\"BOOL\",\"shape\":[2],\"data_offsets\":[4,6]},"
                  "\"a\":{\"dtype\":\"I32\",\"shape\":[1],\"data_offsets\":[0,4]},\"__metadata__\":{\"x\":"
                  "\"y\"}}",
                 6),
           &t, &e)
            && strcmp(t.at[0].name, "a") == 0 && strcmp(t.at[1].name, "b") == 0 && t.nmeta == 1
            && !strcmp(t.values[0], "y") && cg_tensors_find(&t, "b") == &t.at[1].tensor && !cg_tensors_find(&t, "c"),
        "file order, metadata, find");
    cg_tensors_free(&t);

    static const uint16_t half[] = { 0x0000, 0x8000, 0x3c00, 0xc000, 0x7bff, 0x0400, 0x0001, 0x83ff, 0x7c00, 0xfc00,
        0x3555 };
    static const float want[] = { 0, -0.0f, 1, -2, 65504, 0x1p-14f, 0x1p-24f, -0x1.ff8p-15f, INFINITY, -INFINITY,
        0x1.554p-2f };
    CgBytes b = file(A("F16", "[11]", "0", "22"), 22);
    memcpy(b.at + b.len - 22, half, 22);
    ok(parse(b, &t, &e) && t.at[0].tensor.dtype == CG_F16 && !memcmp(t.at[0].tensor.data, half, sizeof half),
        "f16 is used as it lies");
    ok(cg_tensors_widen(&t, &e) && t.at[0].tensor.dtype == CG_F32 && !memcmp(t.at[0].tensor.data, want, sizeof want),
        "and widened to f32");
    bool nearest = true;
    for (int h = 0; h < 65536; h++) {
        float x = cg_f16_value((uint16_t)h);
        nearest &= isnan(x) || cg_f16_nearest(x) == h;
    }
    ok(nearest, "each f16 but NaN is its own nearest");
    cg_tensors_free(&t);
    b = file(A("BF16", "[2]", "0", "4"), 4);
    memcpy(b.at + b.len - 4, "\x19\x40\xc0\xff", 4);
    ok(parse(b, &t, &e) && cg_tensors_widen(&t, &e) && *(const float *)t.at[0].tensor.data == 2.390625f
            && isnan(((const float *)t.at[0].tensor.data)[1]),
        "bf16 becomes f32");
    cg_tensors_free(&t);
    b = file(A("I8", "[2]", "0", "2"), 2);
    b.at[b.len - 1] = (char)-3;
    ok(parse(b, &t, &e) && t.at[0].tensor.dtype == CG_I8 && ((const int8_t *)t.at[0].tensor.data)[1] == -3
            && cg_tensors_widen(&t, &e) && ((const int32_t *)t.at[0].tensor.data)[1] == -3,
        "i8 is used as it lies, and widened to i32");
    cg_tensors_free(&t);
    b = file(A("U32", "[1]", "0", "4"), 4);
    memset(b.at + b.len - 4, 0xff, 4);
    ok(parse(b, &t, &e) && t.at[0].tensor.dtype == CG_I64 && *(const int64_t *)t.at[0].tensor.data == 0xffffffff,
        "u32 becomes i64");
    cg_tensors_free(&t);
}

static CgTensor tensor(CgDtype dtype, void *data, int rank, const int64_t *dim)
{
    CgTensor t = { .data = data, .dtype = dtype, .rank = rank };
    int64_t stride = 1;
    for (int i = rank - 1; i >= 0; i--) {
        t.dim[i] = dim[i];
        t.stride[i] = stride;
        stride *= dim[i];
    }
    return t;
}

static bool same_file(const char *a, const char *b)
{
    CgBytes x, y;
    CgErr e = { 0 };
    if (!cg_io_read(a, &x, &e) || !cg_io_read(b, &y, &e))
        return false;
    bool same = x.len == y.len && memcmp(x.at, y.at, x.len) == 0;
    cg_io_release(&x);
    cg_io_release(&y);
    return same;
}

static void round_trip(const char *dir)
{
    char one[256], two[256], npy[256];
    snprintf(one, sizeof one, "%s/one.safetensors", dir);
    snprintf(two, sizeof two, "%s/two.safetensors", dir);
    snprintf(npy, sizeof npy, "%s/array.npy", dir);
    float f[35];
    double d[3] = { 2.385, -1e300, NAN };
    uint8_t flag[5] = { 1, 0, 0, 1, 1 };
    int64_t l[2] = { INT64_MIN, 77 };
    for (int i = 0; i < 35; i++)
        f[i] = 2.385f * (float)i - 11;
    char w[] = "blocks.3.attn.wq", v[] = "b\xc3\xbcro \"q\"\\", x[] = "mask", y[] = "ids";
    CgNamed at[] = {
        { x, tensor(CG_BOOL, flag, 1, (int64_t[]){ 5 }) },
        { w, tensor(CG_F32, f, 2, (int64_t[]){ 7, 5 }) },
        { y, tensor(CG_I64, l, 1, (int64_t[]){ 2 }) },
        { v, tensor(CG_F64, d, 1, (int64_t[]){ 3 }) },
    };
    const char *keys[] = { "step", "a\"b" }, *values[] = { "17", "z\n" };
    CgErr e = { 0 };
    CgTensors t;
    ok(cg_safetensors_write(one, at, 4, keys, values, 2, &e), "written");
    ok(cg_safetensors_read(one, &t, &e) && t.n == 4, "read back");
    if (t.n == 4) {
        const CgTensor *rw = cg_tensors_find(&t, w), *rv = cg_tensors_find(&t, v), *rx = cg_tensors_find(&t, x),
                       *ry = cg_tensors_find(&t, y);
        ok(rw && rw->rank == 2 && rw->dim[0] == 7 && !memcmp(rw->data, f, sizeof f) && rv
                && !memcmp(rv->data, d, sizeof d) && rx && !memcmp(rx->data, flag, 5) && ry
                && !memcmp(ry->data, l, sizeof l),
            "same values");
        ok(!t.own && (uintptr_t)t.at[0].tensor.data % 64 == 0, "used where they lie, data aligned to 64");
        ok(t.nmeta == 2 && !strcmp(t.keys[0], "a\"b") && !strcmp(t.values[0], "z\n") && !strcmp(t.values[1], "17"),
            "same metadata, sorted");
        cg_tensors_free(&t);
    }
    CgNamed other[] = { at[3], at[2], at[1], at[0] };
    const char *keys2[] = { "a\"b", "step" }, *values2[] = { "z\n", "17" };
    ok(cg_safetensors_write(two, other, 4, keys2, values2, 2, &e) && same_file(one, two),
        "order of the arguments leaves no trace");

    CgTensor turned = tensor(CG_F32, f, 2, (int64_t[]){ 7, 5 });
    turned.dim[0] = 5;
    turned.dim[1] = 7;
    turned.stride[0] = 1;
    turned.stride[1] = 5;
    ok(cg_npy_write(npy, &turned, &e), "npy of a strided tensor written");
    bool good =
        cg_tensors_read(npy, &t, &e) && t.n == 1 && !strcmp(t.at[0].name, "array") && t.at[0].tensor.dim[1] == 7;
    for (int i = 0; good && i < 35; i++)
        good = ((const float *)t.at[0].tensor.data)[i] == f[i % 7 * 5 + i / 7];
    ok(good, "and read back");
    cg_tensors_free(&t);
    CgNamed twice[] = { at[0], at[0] };
    e = (CgErr){ 0 };
    ok(!cg_safetensors_write(two, twice, 2, NULL, NULL, 0, &e) && strstr(e.text, "two tensors are named 'mask'"),
        "one name twice is refused");
    e = (CgErr){ 0 };
    char bad_name[] = "a\xff";
    CgNamed odd[] = { { bad_name, at[0].tensor } };
    ok(!cg_safetensors_write(two, odd, 1, NULL, NULL, 0, &e) && strstr(e.text, "not UTF-8") && same_file(one, two),
        "a name that is not UTF-8 is refused, the old file left as it was");
    e = (CgErr){ 0 };
    ok(!cg_safetensors_read("/nowhere/x.safetensors", &t, &e) && e.kind == CG_ERR_IO && t.n == 0,
        "a missing file is an error of input and output");
    unlink(one);
    unlink(two);
    unlink(npy);
}

static CgBytes npy_file(const char *header, size_t data, unsigned char major)
{
    size_t n = strlen(header), start = major == 1 ? 10 : 12;
    CgBytes b = { .at = calloc(1, start + n + data + 1), .len = start + n + data };
    memcpy(b.at, "\x93NUMPY", 6);
    b.at[6] = (char)major;
    b.at[8] = (char)(n & 255);
    b.at[9] = (char)(n >> 8);
    memcpy(b.at + start, header, n);
    for (size_t i = 0; i < data; i++)
        b.at[start + n + i] = (char)(i & 1);
    return b;
}

static void npy_refused(CgBytes b, const char *words)
{
    CgTensors t;
    CgErr e = { 0 };
    bool read = cg_npy_parse("x.npy", b, &t, &e), good = !read && strstr(e.text, words);
    if (!good)
        printf("# got: %s\n", read ? "(accepted)" : e.text);
    ok(good, words);
    if (read)
        cg_tensors_free(&t);
}

#define N(descr, fortran, shape) "{'descr': '" descr "', 'fortran_order': " fortran ", 'shape': " shape ", }\n"

static void npy(void)
{
    npy_refused((CgBytes){ .at = calloc(1, 1), .len = 0 }, "does not begin with");
    npy_refused(npy_file(N("<f4", "False", "(1,)"), 4, 4), "version");
    npy_refused(npy_file(N("<f4", "False", "(2,)"), 4, 1), "4 bytes of elements, its shape needs 8");
    npy_refused(npy_file(N("<f4", "False", "(1,)"), 5, 1), "5 bytes of elements, its shape needs 4");
    npy_refused(npy_file(N(">f4", "False", "(1,)"), 4, 1), "type '>f4', which cg cannot hold");
    npy_refused(npy_file(N("<c8", "False", "(1,)"), 8, 1), "type '<c8'");
    npy_refused(npy_file("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,), }", 4, 1), "holds records");
    npy_refused(npy_file(N("<f4", "None", "(1,)"), 4, 1), "neither True nor False");
    npy_refused(npy_file(N("<f4", "False", "(-1,)"), 4, 1), "not a whole number");
    npy_refused(npy_file(N("<f4", "False", "(99999999999999999999,)"), 4, 1), "a size overflows");
    npy_refused(npy_file(N("<f8", "False", "(4611686018427387904, 8)"), 4, 1), "its size overflows");
    npy_refused(npy_file(N("<f4", "False", "(1,1,1,1,1,1,1,1,1)"), 4, 1), "more than 8 axes");
    npy_refused(npy_file("{'descr': '<f4', 'fortran_order': False}", 4, 1), "lacks");
    npy_refused(npy_file("{'descr': '<f4', 'descr': '<f4', 'shape': ()}", 4, 1), "second field");
    npy_refused(npy_file(N("<f4", "False", "(1,)") "x", 4, 1), "something follows");
    npy_refused(npy_file(N("<f4", "False", "(1 2)"), 4, 1), "does not end");
    CgBytes b = npy_file(N("<f4", "False", "(1,)"), 4, 1);
    b.at[9] = (char)0xff;
    npy_refused(b, "longer than the file");
    CgTensors t;
    CgErr e = { 0 };
    b = npy_file(N("<i2", "True", "(2, 3)"), 12, 2);
    for (int i = 0; i < 6; i++)
        b.at[b.len - 12 + 2 * (size_t)i] = (char)i;
    for (int i = 0; i < 6; i++)
        b.at[b.len - 11 + 2 * (size_t)i] = 0;
    bool good = cg_npy_parse("dir/t.npy", b, &t, &e) && t.at[0].tensor.dtype == CG_I32 && !strcmp(t.at[0].name, "t");
    static const int32_t want[6] = { 0, 2, 4, 1, 3, 5 };
    ok(good && !memcmp(t.at[0].tensor.data, want, sizeof want), "column-major arrays are turned");
    cg_tensors_free(&t);
    ok(cg_npy_parse("s.npy", npy_file(N("|b1", "False", "()"), 1, 1), &t, &e) && t.at[0].tensor.rank == 0, "a scalar");
    cg_tensors_free(&t);
}

/* A zip file of two .npy files, the second one deflated. */
static CgBytes zip_of(CgBytes a, CgBytes b)
{
    unsigned char *at = calloc(1, 1024), *packed = calloc(1, 512), *p = at;
    const char *names[2] = { "first.npy", "arr_1.npy" };
    size_t start[2], size[2] = { a.len, b.len }, len[2] = { a.len, 0 };
    z_stream z = { 0 };
    if (deflateInit2(&z, 6, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY) != Z_OK)
        exit(1);
    z.next_in = (Bytef *)b.at, z.avail_in = (uInt)b.len, z.next_out = packed, z.avail_out = 512;
    if (deflate(&z, Z_FINISH) != Z_STREAM_END)
        exit(1);
    len[1] = z.total_out;
    deflateEnd(&z);
    for (int i = 0; i < 2; i++) {
        start[i] = (size_t)(p - at);
        memcpy(p, "PK\3\4", 4);
        p[26] = 9;
        memcpy(p + 30, names[i], 9);
        memcpy(p + 39, i ? (char *)packed : a.at, len[i]);
        p += 39 + len[i];
    }
    size_t directory = (size_t)(p - at);
    for (int i = 0; i < 2; i++) {
        memcpy(p, "PK\1\2", 4);
        p[10] = i ? 8 : 0;
        p[20] = (unsigned char)(len[i] & 255), p[21] = (unsigned char)(len[i] >> 8);
        p[24] = (unsigned char)(size[i] & 255), p[25] = (unsigned char)(size[i] >> 8);
        p[28] = 9;
        p[42] = (unsigned char)(start[i] & 255), p[43] = (unsigned char)(start[i] >> 8);
        memcpy(p + 46, names[i], 9);
        p += 55;
    }
    memcpy(p, "PK\5\6", 4);
    p[10] = 2;
    p[16] = (unsigned char)(directory & 255), p[17] = (unsigned char)(directory >> 8);
    free(packed);
    free(a.at);
    free(b.at);
    return (CgBytes){ .at = (char *)at, .len = (size_t)(p - at) + 22 };
}

static void write_file(const char *path, CgBytes b)
{
    FILE *f = fopen(path, "wb");
    ok(f && fwrite(b.at, 1, b.len, f) == b.len && !fclose(f), path + strlen(path) - 8);
    free(b.at);
}

static void file_refused(const char *path, const char *bytes, size_t n, const char *words)
{
    CgTensors t;
    CgErr e = { 0 };
    CgBytes b = { .at = calloc(1, n + 1), .len = n };
    memcpy(b.at, bytes, n);
    write_file(path, b);
    bool read = cg_tensors_read(path, &t, &e), good = !read && strstr(e.text, words);
    if (!good)
        printf("# got: %s\n", read ? "(accepted)" : e.text);
    ok(good, words);
    if (read)
        cg_tensors_free(&t);
    remove(path);
}

static void formats(const char *dir)
{
    CgTensors t;
    CgErr e = { 0 };
    char path[256];
    snprintf(path, sizeof path, "%s/both.npz", dir);
    CgBytes zip = zip_of(npy_file(N("<f4", "False", "(1,)"), 4, 1), npy_file(N("|u1", "False", "(2, 3)"), 6, 1));
    for (size_t cut = 0; cut < zip.len; cut++) { /* half a file is never one */
        CgBytes part = { .at = calloc(1, cut + 1), .len = cut };
        memcpy(part.at, zip.at, cut);
        CgErr why = { 0 };
        if (cg_tensor_format_find("a.npz")->read("a.npz", part, &t, &why))
            ok(false, "half a zip file is refused");
    }
    write_file(path, zip);
    bool good = cg_tensors_read(path, &t, &e) && t.n == 2;
    const CgTensor *first = good ? cg_tensors_find(&t, "first") : NULL,
                   *second = good ? cg_tensors_find(&t, "arr_1") : NULL;
    static const int32_t want[6] = { 0, 1, 0, 1, 0, 1 };
    ok(first && second && first->dtype == CG_F32 && second->rank == 2 && second->dim[1] == 3
            && !memcmp(second->data, want, sizeof want),
        "arrays of .npz, packed and not");
    cg_tensors_free(&t);
    remove(path);

    snprintf(path, sizeof path, "%s/t10k-images-idx3-ubyte", dir);
    char idx[4 + 12 + 12] = { 0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 2, 0, 0, 0, 3, 7, (char)200, 3, 4, 5, 6 };
    write_file(path, (CgBytes){ .at = memcpy(malloc(sizeof idx), idx, sizeof idx), .len = sizeof idx });
    good = cg_tensors_read(path, &t, &e) && t.n == 1 && t.at[0].tensor.rank == 3 && t.at[0].tensor.dim[2] == 3
        && ((int32_t *)t.at[0].tensor.data)[1] == 200 && !strcmp(t.at[0].name, "t10k-images-idx3");
    ok(good, "IDX, the format of MNIST");
    cg_tensors_free(&t);
    file_refused(path, idx, sizeof idx - 1, "11 bytes of elements, its sizes need 12");
    file_refused(path, "\0\0\1\1\0\0\0\0", 8, "none of the six");
    snprintf(path, sizeof path, "%s/short.idx", dir);
    char two[4 + 4 + 4] = { 0, 0, 0x0b, 1, 0, 0, 0, 2, 1, 2, (char)0xff, (char)0xfe };
    write_file(path, (CgBytes){ .at = memcpy(malloc(sizeof two), two, sizeof two), .len = sizeof two });
    good = cg_tensors_read(path, &t, &e) && ((int32_t *)t.at[0].tensor.data)[0] == 258
        && ((int32_t *)t.at[0].tensor.data)[1] == -2;
    ok(good, "big-endian numbers are turned");
    cg_tensors_free(&t);
    remove(path);

    snprintf(path, sizeof path, "%s/y.csv", dir);
    static const char csv[] = "area,price\n1.5,2e2\n\"-3\",4\r\n";
    write_file(path, (CgBytes){ .at = memcpy(malloc(sizeof csv), csv, sizeof csv), .len = sizeof csv - 1 });
    good = cg_tensors_read(path, &t, &e) && t.at[0].tensor.rank == 2 && t.at[0].tensor.dim[0] == 2;
    static const float cells[4] = { 1.5f, 200, -3, 4 };
    ok(good && !memcmp(t.at[0].tensor.data, cells, sizeof cells), "a table of numbers");
    cg_tensors_free(&t);
    file_refused(path, "1,2\n3\n", 6, "y.csv:2: 1 cells, but rows before have 2");
    file_refused(path, "a,b\n3,x\n", 8, "y.csv:2: cell 2, 'x', is no number");
    file_refused(path, "3\n1e40\n", 7, "y.csv:2: cell 1, '1e40', is no number that f32 has");
    file_refused(path, "a,b\n", 4, "has no row of numbers");
    snprintf(path, sizeof path, "%s/a.tensors", dir);
    ok(!cg_tensors_read(path, &t, &e) && strstr(e.text, "cannot open"), "a file that is not there");
    e = (CgErr){ 0 };
    ok(cg_io_write(path, "1", 1, &e) && !cg_tensors_read(path, &t, &e) && strstr(e.text, "says no format"),
        "a name without format");
    remove(path);
}

int main(void)
{
    char dir[] = "/tmp/cg-tensorfile-XXXXXX";
    if (!mkdtemp(dir))
        return 1;
    malformed();
    accepted();
    round_trip(dir);
    npy();
    formats(dir);
    rmdir(dir);
    printf("1..%d\n", count);
    return 0;
}
