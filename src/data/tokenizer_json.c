/* tokenizer_json.c - tokenizers as Hugging Face writes them.
 * Takes a tokenizer.json that was parsed; gives a tokenizer: text is normalised, split, and what is left is the
 * model's; what is put around it, and how tokens become text again, is kept beside it. Must not guess: whatever part of
 * the file would change ids and is not understood here is refused by name. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/suggest.h"
#include "base/vec.h"
#include "data/characters.h"
#include "data/tokenizer_model.h"
#include "data/tokenizer_steps.h"

#define MOST_TOKENS 4000000
#define MOST_AROUND 16

/* ---- tokens that were added to a vocabulary: found in the text as it is, or as it is normalised ----------------- */

typedef struct Added {
    CgText text;
    int32_t id;
    bool lstrip, rstrip, single_word;
} Added;

typedef struct AddedSet {
    CG_VEC(Added) tokens; /* by first byte, of these the longest first */
    size_t from[257];     /* of each byte; from[b + 1] is its end */
} AddedSet;

static int by_first_and_length(const void *a, const void *b)
{
    const Added *x = a, *y = b;
    unsigned char p = (unsigned char)x->text.at[0], q = (unsigned char)y->text.at[0];
    if (p != q)
        return p < q ? -1 : 1;
    if (x->text.len != y->text.len)
        return x->text.len > y->text.len ? -1 : 1;
    return x->id < y->id ? -1 : x->id > y->id;
}

static void arrange(AddedSet *s)
{
    if (s->tokens.len)
        qsort(s->tokens.at, s->tokens.len, sizeof *s->tokens.at, by_first_and_length);
    for (size_t b = 0, i = 0; b < 257; b++) {
        while (i < s->tokens.len && (unsigned char)s->tokens.at[i].text.at[0] < b)
            i++;
        s->from[b] = i;
    }
}

/* The longest of those that begin there; NULL: none does. */
static const Added *added_at(const AddedSet *s, const char *text, size_t len)
{
    unsigned char b = (unsigned char)*text;
    for (size_t i = s->from[b]; i < s->from[b + 1]; i++) {
        const Added *a = &s->tokens.at[i];
        if (a->text.len <= len && !memcmp(a->text.at, text, a->text.len))
            return a;
    }
    return NULL;
}

/* The character before a place. */
static int32_t before(const char *text, size_t at)
{
    size_t from = at, step;
    while (from > 0 && at - from < 4) {
        from--;
        if (((unsigned char)text[from] & 0xc0) != 0x80)
            break;
    }
    int32_t c = cg_char_at(text + from, at - from, &step);
    return from + step == at ? c : -1;
}

static size_t width_before(const char *text, size_t at)
{
    char bytes[4];
    int32_t c = before(text, at);
    return c < 0 ? 1 : cg_char_put(c, bytes);
}

/* What a token found at `from` takes of the text; false: it is part of a word, and must not be. */
static bool reach(const Added *a, CgText text, size_t done, size_t *from, size_t *to)
{
    size_t step;
    *to = *from + a->text.len;
    if (a->single_word && *from && cg_char_is_word(before(text.at, *from)))
        return false;
    if (a->single_word && *to < text.len && cg_char_is_word(cg_char_at(text.at + *to, text.len - *to, &step)))
        return false;
    while (a->lstrip && *from > done && cg_char_is_space(before(text.at, *from)))
        *from -= width_before(text.at, *from);
    while (a->rstrip && *to < text.len && cg_char_is_space(cg_char_at(text.at + *to, text.len - *to, &step)))
        *to += step;
    return true;
}

/* ---- the tokenizer ---------------------------------------------------------------------------------------------- */

typedef struct Pipeline {
    CgTokenizerKind kind;
    const CgTokenModel *model;
    void *data; /* of the model */
    CgVocabulary vocabulary;
    CgStepChain *normalizer, *splitter, *joiner;
    bool joined; /* the file says how tokens are put together: else with blanks between them */
    AddedSet raw, normalized;
    uint8_t *flags;   /* (size) ADDED, SPECIAL */
    CgText *piece[2]; /* (size): the text of a token, and of one a text begins with; NULL: not made yet */
    CgArena *texts;
    int32_t before[MOST_AROUND], after[MOST_AROUND];
    int nbefore, nafter;
} Pipeline;
enum { ADDED = 1, SPECIAL = 2 };

