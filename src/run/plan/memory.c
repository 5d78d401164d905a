/* memory.c - where in the slab each buffer lies.
 * Takes buffers with lifetimes; gives offsets, 64-aligned, so that buffers alive together share no byte.
 * Must not move a buffer of the caller, and must not allocate the slab. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/machine.h"
#include "run/plan/inside.h"

#define LINE         64
/* Room kept after each buffer. Buffers of a power-of-two size would all start at one offset modulo 4 KiB,
 * where loads and stores of different buffers are mistaken for each other and fall into the same cache sets;
 * five lines spread them over thirteen places. The gap is also where the sentinels of a debug run stand. */
#define GAP(bytes)   ((bytes) >= 4096 ? 5 * LINE : LINE)
#define SORTED_LIMIT 6000 /* largest-first looks at all pairs; with more buffers only the one-pass way is tried */

size_t cg_plan_room(const CgBuffer *b)
{
    if (b->pinned)
        return (b->bytes + LINE - 1) / LINE * LINE;
    return (b->bytes + (size_t)GAP(b->bytes) + LINE - 1) / LINE * LINE;
}

typedef struct Item {
    int buffer;
    size_t size;
    int first, last;
    size_t offset;
} Item;

static int by_size(const void *a, const void *b)
{
    const Item *x = a, *y = b;
    if (x->size != y->size)
        return x->size > y->size ? -1 : 1;
    int dx = x->last - x->first, dy = y->last - y->first;
    if (dx != dy)
        return dx > dy ? -1 : 1;
    return x->buffer - y->buffer;
}

static int by_first(const void *a, const void *b)
{
    const Item *x = a, *y = b;
    if (x->first != y->first)
        return x->first - y->first;
    return x->size != y->size ? (x->size > y->size ? -1 : 1) : x->buffer - y->buffer;
}

static int by_offset(const void *a, const void *b)
{
    const Item *x = a, *y = b;
    return x->offset < y->offset ? -1 : x->offset > y->offset;
}

/* Largest first, each into the smallest hole among those it lives with; the first `pinned` stay where they are. Returns
 * the height. */
static size_t pack_largest_first(Item *item, int n, int pinned)
{
    qsort(item, (size_t)pinned, sizeof *item, by_offset);
    qsort(item + pinned, (size_t)(n - pinned), sizeof *item, by_size);
    Item **placed = cg_malloc((size_t)n * sizeof(Item *)); /* sorted by offset */
    size_t height = pinned ? item[pinned - 1].offset + item[pinned - 1].size : 0;
    for (int i = 0; i < pinned; i++)
        placed[i] = &item[i];
    for (int i = pinned; i < n; i++) {
        Item *it = &item[i];
        size_t end = 0, best = SIZE_MAX, best_room = SIZE_MAX;
        for (int j = 0; j < i; j++) {
            const Item *p = placed[j];
            if (p->last < it->first || it->last < p->first)
                continue;
            if (p->offset > end && p->offset - end >= it->size && p->offset - end < best_room) {
                best = end;
                best_room = p->offset - end;
            }
            if (p->offset + p->size > end)
                end = p->offset + p->size;
        }
        it->offset = best != SIZE_MAX ? best : end;
        if (it->offset + it->size > height)
            height = it->offset + it->size;
        int at = i;
        for (; at > 0 && placed[at - 1]->offset > it->offset; at--)
            placed[at] = placed[at - 1];
        placed[at] = it;
    }
    free(placed);
    return height;
}

typedef struct Hole {
    size_t start, end;
} Hole;
typedef CG_VEC(Hole) Holes;

static void give_back(Holes *h, size_t start, size_t end)
{
    size_t i = 0;
    while (i < h->len && h->at[i].start < start)
        i++;
    bool left = i > 0 && h->at[i - 1].end == start, right = i < h->len && h->at[i].start == end;
    if (left && right) {
        h->at[i - 1].end = h->at[i].end;
        memmove(h->at + i, h->at + i + 1, (h->len - i - 1) * sizeof(Hole));
        h->len--;
    } else if (left) {
        h->at[i - 1].end = end;
    } else if (right) {
        h->at[i].start = start;
    } else {
        cg_vec_push(h, (Hole){ 0, 0 });
        memmove(h->at + i + 1, h->at + i, (h->len - i - 1) * sizeof(Hole));
        h->at[i] = (Hole){ start, end };
    }
}

static int by_last(const void *a, const void *b)
{
    const Item *x = *(Item *const *)a, *y = *(Item *const *)b;
    return x->last != y->last ? x->last - y->last : x->buffer - y->buffer;
}

/* In the order of the schedule, as an allocator would at run time: best fit, else at the top; from `bottom` upwards. */
static size_t pack_in_order(Item *item, int n, size_t bottom)
{
    qsort(item, (size_t)n, sizeof *item, by_first);
    Item **dying = cg_malloc((size_t)n * sizeof(Item *));
    for (int i = 0; i < n; i++)
        dying[i] = &item[i];
    qsort(dying, (size_t)n, sizeof(Item *), by_last);
    Holes holes = { 0 };
    size_t height = bottom;
    int dead = 0;
    for (int i = 0; i < n; i++) {
        for (; dead < n && dying[dead]->last < item[i].first; dead++)
            give_back(&holes, dying[dead]->offset, dying[dead]->offset + dying[dead]->size);
        size_t best = SIZE_MAX, room = SIZE_MAX;
        for (size_t h = 0; h < holes.len; h++) {
            size_t size = holes.at[h].end - holes.at[h].start;
            if (size >= item[i].size && size < room) {
                best = h;
                room = size;
            }
        }
        if (best != SIZE_MAX) {
            item[i].offset = holes.at[best].start;
            holes.at[best].start += item[i].size;
            if (holes.at[best].start == holes.at[best].end) {
                memmove(holes.at + best, holes.at + best + 1, (holes.len - best - 1) * sizeof(Hole));
                holes.len--;
            }
        } else if (holes.len > 0 && holes.at[holes.len - 1].end == height) {
            item[i].offset = holes.at[--holes.len].start; /* the hole below the top grows upwards */
            height = item[i].offset + item[i].size;
        } else {
            item[i].offset = height;
            height += item[i].size;
        }
    }
    cg_vec_free(&holes);
    free(dying);
    return height;
}

