/* deal.h - rows dealt to parts by their shares, exactly.
 * Takes shares; gives the part of row g and its number there. After any number of rows no part is off its share by a
 * whole row (Tijdeman, "The chairman assignment problem", 1980). Keeps only where it is, for speed. */
#ifndef CG_DEAL_H
#define CG_DEAL_H
#include "base/base.h"

typedef struct CgDeal CgDeal;

CgDeal *cg_deal_new(const double *share, int n); /* positive, of sum 1; n <= 65535 */
void cg_deal_free(CgDeal *d);                    /* NULL is fine */
int cg_deal_component(CgDeal *d, uint64_t g, uint64_t *own);
/* Rows that can be dealt until part i is asked for more than has[i] of its own. */
int64_t cg_deal_until(CgDeal *d, const int64_t *has);
#endif
