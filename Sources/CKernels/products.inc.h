// Small matrix products that stay in registers: the tiles of attention, and linear layers for a few rows.

INLINE v16 load_first(const float *p, size_t n) { return n == 16 ? load(p) : load_part(p, n); }
INLINE void store_first(float *p, v16 v, size_t n) {
    if (n == 16) store(p, v); else store_part(p, v, n);
}

// C[rows, 16*(vectors-1) + last] (+)= A · B, with A[i, p] = a[i*a_row + p*a_col] and B row-major with stride b_row. `last` is
// how much of the last vector is there: 16, a constant that leaves no mask in the code, or less.
#define TILE(ROWS, VECTORS)                                                                                       \
    INLINE void tile_##ROWS##_##VECTORS(size_t last, size_t depth, const float *a, size_t a_row, size_t a_col,    \
                                        const float *b, size_t b_row, float *c, size_t c_row, int accumulate) {   \
        v16 acc[ROWS][VECTORS];                                                                                   \
        _Pragma("unroll") for (int i = 0; i < ROWS; i++)                                                          \
            _Pragma("unroll") for (int j = 0; j < VECTORS; j++)                                                   \
                acc[i][j] = accumulate ? load_first(c + i * c_row + 16 * j, j + 1 < VECTORS ? 16 : last) : all(0.0f); \
        for (size_t p = 0; p < depth; p++) {                                                                      \
            v16 row[VECTORS];                                                                                     \
            _Pragma("unroll") for (int j = 0; j < VECTORS; j++)                                                   \
                row[j] = load_first(b + p * b_row + 16 * j, j + 1 < VECTORS ? 16 : last);                         \
            _Pragma("unroll") for (int i = 0; i < ROWS; i++) {                                                    \
                v16 x = all(a[i * a_row + p * a_col]);                                                            \
                _Pragma("unroll") for (int j = 0; j < VECTORS; j++) acc[i][j] += x * row[j];                      \
            }                                                                                                     \
        }                                                                                                         \
        _Pragma("unroll") for (int i = 0; i < ROWS; i++)                                                          \
            _Pragma("unroll") for (int j = 0; j < VECTORS; j++)                                                   \
                store_first(c + i * c_row + 16 * j, acc[i][j], j + 1 < VECTORS ? 16 : last);                      \
    }

// All rows of one strip of columns, ROWS at a time.
#define STRIP(ROWS, VECTORS)                                                                                      \
    TILE(ROWS, VECTORS)                                                                                           \
    TILE(1, VECTORS)                                                                                              \
    INLINE void strip_of_##VECTORS(size_t last, size_t m, size_t depth, const float *a, size_t a_row, size_t a_col, \
                                   const float *b, size_t b_row, float *c, size_t c_row, int accumulate) {        \
        size_t i = 0;                                                                                             \
        for (; i + ROWS <= m; i += ROWS)                                                                          \
            tile_##ROWS##_##VECTORS(last, depth, a + i * a_row, a_row, a_col, b, b_row, c + i * c_row, c_row, accumulate); \
        for (; i < m; i++)                                                                                        \
            tile_1_##VECTORS(last, depth, a + i * a_row, a_row, a_col, b, b_row, c + i * c_row, c_row, accumulate); \
    }                                                                                                             \
    static void strip_##VECTORS(size_t last, size_t m, size_t depth, const float *a, size_t a_row, size_t a_col,  \
                                const float *b, size_t b_row, float *c, size_t c_row, int accumulate) {           \
        if (last == 16) strip_of_##VECTORS(16, m, depth, a, a_row, a_col, b, b_row, c, c_row, accumulate);        \
        else strip_of_##VECTORS(last, m, depth, a, a_row, a_col, b, b_row, c, c_row, accumulate);                 \
    }

#if SWK_WIDE
#define STRIP_VECTORS 4
STRIP(8, 1)
STRIP(6, 2)
STRIP(6, 3)
STRIP(6, 4)
#else
#define STRIP_VECTORS 1
STRIP(4, 1)
#endif

