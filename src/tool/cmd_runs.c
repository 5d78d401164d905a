/* cmd_runs.c - cg runs [RUN ...] [--store=FOLDER] [--save=FILE].
 * Takes the numbers of runs; lists all, shows one, compares several: settings that differ, those in scripts, too,
 * metrics, what they saved. With --save the list, or the metrics of the runs named, go to a file, or their losses into
 * a picture. Reads the index of the store and changes nothing. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "report/figure.h"
#include "report/plot.h"
#include "store/store.h"
#include "tool/tool.h"

enum { ID, SCRIPT, STARTED, SECONDS, STATUS, OPTIONS }; /* of cg_store_runs */
enum { TRAINING, LABEL, STEP, NAME, VALUE };            /* of cg_store_metrics */
enum { STAGE, STAGE_KIND, STAGE_LABEL, STAGE_TEXT };    /* of cg_store_settings */
enum { MOST_CURVES = 24 };

static const char *text_of(const CgTable *t, size_t row, int column)
{
    return t->column[column].at[row].missing ? "" : t->column[column].at[row].text;
}

static int print(CgTable *t)
{
    CgStrbuf out = { 0 };
    cg_table_print(t, 0, 0, &out);
    fputs(cg_strbuf_str(&out), stdout);
    cg_strbuf_deinit(&out);
    cg_table_free(t);
    return CG_EXIT_OK;
}

static int save(CgTable *t, const char *path, CgErr *e)
{
    bool good = cg_table_save(t, path, e);
    cg_table_free(t);
    return good ? CG_EXIT_OK : cg_complain("runs", e);
}

/* Rows of one curve follow each other: its last row. */
static size_t end_of_curve(const CgTable *m, size_t from)
{
    size_t to = from;
    while (to + 1 < m->rows && !strcmp(text_of(m, to + 1, TRAINING), text_of(m, from, TRAINING))
        && !strcmp(text_of(m, to + 1, NAME), text_of(m, from, NAME)))
        to++;
    return to;
}

/* ---- the list ------------------------------------------------------------------------------------------- */

static double last_loss(const CgTable *m)
{
    double last = NAN;
    for (size_t r = 0; r < m->rows; r++)
        if (!strcmp(text_of(m, r, NAME), "loss"))
            last = cg_table_number(m, r, VALUE);
    return last;
}

/* What --seed added to every seed of a run; it stands behind the settings. */
static int64_t seed_of(const char *options)
{
    const char *space = strrchr(options, ' '), *last = space ? space + 1 : options;
    return !strncmp(last, "--seed=", 7) ? strtoll(last + 7, NULL, 10) : 0;
}

static CgTable *list_of(CgStore *s, const CgTable *runs, CgErr *e)
{
    static const char *const shown[] = { "id", "script", "options", "started", "status", "seconds" };
    CgTable *t = cg_table_select(runs, shown, (int)CG_LEN(shown), e);
    int loss = t ? cg_table_add(t, "last loss", CG_NUMBER) : 0, seed = t ? cg_table_add(t, "seed", CG_INT) : 0;
    for (size_t r = 0; t && r < t->rows; r++) {
        CgTable *m = cg_store_metrics(s, runs->column[ID].at[r].whole, e);
        if (!m) {
            cg_table_free(t);
            return NULL;
        }
        cg_table_set(t, r, loss, cg_number(last_loss(m)));
        cg_table_set(t, r, seed, cg_whole(seed_of(text_of(runs, r, OPTIONS))));
        cg_table_free(m);
    }
    return t;
}

/* ---- one run -------------------------------------------------------------------------------------------- */

/* A row a curve: where it begins and ends, and its least value. */
static CgTable *curves_of(const CgTable *m)
{
    static const char *const names[] = { "training", "metric", "steps", "first", "last", "least" };
    CgTable *t = cg_table_new();
    for (int i = 0; i < (int)CG_LEN(names); i++)
        cg_table_add(t, names[i], i < 2 ? CG_TEXT : i == 2 ? CG_INT : CG_NUMBER);
    for (size_t from = 0, to; from < m->rows; from = to + 1) {
        double least = INFINITY;
        to = end_of_curve(m, from);
        for (size_t r = from; r <= to; r++)
            least = fmin(least, cg_table_number(m, r, VALUE));
        size_t row = cg_table_row(t);
        cg_table_set(t, row, 0, cg_text(text_of(m, from, LABEL)));
        cg_table_set(t, row, 1, cg_text(text_of(m, from, NAME)));
        cg_table_set(t, row, 2, m->column[STEP].at[to]);
        cg_table_set(t, row, 3, m->column[VALUE].at[from]);
        cg_table_set(t, row, 4, m->column[VALUE].at[to]);
        cg_table_set(t, row, 5, cg_number(least));
    }
    return t;
}

