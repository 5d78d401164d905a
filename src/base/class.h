/* class.h - classes of values that are more than numbers, strings, lists and tensors.
 * Takes nothing; gives CgClass, one struct that says what a corpus, a table or a figure can do, and the entry that the
 * file of a class ends in. Must not know any class. */
#ifndef CG_CLASS_H
#define CG_CLASS_H
#include "base/digest.h"
#include "base/err.h"
#include "base/source.h"
#include "base/strbuf.h"
#include "base/suggest.h"

struct CgValue;
struct CgElab;
struct CgSession;

/* `held` is the object itself (a CgTable, a CgCorpus), which exists once the script has computed it. */
typedef struct CgClass {
    const char *name;    /* in signatures: "corpus" */
    const char *article; /* in messages: "a corpus" */
    const char *doc;     /* first sentence is the summary */
    bool shared;         /* made once a run: values with equal descriptions are one object */
    void (*free)(void *held);
    void (*show)(const void *held, CgStrbuf *out);
    bool (*save)(const void *held, const char *path, CgErr *err);
    /* Instead of these, with the session: for values without an object, such as a model, or to say something. A mistake
     * that was reported leaves err as it is. */
    void (*show_value)(struct CgSession *x, const struct CgValue *v, CgStrbuf *out);
    bool (*save_value)(struct CgSession *x, const struct CgValue *v, const char *path, CgErr *err);
    CgDigest (*digest)(const void *held); /* of all its contents; NULL: the description has a digest */
    const char *const *endings;           /* of files it is saved as, ends with NULL */
    const char *beside;                   /* the ending of a second file that saving writes beside it; NULL: none */
    const char *saved_help;               /* where it goes: "tables go to .csv or .jsonl" */
    /* A field by its name, while the script is checked; NULL = none such (offer the names there are to s). */
    struct CgValue *(*field)(struct CgElab *e, struct CgValue *of, const char *name, CgSpan span, struct CgSuggest *s);
} CgClass;

/* The last line of the file of a class. */
#define CG_CLASS(id, ...)               \
    extern const CgClass cg_class_##id; \
    const CgClass cg_class_##id = { .name = #id, __VA_ARGS__ };

/* All of them, by the list that the build makes. */
#define X(id) extern const CgClass cg_class_##id;
#include "entries/class.def"
#undef X

const CgClass *cg_class_find(const char *name); /* NULL: none such */
const CgClass *cg_class_at(size_t i);           /* NULL past the last */
#endif
