/* windows.c - windows of tokens as values of the language.
 * Takes a split of a corpus, a tokenizer and lengths, checked before anything is read; gives the dataset when a stage
 * runs. What a window holds, is said in data/window.h. */
#include "data/window.h"

#include <stdlib.h>

#include "library/dataset.h"

/* A value of the right kind may still be wrong: it is shown itself. */
static bool wrong(CgElab *e, const CgArguments *a, int i, const char *what)
{
    CgStrbuf found = { 0 };
    cg_value_print(a->at[i], &found);
    cg_elab_error(e, CG_E0312, a->span[i], "%s, not %s", what, cg_strbuf_str(&found));
    cg_strbuf_deinit(&found);
    return false;
}

static CgWindowOpts options_of(CgValue *const *args)
{
    return (CgWindowOpts){ .length = (int)args[2]->i,
        .count = args[3]->i,
        .repeat = args[4]->f,
        .span = (int)args[5]->i,
        .group = (int)args[6]->i,
        .stride = (int)args[7]->i,
        .align = args[8]->i };
}

static bool check_windows(CgElab *e, const CgArguments *a, CgValue *data)
{
    if (cg_value_class(a->at[0])
        == &cg_class_corpus) { /* a whole corpus stands for its training split only where that is said */
        CgDiag *d = cg_elab_error(e, CG_E0312, a->span[0], "windows are taken from one split of a corpus");
        cg_diag_help(d, "add .train, .valid, .test or .all");
        return false;
    }
    if (a->at[2]->i < 1 || a->at[2]->i > 1 << 20)
        return wrong(e, a, 2, "'length' is a number of tokens from 1 to 1048576");
    if (a->at[3]->i < 0)
        return wrong(e, a, 3, "'count' is a number of windows, 0 for all");
    if (!(a->at[4]->f >= 0 && a->at[4]->f <= 1))
        return wrong(e, a, 4, "'copies' is a share from 0 to 1");
    int64_t span = a->at[5]->i, group = a->at[6]->i;
    if (span < 0 || span > 1 << 20)
        return wrong(e, a, 5, "'span' is a number of tokens, 1048576 at most");
    if ((span > 0 || group > 0) && !a->written[4]) {
        cg_elab_error(e, CG_E0318, a->span[span > 0 ? 5 : 6], "'span' and 'group' are of copies: 'copies' is missing");
        return false;
    }
    if (group < 0 || group > 1 << 20 || (group > 0 && span % group))
        return wrong(e, a, 6, "'span' is a whole number of groups of 'group' tokens");
    if (a->at[7]->i < 0 || a->at[7]->i > 1 << 20)
        return wrong(e, a, 7, "'stride' is a number of tokens, 0 for as many as the window has");
    CgWindowOpts opts = options_of(a->at);
    CgField field[CG_WINDOW_FIELDS];
    const CgValue *size = cg_record_find(a->at[1], cg_intern("size"));
    CgDataFields *fields = cg_data_fields_new(
        e, data, field, cg_windows_fields(&opts, size && size->kind == CG_VALUE_INT ? (int32_t)size->i : 0, field));
    fields->tokenizer[0] = fields->tokenizer[1] = a->at[1];
    fields->origin = a->span[2].file ? a->span[2] : data->span;
    return true;
}

static CgDataset *open_windows(CgSession *x, const CgValue *call, CgValue **args, CgErr *err)
{
    const CgCorpusSplit *split = args[0]->held;
    CgWindowOpts opts = options_of(args);
    (void)call;
    return cg_windows_new(split->corpus, split->which, args[1]->held, &opts, &x->cache, err);
}

static CgDigest digest_windows(CgValue *const *args)
{
    const CgCorpusSplit *split = args[0]->held;
    CgWindowOpts opts = options_of(args);
    return cg_windows_digest(split->corpus, split->which, args[1]->held, &opts);
}

CG_DATASET(windows, .by_rule = true,
    .sig = "(split: split | corpus, tokenizer: tokenizer, length: int = 512, count: int = 0, copies: float = 0, span: "
           "int = 0, group: int = 0, stride: int = 0, align: bool = false) -> dataset",
    .check = check_windows, .open = open_windows, .digest = digest_windows,
    .doc =
        "Batches of `length` tokens and the tokens one place on (batch.tokens, batch.next); count limits an "
        "evaluation to that many windows from all over the split; copies is the share of a training's windows that "
        "repeat a span of text, the first time with the tokens of each group in random order when group is given. "
        "Windows begin "
        "`stride` tokens apart (0: their length). batch.document numbers the documents in a window. With align every "
        "window begins with its document or goes on in it, and batch.mask is 1 where batch.next is still of it.")
