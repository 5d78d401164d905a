/* lineage.h - which rows a model has seen.
 * Takes stages; gives the data that reached them and the way each came: training, early stopping, tokenizers, teachers,
 * weights from a file. An evaluation asks whether its own rows are among them. */
#ifndef CG_LINEAGE_H
#define CG_LINEAGE_H
#include "stage/session.h"

/* Whether rows of an evaluation reached a model it computes with: says so on stderr, with the way they came, and in
 * s->leak, which stands below its tables; with s->allow_leak only the reason stands there. */
void cg_lineage_check(CgSession *x, CgStage *s);
/* What a saved model says of the data that reached it: keys and values of its metadata, in the arena of the session;
 * their number. */
int cg_lineage_write(CgSession *x, CgValue *weights, const char ***keys, const char ***values);
/* What a saved tokenizer says of it: a JSON list of texts. */
void cg_lineage_of_tokenizer(CgSession *x, CgValue *tokenizer, CgStrbuf *out);
void cg_lineage_free(struct CgLineage *l); /* NULL is fine */
#endif