typedef struct Encoding {
    const Pipeline *p;
    CgText text; /* that is split */
    CgTokens *out;
} Encoding;

static void encode_piece(void *arg, CgText piece, bool first)
{
    const Encoding *x = arg;
    size_t at = (uintptr_t)piece.at - (uintptr_t)x->text.at; /* beyond it: the piece lies elsewhere */
    (void)first;
    x->p->model->encode(x->p->data, piece, at < x->text.len ? x->text.len - at : piece.len, x->out);
}

typedef void PartFn(Encoding *x, CgText text, bool first);

/* Gives what lies between added tokens to `part`, and adds these. */
static void at_added(Encoding *x, const AddedSet *s, CgText text, bool first, PartFn *part)
{
    size_t done = 0;
    for (size_t i = 0; s->tokens.len && i < text.len;) {
        while (i < text.len && s->from[(unsigned char)text.at[i]] == s->from[(unsigned char)text.at[i] + 1])
            i++;
        const Added *a = i < text.len ? added_at(s, text.at + i, text.len - i) : NULL;
        size_t from = i, to;
        if (!a) {
            i++;
            continue;
        }
        i += a->text.len;
        if (!reach(a, text, done, &from, &to))
            continue;
        if (from > done)
            part(x, (CgText){ text.at + done, from - done }, first && done == 0);
        cg_vec_push(x->out, a->id);
        done = to;
        i = to > i ? to : i;
    }
    if (done < text.len)
        part(x, (CgText){ text.at + done, text.len - done }, first && done == 0);
}

static void split_part(Encoding *x, CgText text, bool first)
{
    x->text = text;
    cg_steps_split(x->p->splitter, text, first, encode_piece, x);
    if (x->p->model->flush)
        x->p->model->flush(x->p->data, x->out);
}

static void normal_part(Encoding *x, CgText text, bool first)
{
    at_added(x, &x->p->normalized, cg_steps_normalize(x->p->normalizer, text), first, split_part);
}

static void pipeline_encode(const CgTokenizer *t, const char *text, size_t len, CgTokens *out)
{
    Encoding x = { .p = t->data, .out = out };
    at_added(&x, &x.p->raw, (CgText){ text, len }, true, normal_part);
}

static CgText text_of_token(Pipeline *p, int32_t id, bool first)
{
    CgText token = p->vocabulary.token[id];
    CgStrbuf text = { 0 };
    cg_strbuf_write(&text, token.at ? token.at : "", token.len);
    bool written_out = (p->flags[id] & ADDED) && (cg_steps_traits(p->joiner) & CG_STEP_BYTES);
    if (p->joined && !written_out) {
        cg_steps_decode(p->joiner, first, &text);
    } else if (!p->joined && !first) {
        text.len = 0;
        cg_strbuf_putc(&text, ' ');
        cg_strbuf_write(&text, token.at ? token.at : "", token.len);
    }
    CgText out = { cg_arena_strndup(p->texts, cg_strbuf_str(&text), text.len), text.len };
    cg_strbuf_deinit(&text);
    return out;
}

static void pipeline_decode(const CgTokenizer *t, const int32_t *ids, size_t n, bool first, CgStrbuf *out)
{
    Pipeline *p = t->data;
    for (size_t i = 0; i < n; i++) {
        CgText *made = &p->piece[first && i == 0][ids[i]];
        if (!made->at)
            *made = text_of_token(p, ids[i], first && i == 0);
        cg_strbuf_write(out, made->at, made->len);
    }
}

static void pipeline_clear(Pipeline *p)
{
    if (p->data)
        p->model->free(p->data);
    cg_steps_free(p->normalizer);
    cg_steps_free(p->splitter);
    cg_steps_free(p->joiner);
    cg_vec_free(&p->raw.tokens);
    cg_vec_free(&p->normalized.tokens);
    cg_map_deinit(&p->vocabulary.by_hash);
    cg_arena_free(p->vocabulary.arena);
    cg_arena_free(p->texts);
    free(p->flags);
    free(p->piece[0]);
    free(p->piece[1]);
    free(p);
}