static int show_one(CgStore *s, const CgTable *runs, size_t row, CgErr *e)
{
    int64_t id = runs->column[ID].at[row].whole;
    CgTable *m = cg_store_metrics(s, id, e), *saved = m ? cg_store_artifacts(s, id, e) : NULL;
    if (!saved) {
        cg_table_free(m);
        return cg_complain("runs", e);
    }
    printf("run %lld: %s\n", (long long)id, text_of(runs, row, SCRIPT));
    for (int i = STARTED; i <= OPTIONS; i++) {
        CgStrbuf cell = { 0 };
        if (i == SECONDS)
            cg_strbuf_printf(&cell, "%.1f", cg_table_number(runs, row, i));
        else
            cg_cell_print(&runs->column[i], row, &cell);
        if (cell.len)
            printf("%s: %s\n", runs->column[i].name, cg_strbuf_str(&cell));
        cg_strbuf_deinit(&cell);
    }
    CgTable *curves = curves_of(m);
    if (curves->rows)
        putchar('\n');
    if (curves->rows)
        print(curves);
    else
        cg_table_free(curves);
    if (saved->rows)
        putchar('\n');
    if (saved->rows)
        print(saved);
    else
        cg_table_free(saved);
    cg_table_free(m);
    return CG_EXIT_OK;
}

/* ---- several runs --------------------------------------------------------------------------------------- */

/* The row called `name`, made if need be. */
static size_t row_called(CgTable *t, const char *name)
{
    for (size_t r = 0; r < t->rows; r++)
        if (!strcmp(text_of(t, r, 0), name))
            return r;
    size_t row = cg_table_row(t);
    cg_table_set(t, row, 0, cg_text(name));
    return row;
}

static void add_options(CgTable *t, int column, const char *options)
{
    while (*options) {
        size_t n = strcspn(options, " "), name = strcspn(options, "= ");
        char *key = cg_strdup(options), *value = cg_strdup(options + (name < n ? name + 1 : n));
        key[name] = 0;
        value[name < n ? n - name - 1 : 0] = 0;
        cg_table_set(t, row_called(t, key), column, cg_text(value));
        free(key);
        free(value);
        options += n + (options[n] != 0);
    }
}

static bool differs(const CgTable *t, size_t row)
{
    for (int i = 2; i < t->ncolumns; i++)
        if (strcmp(text_of(t, row, i), text_of(t, row, 1)) != 0)
            return true;
    return false;
}

/* The row of the stage that a setting, "lm: steps", belongs to; the row itself where it is none. */
static size_t owner(CgTable *t, size_t row)
{
    const char *name = text_of(t, row, 0), *colon = strstr(name, ": ");
    char *label = cg_strdup(name);
    label[colon ? colon - name : 0] = 0;
    size_t at = colon ? row_called(t, label) : row;
    free(label);
    return at;
}

/* Of a stage that some run has not, it is enough to say that. */
static CgTable *only_different(CgTable *t)
{
    size_t *rows = cg_malloc(sizeof *rows * (t->rows + 1)), n = 0;
    for (size_t r = 0; r < t->rows; r++)
        if (differs(t, r) && (owner(t, r) == r || !differs(t, owner(t, r))))
            rows[n++] = r;
    CgTable *out = cg_table_take(t, rows, n);
    free(rows);
    cg_table_free(t);
    return out;
}

/* What a stage is called among those of its run: a second one of a label is "label (2)". */
static void name_stage(const CgTable *stages, size_t row, CgStrbuf *out)
{
    int before = 0;
    for (size_t r = 0; r < row; r++)
        before += !strcmp(text_of(stages, r, STAGE_LABEL), text_of(stages, row, STAGE_LABEL));
    cg_strbuf_puts(out, text_of(stages, row, STAGE_LABEL));
    if (before)
        cg_strbuf_printf(out, " (%d)", before + 1);
}

