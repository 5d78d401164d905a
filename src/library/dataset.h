/* dataset.h - where datasets come from: windows of a corpus, records, files of tensors.
 * Takes the arguments of a call; gives the fields of a row while the script is checked, and the rows when it runs. One
 * file a source, which ends in its entry, CG_DATASET; that makes it a function of the language, too. What a dataset is,
 * is said in data/dataset.h. */
#ifndef CG_LIBRARY_DATASET_H
#define CG_LIBRARY_DATASET_H
#include "data/dataset.h"
#include "library/library.h"

typedef struct CgDatasetSource {
    /* "(path: str, shares: float[] = [0.9, 0.05, 0.05]) -> dataset": a parameter `shares` is checked, and said to the
     * rows, for every source. */
    const char *name, *sig, *doc;
    /* Gives `data`, the value of the call, its fields (cg_data_fields_new); false after a mistake that was reported. */
    bool (*check)(CgElab *e, const CgArguments *a, CgValue *data);
    CgDataset *(*open)(CgSession *x, const CgValue *call, CgValue **args, CgErr *err); /* NULL after a mistake */
    /* The digest the rows will have, told without reading them; NULL: they are opened. */
    CgDigest (*digest)(CgValue *const *args);
    double (*entropy)(CgValue *const *args); /* NULL, or: bits a row, all fields together; NAN: not known for these */
    bool by_rule;                            /* no file is read (CG_BY_RULE) */
    int version;                             /* raised when the same arguments give other rows */
    const char *file;
    int line;
} CgDatasetSource;

/* The last line of the file of a source. */
#define CG_DATASET(source, ...)                                                        \
    extern const CgDatasetSource cg_dataset_entry_##source;                            \
    const CgDatasetSource cg_dataset_entry_##source = {                                \
        .name = #source, .version = 1, .file = __FILE__, .line = __LINE__, __VA_ARGS__ \
    };
#endif