static void pipeline_free(CgTokenizer *t) { pipeline_clear(t->data); }

static bool pipeline_special(const CgTokenizer *t, int32_t id) { return ((Pipeline *)t->data)->flags[id] & SPECIAL; }

/* ---- reading: the vocabulary ------------------------------------------------------------------------------------ */

typedef struct Reading {
    const CgTokenizerFile *file;
    Pipeline *p;
    int32_t byte_of[512];
    int64_t most; /* the largest id */
    int32_t end, marker;
    const char **reached;
    int nreached;
    CgErr *e;
} Reading;

int32_t cg_vocabulary_find(const CgVocabulary *v, const char *at, size_t len)
{
    uint64_t id;
    if (!cg_map_get(&v->by_hash, cg_hash64(at, len, 0), &id) || v->piece[id].len != len
        || memcmp(v->piece[id].at, at, len) != 0)
        return -1;
    return (int32_t)id;
}

int32_t cg_vocabulary_named(const CgVocabulary *v, const char *token)
{
    for (int32_t i = 0; i < v->size; i++)
        if (v->token[i].at && !strcmp(v->token[i].at, token))
            return i;
    return -1;
}

bool cg_vocabulary_tokens(
    const json_t *model, const char *path, bool (*add)(void *arg, const char *token, int64_t id), void *arg, CgErr *e)
{
    json_t *vocab = json_object_get(model, "vocab"), *id;
    const char *token;
    if (!json_is_object(vocab))
        return cg_err(e, CG_ERR_INPUT, "'%s': the model has no vocabulary", path);
    json_object_foreach(
        vocab, token, id) if (!add(arg, token, json_is_integer(id) ? json_integer_value(id) : -1)) return false;
    return true;
}

static bool see_id(void *arg, const char *token, int64_t id)
{
    Reading *r = arg;
    if (id < 0 || id >= MOST_TOKENS)
        return cg_err(
            r->e, CG_ERR_INPUT, "'%s': token '%.40s' has no id in 0 .. %d", r->file->path, token, MOST_TOKENS - 1);
    r->most = id > r->most ? id : r->most;
    return true;
}

static bool add_token(void *arg, const char *token, int64_t id)
{
    Reading *r = arg;
    CgVocabulary *v = &r->p->vocabulary;
    size_t n = strlen(token);
    if (v->piece[id].at)
        return cg_err(r->e, CG_ERR_INPUT, "'%s': two tokens have the id %lld, one of them '%.40s'", r->file->path,
            (long long)id, token);
    v->token[id] = v->piece[id] = (CgText){ cg_arena_strdup(v->arena, token), n };
    if (v->bytes) {
        char *bytes = CG_NEWN(v->arena, char, n + 1);
        size_t len;
        if (cg_bytes_of_token(r->byte_of, token, bytes, &len)) /* else it is a special token among the others */
            v->piece[id] = (CgText){ bytes, len };
    }
    cg_map_put(&v->by_hash, cg_hash64(v->piece[id].at, v->piece[id].len, 0), (uint64_t)id);
    return true;
}

/* ---- added tokens ----------------------------------------------------------------------------------------------- */

static bool looks_like_end(const char *s)
{
    static const char *const names[] = { "<|endoftext|>", "<|end_of_text|>", "</s>", "<eos>", "<|eot_id|>",
        "<|im_end|>", "[EOS]", "[SEP]" };
    for (size_t i = 0; i < CG_LEN(names); i++)
        if (!strcmp(s, names[i]))
            return true;
    return false;
}

