// Linear layers for a few rows whose weight is in blocks of 8-bit integers (q8.inc.h): out[i, j] = x[i] · w[j], with the bits that
// linear_few gives for the same numbers as floats. Rows of the weight are whole blocks. The integers are widened where they are
// multiplied, so that memory is read at full speed. Registers of 16 floats take few rows of x directly. For others, a block of
// columns and depth is widened once into the first-level cache, for all rows.
//
// Macros: Q8_TILE(ROWS) defines q8_few_ROWS, which multiplies ROWS rows of x by Q8_COLUMNS rows of the weight in registers;
// Q8_FEW(ROWS, FETCH) calls it with the variables of the loop. Q8_PASSES is the number of rows up to which that is faster.
// Q8_FEW_KEPT(ROWS) calls few_ROWS (few.inc.h, few_narrow.inc.h) with those of the other loop.

// The columns from j on, which are fewer than a tile has.
INLINE void q8_few_rest(size_t j, size_t m, size_t n, size_t k, const float *x, size_t x_stride, const uint8_t *w, float *out,
                        size_t out_stride) {
    for (; j < n; j++)
        for (size_t i = 0; i < m; i++) {
            const uint8_t *block = w + j * (k / Q8_COUNT * Q8_BYTES);
            v16 acc = {0};
            for (size_t p = 0; p < k; p += Q8_COUNT, block += Q8_BYTES) {
                v16 scale = scale_of(block);
                acc += load(x + i * x_stride + p) * sixteen_of(block + 2, scale);
                acc += load(x + i * x_stride + p + 16) * sixteen_of(block + 18, scale);
            }
            out[i * out_stride + j] = sum_of(acc);
        }
}

#if SWK_WIDE
#define Q8_COLUMNS 4 // as many as few_sums takes
#define Q8_PASSES 8

// out[i, j] = x[i] · w[j] for ROWS rows and Q8_COLUMNS columns. Meanwhile prefetches `fetch` columns, a constant, from `later`.
#define Q8_TILE(ROWS)                                                                                                \
    INLINE void q8_few_##ROWS(size_t k, const float *x, size_t x_stride, const uint8_t *w, const uint8_t *later, size_t fetch, \
                              float *out, size_t out_stride) {                                                       \
        size_t w_row = k / Q8_COUNT * Q8_BYTES;                                                                      \
        v16 acc[ROWS][Q8_COLUMNS] = {0};                                                                             \
        for (size_t p = 0; p < k; p += Q8_COUNT, w += Q8_BYTES, later += Q8_BYTES) {                                 \
            v16 low[ROWS], high[ROWS];                                                                               \
            _Pragma("unroll") for (int r = 0; r < ROWS; r++) {                                                       \
                low[r] = load(x + r * x_stride + p);                                                                 \
                high[r] = load(x + r * x_stride + p + 16);                                                           \
            }                                                                                                        \
            _Pragma("unroll") for (size_t c = 0; c < fetch; c++) __builtin_prefetch(later + c * w_row, 0, 2);        \
            _Pragma("unroll") for (int c = 0; c < Q8_COLUMNS; c++) {                                                 \
                const uint8_t *block = w + c * w_row;                                                                \
                v16 scale = scale_of(block), b = sixteen_of(block + 2, scale);                                       \
                _Pragma("unroll") for (int r = 0; r < ROWS; r++) acc[r][c] += low[r] * b;                            \
                b = sixteen_of(block + 18, scale);                                                                   \
                _Pragma("unroll") for (int r = 0; r < ROWS; r++) acc[r][c] += high[r] * b;                           \
            }                                                                                                        \
        }                                                                                                            \
        _Pragma("unroll") for (int r = 0; r < ROWS; r++) few_sums(acc[r], out + r * out_stride);                     \
    }
Q8_TILE(1)
Q8_TILE(2)
Q8_TILE(4)
#define Q8_FEW(ROWS, FETCH) q8_few_##ROWS(k, x + i * x_stride, x_stride, column, later, FETCH, out + i * out_stride + j, out_stride)

