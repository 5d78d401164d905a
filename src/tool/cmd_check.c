/* cmd_check.c - cg check SCRIPT.cg ... [--dump=STAGE].
 * Takes scripts; gives every mistake that can be found without reading data or running anything.
 * Must not write anything but diagnostics and the dump that was asked for. */
#include <stdio.h>

#include "lang/module.h"
#include "tool/tool.h"

static int check_one(const char *path, const char *stage)
{
    CgSources *sources = cg_sources_new();
    CgDiags *diags = cg_diags_new(sources);
    CgProgram *program = cg_program_load(sources, path, diags);
    bool known = !program || !stage || cg_program_dump(sources, program, stage, stdout);
    cg_diags_print(diags, stderr, cg_wants_colour());
    int code = cg_diags_exit_code(diags);
    if (program)
        cg_program_free(program);
    cg_diags_free(diags);
    cg_sources_free(sources);
    return known ? code : cg_usage("check", "there is no stage '%s' to dump", stage);
}

int cg_cmd_check(int argc, char **argv)
{
    const char *stage = NULL;
    const CgOption options[] = {
        { .name = "dump", .arg = "STAGE", .value = &stage, .help = "prints tokens, ast or modules of the script" },
    };
    int code;
    if (!cg_options(&argc, argv, "SCRIPT.cg ...\nfinds mistakes without running anything", options, CG_LEN(options), &code))
        return code;
    if (argc < 2)
        return cg_usage("check", "a script is needed");
    int gravest = CG_EXIT_OK;
    for (int i = 1; i < argc; i++) {
        code = check_one(argv[i], stage);
        gravest = code > gravest ? code : gravest;
    }
    return gravest;
}