static bool add_added(Reading *r, const json_t *value)
{
    static const char options[] = " id content single_word lstrip rstrip normalized special ";
    const char *content = cg_step_text(value, "content"), *path = r->file->path, *name;
    int32_t id = (int32_t)json_integer_value(json_object_get(value, "id"));
    CgVocabulary *v = &r->p->vocabulary;
    bool special, normalized;
    Added a = { .id = id };
    json_t *option;
    json_object_foreach((json_t *)(uintptr_t)value, name, option)
    {
        char word[40];
        snprintf(word, sizeof word, " %.30s ", name);
        if (!strstr(options, word))
            return cg_step_refuse(r->e, path, "an added token with", name);
    }
    if (!*content)
        return cg_err(r->e, CG_ERR_INPUT, "'%s': the added token %d has no text 'content'", path, id);
    if (!cg_step_flag(value, "special", false, path, &special, r->e)
        || !cg_step_flag(value, "normalized", !special, path, &normalized, r->e)
        || !cg_step_flag(value, "lstrip", false, path, &a.lstrip, r->e)
        || !cg_step_flag(value, "rstrip", false, path, &a.rstrip, r->e)
        || !cg_step_flag(value, "single_word", false, path, &a.single_word, r->e))
        return false;
    if (v->token[id].at && strcmp(v->token[id].at, content) != 0)
        return cg_err(
            r->e, CG_ERR_INPUT, "'%s': two tokens have the id %d, one of them the added '%.40s'", path, id, content);
    v->token[id] = (CgText){ cg_arena_strdup(v->arena, content), strlen(content) };
    r->p->flags[id] = (uint8_t)(ADDED | (special ? SPECIAL : 0));
    if (r->end < 0 && looks_like_end(content))
        r->end = id;
    else if (r->marker < 0 && special)
        r->marker = id;
    a.text = v->token[id];
    if (normalized) {
        CgText made = cg_steps_normalize(r->p->normalizer, a.text);
        a.text = (CgText){ cg_arena_strndup(v->arena, made.at, made.len), made.len };
    }
    AddedSet *set = normalized ? &r->p->normalized : &r->p->raw;
    if (a.text.len)
        cg_vec_push(&set->tokens, a);
    return true;
}

/* What the file itself says of end, mark and the data it was trained on, where cg wrote it. */
static bool read_own(Reading *r)
{
    const json_t *own = json_object_get(r->file->model, "cg"), *end = json_object_get(own, "end"),
                 *marker = json_object_get(own, "mark");
    if (!own)
        return true;
    if (!json_is_integer(end) || !json_is_integer(marker) || json_integer_value(end) < 0
        || json_integer_value(marker) < 0 || json_integer_value(end) > r->most || json_integer_value(marker) > r->most)
        return cg_err(r->e, CG_ERR_INPUT, "'%s': 'cg' of the model says no 'end' and 'mark'", r->file->path);
    r->end = (int32_t)json_integer_value(end);
    r->marker = (int32_t)json_integer_value(marker);
    const json_t *reached = json_object_get(own, "reached"), *text;
    size_t i;
    r->reached = CG_NEWN(r->p->texts, const char *, json_array_size(reached) + 1);
    json_array_foreach(reached, i, text)
    {
        if (!json_is_string(text))
            return cg_err(r->e, CG_ERR_INPUT, "'%s': 'reached' of the model is no list of texts", r->file->path);
        r->reached[r->nreached++] = cg_arena_strndup(r->p->texts, json_string_value(text), json_string_length(text));
    }
    return !reached || json_is_array(reached)
        || cg_err(r->e, CG_ERR_INPUT, "'%s': 'reached' of the model is no list of texts", r->file->path);
}

static bool read_tokens(Reading *r)
{
    const json_t *added = json_object_get(r->file->root, "added_tokens"), *value;
    CgVocabulary *v = &r->p->vocabulary;
    size_t i;
    r->most = -1;
    if (added && !json_is_array(added))
        return cg_err(r->e, CG_ERR_INPUT, "'%s': 'added_tokens' is no list", r->file->path);
    if (!r->p->model->tokens(r->file->model, r->file->path, see_id, r, r->e))
        return false;
    json_array_foreach(added, i, value)
    {
        const json_t *id = json_object_get(value, "id");
        if (!see_id(r, cg_step_text(value, "content"), json_is_integer(id) ? json_integer_value(id) : -1))
            return false;
    }
    v->size = (int32_t)(r->most + 1);
    v->piece = CG_NEWN(v->arena, CgText, v->size + 1);
    v->token = CG_NEWN(v->arena, CgText, v->size + 1);
    r->p->flags = cg_calloc((size_t)v->size + 1, 1);
    r->p->piece[0] = cg_calloc((size_t)v->size + 1, sizeof(CgText));
    r->p->piece[1] = cg_calloc((size_t)v->size + 1, sizeof(CgText));
    if (!r->p->model->tokens(r->file->model, r->file->path, add_token, r, r->e))
        return false;
    json_array_foreach(added, i, value) if (!add_added(r, value)) return false;
    arrange(&r->p->raw);
    arrange(&r->p->normalized);
    return read_own(r);
}

