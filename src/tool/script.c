/* script.c - the arguments of commands that look into a script.
 * Takes the texts of --set and --dim; gives settings and sizes. Must not look at the script: the elaborator says
 * which names it has. */
#include "tool/script.h"

#include <errno.h>
#include <stdlib.h>

static int read_sizes(const char *command, const CgStrings *dims, CgScriptArgs *out)
{
    for (size_t i = 0; i < dims->len; i++) {
        char *name = NULL, *end = NULL;
        const char *value = "";
        errno = 0;
        bool good = cg_assignment(dims->at[i], &name, &value);
        out->bound[i] = (CgBinding){ good ? cg_intern(name) : NULL, strtoll(value, &end, 10) };
        free(name);
        if (!good || *end || errno || out->bound[i].value < 1 || !cg_dim_int(out->bound[i].value))
            return cg_usage(command, "--dim takes NAME=N with a whole number from 1 to 2^48, not '%s'", dims->at[i]);
        for (size_t k = 0; k < i; k++)
            if (out->bound[k].symbol == out->bound[i].symbol)
                return cg_usage(command, "--dim %s is given twice", out->bound[i].symbol);
    }
    out->sizes = (CgBindings){ out->bound, (int)dims->len };
    return CG_EXIT_OK;
}

static int read_settings(const char *command, const CgStrings *set, CgScriptArgs *out)
{
    for (size_t i = 0; i < set->len; i++) {
        char *name = NULL;
        if (!cg_assignment(set->at[i], &name, &out->settings[i].text))
            return cg_usage(command, "--set takes NAME=VALUE, not '%s'", set->at[i]);
        out->settings[i].name = name;
        out->nsettings++;
    }
    return CG_EXIT_OK;
}

int cg_script_args(const char *command, const CgStrings *set, const CgStrings *dims, CgScriptArgs *out)
{
    *out = (CgScriptArgs){ .settings = cg_calloc(set->len + 1, sizeof *out->settings) };
    out->bound = cg_calloc(dims->len + 1, sizeof *out->bound);
    int code = read_settings(command, set, out);
    if (code == CG_EXIT_OK)
        code = read_sizes(command, dims, out);
    return code;
}

void cg_script_args_free(CgScriptArgs *a)
{
    for (int i = 0; i < a->nsettings; i++)
        free((void *)(uintptr_t)a->settings[i].name);
    free(a->settings);
    free(a->bound);
}
