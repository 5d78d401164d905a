/* diag_data.c - mistakes as data, for programs that have the library in them.
 * Takes a list of mistakes; gives their codes, sentences and places. */
#include <stdlib.h>

#include "base/diag_list.h"

static const char *help_of(const CgDiag *d)
{
    for (const CgDiagItem *item = d->items; item; item = item->next)
        if (item->kind == CG_ITEM_HELP)
            return item->text;
    return "";
}

size_t cg_diags_data(const CgDiags *d, const CgDiagnostic **out)
{
    size_t n;
    const CgDiag **all = cg_diags_sorted(d, &n);
    CgDiagnostic *at = CG_NEWN(d->arena, CgDiagnostic, n + 1);
    for (size_t i = 0; i < n; i++) {
        const CgSource *source = all[i]->span.file ? cg_sources_get(d->sources, all[i]->span.file) : NULL;
        at[i] = (CgDiagnostic){ .code = cg_code_name(all[i]->code),
            .message = all[i]->message,
            .help = help_of(all[i]),
            .file = source ? source->name : "",
            .exit = all[i]->exit };
        if (source)
            cg_sources_position(d->sources, all[i]->span, &at[i].line, &at[i].column);
    }
    free(all);
    *out = at;
    return n;
}
