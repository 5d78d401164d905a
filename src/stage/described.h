/* described.h - digests of values by their descriptions.
 * Takes values; gives digests. With opts.inputs nothing is read for a key: where one holds the digest of data, it is
 * that which is given there. */
#ifndef CG_DESCRIBED_H
#define CG_DESCRIBED_H
#include "stage/session.h"

/* How the script writes a piece of data that is read, as a digest (of a file of weights that of its path), and the
 * digest of what was read. */
typedef struct CgInput {
    CgDigest call, content;
} CgInput;
struct CgInputs {
    CgInput *at;
    int n;
};

/* Whether a value is numbers, texts and data that are made of such by rule: then its description says all of it. */
bool cg_value_by_rule(const CgValue *v);
/* Data that is read, not made by rule or of other data: corpora, files of tables and tensors, tokenizers of files. */
bool cg_value_is_read(const CgValue *v);
CgAtom cg_weights_path(CgValue *weights); /* of the file that they came from in the end */
CgDigest cg_described_digest(const CgSession *x, const CgValue *v);
CgDigest cg_described_weights(const CgSession *x, CgValue *weights);
#endif
