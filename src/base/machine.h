/* machine.h - what the machine lets this process have.
 * Takes nothing; gives processors and bytes, after affinity, control groups and limits. Changes nothing. */
#ifndef CG_GRANT_H
#define CG_GRANT_H
#include "base/base.h"

int cg_machine_processors(void); /* by control group quota, rounded up; INT_MAX when there is none */
size_t cg_machine_memory(void);  /* bytes that can still be taken without swapping or being killed */
#endif
