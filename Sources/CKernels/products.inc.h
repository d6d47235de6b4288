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
#else
#define FEW_M 2
#define FEW_N 2
#endif

// out[i, j] = x[i] · w[j]: FEW_M x FEW_N dot products at a time.
static void linear_few(size_t m, size_t n, size_t k, const float *x, size_t x_stride, const float *w, float *out,
                       size_t out_stride) {
    for (size_t j = 0; j < n; j += FEW_N) {
        size_t columns = n - j < FEW_N ? n - j : FEW_N;
        for (size_t i = 0; i < m; i += FEW_M) {
            size_t rows = m - i < FEW_M ? m - i : FEW_M;
            if (rows == FEW_M && columns == FEW_N) {
                v16 acc[FEW_M][FEW_N] = {0};
                size_t p = 0;
                for (; p + 16 <= k; p += 16) {
                    v16 a[FEW_M];
                    _Pragma("unroll") for (int r = 0; r < FEW_M; r++) a[r] = load(x + (i + r) * x_stride + p);
                    _Pragma("unroll") for (int c = 0; c < FEW_N; c++) {
                        v16 b = load(w + (j + c) * k + p);
                        _Pragma("unroll") for (int r = 0; r < FEW_M; r++) acc[r][c] += a[r] * b;
                    }
                }
                _Pragma("unroll") for (int r = 0; r < FEW_M; r++) _Pragma("unroll") for (int c = 0; c < FEW_N; c++) {
                    float s = sum_of(acc[r][c]);
                    for (size_t q = p; q < k; q++) s += x[(i + r) * x_stride + q] * w[(j + c) * k + q];
                    out[(i + r) * out_stride + j + c] = s;
                }
            } else {
                for (size_t r = 0; r < rows; r++)
                    for (size_t c = 0; c < columns; c++) {
                        v16 acc = {0};
                        size_t p = 0;
                        for (; p + 16 <= k; p += 16) acc += load(x + (i + r) * x_stride + p) * load(w + (j + c) * k + p);
                        float s = sum_of(acc);
                        for (; p < k; p++) s += x[(i + r) * x_stride + p] * w[(j + c) * k + p];
                        out[(i + r) * out_stride + j + c] = s;
                    }
            }
        }
    }
}
