// Linear layers for a few rows, as in decoding: out[i, j] = x[i] · w[j]. The weights are read once and are not packed.
// The kernel here is for registers of 16 floats; few_narrow.inc.h has the one for others. few_q8.inc.h has weights in blocks of 8-bit
// integers.
//
// Macros: FEW_TILE(ROWS) defines few_ROWS, which multiplies ROWS rows of x by FEW_COLUMNS rows of the weight in registers.
// FEW_ROWS is the largest ROWS, FEW_N the number of vectors that few_sums reduces at once, FEW_WHOLE the number of columns that
// few_sums handles. FEW(ROWS, FETCH) calls few_ROWS with the variables of the loop and FETCH, a constant number of columns to
// prefetch. FEW_DEPTH is the depth of a block, and FEW_MOST the number of rows for which sums are kept between blocks.

#define FEW_N 4
// The sums of four vectors at once, each in the order of sum_of, so that the result of a row does not depend on other rows.
INLINE void few_sums(const v16 *v, float *out) {
    v16 ab = __builtin_shufflevector(v[0], v[1], 0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23)
             + __builtin_shufflevector(v[0], v[1], 8, 9, 10, 11, 12, 13, 14, 15, 24, 25, 26, 27, 28, 29, 30, 31);
    v16 cd = __builtin_shufflevector(v[2], v[3], 0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23)
             + __builtin_shufflevector(v[2], v[3], 8, 9, 10, 11, 12, 13, 14, 15, 24, 25, 26, 27, 28, 29, 30, 31);
    v16 t = __builtin_shufflevector(ab, cd, 0, 1, 2, 3, 8, 9, 10, 11, 16, 17, 18, 19, 24, 25, 26, 27)
            + __builtin_shufflevector(ab, cd, 4, 5, 6, 7, 12, 13, 14, 15, 20, 21, 22, 23, 28, 29, 30, 31);
    t += __builtin_shufflevector(t, t, 2, 3, 0, 1, 6, 7, 4, 5, 10, 11, 8, 9, 14, 15, 12, 13);
    t += __builtin_shufflevector(t, t, 1, 0, 3, 2, 5, 4, 7, 6, 9, 8, 11, 10, 13, 12, 15, 14);
    for (int i = 0; i < 4; i++) out[i] = t[4 * i];
}

// The columns from j on, which are fewer than a tile has.
INLINE void few_rest(size_t j, size_t m, size_t n, size_t k, const float *x, size_t x_stride, const float *w, float *out,
                     size_t out_stride) {
    for (; j < n; j++)
        for (size_t i = 0; i < m; i++) {
            v16 acc = {0};
            size_t p = 0;
            for (; p + 16 <= k; p += 16) acc += load(x + i * x_stride + p) * load(w + j * k + p);
            float s = sum_of(acc);
            for (; p < k; p++) s += x[i * x_stride + p] * w[j * k + p];
            out[i * out_stride + j] = s;
        }
}

#define FEW_DEPTH 1024 // a multiple of 32
#define FEW_MOST 48

#if SWK_WIDE
typedef v16 few_sum; // sixteen sums
#define FEW_COLUMNS 6
#define FEW_WHOLE (FEW_COLUMNS / FEW_N * FEW_N) // columns that few_sums handles

