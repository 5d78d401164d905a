/* effect.c - sizes of effects, by name.
 * Takes a name; gives its entry. Must not know any of them: they are found by their entries. */
#include <string.h>

#include "table/stats.h"

#define X(effect) extern const CgEffect cg_effect_entry_##effect;
#include "entries/effect.def"
#undef X
static const CgEffect *const entries[] = {
#define X(effect) &cg_effect_entry_##effect,
#include "entries/effect.def"
#undef X
};

const CgEffect *cg_effect_find(const char *name)
{
    for (size_t i = 0; i < CG_LEN(entries); i++) {
        if (!strcmp(entries[i]->name, name))
            return entries[i];
    }
    return NULL;
}
