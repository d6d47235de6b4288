// Small matrix products that stay in registers: the tiles of attention, and linear layers for a few rows.

// C[rows, 16*vectors] (+)= A · B, with A[i, p] = a[i*a_row + p*a_col] and B row-major with stride b_row.
#define TILE(ROWS, VECTORS)                                                                                     \
    INLINE void tile_##ROWS##_##VECTORS(size_t depth, const float *a, size_t a_row, size_t a_col, const float *b, \
                                        size_t b_row, float *c, size_t c_row, int accumulate) {                 \
        v16 acc[ROWS][VECTORS];                                                                                 \
        _Pragma("unroll") for (int i = 0; i < ROWS; i++)                                                        \
            _Pragma("unroll") for (int j = 0; j < VECTORS; j++)                                                 \
                acc[i][j] = accumulate ? load(c + i * c_row + 16 * j) : all(0.0f);                              \
        for (size_t p = 0; p < depth; p++) {                                                                    \
            v16 row[VECTORS];                                                                                   \
            _Pragma("unroll") for (int j = 0; j < VECTORS; j++) row[j] = load(b + p * b_row + 16 * j);          \
            _Pragma("unroll") for (int i = 0; i < ROWS; i++) {                                                  \
                v16 x = all(a[i * a_row + p * a_col]);                                                          \
                _Pragma("unroll") for (int j = 0; j < VECTORS; j++) acc[i][j] += x * row[j];                    \
            }                                                                                                   \
        }                                                                                                       \
        _Pragma("unroll") for (int i = 0; i < ROWS; i++)                                                        \
            _Pragma("unroll") for (int j = 0; j < VECTORS; j++) store(c + i * c_row + 16 * j, acc[i][j]);       \
    }

TILE(1, 1)
TILE(4, 1)
#if SWK_WIDE
TILE(1, 4)
TILE(6, 4)
TILE(6, 2)
TILE(1, 2)
#endif

// The last few columns of a product, one row at a time.
INLINE void tile_tail(size_t columns, size_t depth, const float *a, size_t a_col, const float *b, size_t b_row, float *c,
                      int accumulate) {
    v16 acc = accumulate ? load_part(c, columns) : all(0.0f);
    for (size_t p = 0; p < depth; p++) acc += all(a[p * a_col]) * load_part(b + p * b_row, columns);
    store_part(c, acc, columns);
}

// C[m, n] (+)= A[m, depth] · B[depth, n].
static void product(size_t m, size_t n, size_t depth, const float *a, size_t a_row, size_t a_col, const float *b,
                    size_t b_row, float *c, size_t c_row, int accumulate) {
    size_t j = 0;
#if SWK_WIDE
    for (; j + 64 <= n; j += 64) {
        size_t i = 0;
        for (; i + 6 <= m; i += 6)
            tile_6_4(depth, a + i * a_row, a_row, a_col, b + j, b_row, c + i * c_row + j, c_row, accumulate);
        for (; i < m; i++) tile_1_4(depth, a + i * a_row, a_row, a_col, b + j, b_row, c + i * c_row + j, c_row, accumulate);
    }
    for (; j + 32 <= n; j += 32) {
        size_t i = 0;
        for (; i + 6 <= m; i += 6)
            tile_6_2(depth, a + i * a_row, a_row, a_col, b + j, b_row, c + i * c_row + j, c_row, accumulate);
        for (; i < m; i++) tile_1_2(depth, a + i * a_row, a_row, a_col, b + j, b_row, c + i * c_row + j, c_row, accumulate);
    }
#endif
    for (; j + 16 <= n; j += 16) {
        size_t i = 0;
        for (; i + 4 <= m; i += 4)
            tile_4_1(depth, a + i * a_row, a_row, a_col, b + j, b_row, c + i * c_row + j, c_row, accumulate);
        for (; i < m; i++) tile_1_1(depth, a + i * a_row, a_row, a_col, b + j, b_row, c + i * c_row + j, c_row, accumulate);
    }
    if (j < n)
        for (size_t i = 0; i < m; i++)
            tile_tail(n - j, depth, a + i * a_row, a_col, b + j, b_row, c + i * c_row + j, accumulate);
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
