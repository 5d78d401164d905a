/* gnuplot.c - the one file that runs gnuplot.
 * Takes a script; gives what gnuplot draws on its stdout. No shell is between: a script says everything. */
#include "report/figure.h"

#include <string.h>

#include "base/child.h"

bool cg_gnuplot_run(const CgStrbuf *script, CgStrbuf *out, bool *absent, CgErr *e)
{
    static const char *const argv[] = { "gnuplot", "-d", "-", NULL }; /* -d: no settings of the user's own */
    CgStrbuf said = { 0 };
    int code = 0;
    CgChild ran = cg_child_run(argv, cg_strbuf_str(script), script->len, out, &said, &code);
    *absent = ran == CG_CHILD_ABSENT;
    bool good = *absent || (ran == CG_CHILD_RAN && code == 0 && out->len > 0);
    if (ran == CG_CHILD_FAILED)
        cg_err_errno(e, "run", "gnuplot");
    else if (!good) {
        const char *text = cg_strbuf_str(&said);
        const char *line = strstr(text, "line "); /* "line 12: what is wrong" follows an echo of the script */
        line = line ? line : text;
        cg_err(e, CG_ERR_IO, "gnuplot did not draw the figure: %.*s", (int)strcspn(line, "\n"),
            *line ? line : "it said nothing");
    }
    cg_strbuf_deinit(&said);
    return good;
}
