/* encode.c - how fast texts become tokens, and how fast merges are learned.
 * Takes a size of the vocabulary and files of text; prints, for each, MB/s of processor time of the first time and
 * of the best of four more, and the seconds of training. Accuses src/data/tokenizer_bpe.c, tokenizer_train.c,
 * pretoken.c. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>
#include <zlib.h>

#include "base/io.h"
#include "base/vec.h"
#include "data/corpus.h"
#include "data/tokenizer_bpe.h"

static double seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static double encode(const CgTokenizer *t, CgBytes text, CgTokens *out)
{
    double begin = seconds();
    out->len = 0;
    cg_tokenizer_encode(t, text.at, text.len, out);
    return (double)text.len / 1e6 / (seconds() - begin);
}

static void times(const char *how, const CgTokenizer *t, CgBytes text)
{
    CgTokens ids = { 0 };
    double first = encode(t, text, &ids), best = 0;
    for (int i = 0; i < 4; i++) {
        double again = encode(t, text, &ids);
        best = again > best ? again : best;
    }
    printf("  %-14s %4.0f MB/s the first time, %4.0f again; %zu ids, crc %08lx\n", how, first, best, ids.len,
        crc32(0, (const Bytef *)ids.at, (uInt)(ids.len * sizeof *ids.at)));
    cg_vec_free(&ids);
}

/* The same merges as a tokenizer.json. */
static CgTokenizer *written(const CgTokenizer *t, CgErr *e)
{
    char path[64];
    CgStrbuf json = { 0 };
    snprintf(path, sizeof path, "encode-%ld.json", (long)getpid());
    CgTokenizer *back = NULL;
    if (cg_bpe_write(t, "[]", &json) && cg_io_write(path, json.at, json.len, e))
        back = cg_tokenizer_load(path, NULL, -1, e);
    unlink(path);
    cg_strbuf_deinit(&json);
    return back;
}

static bool one_file(const char *path, int size, CgErr *e)
{
    CgBytes text = { 0 };
    CgCorpus *corpus = cg_corpus_load(&path, 1, NULL, NULL, e);
    CgTokenizer *t = NULL, *file = NULL;
    bool good = corpus && cg_io_read(path, &text, e);
    double begin = seconds();
    good = good && (t = cg_bpe_train(&corpus, 1, size, e)) != NULL;
    double trained = seconds() - begin;
    good = good && (file = written(t, e)) != NULL;
    if (good) {
        printf("%s: %zu bytes, %d tokens learned in %.2f s\n", path, text.len, t->size, trained);
        times("trained", t, text);
        times("tokenizer.json", file, text);
    }
    cg_tokenizer_free(t);
    cg_tokenizer_free(file);
    cg_corpus_free(corpus);
    cg_io_release(&text);
    return good;
}

int main(int argc, char **argv)
{
    for (int i = 2; i < argc; i++) {
        CgErr e = { 0 };
        if (!one_file(argv[i], atoi(argv[1]), &e)) {
            fprintf(stderr, "%s\n", e.text);
            return 3;
        }
    }
    return 0;
}
