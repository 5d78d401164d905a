/* synth_code.c - functions that a C compiler would take.
 * Takes draws; gives files of functions.
 * Must name only what is in scope: every variable used was declared in this block or one around it. */
#include <string.h>
#include "base/base.h"
#include "data/synth_kinds.h"

#define MOST_NAMES 24

static const char *const nouns[] = { "count", "total", "index", "limit", "value", "size", "width", "offset", "left",
    "right", "score", "step", "depth", "rate", "first", "last", "best", "sum", "delta", "level" };
static const char *const actions[] = { "get", "find", "update", "compute", "check", "merge", "scale", "reset", "count",
    "move" };

typedef struct Scope {
    const char *name[MOST_NAMES];
    int n, loops;        /* names visible; loops around */
    const char *made[8]; /* functions written so far, with ... */
    int arity[8], nmade; /* ... their numbers of arguments */
} Scope;

static void indent(CgSynthWork *w, int depth)
{
    for (int i = 0; i < depth; i++)
        cg_strbuf_puts(w->out, "    ");
}

static bool visible(const Scope *s, const char *name)
{
    for (int i = 0; i < s->n; i++) {
        if (!strcmp(s->name[i], name))
            return true;
    }
    return false;
}

/* A name not yet in use, or NULL when there is no room. */
static const char *fresh(CgSynthWork *w, Scope *s)
{
    for (int tries = 0; tries < 8 && s->n < MOST_NAMES; tries++) {
        const char *name = CG_SYNTH_PICK(w, nouns);
        if (!visible(s, name))
            return name;
    }
    return NULL;
}

static const char *some_name(CgSynthWork *w, const Scope *s) { return s->name[cg_draw_below(w->draw, (uint64_t)s->n)]; }

static void atom(CgSynthWork *w, const Scope *s)
{
    if (cg_synth_chance(w, 75))
        cg_strbuf_puts(w->out, some_name(w, s));
    else
        cg_strbuf_printf(w->out, "%d", cg_synth_between(w, 0, cg_synth_chance(w, 70) ? 9 : 255));
}

static void expression(CgSynthWork *w, const Scope *s, int depth)
{
    static const char *const signs[] = { "+", "+", "-", "*", "%", "/" };
    uint64_t sort = cg_draw_below(w->draw, 100);
    if (depth >= 2 || sort < 40) {
        atom(w, s);
    } else if (sort < 75 || !s->nmade) {
        atom(w, s);
        cg_strbuf_printf(w->out, " %s ", CG_SYNTH_PICK(w, signs));
        if (cg_synth_chance(w, 25)) {
            cg_strbuf_putc(w->out, '(');
            expression(w, s, depth + 1);
            cg_strbuf_putc(w->out, ')');
        } else {
            atom(w, s);
        }
    } else {
        uint64_t f = cg_draw_below(w->draw, (uint64_t)s->nmade);
        cg_strbuf_printf(w->out, "%s(", s->made[f]);
        for (int i = 0; i < s->arity[f]; i++) {
            cg_strbuf_puts(w->out, i ? ", " : "");
            expression(w, s, depth + 1);
        }
        cg_strbuf_putc(w->out, ')');
    }
}

static void condition(CgSynthWork *w, const Scope *s)
{
    static const char *const signs[] = { "<", ">", "<=", ">=", "==", "!=" };
    cg_strbuf_puts(w->out, some_name(w, s));
    cg_strbuf_printf(w->out, " %s ", CG_SYNTH_PICK(w, signs));
    atom(w, s);
    if (cg_synth_chance(w, 20)) {
        /* One draw a statement: C leaves the order of a call's arguments to the compiler. */
        const char *sign = CG_SYNTH_PICK(w, signs), *name = some_name(w, s);
        cg_strbuf_printf(w->out, " %s %s %s ", cg_synth_chance(w, 60) ? "&&" : "||", name, sign);
        atom(w, s);
    }
}

static void block(CgSynthWork *w, Scope *s, int depth);

