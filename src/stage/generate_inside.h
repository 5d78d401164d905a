/* generate_inside.h - what choosing token by token and searching share.
 * Takes a writer; gives what its model says of each place. Private to generate.c and beam.c. */
#ifndef CG_GENERATE_INSIDE_H
#define CG_GENERATE_INSIDE_H
#include "run/decode.h"
#include "stage/session.h"

struct CgWriter {
    CgSession *x;
    CgGenerator *g;
    int rows;
    int64_t length, vocab;
    int32_t *ids;       /* (rows, length) */
    uint8_t *seen;      /* (rows, vocab) which ids stand in a row; NULL: nobody asks */
    bool *done;         /* (rows) */
    CgDecoder *decoder; /* or, for the whole graph: */
    CgPlan *plan;
    CgExec *exec;
    void *kept; /* matrices in fewer bytes */
};

/* What the model says of a place, all before it being written: by row. */
typedef struct CgSaid {
    CgTensor ids, logits, total;
} CgSaid;

bool cg_writer_begin(CgWriter *w, const void *context, CgErr *err);
bool cg_writer_look(CgWriter *w, int64_t t, CgSaid *out, CgErr *err);
/* Token `id` of row r is chosen; whether the text goes on. */
bool cg_writer_add(CgWriter *w, const CgWriting *how, int r, int32_t id, CgTextRow *t);
#endif
