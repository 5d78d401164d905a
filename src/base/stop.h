/* stop.h - being asked to end: Ctrl-C, SIGTERM, or the terminal goes away.
 * Work that is worth keeping listens: it looks at cg_stop_asked often, finishes its step, keeps what there is and
 * leaves with CG_ERR_INTERRUPTED. Where nobody listens, and the second time anywhere, the process ends at once with
 * code 130; what was kept before is whole, since files are put in place by renaming. */
#ifndef CG_STOP_H
#define CG_STOP_H
#include "base/base.h"

void cg_stop_catch(void); /* from now on; also makes a file that may not grow a write that fails (SIGXFSZ) */
void cg_stop_listen(void);
void cg_stop_deafen(void); /* ends the last cg_stop_listen */
bool cg_stop_asked(void);  /* once asked, it stays so */
#endif
