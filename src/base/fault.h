/* fault.h - failures on purpose, so that tests can ask what becomes of the work at each of them.
 * CG_DEBUG=fault=WHAT:N is about the n-th call of a kind, CG_DEBUG=fault=WHAT:N+ about all from there on. WHAT is
 *
 *   memory            an allocation gives none, ours and those of JSON, SQLite and zlib
 *   eio               a call to the system fails: Input/output error
 *   enospc            a call that takes room on the disk fails: No space left on device
 *   eintr             a read, write or lock is interrupted; repeated, it goes on
 *   nolock            files cannot be locked
 *   short             a read or write moves one byte
 *   kill, killed      the process dies before, after a call that changes files
 *   lost              it dies before such a call, and what was not synced is lost: bytes, renames, removals
 *
 * Who calls the system asks here first; without the switch that is one load. */
#ifndef CG_FAULT_H
#define CG_FAULT_H
#include "base/base.h"

typedef enum CgSystemCall {
    CG_CALL_LOOK, /* changes nothing */
    CG_CALL_READ, /* bytes */
    CG_CALL_LOCK,
    CG_CALL_WRITE,  /* bytes */
    CG_CALL_CHANGE, /* of a name, or what makes bytes last */
} CgSystemCall;

bool cg_fault_memory(void);
bool cg_fault_call(CgSystemCall call);              /* true: it fails, errno says how */
size_t cg_fault_bytes(CgSystemCall call, size_t n); /* how many of n it moves */
void cg_fault_done(CgSystemCall call);              /* it was made */

/* What is not on the disk yet, for `lost`. Paths are as they were given to the system. */
void cg_fault_wrote(const char *path);                    /* a file whose bytes are not synced */
void cg_fault_synced(const char *path);                   /* they are */
void cg_fault_replaces(const char *from, const char *to); /* before a rename; from NULL: before a removal */
void cg_fault_folder_synced(const char *folder);
#endif