static void loop(CgSynthWork *w, Scope *s, int depth)
{
    const char *counter = s->loops == 0 ? "i" : s->loops == 1 ? "j" : "k";
    if (visible(s, counter) || s->n == MOST_NAMES)
        counter = NULL;
    if (counter && cg_synth_chance(w, 70)) {
        cg_strbuf_printf(w->out, "for (int %s = 0; %s < %s; %s++) {\n", counter, counter, some_name(w, s), counter);
        s->name[s->n++] = counter;
        s->loops++;
        block(w, s, depth + 1);
        s->loops--;
        s->n--;
    } else {
        cg_strbuf_puts(w->out, "while (");
        condition(w, s);
        cg_strbuf_puts(w->out, ") {\n");
        block(w, s, depth + 1);
    }
    indent(w, depth);
    cg_strbuf_puts(w->out, "}\n");
}

static void statement(CgSynthWork *w, Scope *s, int depth)
{
    static const char *const into[] = { "=", "=", "+=", "-=", "*=" };
    uint64_t sort = cg_draw_below(w->draw, 100);
    const char *name = sort < 25 ? fresh(w, s) : NULL;
    indent(w, depth);
    if (name) {
        cg_strbuf_printf(w->out, "int %s = ", name);
        expression(w, s, 0);
        cg_strbuf_puts(w->out, ";\n");
        s->name[s->n++] = name;
    } else if (depth <= w->whole && sort >= 60 && sort < 80) {
        cg_strbuf_puts(w->out, "if (");
        condition(w, s);
        cg_strbuf_puts(w->out, ") {\n");
        block(w, s, depth + 1);
        indent(w, depth);
        if (cg_synth_chance(w, 30)) {
            cg_strbuf_puts(w->out, "} else {\n");
            block(w, s, depth + 1);
            indent(w, depth);
        }
        cg_strbuf_puts(w->out, "}\n");
    } else if (depth <= w->whole && sort >= 80) {
        loop(w, s, depth);
    } else {
        const char *how = CG_SYNTH_PICK(w, into);
        cg_strbuf_printf(w->out, "%s %s ", some_name(w, s), how);
        expression(w, s, 0);
        cg_strbuf_puts(w->out, ";\n");
    }
}

static void block(CgSynthWork *w, Scope *s, int depth)
{
    int outside = s->n;
    for (int n = cg_synth_between(w, 1, depth == 1 ? 5 : 3); n > 0; n--)
        statement(w, s, depth);
    s->n = outside;
}

static void function(CgSynthWork *w, Scope *s, const char *name)
{
    int arity = cg_synth_between(w, 1, 3);
    s->n = 0;
    cg_strbuf_printf(w->out, "int %s(", name);
    for (int i = 0; i < arity; i++) {
        const char *argument = fresh(w, s);
        if (!argument)
            argument = i == 0 ? "a" : i == 1 ? "b" : "c";
        cg_strbuf_printf(w->out, "%sint %s", i ? ", " : "", argument);
        s->name[s->n++] = argument;
    }
    cg_strbuf_puts(w->out, ")\n{\n");
    block(w, s, 1);
    cg_strbuf_puts(w->out, "    return ");
    s->n = arity;
    expression(w, s, 0);
    cg_strbuf_puts(w->out, ";\n}\n\n");
    s->arity[s->nmade] = arity;
    s->made[s->nmade++] = name;
}

static void code(CgSynthWork *w)
{
    Scope s = { .n = 0 };
    char name[8][32];
    int n = cg_synth_between(w, 3, 8);
    for (int i = 0; i < n; i++) {
        bool taken = true;
        CgStrbuf made = { 0 };
        for (int tries = 0; taken; tries++) {
            cg_strbuf_deinit(&made);
            const char *noun = CG_SYNTH_PICK(w, nouns);
            cg_strbuf_printf(&made, "%s_%s", CG_SYNTH_PICK(w, actions), noun);
            if (tries > 20)
                cg_strbuf_printf(&made, "_%d", i);
            taken = false;
            for (int k = 0; k < i; k++)
                taken |= !strcmp(name[k], cg_strbuf_str(&made));
        }
        strncpy(name[i], cg_strbuf_str(&made), sizeof name[i] - 1);
        name[i][sizeof name[i] - 1] = 0;
        cg_strbuf_deinit(&made);
        function(w, &s, name[i]);
    }
}

CG_SYNTH(code, .doc = "functions of a C-like language; the knob is the depth of nesting, 1 to 5", .least = 1, .most = 5,
    .usual = 3, .unit = 1, .stream = 4, .document = code)