/* ---- what is put around a text ---------------------------------------------------------------------------------- */

/* `name`: of what says it in the file. */
static bool put_around(Reading *r, bool behind, const json_t *id, const char *name)
{
    Pipeline *p = r->p;
    int *n = behind ? &p->nafter : &p->nbefore;
    if (!json_is_integer(id) || json_integer_value(id) < 0 || json_integer_value(id) > r->most || *n == MOST_AROUND)
        return cg_err(r->e, CG_ERR_INPUT, "'%s': the post_processor puts '%.40s' around a text, whose id is no token%s",
            r->file->path, name, *n == MOST_AROUND ? " or one too many" : "");
    (behind ? p->after : p->before)[(*n)++] = (int32_t)json_integer_value(id);
    return true;
}

static bool read_template(Reading *r, const json_t *step)
{
    const json_t *single = json_object_get(step, "single"), *tokens = json_object_get(step, "special_tokens"), *piece;
    size_t i, k;
    int texts = 0;
    json_array_foreach(single, i, piece)
    {
        const char *name = cg_step_text(json_object_get(piece, "SpecialToken"), "id");
        const json_t *ids = json_object_get(json_object_get(tokens, name), "ids"), *id;
        texts += json_is_object(json_object_get(piece, "Sequence"));
        if (json_is_object(json_object_get(piece, "Sequence")))
            continue;
        if (!json_array_size(ids))
            return cg_err(r->e, CG_ERR_INPUT, "'%s': 'special_tokens' of the post_processor has no ids of '%.40s'",
                r->file->path, name);
        json_array_foreach(ids, k, id) if (!put_around(r, texts > 0, id, name)) return false;
    }
    return texts == 1
        || cg_err(r->e, CG_ERR_INPUT, "'%s': 'single' of the post_processor has no place for one text", r->file->path);
}

static bool read_around(Reading *r, const json_t *step, int depth)
{
    const char *type = cg_step_text(step, "type");
    const json_t *each;
    size_t i;
    if (!step || json_is_null(step) || !strcmp(type, "ByteLevel"))
        return true;
    if (!strcmp(type, "Sequence") && depth < 8) {
        if (!json_is_array(json_object_get(step, "processors")))
            return cg_err(
                r->e, CG_ERR_INPUT, "'%s': the Sequence of 'post_processor' has no list 'processors'", r->file->path);
        json_array_foreach(
            json_object_get(step, "processors"), i, each) if (!read_around(r, each, depth + 1)) return false;
        return true;
    }
    if (r->p->nbefore + r->p->nafter)
        return cg_step_refuse(r->e, r->file->path, "a second post_processor that adds tokens,", type);
    if (!strcmp(type, "TemplateProcessing"))
        return read_template(r, step);
    if (!strcmp(type, "BertProcessing") || !strcmp(type, "RobertaProcessing"))
        return put_around(r, false, json_array_get(json_object_get(step, "cls"), 1), "cls")
            && put_around(r, true, json_array_get(json_object_get(step, "sep"), 1), "sep");
    cg_step_refuse(r->e, r->file->path, "the post_processor", *type ? type : "without type");
    cg_err_hint(r->e, "what is: Sequence, ByteLevel, TemplateProcessing, BertProcessing, RobertaProcessing");
    return false;
}

/* ---- the whole file --------------------------------------------------------------------------------------------- */

