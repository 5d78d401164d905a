/* vec.h - growable arrays.
 * Takes a type; gives {at, len, cap}. Owned by whoever declares it; cg_vec_free gives the memory back. */
#ifndef CG_VEC_H
#define CG_VEC_H
#include <stdlib.h>
#include "base/base.h"

#define CG_VEC(Type)     \
    struct {             \
        Type *at;        \
        size_t len, cap; \
    }
#define cg_vec_reserve(v, n)                                                                          \
    do {                                                                                              \
        if ((v)->cap < (size_t)(n)) {                                                                 \
            (v)->cap = (size_t)(n) < 2 * (v)->cap ? 2 * (v)->cap : (size_t)(n) < 8 ? 8 : (size_t)(n); \
            (v)->at = cg_realloc((v)->at, (v)->cap * sizeof *(v)->at);                                \
        }                                                                                             \
    } while (0)
#define cg_vec_push(v, ...)                  \
    do {                                     \
        cg_vec_reserve((v), (v)->len + 1);   \
        (v)->at[(v)->len++] = (__VA_ARGS__); \
    } while (0)
#define cg_vec_free(v)           \
    do {                         \
        free((v)->at);           \
        (v)->at = NULL;          \
        (v)->len = (v)->cap = 0; \
    } while (0)
#endif
