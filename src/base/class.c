/* class.c - all classes of values, by name.
 * Takes the list that the build makes of the files that end in CG_CLASS; gives each by its name. */
#include "base/class.h"

#include <string.h>

static const CgClass *const classes[] = {
#define X(id) &cg_class_##id,
#include "entries/class.def"
#undef X
    NULL
};

const CgClass *cg_class_at(size_t i) { return i < CG_LEN(classes) - 1 ? classes[i] : NULL; }

const CgClass *cg_class_find(const char *name)
{
    for (size_t i = 0; classes[i]; i++)
        if (!strcmp(classes[i]->name, name))
            return classes[i];
    return NULL;
}