static bool check_fields(Reading *r)
{
    static const char bpe[] =
        " version added_tokens normalizer pre_tokenizer post_processor decoder model truncation padding ";
    const char *name;
    json_t *value;
    char word[64];
    json_object_foreach(r->file->root, name, value)
    {
        snprintf(word, sizeof word, " %.60s ", name);
        bool limits = !strcmp(name, "truncation") || !strcmp(name, "padding");
        if (!strstr(bpe, word) || (limits && !json_is_null(value)))
            return cg_step_refuse(r->e, r->file->path, "the field", name);
    }
    json_object_foreach(r->file->model, name, value)
    {
        snprintf(word, sizeof word, " %.60s ", name);
        if (!strstr(r->p->model->options, word) && strcmp(name, "type") && strcmp(name, "vocab") && strcmp(name, "cg"))
            return cg_step_refuse(r->e, r->file->path, "the option of the model,", name);
    }
    return true;
}

static bool read_file(Reading *r)
{
    const json_t *root = r->file->root;
    const char *path = r->file->path;
    Pipeline *p = r->p;
    p->normalizer = cg_normalizer_read(json_object_get(root, "normalizer"), path, r->e);
    p->splitter = p->normalizer ? cg_splitter_read(json_object_get(root, "pre_tokenizer"), path, r->e) : NULL;
    p->joiner = p->splitter ? cg_joiner_read(json_object_get(root, "decoder"), path, r->e) : NULL;
    if (!p->joiner || !check_fields(r))
        return false;
    p->joined = json_is_object(json_object_get(root, "decoder"));
    p->vocabulary.bytes = cg_steps_traits(p->splitter) & CG_STEP_BYTES;
    if (p->vocabulary.bytes && !(cg_steps_last(p->splitter) & CG_STEP_BYTES))
        return cg_step_refuse(r->e, path, "a pre_tokenizer behind", "ByteLevel");
    if (!read_tokens(r) || !read_around(r, json_object_get(root, "post_processor"), 0))
        return false;
    if (r->file->end) {
        r->end = cg_vocabulary_named(&p->vocabulary, r->file->end);
        if (r->end < 0)
            return cg_err(r->e, CG_ERR_INPUT, "'%s' has no token '%.60s' for an end", path, r->file->end);
    }
    bool outside = r->file->end_id >= p->vocabulary.size;
    if (r->file->end_id >= 0 && !outside)
        r->end = (int32_t)r->file->end_id;
    if (r->end < 0 || outside) {
        if (outside)
            cg_err(r->e, CG_ERR_INPUT, "'%s' has no token %lld for an end", path, (long long)r->file->end_id);
        else
            cg_err(r->e, CG_ERR_INPUT, "'%s': no added token is named like an end of text", path);
        cg_err_hint(r->e, "tokenizer(path, end_token = \"<|im_end|>\") says which one it is");
        return false;
    }
    r->marker = r->marker < 0 || r->marker == r->end ? r->end : r->marker;
    p->data = p->model->read(&p->vocabulary, r->file->model, r->e);
    return p->data != NULL;
}

CgTokenizer *cg_tokenizer_of_file(const CgTokenizerFile *file, const CgTokenModel *model, CgErr *e)
{
    Pipeline *p = cg_calloc(1, sizeof *p);
    Reading r = { .file = file, .p = p, .end = -1, .marker = -1, .e = e };
    p->kind = (CgTokenizerKind){ model->name, pipeline_encode, pipeline_decode, pipeline_free, pipeline_special };
    p->model = model;
    p->texts = cg_arena_new();
    p->vocabulary.arena = cg_arena_new();
    p->vocabulary.path = file->path;
    cg_byte_alphabet(r.byte_of);
    if (!read_file(&r)) {
        pipeline_clear(p);
        return NULL;
    }
    struct {
        CgDigest file;
        int64_t rule, end;
    } name = { file->digest, 5, r.end };
    CgTokenizer *t = cg_calloc(1, sizeof *t);
    *t = (CgTokenizer){ .kind = &p->kind,
        .size = p->vocabulary.size,
        .end = r.end,
        .marker = r.marker,
        .before = p->before,
        .after = p->after,
        .nbefore = p->nbefore,
        .nafter = p->nafter,
        .reached = r.reached,
        .nreached = r.nreached,
        .digest = cg_digest(&name, sizeof name),
        .data = p };
    return t;
}
