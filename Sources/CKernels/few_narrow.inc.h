// linear_few for registers of eight floats. Sixteen of them hold the sums of two rows of x by three rows of the weight. Both factors
// are read in blocks of FEW_DEPTH elements, so that they stay in near caches; the sums of a block are kept in memory until the next
// one. Every sum has the order of few_sums, whatever the blocks are.
//
// Macros: FEW_TILE(ROWS) defines few_ROWS, which multiplies ROWS rows of x by FEW_COLUMNS rows of the weight. FEW(ROWS, FETCH) calls
// it with the variables of the loop and FETCH, a constant number of columns to prefetch.

typedef float v8 __attribute__((vector_size(32)));
typedef float v8u __attribute__((vector_size(32), aligned(4), may_alias));
typedef struct { v8 half[2]; } few_sum; // a vector of sixteen sums. The halves are separate, so that a tile works on one at a time

#define FEW_COLUMNS 3

// out[i, j] = x[i] · w[j] for ROWS rows and FEW_COLUMNS columns. Adds elements from `from` to `to` to the sums in `kept`, and
// finishes them if `to` is k. `w` has the elements from `from` on; its rows are w_row apart. Meanwhile prefetches `fetch` columns, a
// constant, of a weight whose rows are k apart, from `later`.
#define FEW_TILE(ROWS)                                                                                               \
    INLINE void few_##ROWS(size_t from, size_t to, size_t k, const float *x, size_t x_stride, const float *w, size_t w_row, \
                           const float *later, size_t fetch, few_sum (*kept)[FEW_COLUMNS], float *out, size_t out_stride) { \
        few_sum acc[ROWS][FEW_COLUMNS];                                                                              \
        _Pragma("unroll") for (int r = 0; r < ROWS; r++)                                                             \
            _Pragma("unroll") for (int c = 0; c < FEW_COLUMNS; c++) acc[r][c] = from ? kept[r][c] : (few_sum){0};    \
        size_t p = from;                                                                                             \
        for (; p + 16 <= to; p += 16) {                                                                              \
            _Pragma("unroll") for (size_t c = 0; c < fetch; c++) __builtin_prefetch(later + c * k + p, 0, 2);        \
            _Pragma("unroll") for (int h = 0; h < 2; h++) {                                                          \
                v8 a[ROWS];                                                                                          \
                _Pragma("unroll") for (int r = 0; r < ROWS; r++) a[r] = *(const v8u *)(x + r * x_stride + p + 8 * h); \
                _Pragma("unroll") for (int c = 0; c < FEW_COLUMNS; c++) {                                            \
                    v8 b = *(const v8u *)(w + c * w_row + (p - from) + 8 * h);                                       \
                    _Pragma("unroll") for (int r = 0; r < ROWS; r++) acc[r][c].half[h] += a[r] * b;                  \
                }                                                                                                    \
            }                                                                                                        \
        }                                                                                                            \
        if (to < k) {                                                                                                \
            _Pragma("unroll") for (int r = 0; r < ROWS; r++)                                                         \
                _Pragma("unroll") for (int c = 0; c < FEW_COLUMNS; c++) kept[r][c] = acc[r][c];                      \
            return;                                                                                                  \
        }                                                                                                            \
        _Pragma("unroll") for (int r = 0; r < ROWS; r++) {                                                           \
            float *o = out + r * out_stride, sums[FEW_N];                                                            \
            v16 whole[FEW_N] = {0};                                                                                  \
            _Pragma("unroll") for (int c = 0; c < FEW_COLUMNS; c++) memcpy(&whole[c], &acc[r][c], sizeof whole[c]);  \
            few_sums(whole, sums);                                                                                   \
            _Pragma("unroll") for (int c = 0; c < FEW_COLUMNS; c++) o[c] = sums[c];                                  \
            for (size_t q = p; q < k; q++)                                                                           \
                for (int c = 0; c < FEW_COLUMNS; c++) o[c] += x[r * x_stride + q] * w[c * w_row + (q - from)];       \
        }                                                                                                            \
    }
FEW_TILE(1)
FEW_TILE(2)
#define FEW(ROWS, FETCH) \
    few_##ROWS(from, to, k, x + i * x_stride, x_stride, column + from, k, later, FETCH, kept + i, out + i * out_stride + j, out_stride)

// At most FEW_MOST rows. Each pair of rows prefetches its share of the columns two tiles ahead.
static void few_rows(size_t m, size_t n, size_t k, const float *x, size_t x_stride, const float *w, float *out, size_t out_stride) {
    few_sum kept[FEW_MOST][FEW_COLUMNS];
    size_t j = 0, groups = m / 2, share = groups ? (FEW_COLUMNS + groups - 1) / groups : FEW_COLUMNS;
    size_t step = m > 2 ? FEW_DEPTH : k;
    for (; j + FEW_COLUMNS <= n; j += FEW_COLUMNS) {
        const float *column = w + j * k;
        size_t from = 0;
        do {
            size_t to = k - from < step ? k : from + step, i = 0, left = j + 3 * FEW_COLUMNS <= n ? FEW_COLUMNS : 0;
            const float *later = column + 2 * FEW_COLUMNS * k;
            for (; i + 2 <= m; i += 2) {
                size_t fetch = left < share ? left : share;
                switch (fetch) {
                case 0: FEW(2, 0); break;
                case 1: FEW(2, 1); break;
                case 2: FEW(2, 2); break;
                default: FEW(2, FEW_COLUMNS);
                }
                later += fetch * k;
                left -= fetch;
            }
            if (i < m) {
                if (left) FEW(1, FEW_COLUMNS); else FEW(1, 0);
            }
            from = to;
        } while (from < k);
    }
    few_rest(j, m, n, k, x, x_stride, w, out, out_stride);
}

static void linear_few(size_t m, size_t n, size_t k, const float *x, size_t x_stride, const float *w, float *out, size_t out_stride) {
    for (size_t i = 0; i < m; i += FEW_MOST)
        few_rows(m - i < FEW_MOST ? m - i : FEW_MOST, n, k, x + i * x_stride, x_stride, w, out + i * out_stride, out_stride);
}
