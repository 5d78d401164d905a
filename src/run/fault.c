/* fault.c - indices that are outside of their table.
 * Takes what kernels find, from any thread; keeps the first one of a run: the earliest instruction, and of that the
 * first element. Must not report anything. */
#include <sched.h>

#include <cg/kernel.h>

void cg_index_fault(const CgCall *call, int operand, int64_t element, int64_t index, int64_t below)
{
    CgFault *f = call->fault;
    if (!f)
        return;
    while (__atomic_exchange_n(&f->lock, 1, __ATOMIC_ACQUIRE))
        sched_yield();
    if (!f->call || call < f->call || (call == f->call && element < f->element)) {
        f->operand = operand;
        f->element = element;
        f->index = index;
        f->below = below;
        __atomic_store_n(&f->call, call, __ATOMIC_RELAXED);
    }
    __atomic_store_n(&f->lock, 0, __ATOMIC_RELEASE);
}
