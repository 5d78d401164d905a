/* reader.c - is what a plugin's reader says of itself true?
 * Takes a reader; gives it texts of all sorts, each before a page that cannot be read, and looks at its records. */
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "data/reader.h"
#include "lint.h"

enum { ROOM = 1 << 16, TEXTS = 3000 };

typedef struct Seen {
    uint32_t last; /* line of the record before */
    int records, enough;
    int fields;
    const char *text; /* all of it has been read by the end */
    bool ordered, whole;
} Seen;

static bool see(void *arg, uint32_t line, const CgText *value, CgErr *e)
{
    Seen *s = arg;
    (void)e;
    s->ordered = s->ordered && line >= 1 && line >= s->last;
    s->last = line;
    for (int i = 0; i < s->fields; i++) {
        volatile char sum = 0; /* every byte of it can be read */
        for (size_t k = 0; k < value[i].len; k++)
            sum = (char)(sum + value[i].at[k]);
        s->whole = s->whole && (value[i].at || !value[i].len);
    }
    return ++s->records < s->enough;
}

/* Ends where a page begins that may not be touched. */
static char *guarded(void)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    char *at = mmap(NULL, ROOM + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (at == MAP_FAILED || mprotect(at + ROOM, page, PROT_NONE) != 0)
        CG_BUG("no guarded memory");
    return at + ROOM;
}

static void read_one(const CgReader *r, char *end, const char *text, size_t n, const char *const *field, int fields)
{
    char *at = memcpy(end - n, text, n);
    for (int enough = 1 << 20; enough; enough = enough > 2 ? 2 : 0) {
        Seen s = { .enough = enough, .fields = fields, .ordered = true, .whole = true };
        CgErr e = { 0 };
        bool good = r->records("a file", (CgText){ at, n }, (CgFields){ field, fields, 0 }, see, &s, &e);
        check(s.ordered, "lines of records begin at 1 and never go back");
        check(s.whole, "a field without bytes has a length");
        check(s.records <= enough, "it goes on after its caller wants no more");
        check(good || e.text[0] || s.records == enough, "it gives false and says no error");
        check(!good || !e.text[0], "it gives true and an error");
        check(!memcmp(at, text, n), "it changes the text it is given");
    }
}

/* Pieces that formats of text are made of, and any bytes. */
static size_t any_text(char *to, size_t most)
{
    static const char *const piece[] = { "\n", "\n\n", "\r\n", "a", "key", ": ", ":", ",", "\"", "{", "}", "[", "\t",
        " ", "1", "17", "0.5", "-->", "<", ">", "=", "#", "\\", "/", "00:00:01,500 --> 00:00:02,000", "\xc3\xbc",
        "\xff" };
    size_t n = 0;
    for (int pieces = (int)(draw() * 40); pieces-- > 0;) {
        const char *p = piece[(size_t)(draw() * (double)CG_LEN(piece))];
        if (draw() < 0.05 && n < most)
            to[n++] = (char)(int)(draw() * 256);
        else if (n + strlen(p) <= most)
            memcpy(to + n, p, strlen(p)), n += strlen(p);
    }
    return n;
}

void lint_reader(const CgReader *r)
{
    static const char *const sets[][3] = { { "text" }, { "no such field" }, { "text", "text", "key" } };
    char *end = guarded(), text[1024];
    claim_begin_of(r->name, "", 0, "an empty text");
    for (size_t i = 0; i < CG_LEN(sets); i++)
        read_one(r, end, "", 0, sets[i], i < 2 ? 1 : 3);
    claim_end();
    claim_begin_of(r->name, "", 0, "any text, none of it past its end");
    for (int turn = 0; turn < TEXTS; turn++) {
        size_t n = any_text(text, sizeof text), set = (size_t)turn % CG_LEN(sets);
        read_one(r, end, text, n, sets[set], set < 2 ? 1 : 3);
    }
    claim_end();
}
