/* origins.h - what a run is made of.
 * Takes a session; notes in the index of runs its modules, options, the versions of what is built in, and the digests
 * of the data that its stages read. */
#ifndef CG_ORIGINS_H
#define CG_ORIGINS_H
#include "stage/session.h"

void cg_origins_note(CgSession *x); /* before x->run is closed */
#endif
