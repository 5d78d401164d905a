/* generate.h - text that a model writes.
 * Takes a model that says of each place of a text how likely each token is there, and what is given of a text; gives
 * whole texts, a batch of rows at a time. generate_check.c makes generators while a script is checked, generate.c
 * writes with them, written.c is for calls of the language. */
#ifndef CG_GENERATE_H
#define CG_GENERATE_H
#include "base/strbuf.h"
#include "elab/elab.h"
#include "graph/narrow.h"
#include "run/sample.h"
#include "run/tensor.h"

struct CgTokenizer;
struct CgMemory;

#define CG_TEXT_LENGTH "text_length" /* the symbol: places of a text, where no number is known before it runs */
enum { CG_TEXT_MOST = 65536, CG_BEAMS_MOST = 64 };

/* Text made step by step: logits of place t depend on text before t only. */
typedef struct CgGenerator {
    CgModelGraph *model;     /* inputs context, text (either may be absent); outputs ids, logits, total (logsumexp) */
    int in_context, in_text; /* ordinals of these inputs, -1 = absent */
    /* made when a text is to be written (cg_generator_complete): */
    CgGraph *graph;           /* of the model, optimised */
    CgGraph *prologue, *step; /* the same place by place (graph/incremental.h); NULL where the model is not causal */
    CgDtype weights;          /* what matrices of products are kept in: CG_F32, as they are, CG_BF16 or CG_I8 */
    CgKept *kept;             /* (nkept) those that are kept in fewer bytes, in the order of further parameters */
    int nkept;
    int64_t vocabulary; /* 0: not known before it runs */
    int64_t length;     /* places of a text; 0: CG_TEXT_LENGTH says it */
} CgGenerator;

/* The model applied to `context`, where it has a type, and text i32[batch, length], with matrices kept in `weights`;
 * NULL after a mistake. tokens: what is known of those of the context, and of the text. */
CgGenerator *cg_generator_build(CgElab *e, CgFrame *f, CgValue *model, const CgType *context, int64_t length,
    const CgBelow tokens[2], CgDtype weights, CgSpan span);
void cg_generator_complete(CgGenerator *g); /* its graphs, which a text that is kept never needs */
void cg_generator_free(CgGenerator *g);

typedef enum CgTextEnd { CG_TEXT_FULL, CG_TEXT_ENDED, CG_TEXT_STOPPED } CgTextEnd;

/* One row. */
typedef struct CgTextRow {
    const int32_t *prompt; /* (given) */
    int64_t given, most;   /* tokens that are given; that are written, at most */
    int64_t ends;          /* so many end tokens are part of the text; the next one ends it */
    uint64_t row;          /* what is drawn is a function of it */
    int32_t *ids;          /* (n) what is given, then what is written, without the end or stop that ended it */
    int64_t n;
    double log_likelihood; /* of every token that was written, that of the end included */
    CgTextEnd end;
    CgStrbuf said; /* what is written, as text, where anybody asks for it */
} CgTextRow;
void cg_text_row_deinit(CgTextRow *t);

/* How texts are written: all rows alike. */
typedef struct CgWriting {
    CgSampling how;
    int64_t beams;                       /* hypotheses of each row; 1: no search */
    const struct CgTokenizer *tokenizer; /* NULL: no end ends a text */
    bool past_end;                       /* ends end none */
    const char **stop;                   /* texts that end one, ... */
    int nstop;
    int32_t *stop_id; /* ... and tokens */
    int nstop_id;
    /* After each token of row 0, with what is sure to stay of its text; may be NULL. */
    void (*heard)(void *arg, const char *said, size_t sure);
    void *arg;
} CgWriting;

typedef struct CgWriter CgWriter;
/* For so many rows and places, or, to search, hypotheses of one row; NULL after a mistake. */
CgWriter *cg_writer_new(
    CgSession *x, CgGenerator *g, const struct CgMemory *memory, int rows, int64_t length, bool search);
void cg_writer_free(CgWriter *w);
/* Writes on from what each row is given; that and t->most are at most the places the writer was made for. context:
 * (rows, ..). After a mistake the texts are what was written before it. */
bool cg_writer_run(CgWriter *w, const CgWriting *how, const void *context, CgTextRow *texts);
/* Writes one text, of the hypotheses that the writer has rows for the likeliest (beam.c). context: (rows, ..), alike.
 */
bool cg_writer_search(CgWriter *w, const CgWriting *how, const void *context, CgTextRow *text);
#endif