/* The settings of every training and evaluation of a run, also those that stand in the script. */
static bool add_settings(CgStore *s, int64_t run, CgTable *t, int column, CgErr *e)
{
    CgTable *stages = cg_store_settings(s, run, e);
    for (size_t r = 0; stages && r < stages->rows; r++) {
        CgStrbuf name = { 0 };
        name_stage(stages, r, &name);
        size_t stem = name.len;
        cg_table_set(t, row_called(t, cg_strbuf_str(&name)), column, cg_text(text_of(stages, r, STAGE_KIND)));
        char *text = cg_strdup(text_of(stages, r, STAGE_TEXT)), *rest = text;
        for (char *line; (line = strsep(&rest, "\n")) && *line;) {
            char *value = strchr(line, '=');
            name.len = stem;
            cg_strbuf_printf(&name, ": %.*s", (int)(value - line), line);
            cg_table_set(t, row_called(t, cg_strbuf_str(&name)), column, cg_text(value + 1));
        }
        free(text);
        cg_strbuf_deinit(&name);
    }
    cg_table_free(stages);
    return stages;
}

static int compare(CgStore *s, const CgTable *runs, const size_t *row, size_t n, CgErr *e)
{
    CgTable *settings = cg_table_new(), *metrics = cg_table_new();
    bool good = true;
    cg_table_add(settings, "differs", CG_TEXT);
    cg_table_add(metrics, "last of", CG_TEXT);
    for (size_t k = 0; good && k < n; k++) {
        int64_t id = runs->column[ID].at[row[k]].whole;
        CgStrbuf name = { 0 };
        cg_strbuf_printf(&name, "run %lld", (long long)id);
        int o = cg_table_add(settings, cg_strbuf_str(&name), CG_TEXT),
            m = cg_table_add(metrics, cg_strbuf_str(&name), CG_NUMBER);
        cg_strbuf_deinit(&name);
        cg_table_set(settings, row_called(settings, "script"), o, cg_text(text_of(runs, row[k], SCRIPT)));
        cg_table_set(settings, row_called(settings, "status"), o, cg_text(text_of(runs, row[k], STATUS)));
        add_options(settings, o, text_of(runs, row[k], OPTIONS));
        CgTable *all = cg_store_metrics(s, id, e);
        for (size_t from = 0, to; all && from < all->rows; from = to + 1) {
            CgStrbuf what = { 0 };
            to = end_of_curve(all, from);
            cg_strbuf_printf(&what, "%s %s", text_of(all, from, LABEL), text_of(all, from, NAME));
            cg_table_set(metrics, row_called(metrics, cg_strbuf_str(&what)), m, all->column[VALUE].at[to]);
            cg_strbuf_deinit(&what);
        }
        cg_table_free(all);
        good = all && add_settings(s, id, settings, o, e);
    }
    settings = only_different(settings);
    if (good && settings->rows)
        print(settings);
    else
        cg_table_free(settings);
    return good ? print(metrics) : (cg_table_free(metrics), cg_complain("runs", e));
}

/* ---- curves --------------------------------------------------------------------------------------------- */

/* The losses of runs by step, a line a training, and a panel for each of loss and valid. */
static int draw(CgStore *s, const CgTable *runs, const size_t *row, size_t n, const char *path, CgErr *e)
{
    extern const CgPlot cg_plot_entry_line;
    CgFigure f = { .plot = &cg_plot_entry_line, .xlabel = "step", .ylabel = "loss", .series = true };
    CgTable *t = f.data = cg_table_new();
    const char **names = NULL;
    CgStrbuf warning = { 0 };
    bool good = true;
    f.x_low = f.x_high = f.y_low = f.y_high = NAN;
    cg_table_add(t, "curve", CG_TEXT);
    f.column[0] = cg_table_add(t, "step", CG_NUMBER);
    f.column[1] = cg_table_add(t, "loss", CG_NUMBER);
    for (size_t k = 0; good && k < n; k++) {
        CgTable *m = cg_store_metrics(s, runs->column[ID].at[row[k]].whole, e);
        for (size_t r = 0; m && r < m->rows; r++) {
            const char *metric = text_of(m, r, NAME);
            bool loss = !strcmp(metric, "loss");
            if (!loss && strcmp(metric, "valid") != 0)
                continue;
            CgStrbuf name = { 0 };
            cg_strbuf_printf(&name, "run %lld %s%s", (long long)runs->column[ID].at[row[k]].whole, text_of(m, r, LABEL),
                loss ? "" : " valid");
            size_t at = cg_table_row(t);
            cg_table_set(t, at, 0, cg_text(cg_strbuf_str(&name)));
            cg_table_set(t, at, 1, cg_number((double)m->column[STEP].at[r].whole));
            cg_table_set(t, at, 2, m->column[VALUE].at[r]);
            cg_strbuf_deinit(&name);
        }
        good = m;
        cg_table_free(m);
    }
    good = good && cg_figure_sort(&f, 0, e);
    f.names = cg_draw_distinct(f.data, 0, &names);
    f.name = names;
    if (good && f.names > MOST_CURVES)
        good =
            cg_err(e, CG_ERR_INPUT, "a figure shows at most %d curves, and these runs have %d", MOST_CURVES, f.names);
    good = good && cg_figure_save(&f, path, &warning, e);
    if (good && warning.len)
        fprintf(stderr, "cg runs: %s\n", cg_strbuf_str(&warning));
    cg_strbuf_deinit(&warning);
    free(names);
    cg_table_free(f.data);
    return good ? CG_EXIT_OK : cg_complain("runs", e);
}