// At most Q8_PASSES rows. Each group of rows prefetches its share of the next columns.
static void q8_passes(size_t m, size_t n, size_t k, const float *x, size_t x_stride, const uint8_t *w, float *out, size_t out_stride) {
    size_t row = k / Q8_COUNT * Q8_BYTES, j = 0;
    for (; j + Q8_COLUMNS <= n; j += Q8_COLUMNS) {
        const uint8_t *column = w + j * row, *later = column + Q8_COLUMNS * row;
        size_t i = 0;
        if (m == Q8_PASSES) {
            Q8_FEW(4, 2);
            later += 2 * row, i += 4;
            Q8_FEW(4, 2);
            continue;
        }
        if (m >= 4) { Q8_FEW(4, Q8_COLUMNS); i += 4; }
        if (m - i >= 2) {
            if (i) Q8_FEW(2, 0); else Q8_FEW(2, Q8_COLUMNS);
            i += 2;
        }
        if (i < m) {
            if (i) Q8_FEW(1, 0); else Q8_FEW(1, Q8_COLUMNS);
        }
    }
    q8_few_rest(j, m, n, k, x, x_stride, w, out, out_stride);
}
#endif

// Widens `count` numbers, whole blocks, of FEW_COLUMNS rows that are `row` bytes apart, and prefetches the same numbers of the next
// columns.
INLINE void q8_block(size_t count, const uint8_t *blocks, size_t row, float *out) {
    for (size_t p = 0; p < count; p += Q8_COUNT, blocks += Q8_BYTES)
        _Pragma("unroll") for (int c = 0; c < FEW_COLUMNS; c++) {
            const uint8_t *block = blocks + c * row;
            __builtin_prefetch(block + FEW_COLUMNS * row, 0, 2);
            v16 scale = scale_of(block);
            store(out + c * FEW_DEPTH + p, sixteen_of(block + 2, scale));
            store(out + c * FEW_DEPTH + p + 16, sixteen_of(block + 18, scale));
        }
}

// At most FEW_MOST rows.
#define Q8_FEW_KEPT(ROWS) \
    few_##ROWS(from, to, k, x + i * x_stride, x_stride, wide, FEW_DEPTH, NULL, 0, kept + i, out + i * out_stride + j, out_stride)
static void q8_few_rows(size_t m, size_t n, size_t k, const float *x, size_t x_stride, const uint8_t *w, float *out, size_t out_stride) {
    _Alignas(64) float wide[FEW_COLUMNS * FEW_DEPTH];
    few_sum kept[FEW_MOST][FEW_COLUMNS];
    size_t row = k / Q8_COUNT * Q8_BYTES, j = 0;
    for (; j + FEW_COLUMNS <= n; j += FEW_COLUMNS)
        for (size_t from = 0, to; from < k; from = to) {
            size_t i = 0;
            to = k - from < FEW_DEPTH ? k : from + FEW_DEPTH;
            q8_block(to - from, w + j * row + from / Q8_COUNT * Q8_BYTES, row, wide);
#if SWK_WIDE
            for (; i + 4 <= m; i += 4) Q8_FEW_KEPT(4);
#endif
            for (; i + 2 <= m; i += 2) Q8_FEW_KEPT(2);
            if (i < m) Q8_FEW_KEPT(1);
        }
    q8_few_rest(j, m, n, k, x, x_stride, w, out, out_stride);
}

static void q8_linear_few(size_t m, size_t n, size_t k, const float *x, size_t x_stride, const uint8_t *blocks, float *out,
                          size_t out_stride) {
#if SWK_WIDE
    if (m <= Q8_PASSES) {
        q8_passes(m, n, k, x, x_stride, blocks, out, out_stride);
        return;
    }
#endif
    for (size_t i = 0; i < m; i += FEW_MOST)
        q8_few_rows(m - i < FEW_MOST ? m - i : FEW_MOST, n, k, x + i * x_stride, x_stride, blocks, out + i * out_stride, out_stride);
}