// out[i, j] = x[i] · w[j] for ROWS rows and FEW_COLUMNS columns. Adds elements from `from` to `to` to the sums in `kept`, and
// finishes them if `to` is k. `w` has the elements from `from` on; its rows are w_row apart. Meanwhile prefetches `fetch` columns, a
// constant, of a weight whose rows are k apart, from `later`.
#define FEW_TILE(ROWS)                                                                                               \
    INLINE void few_##ROWS(size_t from, size_t to, size_t k, const float *x, size_t x_stride, const float *w, size_t w_row, \
                           const float *later, size_t fetch, few_sum (*kept)[FEW_COLUMNS], float *out, size_t out_stride) { \
        v16 acc[ROWS][FEW_COLUMNS];                                                                                  \
        _Pragma("unroll") for (int r = 0; r < ROWS; r++)                                                             \
            _Pragma("unroll") for (int c = 0; c < FEW_COLUMNS; c++) acc[r][c] = from ? kept[r][c] : all(0.0f);       \
        size_t p = from;                                                                                             \
        for (; p + 16 <= to; p += 16) {                                                                              \
            v16 a[ROWS];                                                                                             \
            _Pragma("unroll") for (int r = 0; r < ROWS; r++) a[r] = load(x + r * x_stride + p);                      \
            _Pragma("unroll") for (size_t c = 0; c < fetch; c++) __builtin_prefetch(later + c * k + p, 0, 2);        \
            _Pragma("unroll") for (int c = 0; c < FEW_COLUMNS; c++) {                                                \
                v16 b = load(w + c * w_row + (p - from));                                                            \
                _Pragma("unroll") for (int r = 0; r < ROWS; r++) acc[r][c] += a[r] * b;                              \
            }                                                                                                        \
        }                                                                                                            \
        if (to < k) {                                                                                                \
            _Pragma("unroll") for (int r = 0; r < ROWS; r++)                                                         \
                _Pragma("unroll") for (int c = 0; c < FEW_COLUMNS; c++) kept[r][c] = acc[r][c];                      \
            return;                                                                                                  \
        }                                                                                                            \
        _Pragma("unroll") for (int r = 0; r < ROWS; r++) {                                                           \
            float *o = out + r * out_stride;                                                                         \
            _Pragma("unroll") for (int c = 0; c < FEW_WHOLE; c += FEW_N) few_sums(acc[r] + c, o + c);                \
            _Pragma("unroll") for (int c = FEW_WHOLE; c < FEW_COLUMNS; c++) o[c] = sum_of(acc[r][c]);                \
            for (size_t q = p; q < k; q++)                                                                           \
                for (int c = 0; c < FEW_COLUMNS; c++) o[c] += x[r * x_stride + q] * w[c * w_row + (q - from)];       \
        }                                                                                                            \
    }
FEW_TILE(1)
FEW_TILE(2)
FEW_TILE(4)
#define FEW_ROWS 4
#define FEW(ROWS, FETCH) \
    few_##ROWS(0, k, k, x + i * x_stride, x_stride, column, k, later, FETCH, NULL, out + i * out_stride + j, out_stride)

static void linear_few(size_t m, size_t n, size_t k, const float *x, size_t x_stride, const float *w, float *out,
                       size_t out_stride) {
    size_t j = 0;
    // Each group of rows prefetches its share of the columns two tiles ahead, which spreads the memory accesses evenly over the
    // groups.
    size_t groups = m / FEW_ROWS, share = groups ? (FEW_COLUMNS + groups - 1) / groups : FEW_COLUMNS;
    for (; j + FEW_COLUMNS <= n; j += FEW_COLUMNS) {
        const float *column = w + j * k, *later = column + 2 * FEW_COLUMNS * k;
        size_t i = 0, left = j + 3 * FEW_COLUMNS <= n ? FEW_COLUMNS : 0;
        for (; i + FEW_ROWS <= m; i += FEW_ROWS) {
            size_t fetch = left < share ? left : share;
            switch (fetch) {
            case 0: FEW(4, 0); break;
            case 1: FEW(4, 1); break;
            case 2: FEW(4, 2); break;
            case 3: FEW(4, 3); break;
            default: FEW(4, FEW_COLUMNS);
            }
            later += fetch * k;
            left -= fetch;
        }
        if (i + 2 <= m) {
            if (left) FEW(2, FEW_COLUMNS); else FEW(2, 0);
            left = 0;
            i += 2;
        }
        if (i < m) {
            if (left) FEW(1, FEW_COLUMNS); else FEW(1, 0);
        }
    }
    few_rest(j, m, n, k, x, x_stride, w, out, out_stride);
}
#else
#include "few_narrow.inc.h"
#endif
#include "few_q8.inc.h"