// C[m, n] (+)= A[m, depth] · B[depth, n]. The order of a sum does not depend on the place of its row or column.
static void product(size_t m, size_t n, size_t depth, const float *a, size_t a_row, size_t a_col, const float *b,
                    size_t b_row, float *c, size_t c_row, int accumulate) {
    for (size_t j = 0; j < n; j += 16 * STRIP_VECTORS) {
        size_t vectors = (n - j + 15) / 16;
        if (vectors > STRIP_VECTORS) vectors = STRIP_VECTORS;
        size_t end = n - j - 16 * (vectors - 1), last = end < 16 ? end : 16;
        switch (vectors) {
#if SWK_WIDE
        case 4: strip_4(last, m, depth, a, a_row, a_col, b + j, b_row, c + j, c_row, accumulate); break;
        case 3: strip_3(last, m, depth, a, a_row, a_col, b + j, b_row, c + j, c_row, accumulate); break;
        case 2: strip_2(last, m, depth, a, a_row, a_col, b + j, b_row, c + j, c_row, accumulate); break;
#endif
        default: strip_1(last, m, depth, a, a_row, a_col, b + j, b_row, c + j, c_row, accumulate);
        }
    }
}

#if SWK_WIDE
#define FEW_M 4
#define FEW_N 4
// The sums of four vectors at once, each in the order of sum_of: a row's result does not depend on its company.
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
#else
#define FEW_M 2
#define FEW_N 2
INLINE void few_sums(const v16 *v, float *out) {
    for (int i = 0; i < FEW_N; i++) out[i] = sum_of(v[i]);
}
#endif

// out[i, j] = x[i] · w[j] for ROWS rows and FEW_N columns: the weights are read once for all the rows. The columns of a call lie one
// behind the other in memory; `ahead`, when it is not 0, is how many floats further on what is needed later is fetched, in that order.
#define FEW_TILE(ROWS)                                                                                               \
    INLINE void few_##ROWS(size_t k, const float *x, size_t x_stride, const float *w, size_t ahead, float *out,      \
                           size_t out_stride) {                                                                      \
        v16 acc[ROWS][FEW_N] = {0};                                                                                  \
        size_t p = 0;                                                                                                \
        for (; p + 16 <= k; p += 16) {                                                                               \
            v16 a[ROWS];                                                                                             \
            _Pragma("unroll") for (int r = 0; r < ROWS; r++) a[r] = load(x + r * x_stride + p);                      \
            _Pragma("unroll") for (int c = 0; c < FEW_N; c++) {                                                      \
                v16 b = load(w + c * k + p);                                                                         \
                if (ahead) __builtin_prefetch(w + ahead + FEW_N * p + 16 * c, 0, 2);                                 \
                _Pragma("unroll") for (int r = 0; r < ROWS; r++) acc[r][c] += a[r] * b;                              \
            }                                                                                                        \
        }                                                                                                            \
        _Pragma("unroll") for (int r = 0; r < ROWS; r++) {                                                           \
            float *o = out + r * out_stride;                                                                         \
            few_sums(acc[r], o);                                                                                     \
            for (size_t q = p; q < k; q++)                                                                           \
                for (int c = 0; c < FEW_N; c++) o[c] += x[r * x_stride + q] * w[c * k + q];                          \
        }                                                                                                            \
    }
FEW_TILE(1)
FEW_TILE(2)
#if SWK_WIDE
FEW_TILE(4)
#endif

// out[i, j] = x[i] · w[j].
static void linear_few(size_t m, size_t n, size_t k, const float *x, size_t x_stride, const float *w, float *out,
                       size_t out_stride) {
    size_t j = 0;
    for (; j + FEW_N <= n; j += FEW_N) {
        const float *column = w + j * k;
        size_t i = 0, ahead = j + 9 * FEW_N <= n ? 8 * FEW_N * k : 0; // by the first rows, for the others it is there
#if SWK_WIDE
        for (; i + 4 <= m; i += 4) few_4(k, x + i * x_stride, x_stride, column, i ? 0 : ahead, out + i * out_stride + j, out_stride);
#endif
        for (; i + 2 <= m; i += 2) few_2(k, x + i * x_stride, x_stride, column, i ? 0 : ahead, out + i * out_stride + j, out_stride);
        for (; i < m; i++) few_1(k, x + i * x_stride, x_stride, column, i ? 0 : ahead, out + i * out_stride + j, out_stride);
    }
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