/* Most bytes alive at one instruction: the bound no placing can beat. */
static size_t most_live(const Item *item, int n, int count)
{
    size_t *begin = cg_calloc((size_t)count + 2, sizeof *begin), *end = cg_calloc((size_t)count + 2, sizeof *end);
    for (int i = 0; i < n; i++) {
        begin[item[i].first] += item[i].size;
        end[item[i].last + 1] += item[i].size;
    }
    size_t live = 0, most = 0;
    for (int i = 0; i <= count; i++) {
        live += begin[i] - end[i];
        if (live > most)
            most = live;
    }
    free(begin);
    free(end);
    return most;
}

bool cg_plan_assign_offsets(CgPlan *p)
{
    Item *item = cg_calloc(p->buffers.len, sizeof *item);
    int n = 0, pinned = 0;
    size_t total = 0, block = 0;
    for (size_t i = 0; i < p->buffers.len; i++) {
        const CgBuffer *b = &p->buffers.at[i];
        if (b->storage != CG_AT_SLAB || b->last < b->first)
            continue;
        size_t size;
        if (__builtin_add_overflow(b->bytes, (size_t)GAP(b->bytes) + LINE - 1, &size)
            || __builtin_add_overflow(total, size, &total)) {
            free(item);
            return false;
        }
        item[n++] = (Item){
            .buffer = (int)i, .size = cg_plan_room(b), .first = b->first, .last = b->last, .offset = b->offset
        };
        if (!b->pinned)
            continue;
        if (b->offset + item[n - 1].size > block)
            block = b->offset + item[n - 1].size;
        Item swap = item[pinned];
        item[pinned++] = item[n - 1];
        item[n - 1] = swap;
    }
    p->live = most_live(item, n, (int)p->instrs.len);
    p->slab = pack_in_order(item + pinned, n - pinned, block); /* nothing in the block */
    if (p->slab > p->live && n <= SORTED_LIMIT) {
        Item *other = cg_malloc((size_t)(n ? n : 1) * sizeof *other);
        memcpy(other, item, (size_t)n * sizeof *other);
        size_t height = pack_largest_first(other, n, pinned);
        if (height < p->slab) {
            p->slab = height;
            memcpy(item, other, (size_t)n * sizeof *other);
        }
        free(other);
    }
    for (int i = 0; i < n; i++)
        p->buffers.at[item[i].buffer].offset = item[i].offset;
    free(item);
    return true;
}

/* The largest results, with their places, as one line. */
static void describe_largest(const CgPlan *p, char *out, size_t room)
{
    size_t below = SIZE_MAX, at = 0;
    for (int shown = 0; shown < 3; shown++) {
        const CgInstr *largest = NULL;
        size_t bytes = 0;
        for (size_t i = 0; i < p->instrs.len; i++) {
            const CgInstr *in = &p->instrs.at[i];
            const CgBuffer *b = &p->buffers.at[in->out[0].buffer];
            if (b->storage == CG_AT_SLAB && b->bytes > bytes && b->bytes < below) {
                bytes = b->bytes;
                largest = in;
            }
        }
        if (!largest)
            return;
        char size[24], where[160] = "";
        if (largest->node != CG_NONE)
            cg_plan_where(p->options.sources, cg_node(p->graph, largest->node)->span, where);
        int n = snprintf(out + at, room - at, "%s%s %s%s%s", at ? ", " : "", largest->op->name,
            cg_plan_bytes(bytes, size), *where ? " at " : "", where);
        if (n < 0 || (size_t)n >= room - at)
            return;
        at += (size_t)n;
        below = bytes;
    }
}

/* An output that is one number repeated takes no room here, but all of it wherever it goes. */
static bool outputs_fit(const CgPlan *p, size_t available, CgErr *e)
{
    char need[24], have[24];
    for (size_t i = 0; i < p->graph->outputs.len; i++) {
        const CgTensor *t = &cg_plan_output(p, (int)i)->tensor;
        size_t bytes = (size_t)cg_tensor_count(t) * cg_dtype_size(t->dtype);
        bool repeated = false;
        for (int k = 0; k < t->rank; k++)
            repeated |= t->dim[k] > 1 && t->stride[k] == 0;
        if (repeated && bytes > available)
            return cg_err(e, CG_ERR_MEMORY, "result '%s' takes %s of memory, %s are free", p->graph->outputs.at[i].name,
                cg_plan_bytes(bytes, need), cg_plan_bytes(available, have));
    }
    return true;
}

bool cg_plan_fits(const CgPlan *p, CgErr *e)
{
    size_t available = cg_machine_memory();
    if (p->slab <= available)
        return outputs_fit(p, available, e);
    char need[24], have[24], largest[320] = "";
    describe_largest(p, largest, sizeof largest);
    cg_err(e, CG_ERR_MEMORY, "running graph '%s' takes %s of memory, %s are free; the largest tensors: %s",
        p->graph->name ? p->graph->name : "", cg_plan_bytes(p->slab, need), cg_plan_bytes(available, have), largest);
    cg_err_hint(e, "use a smaller batch or length, or `recompute` around the layers");
    return false;
}