/* The metrics of several runs below each other, the number of the run before them. */
static int export_metrics(CgStore *s, const CgTable *runs, const size_t *row, size_t n, const char *path, CgErr *e)
{
    CgTable *out = cg_table_new();
    bool good = true;
    for (size_t k = 0; good && k < n; k++) {
        CgTable *m = cg_store_metrics(s, runs->column[ID].at[row[k]].whole, e), *id = cg_table_new();
        cg_table_add(id, "run", CG_INT);
        for (size_t r = 0; m && r < m->rows; r++)
            cg_table_set(id, cg_table_row(id), 0, runs->column[ID].at[row[k]]);
        CgTable *both = m ? cg_table_beside(id, m) : NULL;
        good = both && cg_table_extend(out, both, e);
        cg_table_free(m);
        cg_table_free(id);
        cg_table_free(both);
    }
    if (good)
        return save(out, path, e);
    cg_table_free(out);
    return cg_complain("runs", e);
}

/* ---- the command ---------------------------------------------------------------------------------------- */

static int find_row(const CgTable *runs, const char *text, size_t *row)
{
    int64_t id = 0;
    CgErr e = { 0 };
    if (!cg_option_number("runs", "RUN", text, 1, INT64_MAX, &id))
        return CG_EXIT_USAGE;
    for (size_t r = 0; r < runs->rows; r++)
        if (runs->column[ID].at[r].whole == id) {
            *row = r;
            return CG_EXIT_OK;
        }
    cg_err(&e, CG_ERR_INPUT, "there is no run %lld", (long long)id);
    return cg_complain("runs", &e);
}

static bool is_picture(const char *path)
{
    const char *end = strrchr(path, '.');
    return end && (!strcmp(end, ".svg") || !strcmp(end, ".png") || !strcmp(end, ".pdf"));
}

static int carry_out(CgStore *s, int n, char **which, const char *path)
{
    CgErr e = { 0 };
    CgTable *runs = cg_store_runs(s, &e);
    if (!runs)
        return cg_complain("runs", &e);
    size_t *row = cg_malloc(sizeof *row * ((size_t)n + 1));
    int code = CG_EXIT_OK;
    for (int i = 0; i < n && code == CG_EXIT_OK; i++)
        code = find_row(runs, which[i], &row[i]);
    if (code == CG_EXIT_OK && n == 0) {
        CgTable *list = list_of(s, runs, &e);
        code = !list ? cg_complain("runs", &e) : path ? save(list, path, &e) : print(list);
    } else if (code == CG_EXIT_OK && path && is_picture(path))
        code = draw(s, runs, row, (size_t)n, path, &e);
    else if (code == CG_EXIT_OK && path)
        code = export_metrics(s, runs, row, (size_t)n, path, &e);
    else if (code == CG_EXIT_OK)
        code = n == 1 ? show_one(s, runs, row[0], &e) : compare(s, runs, row, (size_t)n, &e);
    free(row);
    cg_table_free(runs);
    return code;
}

static int command(int argc, char **argv)
{
    const char *folder = NULL, *path = NULL;
    const CgOption options[] = {
        { .name = "store",
            .arg = "FOLDER",
            .help = "where runs are kept, .cg unless $CG_STORE says otherwise",
            .value = &folder },
        { .name = "save",
            .arg = "FILE",
            .help =
                "the list, or the metrics of these runs, as .csv or .jsonl; their losses drawn, as .svg, .png or .pdf",
            .value = &path },
    };
    int code;
    CgErr e = { 0 };
    if (!cg_options(&argc, argv,
            "[RUN ...] [--store=FOLDER] [--save=FILE]\nLists runs; shows one by its number, compares several.", options,
            CG_LEN(options), &code))
        return code;
    CgStore *s = cg_store_open_named(folder, &e);
    if (!s)
        return cg_complain("runs", &e);
    code = carry_out(s, argc - 1, argv + 1, path);
    cg_store_close(s);
    return code;
}

CG_COMMAND(runs, "lists, shows, compares and exports runs", command)
