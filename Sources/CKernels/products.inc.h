// Small matrix products in registers: the tiles for attention and for products with panels.
//
// Macros: TILE(ROWS, VECTORS) defines tile_ROWS_VECTORS, a product whose ROWS x 16*VECTORS sums stay in registers. TILES(ROWS,
// VECTORS) defines it and the smaller tiles with 4, 2 and 1 rows. STRIP(ROWS, VECTORS) defines strip_VECTORS (and
// strip_of_VECTORS, which is inlined where `last` is known): all rows of 16*VECTORS columns, with tiles of ROWS rows and the
// smaller tiles. STRIP_ROWS is one call of a tile. The available sizes depend on the registers: up to 6 x 4 if a register holds
// 16 floats (SWK_WIDE), otherwise 6 x 1 (twelve of the sixteen registers of AVX2). Arguments that are constants at the call (`last` 16,
// `ahead`) are removed by the compiler.

INLINE v16 load_first(const float *p, size_t n) { return n == 16 ? load(p) : load_part(p, n); }
INLINE void store_first(float *p, v16 v, size_t n) {
    if (n == 16) store(p, v); else store_part(p, v, n);
}

// C[rows, 16*(vectors-1) + last] (+)= A · B, with A[i, p] = a[i*a_row + p*a_col] and row-major B with stride b_row. `last` is the
// number of elements in the last vector; with the constant 16, no masks are needed. `ahead`, also a constant, is the prefetch
// distance in B in floats; 0 disables it.
#define TILE(ROWS, VECTORS)                                                                                       \
    INLINE void tile_##ROWS##_##VECTORS(size_t last, size_t depth, const float *a, size_t a_row, size_t a_col,    \
                                        const float *b, size_t b_row, float *c, size_t c_row, int accumulate,    \
                                        size_t ahead) {                                                           \
        v16 acc[ROWS][VECTORS];                                                                                   \
        _Pragma("unroll") for (int i = 0; i < ROWS; i++)                                                          \
            _Pragma("unroll") for (int j = 0; j < VECTORS; j++)                                                   \
                acc[i][j] = accumulate ? load_first(c + i * c_row + 16 * j, j + 1 < VECTORS ? 16 : last) : all(0.0f); \
        for (size_t p = 0; p < depth; p++) {                                                                      \
            v16 row[VECTORS];                                                                                     \
            _Pragma("unroll") for (int j = 0; j < VECTORS; j++) {                                                 \
                row[j] = load_first(b + p * b_row + 16 * j, j + 1 < VECTORS ? 16 : last);                         \
                if (ahead) __builtin_prefetch(b + p * b_row + 16 * j + ahead);                                    \
            }                                                                                                     \
            _Pragma("unroll") for (int i = 0; i < ROWS; i++) {                                                    \
                v16 x = all(a[i * a_row + p * a_col]);                                                            \
                _Pragma("unroll") for (int j = 0; j < VECTORS; j++) acc[i][j] += x * row[j];                      \
            }                                                                                                     \
        }                                                                                                         \
        _Pragma("unroll") for (int i = 0; i < ROWS; i++)                                                          \
            _Pragma("unroll") for (int j = 0; j < VECTORS; j++)                                                   \
                store_first(c + i * c_row + 16 * j, acc[i][j], j + 1 < VECTORS ? 16 : last);                      \
    }

// Multiplies all rows by one strip of columns, ROWS rows at a time and the remaining ones in groups of 4, 2 and 1.
#define STRIP_ROWS(R, VECTORS) \
    tile_##R##_##VECTORS(last, depth, a + i * a_row, a_row, a_col, b, b_row, c + i * c_row, c_row, accumulate, ahead)
#define STRIP(ROWS, VECTORS)                                                                                      \
    INLINE void strip_of_##VECTORS(size_t last, size_t m, size_t depth, const float *a, size_t a_row, size_t a_col, \
                                   const float *b, size_t b_row, float *c, size_t c_row, int accumulate, size_t ahead) { \
        size_t i = 0;                                                                                             \
        for (; i + ROWS <= m; i += ROWS) STRIP_ROWS(ROWS, VECTORS);                                               \
        if (ROWS > 4 && m - i >= 4) { STRIP_ROWS(4, VECTORS); i += 4; }                                           \
        if (m - i >= 2) { STRIP_ROWS(2, VECTORS); i += 2; }                                                       \
        if (m - i >= 1) STRIP_ROWS(1, VECTORS);                                                                   \
    }                                                                                                             \
    static void strip_##VECTORS(size_t last, size_t m, size_t depth, const float *a, size_t a_row, size_t a_col,  \
                                const float *b, size_t b_row, float *c, size_t c_row, int accumulate) {           \
        if (last == 16) strip_of_##VECTORS(16, m, depth, a, a_row, a_col, b, b_row, c, c_row, accumulate, 0);     \
        else strip_of_##VECTORS(last, m, depth, a, a_row, a_col, b, b_row, c, c_row, accumulate, 0);              \
    }

#define TILES(ROWS, VECTORS) TILE(ROWS, VECTORS) TILE(4, VECTORS) TILE(2, VECTORS) TILE(1, VECTORS)
#if SWK_WIDE
#define STRIP_VECTORS 4
TILES(8, 1)
TILES(6, 2)
TILES(6, 3)
TILES(6, 4)
STRIP(8, 1)
STRIP(6, 2)
STRIP(6, 3)
STRIP(6, 4)
#else
#define STRIP_VECTORS 1
TILES(6, 1)
STRIP(6, 1)
#endif

// C[m, n] (+)= A[m, depth] · B[depth, n]. The summation order does not depend on the position of the row or column.
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
